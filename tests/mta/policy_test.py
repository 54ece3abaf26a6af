#!/usr/bin/python3
"""Rules through a real Postfix: what happens to whose mail, and what several recipients get."""
# tests/run: timeout=1200

import io
import itertools
import os
import re
import sys
import time
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"),
                os.path.dirname(os.path.abspath(__file__))]
from PIL import Image

import harness
import judge
import pictures
import postfix
import smtp_client
from served import Served
from sink import Sink

POLICY = """
[[rule]]
name = "refused"
match = { from = "refused@*" }
action = "reject"
reply = "5.3.4 No pictures from %s here"

[[rule]]
name = "later"
match = { from = "later@*" }
action = "tempfail"
reply = "4.2.1 Later, please"

[[rule]]
name = "held"
match = { from = "held@*" }
action = "quarantine"
reply = "held for a look"

[[rule]]
name = "picky"
match = { from = "picky@*" }
on_fail = { default = "reject", missing = "accept" }

[[rule]]
name = "watched"
match = { from = "watched@*" }
mode = "audit"

[[rule]]
name = "small"
match = { rcpt = "small*@*" }
add_header = { X-Small = "yes" }
  [[rule.image]]
  match = { type = "image/png" }
  width = 40

[[rule]]
name = "low"
match = { rcpt = "low*@*" }
  [[rule.image]]
  match = { type = "image/png" }
  height = 10

[[rule]]
name = "plain"
match = { rcpt = "plain*@*" }
  [[rule.image]]
  match = { width = "<20" }
  action = "drop"

[[rule]]
name = "never"
match = { rcpt = "never*@*" }
action = "skip"
"""

LARGE, TINY = pictures.png(80, 60), pictures.png(8, 6)
HTML = f'<p>A <img src="{pictures.data_uri(LARGE)}"> B <img src="{pictures.data_uri(TINY)}"></p>\n'


def message(html=HTML):
    return ("From: a@example.test\nTo: b@example.test\nSubject: rules\nMIME-Version: 1.0\n"
            "Content-Type: text/html; charset=utf-8\n\n" + html).encode()


class Policy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.need_root()
        if not postfix.installed():
            raise unittest.SkipTest("postfix is not installed")
        folder = harness.temp_dir(cls)
        cls.sink = Sink()
        cls.addClassCleanup(cls.sink.close)
        cls.milter = Served(folder, None, POLICY)
        cls.addClassCleanup(cls.milter.stop)
        cls.postfix = postfix.Postfix(folder, cls.sink.port, cls.milter.postfix_spec)
        cls.addClassCleanup(cls.postfix.stop)

    def queued(self):
        done = harness.run(["/usr/sbin/postqueue", "-c", self.postfix.config, "-j"])
        return done.stdout.decode()

    def wait_for(self, pattern, text):
        """Waits until text() has the pattern: a queue and a log are written by others than the one who answers."""
        deadline = time.monotonic() + 60
        while not re.search(pattern, text()):
            self.assertLess(time.monotonic(), deadline, f"{pattern} is not in\n{text()}")
            time.sleep(0.1)

    def test_reject_and_tempfail_say_what_the_rule_says(self):
        code, text = self.postfix.send("refused@example.test", ["r@example.test"], message())
        self.assertEqual((code, text), (550, b"5.3.4 No pictures from %s here"))
        code, text = self.postfix.send("later@example.test", ["r@example.test"], message())
        self.assertEqual((code, text), (451, b"4.2.1 Later, please"))

    def test_quarantine_is_held_until_somebody_looks(self):
        code, _ = self.postfix.send("held@example.test", ["held1@example.test"], message())
        self.assertEqual(code, 250)
        self.wait_for('"queue_name": "hold"', self.queued)
        self.assertIn("held@example.test", self.queued())
        self.assertNotIn("held1@example.test", [r for m in self.sink.messages for r in m.recipients])
        self.wait_for("milter-hold: END-OF-MESSAGE", self.postfix.log)

    def test_a_picture_that_fails(self):
        cut = pictures.data_uri(pictures.webp()[:100], "image/webp")
        broken = message(f'<img src="{cut}">\n')
        code, text = self.postfix.send("picky@example.test", ["r@example.test"], broken)
        self.assertEqual(code, 550, text)
        self.assertIn(b"image could not be processed", text)
        code, _ = self.postfix.send("easy@example.test", ["easy@example.test"], broken)
        self.assertEqual(code, 250)

    def test_audit_sends_the_original_and_says_what_would_have_been(self):
        code, _ = self.postfix.send("watched@example.test", ["watched1@example.test"], message())
        self.assertEqual(code, 250)
        data = self.sink.wait("watched1@example.test", 60).data
        self.assertEqual(smtp_client.without_received(data).split(b"\r\n\r\n", 1)[1],
                         smtp_client.to_wire(message()).split(b"\r\n\r\n", 1)[1])
        self.wait_for(r"audit, would be rewritten, \d+ to \d+ bytes: 2 embedded", self.milter.log)

    def merged(self, recipients):
        code, text = self.postfix.send("a@example.test", recipients, message())
        self.assertEqual(code, 250, text)
        return self.sink.wait(recipients[0], 60).data

    def test_three_recipients_in_every_order(self):
        seen = set()
        for number, order in enumerate(itertools.permutations(["small", "low", "plain"])):
            mail = judge.parse(self.merged([f"{name}{number}@example.test" for name in order]))
            images = judge.images(mail)
            self.assertEqual(len(images), 1)
            with Image.open(io.BytesIO(images[0].get_payload(decode=True))) as image:
                self.assertEqual(image.size, (13, 10))
            self.assertEqual(mail["X-Small"], "yes")
            seen.add(images[0].get_payload(decode=True))
        self.assertEqual(len(seen), 1)

    def test_one_that_is_skipped_skips_for_all(self):
        for number, order in enumerate(itertools.permutations(["small", "never"])):
            data = self.merged([f"{name}-n{number}@example.test" for name in order])
            self.assertNotIn(b"X-Pixmilter", data)
            self.assertIn(b"data:image/png", data)


harness.main()
