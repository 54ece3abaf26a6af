#!/usr/bin/python3
"""Pictures by URL in the milter: its fetch process, how it ends, and what is counted of it."""
# tests/run: timeout=1200

import os
import signal
import sys
import threading
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "milter"),
                os.path.dirname(os.path.abspath(__file__))]

import harness  # noqa: E402
import running  # noqa: E402
import web  # noqa: E402
from fetching import mail, settings  # noqa: E402


class Served(unittest.TestCase):
    """The milter and its fetch process."""

    @classmethod
    def setUpClass(cls):
        cls.rude = web.Rude()
        cls.addClassCleanup(cls.rude.close)
        cls.bad = f"http://127.0.0.1:{cls.rude.port}"

    def text(self, *allow):
        return settings(allow, private=True)

    def fetcher(self, milter, other_than=()):
        return running.until("a fetch process", lambda: [
            pid for pid in milter.children("pixmilter-fetch") if pid not in other_than])[0]

    def embedded(self, milter, message):
        return b"cid:" in milter.send(message).message

    def test_only_where_something_is_listed(self):
        milter = running.Running(self, config="")
        milter.send(running.HTML)
        self.assertEqual(milter.children("pixmilter-fetch"), [])
        milter.stop()

    def test_a_killed_process_is_replaced(self):
        milter = running.Running(self, config=self.text(self.bad))
        first = self.fetcher(milter)
        self.assertTrue(self.embedded(milter, mail(f"{self.bad}/1.gif")))
        self.assertEqual(self.fetcher(milter), first)
        os.kill(first, signal.SIGKILL)
        self.fetcher(milter, [first])
        self.assertTrue(self.embedded(milter, mail(f"{self.bad}/2.gif")))
        # In the middle of an answer: that picture is lost, the mail is not.
        arrived = threading.Event()

        def slow(server, connection):
            arrived.set()
            connection.recv(1)
        self.rude.paths["/slow"] = slow
        results = []
        thread = threading.Thread(target=lambda: results.append(milter.send(mail(f"{self.bad}/slow"))))
        thread.start()
        self.assertTrue(arrived.wait(60))
        second = self.fetcher(milter)
        os.kill(second, signal.SIGKILL)
        thread.join(60)  # less than the time for a URL
        self.assertFalse(thread.is_alive())
        self.assertFalse(b"cid:" in results[0].message)
        milter.wait_logged("the fetch process has ended")
        self.fetcher(milter, [first, second])
        self.assertTrue(self.embedded(milter, mail(f"{self.bad}/3.gif")))
        self.assertEqual(milter.stop(), 0)

    def test_reload_changes_what_is_allowed(self):
        milter = running.Running(self, config=self.text(self.bad + "/a/*"))
        self.assertTrue(self.embedded(milter, mail(f"{self.bad}/a/1.gif")))
        self.assertFalse(self.embedded(milter, mail(f"{self.bad}/b/1.gif")))
        first = self.fetcher(milter)
        milter.configure(self.text(self.bad + "/b/*"))
        milter.signal(signal.SIGHUP)
        milter.wait_logged("is in force")
        # That is the master's word; the front takes it up a little later, all of it at once.
        running.until("the new list", lambda: self.embedded(milter, mail(f"{self.bad}/b/1.gif")))
        self.assertFalse(self.embedded(milter, mail(f"{self.bad}/a/1.gif")))
        running.until("the end of the first", lambda: first not in milter.children("pixmilter-fetch"))
        milter.configure("")
        milter.signal(signal.SIGHUP)
        milter.wait_logged("is in force", count=2)
        running.until("no list", lambda: not self.embedded(milter, mail(f"{self.bad}/b/1.gif")))
        running.until("the end of all", lambda: not milter.children("pixmilter-fetch"))
        self.assertFalse(self.embedded(milter, mail(f"{self.bad}/b/1.gif")))
        self.assertEqual(milter.stop(), 0)

    def test_connections_are_kept_between_messages(self):
        milter = running.Running(self, config=self.text(self.bad))
        before = self.rude.connections
        for i in range(5):
            self.assertTrue(self.embedded(milter, mail(f"{self.bad}/{i}.gif")))
        self.assertEqual(self.rude.connections - before, 1)
        self.assertEqual(milter.stop(), 0)

    def test_the_process_has_given_up_what_it_does_not_need(self):
        milter = running.Running(self, config=self.text(self.bad))
        self.assertTrue(self.embedded(milter, mail(f"{self.bad}/1.gif")))
        pid = self.fetcher(milter)
        with open(f"/proc/{pid}/status") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(int(status["CapEff"], 16), 0)
        self.assertEqual(int(status["CapPrm"], 16), 0)
        self.assertNotIn("0", status["Uid"].split())
        self.assertEqual(status["Seccomp"], "2")
        open_files = []
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                open_files.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
            except FileNotFoundError:
                pass  # closed since
        self.assertTrue(open_files)
        self.assertFalse([one for one in open_files if "milter.sock" in one], open_files)
        # The front has none of libcurl.
        with open(f"/proc/{milter.front()}/maps") as file:
            self.assertNotIn("libcurl", file.read())
        self.assertEqual(milter.stop(), 0)


if __name__ == "__main__":
    harness.main()
