#!/usr/bin/python3
"""What stands beside pixels in a data: URI counts as beside a part: bare pixels have no other header, and a colour map
or a rate that is passed over gives a wrong picture without a word."""

import base64
import email
import io
import os
import sys
import unittest

import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import pictures
from PIL import Image

HEAD = "From: a@example.org\nTo: b@example.org\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n"


class DataPixels(unittest.TestCase):
    def rewritten(self, kind, data, where='<img src="{}">'):
        uri = f"data:{kind};base64,{base64.b64encode(data).decode()}"
        done = harness.run([harness.program(), "rewrite", "-c", "/dev/null"],
                           input=(HEAD + where.format(uri) + "\n").encode(), check=0)
        found = [part.get_payload(decode=True) for part in email.message_from_bytes(done.stdout).walk()
                 if part.get_content_maintype() == "image"]
        return Image.open(io.BytesIO(found[0])) if found else done.stderr.decode()

    def same(self, picture, wanted):
        self.assertIsInstance(picture, Image.Image, picture)
        self.assertTrue(numpy.array_equal(numpy.asarray(picture), wanted))

    def test_raw_pixels(self):
        wanted = pictures.array(7, 5)
        for kind in ("image/x-raw-pixels;width=7;height=5;bands=3;format=uchar",
                     "IMAGE/X-Raw-Pixels; format=uchar; bands=3; height=5; Width=%37"):
            self.same(self.rewritten(kind, wanted.tobytes()), wanted)
        self.same(self.rewritten("image/x-raw-pixels;width=7;height=5;bands=3;layout=planar",
                                 wanted.transpose(2, 0, 1).tobytes(), "<p style=\"background:url('{}')\">"), wanted)

    def test_raw_pixels_of_another_size(self):
        self.assertIn("105", self.rewritten("image/x-raw-pixels;width=8;height=5;bands=3", bytes(105)))

    def test_npy(self):
        values = numpy.linspace(0, 20, 35, dtype="f4").reshape(5, 7)
        gray = numpy.asarray(self.rewritten('application/x-npy;colormap=gray;range=0%2C10', pictures.npy(values)).convert("L"))
        self.assertTrue(numpy.abs(gray - numpy.clip(values / 10 * 255, 0, 255)).max() <= 1)
        self.assertIn("jet", self.rewritten("application/x-npy;colormap=jet", pictures.npy(values)))

    def test_rate(self):
        frames = numpy.random.RandomState(1).randint(0, 255, (3, 8, 9, 3), dtype="u1")
        self.assertEqual(self.rewritten("application/x-npy;fps=2", pictures.npy(frames)).info["duration"], 500)

    def test_plain_svg_is_text_of_the_page(self):
        """In whatever charset the page is."""
        svg = "<svg xmlns='http://www.w3.org/2000/svg' width='60' height='30'><text y='20'>é</text></svg>"
        parts = []
        for charset in ("utf-8", "windows-1252"):
            message = HEAD.replace("utf-8", charset) + f'<img src="data:image/svg+xml;utf8,{svg}">\n'
            done = harness.run([harness.program(), "rewrite", "-c", "/dev/null"], input=message.encode(charset), check=0)
            parts += [part.get_payload(decode=True) for part in email.message_from_bytes(done.stdout).walk()
                      if part.get_content_maintype() == "image"]
        latin = self.rewritten("image/svg+xml;charset=iso-8859-1", svg.encode("latin-1"))
        self.assertEqual(len(parts), 2)
        self.assertEqual(parts[0], parts[1])
        self.assertEqual(latin.tobytes(), Image.open(io.BytesIO(parts[0])).tobytes())

    def test_a_hidden_sprite_sheet_is_no_failure(self):
        folder = harness.temp_dir(self)
        with open(os.path.join(folder, "p.toml"), "w") as file:
            file.write('[defaults]\non_fail = "reject"\n')
        html = "<style>.s{display:none}</style><svg class=s><symbol id=i><path/></symbol><path d='M0 0h9'/></svg>\n"
        done = harness.run([harness.program(), "rewrite", "-c", os.path.join(folder, "p.toml")],
                           input=(HEAD + html).encode(), check=0)
        self.assertEqual(done.stdout, (HEAD + html).encode())
        self.assertEqual(done.stderr, b"")

    def test_a_rule_on_links_colours_icons_in_them(self):
        html = "<style>a{color:#0f0}</style><a href='https://example.org/'><svg width=8 height=8 fill=currentColor>" \
               "<rect width=8 height=8 /></svg></a>\n"
        done = harness.run([harness.program(), "rewrite", "-c", "/dev/null"], input=(HEAD + html).encode(), check=0)
        part = next(part for part in email.message_from_bytes(done.stdout).walk() if part.get_content_maintype() == "image")
        picture = Image.open(io.BytesIO(part.get_payload(decode=True))).convert("RGB")
        self.assertEqual(picture.getpixel((8, 8)), (0, 255, 0))


harness.main()
