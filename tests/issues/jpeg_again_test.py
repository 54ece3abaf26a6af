#!/usr/bin/python3
"""A photograph that is lossy already and has to be encoded anew stays JPEG: as PNG it was ten times the size.
And since each encoding of a JPEG loses something, it happens once: a second pass over what a rule has made
changes nothing, whatever the rule says of sizes and formats."""

import email
import email.policy
import io
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import numpy
import pictures
from assorted import b64
from PIL import Image

HEAD = b"From: a@example.org\nTo: b@example.org\nSubject: x\nMIME-Version: 1.0\n"


def photograph(width=600, height=400):
    """Smooth shapes under grain, as a camera gives them."""
    y, x = numpy.mgrid[0:height, 0:width]
    shapes = numpy.stack([128 + 90 * numpy.sin(x / 37 + y / 91), 128 + 90 * numpy.cos(y / 53),
                          100 + 80 * numpy.sin((x + y) / 71)], -1)
    grain = numpy.random.default_rng(1).normal(0, 6, shapes.shape)
    return Image.fromarray((shapes + grain).clip(0, 255).astype(numpy.uint8))


def saved(kind, image=None, **options):
    out = io.BytesIO()
    (image or photograph()).save(out, kind, **options)
    return out.getvalue()


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved("JPEG", exif=exif, quality=90)


def in_html(picture, kind, more=""):
    return HEAD + f'Content-Type: text/html\n\n<img {more} src="{pictures.data_uri(picture, kind)}">\n'.encode()


def attached(picture, kind):
    return (HEAD + b'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nHello.\n--b\n'
            b"Content-Type: " + kind.encode() + b'; name="photo"\nContent-Disposition: attachment; filename="photo"\n'
            b"Content-Transfer-Encoding: base64\n\n" + b64(picture).encode() + b"\n--b--\n")


def named_by_cid(picture, kind):
    return (HEAD + b'Content-Type: multipart/related; boundary="b"\n\n--b\nContent-Type: text/html\n\n'
            b'<img src="cid:a@b">\n--b\nContent-Type: ' + kind.encode() + b"\nContent-ID: <a@b>\n"
            b"Content-Transfer-Encoding: base64\n\n" + b64(picture).encode() + b"\n--b--\n")


RULES = {
    "fit": 'resize = "fit"\nwidth = 150\nheight = 1000',
    "fill": 'resize = "fill"\nwidth = 150\nheight = 150',
    "fill, too large": 'resize = "fill"\nwidth = 700\nheight = 150',
    "force": 'resize = "force"\nwidth = 150\nheight = 150',
    "force, too large": 'resize = "force"\nwidth = 700\nheight = 900',
    "enlarge": 'resize = "fit"\nwidth = 650\nenlarge = true',
    "bytes": 'max_bytes = "20K"',
    "convert": 'action = "convert"',
    "convert to jpeg": 'action = "convert"\nformat = "jpeg"\nquality = 60',
    "convert and fit": 'action = "convert"\nwidth = 200\nmax_bytes = "20K"',
}


class JpegAgain(unittest.TestCase):
    def rewrite(self, message, rule, attachment=False, defaults=""):
        match = 'type = "image/*"' + (", attachment = true" if attachment else "")
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as policy:
            policy.write(defaults + f'[[rule]]\nname = "t"\n[[rule.image]]\nmatch = {{ {match} }}\n{rule}\n')
            policy.flush()
            done = harness.run([harness.program(), "rewrite", "-c", policy.name], input=message, check=0)
        return done.stdout

    def picture(self, message):
        found = [part for part in email.message_from_bytes(message, policy=email.policy.SMTP).walk()
                 if part.get_content_maintype() == "image"]
        self.assertEqual(len(found), 1)
        encoded = found[0].get_payload(decode=True)
        image = Image.open(io.BytesIO(encoded))
        self.assertEqual(found[0].get_content_type(), "image/" + image.format.lower())
        return encoded, image

    def check_once(self, message, rule, attachment=False, wanted="JPEG"):
        once = self.rewrite(message, rule, attachment)
        if wanted is not None:
            encoded, image = self.picture(once)
            self.assertEqual(image.format, wanted)
        self.assertTrue(self.rewrite(once, rule, attachment) == once, "a second pass changed something")
        return once

    def test_rules(self):
        for name, rule in RULES.items():
            for place in in_html, attached, named_by_cid:
                for kind, picture in (("jpeg", saved("JPEG", quality=90)), ("jpeg, turned", turned()),
                                      ("webp", saved("WEBP", quality=85))):
                    with self.subTest(rule=name, place=place.__name__, kind=kind):
                        message = place(picture, "image/" + kind.partition(",")[0])
                        # What a rule converts and does not make smaller loses no more, unless it was JPEG already.
                        wanted = "PNG" if (name, kind) == ("convert", "webp") else "JPEG"
                        once = self.check_once(message, rule, place is attached, wanted)
                        encoded, image = self.picture(once)
                        if name not in ("enlarge", "convert", "bytes"):
                            self.assertLess(len(encoded), len(picture) * 1.2)
                        if name.startswith("fit"):
                            self.assertEqual(image.size, (150, 225) if "turned" in kind else (150, 100))

    def test_without_a_rule(self):
        """What no rule means loses nothing: WebP, and a JPEG in four inks, become PNG."""
        for kind, picture in (("webp", saved("WEBP", quality=85)),
                              ("jpeg", saved("JPEG", photograph().convert("CMYK"), quality=90))):
            with self.subTest(kind):
                once = self.check_once(in_html(picture, "image/" + kind), 'action = "keep"\nunless = { type = "image/*" }', wanted="PNG")
                self.assertEqual(self.picture(once)[1].mode, "RGB")

    def test_a_rule_may_ask_for_png(self):
        for picture in saved("JPEG", quality=90), saved("WEBP", quality=85):
            once = self.check_once(in_html(picture, "image/jpeg"), 'width = 100\nformat = "png"', wanted="PNG")
            self.assertEqual(self.picture(once)[1].size, (100, 67))

    def test_what_lost_nothing_stays_so(self):
        for kind, options in (("PNG", {}), ("WEBP", {"lossless": True})):
            self.check_once(in_html(saved(kind, **options), "image/" + kind.lower()), "width = 100", wanted="PNG")

    def test_displayed_size(self):
        once = self.check_once(in_html(saved("JPEG", quality=90), "image/jpeg", "width=120"), 'resize = "fit"')
        self.assertEqual(self.picture(once)[1].size, (240, 160))

    def test_a_picture_on_its_side_is_measured_as_it_is_shown(self):
        """300x200 that is shown as 200x300: only the height of what is shown is over the limit."""
        stored = Image.open(io.BytesIO(turned())).size
        once = self.check_once(in_html(turned(), "image/jpeg"), f'resize = "fit"\nwidth = 10000\nheight = {stored[0] - 20}')
        self.assertEqual(self.picture(once)[1].size[1], stored[0] - 20)
        kept = self.check_once(in_html(turned(), "image/jpeg"), f'resize = "fit"\nwidth = {stored[1]}\nheight = {stored[0]}')
        self.assertEqual(self.picture(kept)[0], turned())

    def test_budget(self):
        message = in_html(saved("JPEG", quality=95), "image/jpeg")
        defaults = '[defaults]\nmax_message_bytes = "20K"\n'
        once = self.rewrite(message, 'width = 300', defaults=defaults)
        self.assertLess(len(once), 20 << 10)
        self.assertEqual(self.picture(once)[1].format, "JPEG")
        self.assertTrue(self.rewrite(once, 'width = 300', defaults=defaults) == once)


if __name__ == "__main__":
    harness.main()
