#!/usr/bin/python3
"""What /proc shows of sealed workers, and what is done and said where a kernel cannot seal them."""
# tests/run: timeout=3600

import os
import signal
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), HERE]
import numpy

import harness
import pictures
from sealed import EPERM, ENOSYS, LANDLOCK, SECCOMP, UNSHARE, Tool, sample_files

# A thread, process or descriptor of /proc that ended between the listing and the look at it.
GONE = (FileNotFoundError, ProcessLookupError)


class StateTest(unittest.TestCase):
    """What /proc says about workers that wait."""

    @classmethod
    def setUpClass(cls):
        cls.tool = Tool(cls)
        cls.files = sample_files(cls.tool.folder)

    def setUp(self):
        self.process = subprocess.Popen([self.tool.path, "--workers", "2", "--hold", "raw:8x8x1"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.end)
        for line in self.process.stdout:
            if line == b"holding\n":
                break
        self.wait_until(lambda: len(self.workers()) >= 3)
        self.assertEqual(len(self.workers()), 3)
        self.wait_until(lambda: all(self.status(pid)["Seccomp"] == "2" for pid in self.workers()))

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    @staticmethod
    def wait_until(holds, seconds=60):
        """Generous: what is waited for comes within a second where there is a processor for it."""
        deadline = time.monotonic() + seconds
        while not holds() and time.monotonic() < deadline:
            time.sleep(0.02)

    @staticmethod
    def children(pid, task=None):
        try:
            with open(f"/proc/{pid}/task/{task or pid}/children") as file:
                return [int(word) for word in file.read().split()]
        except GONE:
            return []

    def zygote(self):
        # The thread that started it is the pool's.
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            for child in self.children(self.process.pid, task):
                return child
        self.fail("no zygote")

    def workers(self):
        return self.children(self.zygote())

    @staticmethod
    def status(pid, task=None):
        with open(f"/proc/{pid}/task/{task or pid}/status") as file:
            return dict((line.split(":", 1)[0], line.split(":", 1)[1].strip()) for line in file)

    def test_the_zygote_has_one_thread(self):
        self.assertEqual(self.status(self.zygote())["Threads"], "1")

    def test_every_thread_is_filtered_and_unprivileged(self):
        for pid in self.workers():
            seen = 0
            for task in os.listdir(f"/proc/{pid}/task"):
                try:
                    status = self.status(pid, task)
                except GONE:
                    continue
                seen += 1
                self.assertEqual(status["Seccomp"], "2", f"thread {task} of {pid}")
                self.assertEqual(status["NoNewPrivs"], "1")
                for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                    self.assertEqual(int(status[kind], 16), 0, kind)
            self.assertGreater(seen, 0)

    def test_nobody_s_user_and_groups(self):
        harness.need_root()
        for pid in self.workers():
            status = self.status(pid)
            self.assertNotIn("0", status["Uid"].split() + status["Gid"].split())
            self.assertEqual(status["Groups"], "")

    def test_no_descriptors_but_its_own(self):
        for pid in self.workers():
            found = {}
            for fd in os.listdir(f"/proc/{pid}/fd"):
                try:
                    found[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
                except GONE:
                    pass
            self.assertEqual(sorted(found), [0, 1, 2, 3], found)
            self.assertEqual(found[0], "/dev/null")
            self.assertTrue(found[1].startswith("pipe:") and found[2].startswith("pipe:"), found)
            self.assertTrue(found[3].startswith("socket:"), found)

    def test_limits(self):
        for pid in self.workers():
            with open(f"/proc/{pid}/limits") as file:
                limits = {line[:25].strip(): line[25:].split()[:2] for line in file}
            self.assertEqual(limits["Max file size"], ["0", "0"])
            self.assertEqual(limits["Max core file size"], ["0", "0"])
            self.assertLessEqual(int(limits["Max open files"][1]), 64)
            self.assertNotEqual(limits["Max cpu time"][1], "unlimited")
            self.assertNotEqual(limits["Max processes"][1], "unlimited")
            if not harness.sanitized():
                self.assertLess(int(limits["Max address space"][1]), 1 << 30)

    def test_namespaces_of_their_own(self):
        harness.need_root()
        for pid in self.workers():
            for kind in ("net", "mnt", "user", "ipc"):
                self.assertNotEqual(os.readlink(f"/proc/{pid}/ns/{kind}"), os.readlink(f"/proc/self/ns/{kind}"), kind)

    def test_environment(self):
        for pid in self.workers():
            with open(f"/proc/{pid}/environ", "rb") as file:
                environment = file.read().split(b"\0")
            for wanted in (b"VIPS_NOVECTOR=1", b"MALLOC_ARENA_MAX=1"):
                self.assertIn(wanted, environment)
            self.assertTrue(any(word.startswith(b"VIPS_DISC_THRESHOLD=") for word in environment))

    def test_workers_end_with_their_zygote(self):
        zygote, workers = self.zygote(), self.workers()
        os.kill(zygote, signal.SIGKILL)
        self.wait_until(lambda: not any(os.path.exists(f"/proc/{pid}/fd/3") for pid in workers))
        for pid in workers:
            self.assertFalse(os.path.exists(f"/proc/{pid}/fd/3"), f"{pid} lives")


class LackTest(unittest.TestCase):
    """Kernels that have less: what is done, and what is said."""

    @classmethod
    def setUpClass(cls):
        cls.tool = Tool(cls)
        cls.files = sample_files(cls.tool.folder)
        cls.message = (b"From: a@example.test\r\nTo: b@example.test\r\nMIME-Version: 1.0\r\n"
                       b"Content-Type: application/x-npy\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                       pictures.base64.b64encode(pictures.npy(numpy.zeros((1, 1), numpy.uint8))) + b"\r\n")

    def pixmilter(self, *words, deny=(), input=None):
        command = [self.tool.path]
        for call, error in deny:
            command += ["--deny", f"{call}={error}"]
        return harness.run(command + ["--exec", os.path.join(self.tool.folder, "pixmilter"), *words], input, check=0)

    def configuration(self, text):
        path = os.path.join(self.tool.folder, "pixmilter.toml")
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_without_seccomp_mail_goes_untouched(self):
        done = self.pixmilter("rewrite", deny=[(SECCOMP, ENOSYS)], input=self.message)
        self.assertEqual(done.stdout, self.message)
        self.assertIn(b"cannot be sealed", done.stderr)
        self.assertIn(b"seccomp", done.stderr)

    def test_best_effort_goes_on_and_says_so(self):
        path = self.configuration('[render]\nsandbox = "best-effort"\n')
        done = self.pixmilter("rewrite", "-c", path, deny=[(SECCOMP, ENOSYS)], input=self.message)
        self.assertIn(b"image/png", done.stdout)
        self.assertEqual(done.stderr.count(b"seal of render workers is not complete"), 1, done.stderr)

    def test_it_is_said_once(self):
        _, log = self.tool.run("--deny", f"{LANDLOCK}={ENOSYS}", *[self.files["tiff"][0]] * 4, self.files["svg"][0])
        self.assertEqual(log.count("no Landlock"), 1, log)

    def test_check_says_it_too(self):
        self.assertEqual(self.pixmilter("check").stderr, b"")
        self.assertIn(b"no Landlock", self.pixmilter("check", deny=[(LANDLOCK, ENOSYS)]).stderr)
        self.assertIn(b"no namespaces", self.pixmilter("check", deny=[(UNSHARE, EPERM)]).stderr)
        self.assertIn(b"cannot be sealed", self.pixmilter("check", deny=[(SECCOMP, ENOSYS)]).stderr)


class CommandLineTest(unittest.TestCase):
    """The render program is no command."""

    def test_a_user_who_starts_it_is_told(self):
        for words in ([], ["--help"], ["picture.png"], ["--zygote-fd"], ["--zygote-fd", "x"], ["--zygote-fd", "99"],
                      ["--zygote-fd", "0", "--sandbox", "none"]):
            done = harness.run([harness.program("pixmilter-render"), *words])
            self.assertEqual(done.returncode, 64, words)
            self.assertTrue(done.stderr)

    def test_version(self):
        done = harness.run([harness.program("pixmilter-render"), "--version"], check=0)
        self.assertRegex(done.stdout, rb"^pixmilter-render \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    harness.main()
