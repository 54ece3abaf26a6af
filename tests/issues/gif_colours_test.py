#!/usr/bin/python3
"""A rule that wants GIF gets one from a sealed worker, whatever the colours: more than 256 go through another
library than fewer do, and its first use once was a system call that the seal forbids."""

import io
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import judge
import numpy
import pictures
from PIL import Image

HEAD = b"From: a@example.org\nTo: b@example.org\nSubject: x\nMIME-Version: 1.0\n"


class GifColours(unittest.TestCase):
    def made(self, pixels):
        png = io.BytesIO()
        Image.fromarray(pixels).save(png, "PNG")
        message = HEAD + f'Content-Type: text/html\n\n<img src="{pictures.data_uri(png.getvalue())}">\n'.encode()
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as policy:
            policy.write('[[rule]]\n[[rule.image]]\nformat = "gif"\n')
            policy.flush()
            done = harness.run([harness.program(), "rewrite", "-c", policy.name], input=message, check=0)
        images = judge.images(judge.parse(done.stdout))
        self.assertEqual(len(images), 1, done.stderr.decode())
        picture = Image.open(io.BytesIO(images[0].get_payload(decode=True)))
        self.assertEqual((picture.format, getattr(picture, "n_frames", 1)), ("GIF", 1))
        return numpy.asarray(picture.convert("RGBA"))

    def test_many_colours(self):
        for bands in (3, 4):
            pixels = numpy.random.default_rng(1).integers(0, 256, (64, 64, bands), dtype=numpy.uint8)
            if bands == 4:
                pixels[:, :32, 3], pixels[:, 32:, 3] = 0, 255
            alpha = self.made(pixels)[..., 3]
            numpy.testing.assert_array_equal(alpha, pixels[..., 3] if bands == 4 else 255)

    def test_few_colours(self):
        pixels = numpy.zeros((20, 40, 4), numpy.uint8)
        pixels[:, 20:] = (200, 0, 0, 255)
        numpy.testing.assert_array_equal(self.made(pixels), pixels)


if __name__ == "__main__":
    harness.main()
