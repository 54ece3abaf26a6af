#!/usr/bin/python3
"""A part that a rule embeds as it is loses its location all the same, and of a format whose metadata is not read
no rule says that it has no location."""

import io
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import judge
import pictures
from assorted import b64
from PIL import Image

HEAD = b"From: a@example.org\nTo: b@example.org\nSubject: x\nMIME-Version: 1.0\n"
GPS = 0x8825


def taken_somewhere(kind):
    exif = Image.Exif()
    exif[GPS] = {1: "N", 2: (52.0, 31.0, 0.0)}
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 100, 50)).save(out, kind, exif=exif.tobytes())
    return out.getvalue()


class Location(unittest.TestCase):
    def rewrite(self, message, policy):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(policy)
            file.flush()
            return harness.run([harness.program(), "rewrite", "-c", file.name], input=message, check=0).stdout

    def test_parts_that_are_embedded(self):
        embed = '[[rule]]\nstrip_metadata = "%s"\n[[rule.image]]\nmatch = { attachment = true }\naction = "embed"\n' \
                '[[rule.image]]\naction = "embed"\n'
        for disposition in (b'Content-Disposition: attachment; filename="a.jpg"\n', b"Content-Disposition: inline\n", b""):
            message = (HEAD + b"Content-Type: image/jpeg\n" + disposition + b"Content-Transfer-Encoding: base64\n\n" +
                       b64(taken_somewhere("JPEG")).encode() + b"\n")
            out = self.rewrite(message, embed % "gps")
            image, = judge.images(judge.parse(out))
            self.assertEqual(dict(Image.open(io.BytesIO(image.get_payload(decode=True))).getexif().get_ifd(GPS)), {})
            self.assertEqual(self.rewrite(out, embed % "gps"), out)
            self.assertEqual(self.rewrite(message, embed % "none"), message)

    def test_what_is_not_known(self):
        for kind, known in (("JPEG", True), ("PNG", True), ("WEBP", False), ("TIFF", False)):
            url = pictures.data_uri(taken_somewhere(kind), "image/" + kind.lower())
            message = HEAD + f'Content-Type: text/html\n\n<img src="{url}">\n'.encode()
            for says in ("true", "false"):
                out = self.rewrite(message, f'[[rule]]\n[[rule.image]]\nmatch = {{ gps = {says} }}\naction = "drop"\n')
                self.assertEqual(judge.images(judge.parse(out)) == [], known and says == "true", f"{kind} {says}")


if __name__ == "__main__":
    harness.main()
