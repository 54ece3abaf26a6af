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

    # What a browser makes of a root's attributes: 96 dpi, 16 px to an em, 8 to an ex.
    UNITS = {
        'width="72pt" height="36pt"': (96, 48),
        'width="6pc" height="3pc"': (96, 48),
        'width="25.4mm" height="12.7mm"': (96, 48),
        'width="2.54cm" height="1.27cm"': (96, 48),
        'width="101.6Q" height="50.8Q"': (96, 48),
        'width="1in" height="0.5in"': (96, 48),
        'width="6em" height="6ex"': (96, 48),
        'width="96px" height="48"': (96, 48),
        'width="96px" height="36pt"': (96, 48),
        'width="1in" height="48"': (96, 48),
        'width="72pt" height="12.7mm" viewBox="0 0 10 5"': (96, 48),
        'width="72pt" viewBox="0 0 10 5"': (96, 48),
        'height="0.5in" viewBox="0 0 10 5"': (96, 48),
        'width="100%" height="100%" viewBox="0 0 96 48"': (96, 48),
        'width="50%" height="0.5in" viewBox="0 0 10 5"': (96, 48),
        'width="1in" height="100%" viewBox="0 0 10 5"': (96, 48),
        'style="width:72pt;height:0.5in" viewBox="0 0 10 5"': (96, 48),
        'style="width:1in" viewBox="0 0 10 5"': (96, 48),
        'width="10" height="5" style="width:72pt;height:12.7mm"': (96, 48),
    }

    def svg(self, root):
        return f'<svg xmlns="http://www.w3.org/2000/svg" {root}><rect width="9" height="9" fill="red"/></svg>'

    def check_units(self, message, scale=1, config=""):
        """message: what asks for the picture of a root, as bytes behind the fields of every message."""
        for root, wanted in self.UNITS.items():
            with self.subTest(root):
                path = os.path.join(harness.temp_dir(self), "p.toml")
                with open(path, "w") as file:
                    file.write(config)
                done = harness.run([harness.program(), "rewrite", "-c", path], input=message(root), check=0)
                found = [part for part in email.message_from_bytes(done.stdout).walk()
                         if part.get_content_maintype() == "image"]
                self.assertEqual([part.get_content_type() for part in found], ["image/png"], done.stderr)
                with Image.open(io.BytesIO(found[0].get_payload(decode=True))) as picture:
                    self.assertEqual(picture.size, (wanted[0] * scale, wanted[1] * scale))

    def test_units_of_a_data_uri(self):
        self.check_units(lambda root: HEAD + f'<img src="data:image/svg+xml,{urllib.parse.quote(self.svg(root))}">\n'.encode())

    def test_units_of_a_part(self):
        top = HEAD.replace(b"text/html", b'multipart/related; boundary="b"')
        self.check_units(lambda root: top + (
            '--b\nContent-Type: text/html\n\n<img src="cid:a@b">\n--b\nContent-Type: image/svg+xml\n'
            f"Content-ID: <a@b>\n\n{self.svg(root)}\n--b--\n").encode())

    def test_units_of_an_asset(self):
        folder = harness.temp_dir(self)

        def message(root):
            with open(os.path.join(folder, "a.svg"), "w") as file:
                file.write(self.svg(root))
            return HEAD + b'<img src="asset:a.svg">\n'
        self.check_units(message, config=f'[assets]\nroot = "{folder}"\n')

    def test_units_inline(self):
        """Drawn with twice the pixels; the <img> that takes its place has the size in the page."""
        def message(root):
            return HEAD + self.svg(root).encode() + b"\n"
        percent = [root for root in self.UNITS if "%" in root]
        self.UNITS = {root: size for root, size in self.UNITS.items() if root not in percent}
        self.check_units(message, scale=2)
        for root, wanted in self.UNITS.items():
            with self.subTest(root):
                done = harness.run([harness.program(), "rewrite", "-c", "/dev/null"], input=message(root), check=0)
                self.assertIn(b'width="%d" height="%d"' % wanted, done.stdout)

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
