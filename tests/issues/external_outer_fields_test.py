#!/usr/bin/python3
"""A message/external-body whose inner header is silent is sent under what its own header says: disposition and file
name. One that is not served is a part that stays, in `explain --json` too."""

import email
import email.policy
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import pictures

MIXED = """From: a@example.org
To: b@example.org
Subject: x
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=next

--next
Content-Type: text/plain

See the chart.
--next
%s
--next--
"""


class OuterFields(unittest.TestCase):
    def setUp(self):
        folder = harness.temp_dir(self)
        os.mkdir(f"{folder}/assets")
        with open(f"{folder}/assets/chart.webp", "wb") as file:
            file.write(pictures.webp())
        self.policy = f"{folder}/policy.toml"
        with open(self.policy, "w") as file:
            file.write(f'[assets]\nroot = "{folder}/assets"\n')

    def command(self, name, message, *options):
        return harness.run([harness.program(), name, *options, "-c", self.policy], input=message.encode(), check=0).stdout

    def part(self, outer, inner):
        text = "\n".join(["Content-Type: message/external-body; access-type=local-file; name=chart.webp", *outer, "",
                          "Content-Type: image/webp", *inner, ""])
        alone = "From: a@example.org\nTo: b@example.org\nSubject: x\nMIME-Version: 1.0\n" + text + "\n"
        whole, = email.message_from_bytes(self.command("rewrite", MIXED % text), policy=email.policy.default).iter_attachments()
        root = email.message_from_bytes(self.command("rewrite", alone), policy=email.policy.default)
        found = {(part.get_content_type(), part.get_content_disposition(), part.get_filename()) for part in (whole, root)}
        self.assertEqual(len(found), 1, found)
        return found.pop()

    def test_names(self):
        outer = ["Content-Disposition: inline; filename=outer.webp"]
        self.assertEqual(self.part(outer, []), ("image/png", "inline", "outer.png"))
        self.assertEqual(self.part(["Content-Disposition: attachment; filename*=utf-8''gr%C3%B6%C3%9Fe"], []),
                         ("image/png", "attachment", "größe.png"))
        self.assertEqual(self.part(outer, ["Content-Disposition: attachment; filename=inner.webp"]),
                         ("image/png", "attachment", "inner.png"))
        self.assertEqual(self.part(outer, ["Content-Disposition: attachment"]), ("image/png", "attachment", "chart.png"))
        self.assertEqual(self.part([], []), ("image/png", "attachment", "chart.png"))

    def test_source_of_what_is_not_served(self):
        message = MIXED % ("Content-Type: message/external-body; access-type=anon-ftp; name=chart.webp; site=ftp.example\n\n"
                           "Content-Type: image/webp\n\n")
        said = json.loads(self.command("explain", message, "--json"))["pictures"]
        self.assertEqual([(one["source"], one["place"], one["decision"], one["failed"]) for one in said],
                         [("part", "external body", "keep", False)])


if __name__ == "__main__":
    harness.main()
