#!/usr/bin/python3
"""What an administrator installs: `make install`, and the Debian package.

The package is installed, set up by the README's commands as they stand, used and purged in a copy of this machine: an
overlay over /, with its own processes and its own network, in which Postfix has port 25. Nothing of the machine changes.
"""
# tests/run: timeout=3600

import os
import re
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import judge
import pictures

HERE = os.path.dirname(os.path.abspath(__file__))


def make(*arguments, timeout=900):
    return harness.run(["make", "-C", harness.ROOT, f"B={os.path.relpath(harness.build_dir(), harness.ROOT)}", *arguments],
                       timeout=timeout, check=0, env={**os.environ, "MAKEFLAGS": "", "MAKELEVEL": ""}).stdout.decode()


def files_beneath(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)


def array_message():
    import email.message
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.test", "b@example.test", "array"
    message.set_content("See the frame.\n")
    message.add_attachment(pictures.npy(pictures.array()), "application", "x-npy", filename="frame.npy")
    return message.as_bytes()


def run_in_copy(test, script, folder, **more):
    """Runs tests/package/SCRIPT in a copy of this machine; gives what it says."""
    harness.need_root()
    harness.need_program("unshare")
    done = harness.run(["unshare", "--mount", "--net", "--pid", "--uts", "--fork", "--kill-child", "--propagation", "private",
                        "/bin/sh", os.path.join(HERE, "copy_of_machine.sh"), folder, harness.ROOT, script],
                       timeout=900, **more)
    said = done.stdout.decode() + done.stderr.decode()
    if done.returncode == 77:
        test.skipTest("no overlay can be made here: " + said.strip())
    test.assertEqual(done.returncode, 0, said)
    return said


class Install(unittest.TestCase):
    def setUp(self):
        if not os.path.exists(os.path.join(harness.ROOT, "config.mk")):
            self.skipTest("the tree is not configured")

    def test_install_runs_and_uninstall_removes_exactly_that(self):
        root = harness.temp_dir(self)
        prefix = "/opt/elsewhere"
        of_others = os.path.join(root, "opt/elsewhere/share/man/man8/other.8")
        os.makedirs(os.path.dirname(of_others))
        open(of_others, "w").close()
        make("install", f"DESTDIR={root}", f"prefix={prefix}")
        there = files_beneath(root + prefix)
        for name in ("sbin/pixmilter", "libexec/pixmilter/pixmilter-render", "share/man/man1/pixmilter.1",
                     "share/man/man7/pixmilter-parts.7", "share/man/man8/pixmilter.8", "share/doc/pixmilter/README.md",
                     "share/doc/pixmilter/examples/pixmilter.toml", "share/doc/pixmilter/examples/postfix/main.cf",
                     "share/doc/pixmilter/examples/scans.toml",
                     "share/doc/pixmilter/examples/sendmail/pixmilter.mc", "lib/systemd/system/pixmilter.service",
                     "lib/systemd/system/pixmilter.socket", "lib/sysusers.d/pixmilter.conf", "lib/tmpfiles.d/pixmilter.conf"):
            self.assertIn(name, there)
        with open(f"{root}{prefix}/lib/systemd/system/pixmilter.service") as unit:
            self.assertIn(f"ExecStart={prefix}/sbin/pixmilter serve", unit.read())
        # The installed program finds the installed render program.
        done = harness.run([f"{root}{prefix}/sbin/pixmilter", "rewrite"], input=array_message(), check=0)
        self.assertEqual(len(judge.images(judge.parse(done.stdout))), 1, done.stderr)
        make("uninstall", f"DESTDIR={root}", f"prefix={prefix}")
        self.assertEqual(files_beneath(root), ["opt/elsewhere/share/man/man8/other.8"])
        self.assertFalse(os.path.exists(f"{root}{prefix}/share/doc/pixmilter"))
        self.assertFalse(os.path.exists(f"{root}{prefix}/libexec/pixmilter"))

    def test_readme_commands_without_a_package(self):
        """Built, installed and run by tests/package/by_hand.py within a copy of the machine."""
        if harness.sanitized():
            self.skipTest("what is installed is what is built without sanitizers")
        harness.need_program("useradd")
        build = os.path.relpath(harness.build_dir(), harness.ROOT)
        said = run_in_copy(self, "by_hand.py", harness.temp_dir(self), env={**os.environ, "MAKEFLAGS": f"B={build}", "MAKELEVEL": ""})
        self.assertIn("served, and ended", said)


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.need_program("dpkg-deb", "dpkg-shlibdeps")
        if not os.path.exists(os.path.join(harness.ROOT, "config.mk")):
            raise unittest.SkipTest("the tree is not configured")
        if harness.sanitized():
            raise unittest.SkipTest("a package is made of what is built without sanitizers")
        said = make("deb")
        cls.deb = os.path.join(harness.ROOT, re.search(r"(\S+\.deb) is ready", said).group(1))

    def test_lintian_finds_no_error(self):
        lintian = harness.need_program("lintian")
        done = harness.run([lintian, "--fail-on", "error,warning", "--allow-root", self.deb], timeout=900)
        self.assertEqual((done.returncode, done.stdout.decode()), (0, ""), done.stderr.decode())

    def test_configuration_is_a_conffile(self):
        folder = harness.temp_dir(self)
        harness.run(["dpkg-deb", "-e", self.deb, folder], check=0)
        with open(f"{folder}/conffiles") as file:
            self.assertEqual(file.read(), "/etc/pixmilter/pixmilter.toml\n")

    def test_readme_commands_on_a_clean_root(self):
        """Installed, set up, used and purged by tests/package/first_day.py within a copy of the machine."""
        harness.need_program("postfix", "apt-get")
        folder = harness.temp_dir(self)
        shutil.copy(self.deb, folder)
        said = run_in_copy(self, "first_day.py", folder)
        self.assertIn("purged, nothing left", said)


harness.main()
