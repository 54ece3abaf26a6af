#!/usr/bin/python3
"""Several recipients: in every order `explain` and `rewrite` give the merge that the manual promises."""

import itertools
import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import judge
import pictures

POLICY = """
[[rule]]
name = "one"
match = { rcpt = "one@*" }
max_images = 9
strip_metadata = "none"
on_fail = { timeout = "tempfail" }
add_header = { X-One = "1" }
  [[rule.image]]
  match = { type = "image/png" }
  format = "gif"
  width = 30

[[rule]]
name = "two"
match = { rcpt = "two@*" }
max_images = 7
strip_metadata = "all"
sources = ["data", "part"]
  [[rule.image]]
  match = { width = "<10" }
  action = "placeholder"
  reason = "small"

[[rule]]
name = "three"
match = { rcpt = "three@*" }
max_images = 8
max_message_bytes = "1M"
on_fail = "quarantine"
  [[rule.image]]
  match = { width = "<10" }
  action = "drop"
  [[rule.image]]
  height = 12
"""
MESSAGE = ("From: a@example.test\nTo: b@example.test\nSubject: merge\nMIME-Version: 1.0\nContent-Type: text/html\n\n"
           f'<img src="{pictures.data_uri(pictures.png(60, 48))}"><img src="{pictures.data_uri(pictures.png(8, 6))}">\n'
           '<svg width="40" height="20"><rect width="40" height="20"/></svg>\n').encode()
RECIPIENTS = ["one@x.test", "two@x.test", "three@x.test"]


class Merge(unittest.TestCase):
    def setUp(self):
        self.policy = os.path.join(harness.temp_dir(self), "p.toml")
        with open(self.policy, "w") as file:
            file.write(POLICY)

    def run_with(self, command, recipients, *more):
        arguments = [word for recipient in recipients for word in ("--rcpt", recipient)]
        return harness.run([harness.program(), *command, "-c", self.policy, *arguments, *more], input=MESSAGE, check=0)

    def test_every_order(self):
        rewritten, merged = set(), set()
        for order in itertools.permutations(RECIPIENTS):
            rewritten.add(self.run_with(["rewrite"], order).stdout)
            said = json.loads(self.run_with(["explain", "--json"], order).stdout)
            self.assertEqual([plan["rule"] for plan in said["rules"]["recipients"]],
                             [recipient.split("@")[0] for recipient in order])
            merged.add(json.dumps(sorted((f["what"], f["rule"]) for f in said["rules"]["forced"])))
            self.assertEqual([p["decision"] for p in said["pictures"]], ["convert", "drop", "keep"])
        self.assertEqual(len(rewritten), 1)
        self.assertEqual(len(merged), 1)
        forced = dict((re.sub(" = .*", "", what), rule) for what, rule in json.loads(merged.pop()))
        self.assertEqual(forced, {"max_images": "two", "strip_metadata": "two", "max_message_bytes": "three",
                                  "sources without svg": "two", "sources without asset": "two",
                                  "on_fail.timeout": "one", "on_fail.unreadable": "three", "on_fail.limit": "three",
                                  "on_fail.missing": "three", "on_fail.internal": "three"})
        mail = judge.parse(rewritten.pop())
        self.assertEqual(mail["X-One"], "1")
        image, = judge.images(mail)
        self.assertEqual(image.get_content_type(), "image/gif")
        self.assertEqual(pictures.pixels(image.get_payload(decode=True)).shape[:2], (12, 15))
        self.assertIn("<svg", judge.html_text(judge.html_parts(mail)[0]))

    def test_explain_names_who_forced_what(self):
        text = self.run_with(["explain"], RECIPIENTS).stdout.decode()
        self.assertNotIn("\033", text)
        self.assertRegex(text, r'max_images = 7 .*<two@x.test>.*two')
        self.assertRegex(text, r'strip_metadata = all .*<two@x.test>')
        # The settings of pictures beneath each picture.
        self.assertRegex(text, r'\n      action = drop for all, because of <three@x.test> \(three\)\n')
        self.assertRegex(text, r'\n      height = 12 for all, because of <three@x.test> \(three\)\n')

    def test_pictures_name_who_forced_what(self):
        for order in itertools.permutations(RECIPIENTS):
            said = json.loads(self.run_with(["explain", "--json"], order).stdout)
            forced = [{f["what"]: f["rule"] for f in picture["forced"]} for picture in said["pictures"]]
            self.assertEqual(forced[:2], [{"action = convert": "one", "format = gif": "one", "resize = fit": "one",
                                           "width = 30": "one", "height = 12": "three"}, {"action = drop": "three"}])
        for alone in RECIPIENTS:
            said = json.loads(self.run_with(["explain", "--json"], [alone]).stdout)
            self.assertEqual([picture["forced"] for picture in said["pictures"]], [[], [], []])


harness.main()
