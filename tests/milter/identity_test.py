#!/usr/bin/python3
"""serve --user, --group and --pidfile: root opens the socket and then is root no more, in any of the processes."""

import base64
import grp
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"),
                os.path.dirname(os.path.abspath(__file__))]
import client as milter
import harness
import pictures
import served

USER, GROUP = "nobody", "daemon"


def ids(pid):
    """{uid and gid fields of a process}, real to file system, and its supplementary groups."""
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.rstrip("\n").split(":", 1) for line in status)
    return set(fields["Uid"].split()), set(fields["Gid"].split()), set(fields["Groups"].split())


def array_message():
    return (b"From: a@example.test\r\nTo: b@example.test\r\nMIME-Version: 1.0\r\nContent-Type: application/x-npy\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" +
            base64.encodebytes(pictures.npy(pictures.array())).replace(b"\n", b"\r\n"))


class Identity(unittest.TestCase):
    def setUp(self):
        harness.need_root()
        self.folder = harness.temp_dir(self)
        # The tree under test may lie where only root gets.
        for name in ("pixmilter", "pixmilter-render"):
            shutil.copy(harness.program(name), self.folder)
        self.owned = os.path.join(self.folder, "owned")
        os.mkdir(self.owned)
        shutil.chown(self.owned, USER)
        self.config = os.path.join(self.folder, "pixmilter.toml")
        open(self.config, "w").close()
        self.socket, self.pid_file = f"{self.owned}/sock", f"{self.owned}/pid"

    def command(self, *arguments):
        return [f"{self.folder}/pixmilter", "serve", "--log", "stderr", "-c", self.config, "--socket",
                f"unix:{self.socket}", *arguments]

    def start(self, *arguments):
        log = open(f"{self.folder}/log", "wb")
        process = subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.addCleanup(self.stop, process)
        self.wait(lambda: self.front_of(process) and os.path.exists(self.socket), process)
        return process

    def wait(self, condition, process):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertIsNone(process.poll(), self.log())
            self.assertLess(time.monotonic(), deadline, self.log())
            time.sleep(0.02)

    def front_of(self, process):
        return [pid for pid, name in served.descendants(process.pid).items() if name == "pixmilter-front"]

    def stop(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        return process.returncode

    def log(self):
        with open(f"{self.folder}/log", errors="replace") as file:
            return file.read()

    def test_everything_runs_as_the_user_and_renders_sealed(self):
        process = self.start("--user", USER, "--pidfile", self.pid_file)
        with open(self.pid_file) as file:
            self.assertEqual(file.read(), f"{process.pid}\n")
        result = milter.send_message(f"unix:{self.socket}", array_message())
        self.assertIn(b"image/png", result.message, self.log())
        uid, gid = str(pwd.getpwnam(USER).pw_uid), str(pwd.getpwnam(USER).pw_gid)
        for pid in [process.pid] + self.front_of(process):
            self.assertEqual(ids(pid), ({uid}, {gid}, {gid}))
        for pid in served.descendants(process.pid):
            try:
                owners = ids(pid)[0]
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended since
            self.assertNotIn("0", owners)
        status = os.stat(self.socket)
        self.assertEqual((status.st_uid, stat.S_IMODE(status.st_mode)), (int(uid), 0o660))
        self.assertEqual(self.stop(process), 0)
        self.assertFalse(os.path.exists(self.pid_file) or os.path.exists(self.socket))

    def test_a_group_of_its_own(self):
        process = self.start("--user", USER, "--group", GROUP)
        self.assertEqual(ids(process.pid)[1], {str(grp.getgrnam(GROUP).gr_gid)})

    def test_the_configuration_is_read_again_as_the_user(self):
        process = self.start("--user", USER)
        with open(self.config, "w") as file:
            file.write('mode = "off"\n')
        process.send_signal(signal.SIGHUP)
        self.wait(lambda: "is in force" in self.log(), process)

        # The master says so first; the front follows.
        def converted():
            return b"image/png" in milter.send_message(f"unix:{self.socket}", array_message()).message
        self.wait(lambda: not converted(), process)

    def test_a_configuration_that_the_user_cannot_read_is_warned_of(self):
        with open(self.config, "w") as file:
            file.write('mode = "off"\n')
        os.chmod(self.config, 0o600)
        self.start("--user", USER)
        self.assertIn(f"{self.config} cannot be read by {USER}", self.log())

    def test_a_pid_file_where_the_user_may_not_remove_it_is_emptied(self):
        path = f"{self.folder}/pid"
        process = self.start("--user", USER, "--pidfile", path)
        self.stop(process)
        with open(path) as file:
            self.assertEqual(file.read(), "")
        self.start("--user", USER, "--pidfile", path)

    def test_a_second_one_with_the_same_pid_file_does_not_start(self):
        process = self.start("--pidfile", self.pid_file)
        other = [word.replace(self.socket, self.socket + "2") for word in self.command("--pidfile", self.pid_file)]
        done = harness.run(other)
        self.assertEqual(done.returncode, 75)
        self.assertIn(f"process {process.pid} holds it", done.stderr.decode())
        with open(self.pid_file) as file:
            self.assertEqual(file.read(), f"{process.pid}\n")

    def test_one_that_was_left_behind_is_taken_over(self):
        with open(self.pid_file, "w") as file:
            file.write("999999999 and more that is longer than a pid\n")
        process = self.start("--pidfile", self.pid_file)
        with open(self.pid_file) as file:
            self.assertEqual(file.read(), f"{process.pid}\n")

    def test_what_is_wrong_is_named(self):
        link = f"{self.folder}/link"
        os.symlink("/etc/motd", link)
        for arguments, status, words in (
                (["--user", "nobody-of-that-name"], 64, "--user: there is no user nobody-of-that-name"),
                (["--user", USER, "--group", "no-such-group"], 64, "--group: there is no group no-such-group"),
                (["--group", GROUP], 64, "--user"),
                (["--pidfile", "/nowhere/at/all"], 75, "--pidfile: /nowhere/at/all: No such file or directory"),
                (["--pidfile", link], 75, f"--pidfile: {link}: "),
                (["--pidfile", self.folder], 75, f"--pidfile: {self.folder}: ")):
            with self.subTest(arguments=arguments):
                done = harness.run(self.command(*arguments))
                self.assertEqual(done.returncode, status, done)
                self.assertIn(words, done.stderr.decode())
                self.assertFalse(os.path.exists(self.socket))

    def test_who_is_not_root_cannot_become_somebody(self):
        done = harness.run(self.command("--user", "daemon"), user=USER)
        self.assertEqual(done.returncode, 64, done)
        self.assertIn("only root can become daemon", done.stderr.decode())


harness.main()
