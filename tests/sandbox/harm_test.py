#!/usr/bin/python3
"""Render workers that were taken over: those that lie about their picture, and those that do harm to themselves."""
# tests/run: timeout=3600

import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), HERE]
import harness
import sanitizers
from sealed import ATTEMPTS_TO_LEARN, Tool


class LieTest(unittest.TestCase):
    """Workers that return something else than they should; the picture after it is fine."""

    @classmethod
    def setUpClass(cls):
        cls.tool = Tool(cls)

    def lie(self, name, *statuses):
        lines = self.tool.attacks(name, "breach", options=["--workers", "1"])
        self.assertIn(lines[0].status, statuses, lines[0].reason)
        self.assertEqual(lines[1].status, "ok")

    def test_width(self):
        self.lie("lie_width", "violated")

    def test_format(self):
        self.lie("lie_format", "violated")

    def test_garbage(self):
        self.lie("lie_garbage", "violated")

    def test_bytes_after_the_picture(self):
        self.lie("lie_tail", "violated")

    def test_nothing(self):
        self.lie("lie_empty", "refused")

    def test_a_picture_of_four_quintillion_pixels(self):
        self.lie("lie_huge", "violated")

    def test_junk_instead_of_an_answer(self):
        self.lie("say_junk", "violated")

    def test_a_packet_that_is_too_long(self):
        self.lie("say_long", "violated")

    def test_an_empty_packet(self):
        self.lie("say_nothing", "violated", "crashed")

    def test_another_picture_s_answer(self):
        self.lie("say_wrong_number", "violated")

    def test_a_size_beyond_the_memory(self):
        self.lie("say_too_large", "violated")

    def test_two_answers(self):
        self.lie("say_twice", "violated", "refused")

    def test_an_answer_in_advance_is_not_the_next_picture_s(self):
        for _ in range(5):
            lines = self.tool.attacks("say_again_later", "breach", "breach", "breach", options=["--workers", "1"])
            for line in lines[1:]:
                self.assertIn(line.status, ("ok", "violated"), line.reason)

    def test_a_flood_on_stderr(self):
        lines, log = self.tool.run("--program", self.tool.attack, "attack:flood_stderr:main", "attack:breach:main")
        self.assertEqual([line.status for line in lines], ["ok", "ok"])
        self.assertLess(len(log), 10_000)
        for line in log.splitlines():
            self.assertTrue(line.startswith("pixmilter: warning: render program says "), line)
            self.assertNotIn("\x1b", line)


class HarmTest(unittest.TestCase):
    """What ends a worker is named, costs one picture, and is over in time."""

    @classmethod
    def setUpClass(cls):
        cls.tool = Tool(cls)

    def harm(self, name, status, reason, options=()):
        # It holds for the good picture as well, whose worker may have to wait for a processor.
        timeout = "15000" if harness.sanitized() else "10000"
        for _ in range(ATTEMPTS_TO_LEARN):
            begun = time.monotonic()
            lines = self.tool.attacks(name, "breach", options=["--workers", "1", "--timeout", timeout,
                                                               "--deadline", "240000", *options])
            took = time.monotonic() - begun
            if not lines[0].unexplained:
                break
        self.assertEqual(lines[0].status, status, lines[0].reason)
        self.assertRegex(lines[0].reason, reason)
        self.assertEqual(lines[1].status, "ok", lines[1].reason)
        self.assertLess(took, 120, "it waited for the message's time")

    def test_segfault(self):
        if not harness.sanitized("address"):
            return self.harm("crash_segv", "crashed", "SIGSEGV")
        # This sanitizer says what it was and exits.
        self.harm("crash_segv", "crashed", "exit code [1-9]")
        _, log = self.tool.run("--program", self.tool.attack, "attack:crash_segv:main:raw")
        self.assertRegex(log, sanitizers.REPORT)

    def test_abort(self):
        self.harm("crash_abort", "crashed", "SIGABRT")

    def test_exit(self):
        self.harm("crash_exit", "crashed", "exit code 0")

    def test_exception(self):
        self.harm("crash_throw", "crashed", "SIGABRT")

    def test_busy_loop(self):
        self.harm("spin", "timeout", "time for one image")

    def test_hang(self):
        self.harm("hang", "timeout", "time for one image")

    def test_memory(self):
        if harness.sanitized():
            self.skipTest("no limit of memory under sanitizers")
        self.harm("eat_memory", "limit", "memory", ["--memory", "100000000"])

    def test_memory_that_glib_does_not_get(self):
        self.harm("eat_glib", "limit", "memory")

    def test_threads(self):
        if harness.sanitized():
            self.skipTest("no limit of memory under sanitizers")
        self.harm("eat_threads", "crashed", "SIGABRT|signal 31", ["--memory", "100000000"])

    def test_stack(self):
        self.harm("eat_stack", "crashed", "SIGSEGV")

    def test_a_picture_that_killed_two_workers_is_refused(self):
        lines = self.tool.attacks(*["crash_segv"] * 4, "crash_abort", "breach")
        self.assertEqual([line.status for line in lines],
                         ["crashed", "crashed", "refused", "refused", "crashed", "ok"])
        self.assertIn("ended several render workers", lines[2].reason)

    def test_freed_memory_holds_nothing(self):
        if harness.sanitized():
            self.skipTest("a sanitizer has an allocator of its own, which does not wipe")
        lines = self.tool.attacks("leave_secret", "find_secret", options=["--workers", "1", "--counters"])
        self.assertEqual([line.reason for line in lines], ["left", "clean"])
        self.assertEqual(self.tool.counters[0][:2], ["1", "1"], "both had the same worker")
        # What came in the packet itself: large blocks are wiped when the answer is out.
        lines = self.tool.attacks("find_packet", "leave_packet", "find_packet",
                                  options=["--workers", "1", "--counters"])
        self.assertEqual([line.reason for line in lines], ["clean", "left", "clean"])
        self.assertEqual(self.tool.counters[0][:2], ["1", "1"], "all had the same worker")


if __name__ == "__main__":
    harness.main()
