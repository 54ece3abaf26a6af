#!/usr/bin/python3
"""An SVG is as large as a browser shows it: physical units count at 96 dpi, no size at all is 300 by 150 and
not what has ink, and where the page shows it larger it is drawn larger, unless a style sheet may undo that."""

import email
import io
import os
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
from PIL import Image

HEAD = b"From: a@example.org\nTo: b@example.org\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/html\n\n"


class SvgSize(unittest.TestCase):
    def size(self, root, img="", before=""):
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" {root}><rect width="9" height="9" fill="red"/></svg>'
        html = f'{before}<img {img} src="data:image/svg+xml,{urllib.parse.quote(svg)}">\n'
        done = harness.run([harness.program(), "rewrite", "-c", "/dev/null"], input=HEAD + html.encode(), check=0)
        pictures = [part for part in email.message_from_bytes(done.stdout).walk()
                    if part.get_content_maintype() == "image"]
        self.assertEqual(len(pictures), 1, done.stderr)
        with Image.open(io.BytesIO(pictures[0].get_payload(decode=True))) as picture:
            return picture.size

    def test_units(self):
        self.assertEqual(self.size('width="1in" height="72pt"'), (96, 96))
        self.assertEqual(self.size('width="10em" height="2em"'), (160, 32))
        self.assertEqual(self.size('width="50.8mm" height="2.54cm"'), (192, 96))

    def test_defaults(self):
        self.assertEqual(self.size(""), (300, 150))
        self.assertEqual(self.size('width="70"'), (70, 150))
        self.assertEqual(self.size('height="40" width="50%"'), (300, 40))
        self.assertEqual(self.size("width='100%' height='100%'"), (300, 150))
        self.assertEqual(self.size('viewBox="0 0 50 20"'), (50, 20))

    def test_shown_larger(self):
        root = 'width="20" height="10"'
        self.assertEqual(self.size(root), (20, 10))
        self.assertEqual(self.size(root, "width=100"), (200, 100))
        self.assertEqual(self.size(root, "style='height:30px'"), (120, 60))
        self.assertEqual(self.size(root, "width=5"), (20, 10))
        self.assertEqual(self.size(root, "width=100%"), (20, 10))
        self.assertEqual(self.size(root, "width=100", "<style>img{width:auto}</style>"), (20, 10))


if __name__ == "__main__":
    harness.main()
