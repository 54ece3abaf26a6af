#!/usr/bin/python3
"""on_fail = { timeout = ..., internal = ... }: what a message meets when a picture's worker is too slow, dies, or is
killed from outside; and that each word means its kind of failure and no other.

The render program is that of tests/sandbox/attack.cc, whose pictures fail on demand: "hang" and "spin" never end,
"crash_segv" dies, "lie_width" says what is not so.
"""
# tests/run: timeout=1200

import os
import shutil
import sys
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

import judge  # noqa: E402
from deadline_test import blob, message  # noqa: E402
from running import Running, harness, served  # noqa: E402

LATER, NEVER = "451 4.", "550 5."


def crash():
    """The way to die: AddressSanitizer reports a SIGSEGV in the log, where no report may be."""
    return "crash_abort" if harness.sanitized("address") else "crash_segv"


class OnFail(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = harness.temp_dir(cls)
        shutil.copy2(harness.program("pixmilter"), cls.folder)
        shutil.copy2(harness.program("tests/render_attack"), os.path.join(cls.folder, "pixmilter-render"))

    # Whatever is not to fail by its time, the sound picture too, has more of it than a busy machine takes.
    def serve(self, on_fail, timeout="10s", deadline="60s"):
        self.running = Running(self, program=os.path.join(self.folder, "pixmilter"), config=(
            f'[milter]\ndeadline = "{deadline}"\n[cache]\nmemory = "0"\n'
            f'[render]\nworkers = 1\ntimeout = "{timeout}"\nloaders = ["png"]\n'
            f'[defaults]\non_fail = {on_fail}\n'))
        # With a worker that is there already.
        self.running.send(message(b"\7" * 100), queue_id="FIRST")
        self.running.line_for("FIRST")

    def check(self, name, reply, number=1, **options):
        """Sends one picture that fails; reply None: the message goes out as it came."""
        sent = message(blob(name, number))
        result = self.running.send(sent, queue_id=f"Q{name}{number}", **options)
        self.check_result(result, sent, reply)

    def check_result(self, result, sent, reply):
        if reply is None:
            self.assertTrue(result.passed, (result.verdict, result.reply))
            self.assertEqual(result.message, sent)
        else:
            self.assertEqual(result.verdict, "reply", self.running.log())
            self.assertTrue(result.reply.startswith(reply), result.reply)
            self.assertIn("image could not be processed", result.reply)
        self.assertEqual(result.edits, [])

    def check_that_all_is_well(self):
        result = self.running.send(message(b"\x99" * 100), queue_id="AFTER")
        self.assertTrue(result.passed)
        self.assertEqual([part.get_content_type() for part in judge.leaves(judge.parse(result.message))],
                         ["text/plain", "image/png"])

    def test_timeout_alone(self):
        self.serve('{ default = "accept", timeout = "tempfail" }')
        self.check("hang", LATER)
        self.check(crash(), None)
        self.check("lie_width", None)
        self.check_that_all_is_well()

    def test_internal_alone(self):
        self.serve('{ internal = "tempfail" }')
        self.check(crash(), LATER)
        self.check("crash_exit", LATER)
        self.check("lie_width", LATER)
        self.check("say_junk", LATER)
        self.check("hang", None)
        self.check_that_all_is_well()

    def test_each_its_own(self):
        self.serve('{ default = "tempfail", timeout = "reject", internal = "quarantine" }')
        self.check("hang", NEVER)
        sent = message(blob("crash_abort", 1))
        result = self.running.send(sent, queue_id="HELD")
        self.assertTrue(result.passed)
        self.assertIn(b"image could not be processed", result.quarantined)
        self.assertEqual(result.message, sent)
        # Cannot be read: neither of the two.
        broken = message(blob("crash_throw", 1)).replace(b"width=10", b"width=9")
        self.check_result(self.running.send(broken, queue_id="BROKEN"), broken, LATER)
        self.check_that_all_is_well()

    def test_the_deadline_of_the_message_is_a_timeout(self):
        self.serve('{ default = "reject", timeout = "tempfail" }', timeout="50s", deadline="15s")
        self.check("hang", LATER)
        self.check_that_all_is_well()

    def test_a_worker_killed_at_work_is_internal(self):
        """One that dies of a signal from outside, by the kernel's out-of-memory killer say, and the one that tries again."""
        self.serve('{ default = "accept", internal = "tempfail", timeout = "reject" }', timeout="50s")
        over = threading.Event()

        def kill_who_works():
            before = {}
            while not over.wait(0.02):
                family = served.descendants(self.running.process.pid)
                for pid in family:
                    # A spinning worker spends all the time that a processor has for it.
                    worked = served.processor_time(pid)
                    if family[pid].startswith("pixmilter-rende") and worked - before.setdefault(pid, worked) > 0.2:
                        served.kill_all([pid])

        killer = threading.Thread(target=kill_who_works)
        killer.start()
        try:
            self.check("spin", LATER)  # not "hang", which yields: beside other work it would spend next to nothing
        finally:
            over.set()
            killer.join()
        self.check_that_all_is_well()

    def test_what_is_done_beside_it_is_not_sent_by_halves(self):
        """A message that is answered with tempfail is not edited, however much of it was ready."""
        self.serve('{ timeout = "tempfail" }', timeout="2s")
        sent = message(b"\x55" * 100, blob("hang", 3), b"\x66" * 100)
        self.check_result(self.running.send(sent, queue_id="HALF"), sent, LATER)

    def test_a_rule_says_it_for_its_mail_alone(self):
        self.running = Running(self, program=os.path.join(self.folder, "pixmilter"), config=(
            '[cache]\nmemory = "0"\n[render]\nworkers = 1\ntimeout = "2s"\nloaders = ["png"]\n'
            '[[rule]]\nname = "patient"\nmatch = { from = "patient@*" }\non_fail = { timeout = "tempfail" }\n'))
        self.check("hang", LATER, 1, sender="patient@example.test")
        self.check("hang", None, 2, sender="hasty@example.test")


if __name__ == "__main__":
    harness.main()
