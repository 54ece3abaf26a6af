#!/usr/bin/python3
"""A comment after a parameter (RFC 2045) is no part of its value: `width=3 (pixels)`."""

import email
import io
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import pictures
from PIL import Image

MESSAGE = b"""From: a@example.org
To: b@example.org
Subject: x
MIME-Version: 1.0
Content-Type: image/x-raw-pixels (ours); width=3 (pixels); height=1;
 bands=1 (gray); format=uchar (8 bit)
Content-Transfer-Encoding: base64

AH//
"""


class RawComment(unittest.TestCase):
    def test_comments_are_passed_over(self):
        done = harness.run([harness.program(), "rewrite", "-c", "/dev/null"], input=MESSAGE, check=0)
        part = email.message_from_bytes(done.stdout)
        self.assertEqual(part.get_content_type(), "image/png", done.stderr)
        with Image.open(io.BytesIO(part.get_payload(decode=True))) as picture:
            self.assertEqual(list(picture.convert("L").getdata()), [0, 127, 255])

    def test_after_a_charset(self):
        """In ISO-2022-JP, whose letters can be markup to who takes them for ASCII."""
        text = '<p><img alt="\u4f46\u4e08" src="%s"></p>' % pictures.data_uri(pictures.png())
        for label in ("iso-2022-jp", "iso-2022-jp (JIS)", '"iso-2022-jp" (JIS)'):
            message = (b"From: a@example.org\nTo: b@example.org\nSubject: x\nMIME-Version: 1.0\n"
                       b"Content-Type: multipart/mixed; boundary=next\n\n--next\nContent-Type: text/html; charset=" +
                       label.encode() + b"\n\n" + text.encode("iso-2022-jp") + b"\n--next--\n")
            done = harness.run([harness.program(), "rewrite", "-c", "/dev/null"], input=message, check=0)
            types = [part.get_content_type() for part in email.message_from_bytes(done.stdout).walk()]
            self.assertEqual(types[-2:], ["text/html", "image/png"], label)


if __name__ == "__main__":
    harness.main()
