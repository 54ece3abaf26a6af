#!/usr/bin/python3
"""The front's confinement in a running milter: that it holds, that nothing misses what it takes away, and that
a reload which names other files gets them without a mail being refused or a connection cut."""
# tests/run: timeout=1200

import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from client import Client, Closed  # noqa: E402
from running import HTML, PLAIN, Running, harness, until  # noqa: E402

DAC_READ_SEARCH, KILL = 1 << 2, 1 << 5
LANDLOCK, SECCOMP, ENOSYS = 444, 317, 38

SKIPPING = '[[rule]]\nname = "listed"\nmatch = { rcpt = ["%s"] }\naction = "skip"\n'


def statuses(pid):
    """The status of each thread of a process."""
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/status") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended since
        yield status


def send(running, **options):
    """A message over a connection of its own, and over another where that one came too late.

    A front that gives way lets a connection that it has just taken speak first, for a second. A client that the machine
    holds up for longer is cut, and so is one that waits as long for the front.
    """
    while True:
        began, answered = time.monotonic(), None
        try:
            with Client(running.socket, negotiate=False) as client:
                client.negotiate()
                answered = time.monotonic()
                answer = client.connect()
                assert answer[0] == b"c", answer
                result = client.send(HTML, **options)
                client.quit()
                return result
        except (Closed, ConnectionError):
            if (answered or time.monotonic()) - began <= 0.9:
                raise


class Confined(unittest.TestCase):
    def test_every_thread(self):
        running = Running(self)
        running.send(HTML)
        with running.client():
            for status in statuses(running.front()):
                self.assertEqual(status["NoNewPrivs"], "1")
                self.assertEqual(status["Seccomp"], "2")
                self.assertEqual(int(status["CapEff"], 16) & ~(DAC_READ_SEARCH | KILL), 0)
                self.assertEqual(int(status["CapBnd"], 16) if os.geteuid() == 0 else 0, 0)
        with open(f"/proc/{running.front()}/limits") as file:
            self.assertRegex(file.read(), r"Max core file size +0 +0 ")
        self.assertEqual(running.logged("not confined"), [])

    def test_the_master_is_not(self):
        """It starts programs and makes the socket."""
        running = Running(self)
        self.assertEqual(next(statuses(running.process.pid))["Seccomp"], "0")

    def test_a_character_set_that_is_loaded_when_asked_for(self):
        body = "<p>日本語 <img src=\"data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7\"></p>\n"
        message = HTML.split(b"\n\n", 1)[0].replace(b"utf-8", b"iso-2022-jp") + b"\n\n" + body.encode("iso-2022-jp")
        self.assertIn(b"multipart/related", Running(self).send(message).message)

    def test_what_lacks_is_said(self):
        deny = [harness.program("tests/pool_tool"), "--deny", f"{LANDLOCK}={ENOSYS}", "--exec", harness.program()]
        done = harness.run([*deny, "check"], check=0)
        self.assertRegex(done.stderr.decode(), "not confined wholly: no Landlock")
        done = harness.run([deny[0], "--deny", f"{SECCOMP}={ENOSYS}", *deny[3:], "check"], check=0)
        self.assertRegex(done.stderr.decode(), "not confined wholly: no filter of system calls: seccomp")
        self.assertNotIn("not confined", harness.run([harness.program(), "check"], check=0).stderr.decode())


class Maps(unittest.TestCase):
    """Map files lie where the administrator wants them."""

    def setUp(self):
        self.folder = harness.temp_dir(self)

    def write(self, name, *addresses):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w") as file:
            file.write("".join(address + "\n" for address in addresses))
        os.rename(path + ".new", path)
        return path

    def skipped(self, running, recipient="b@example.test"):
        return send(running, recipients=[recipient]).message == HTML.replace(b"\n", b"\r\n")

    def test_a_file_that_an_editor_has_replaced(self):
        path = self.write("lists/skip.map", "nobody@example.test")
        running = Running(self, config=SKIPPING % path)
        self.assertFalse(self.skipped(running))
        front = running.front()
        self.write("lists/skip.map", "b@example.test")
        until("the new list counts", lambda: self.skipped(running))
        self.assertEqual(running.front(), front)

    def test_a_link_to_elsewhere(self):
        there = self.write("elsewhere/deep/skip.map", "nobody@example.test")
        os.makedirs(os.path.join(self.folder, "lists"))
        link = os.path.join(self.folder, "lists", "skip.map")
        os.symlink(there, link)
        running = Running(self, config=SKIPPING % link)
        self.assertFalse(self.skipped(running))
        self.write("elsewhere/deep/skip.map", "b@example.test")
        until("the new list counts", lambda: self.skipped(running))

    def test_a_reload_that_names_another_folder(self):
        first = self.write("first/skip.map", "nobody@example.test")
        second = self.write("second/skip.map", "nobody@example.test")
        running = Running(self, config=SKIPPING % first)
        self.assertFalse(self.skipped(running))
        before = running.front()
        with running.client() as connected:
            connected.send(PLAIN)
            running.configure(SKIPPING % second)
            running.signal(1)
            running.wait_logged("is in force")
            front = running.front(other_than=[before])
            # Whoever is connected goes on, as often as he likes.
            for _ in range(3):
                self.assertTrue(connected.send(HTML).passed)
            self.write("second/skip.map", "b@example.test")
            until("the new list counts", lambda: self.skipped(running))
            connected.quit()
        until("the former front has gone", lambda: running.children("pixmilter-front") == [front])
        # Its own zygote is gone with it, and a reload that names nothing new keeps this one.
        running.signal(1)
        running.wait_logged("is in force", 2)
        self.assertEqual(running.front(), front)
        self.assertEqual(running.stop(), 0)

    def test_mail_flows_while_fronts_change(self):
        paths = [self.write(f"{number}/skip.map", "nobody@example.test") for number in range(2)]
        running = Running(self, config=SKIPPING % paths[0])
        stop, problems, sent = threading.Event(), [], [0]

        def keep_sending():
            while not stop.is_set():
                try:
                    result = send(running)
                    if not result.passed or b"multipart/related" not in result.message:
                        problems.append(result.kind)
                    sent[0] += 1
                except Exception as error:  # pylint: disable=broad-except
                    problems.append(repr(error))

        threads = [threading.Thread(target=keep_sending) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(1, 6):
            running.configure(SKIPPING % paths[number % 2])
            running.signal(1)
            running.wait_logged("is in force", number)
            before = sent[0]
            until("mail flows", lambda: problems or sent[0] > before + 3)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])
        until("one front", lambda: len(running.children("pixmilter-front")) == 1)
        self.assertEqual(running.stop(), 0)

    def test_sigterm_while_a_former_front_has_a_connection(self):
        paths = [self.write(f"{number}/skip.map", "nobody@example.test") for number in range(2)]
        running = Running(self, config=SKIPPING % paths[0])
        before = running.front()
        with running.client() as connected:
            connected.send(PLAIN)
            running.configure(SKIPPING % paths[1])
            running.signal(1)
            running.front(other_than=[before])
            self.assertEqual(running.stop(25), 0)  # the deadline of a message is 30 s


if __name__ == "__main__":
    harness.main()
