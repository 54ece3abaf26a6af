#!/usr/bin/python3
"""A message's deadline: as it nears, pictures are encoded the fastest way; what is not ready stays as it was.

The render program is that of tests/sandbox/attack.cc: its "dawdle" takes two seconds over a picture unless it is
told to hurry, its "hang" never ends. What counts is which picture went which way, not when.
"""
# tests/run: timeout=1200

import base64
import os
import re
import shutil
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

import judge  # noqa: E402
from running import Running, harness  # noqa: E402


def blob(name, number):
    """Of 10x10 pixels."""
    return f"ATTACK {name} main {number} ".encode().ljust(100, b"\0")


def message(*blobs):
    lines = ["From: a@example.test", "To: b@example.test", "Subject: x", "MIME-Version: 1.0",
             'Content-Type: multipart/mixed; boundary="b"', "", "--b", "Content-Type: text/plain", "", "x"]
    for data in blobs:
        lines += ["--b", "Content-Type: image/x-raw-pixels; width=10; height=10; bands=1; format=uchar",
                  "Content-Transfer-Encoding: base64", "", base64.b64encode(data).decode()]
    return "\r\n".join(lines + ["--b--", ""]).encode()


class DeadlineTest(unittest.TestCase):
    def serve(self, deadline):
        folder = harness.temp_dir(self)
        shutil.copy2(harness.program("pixmilter"), folder)
        shutil.copy2(harness.program("tests/render_attack"), os.path.join(folder, "pixmilter-render"))
        self.running = Running(self, program=os.path.join(folder, "pixmilter"), config=(
            f'[milter]\ndeadline = "{deadline}"\n[cache]\nmemory = "0"\n'
            '[render]\nworkers = 1\ntimeout = "50s"\nloaders = ["png"]\n'))
        # With a worker that is there already, its start takes none of the time.
        self.running.send(message(b"\7" * 100), queue_id="FIRST")
        self.running.line_for("FIRST")

    def ways(self, blobs):
        """What became of each picture: "usual", "hurried", or why it was left."""
        result = self.running.send(message(*blobs), queue_id="LATE")
        self.assertTrue(result.passed, result.kind)
        self.running.line_for("LATE")
        lines = [line for line in self.running.logged("id=LATE") if "picture=" in line]
        self.assertEqual(len(lines), len(blobs), self.running.log())
        parts = judge.leaves(judge.parse(result.message))[1:]
        self.assertEqual(len(parts), len(blobs))
        ways = []
        for data, part, line in zip(blobs, parts, lines):
            left = re.search(r'left="([^"]*)"', line)
            if left:
                self.assertEqual(part.get_payload(decode=True), data)
                ways.append(left.group(1))
            else:
                self.assertEqual(part.get_content_type(), "image/png")
                ways.append("hurried" if 'hurried="the deadline was near"' in line else "usual")
        return ways

    def test_there_is_time(self):
        self.serve("50s")
        self.assertEqual(self.ways([blob("dawdle", 1), blob("dawdle", 2)]), ["usual"] * 2)

    def test_some_hurry_so_that_all_are_ready(self):
        # More than there is time for; what may take its time at the end leaves a third of it to a busy machine.
        self.serve("30s")
        ways = self.ways([blob("dawdle", i) for i in range(20)])
        self.assertEqual(ways[:2], ["usual", "hurried"])
        # Once so few are left that there is time again, they have it.
        self.assertLessEqual(set(ways), {"usual", "hurried"})

    def test_what_is_not_ready_stays_as_it_was(self):
        self.serve("20s")
        names = ["dawdle"] * 5 + ["hang"] + ["dawdle"] * 6
        self.assertEqual(self.ways([blob(name, i) for i, name in enumerate(names)]),
                         ["usual"] + ["hurried"] * 4 + ["not ready within [milter] deadline, the time for the message"]
                         + ["no render worker was free within [milter] deadline, the time for the message"] * 6)
        # The next message has its own time.
        self.assertEqual(self.ways_of_next(), "rewritten: 1 converted")

    def ways_of_next(self):
        self.running.send(message(blob("dawdle", 9)), queue_id="NEXT")
        return re.search(r'did="([^"]*)"', self.running.line_for("NEXT")).group(1)


if __name__ == "__main__":
    harness.main()
