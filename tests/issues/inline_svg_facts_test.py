#!/usr/bin/python3
"""Rules see an inline <svg> as they see one in a data: URI: as large as it is shown. And it finds what it uses in
another by its id, however that is written."""

import email
import io
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
from PIL import Image

HEAD = "From: a@example.org\nTo: b@example.org\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/html\n\n"
SVG = "<svg viewBox='0 0 8 4' width={} height={}><rect width=8 height=4 fill=red /></svg>\n"


class InlineSvg(unittest.TestCase):
    def pictures(self, html, config=""):
        path = os.path.join(harness.temp_dir(self), "p.toml")
        with open(path, "w") as file:
            file.write(config)
        done = harness.run([harness.program(), "rewrite", "-c", path], input=(HEAD + html).encode(), check=0)
        return [Image.open(io.BytesIO(part.get_payload(decode=True))) for part in email.message_from_bytes(done.stdout).walk()
                if part.get_content_maintype() == "image"]

    def test_size(self):
        rule = '[[rule]]\n[[rule.image]]\nmatch = {{ {} }}\naction = "keep"\n'
        for condition, kept in (('width = ">100"', True), ('width = ">200"', False), ('height = "100"', True),
                                ('megapixels = "<0.1", source = "svg"', True), ('alpha = true, frames = 1', True),
                                ('gps = true', False)):
            with self.subTest(condition):
                found = self.pictures(SVG.format(200, 100), rule.format(condition))
                self.assertEqual(len(found), 0 if kept else 1)

    def test_an_id_with_character_references(self):
        html = "<svg style='display:none'><rect id='a&amp;b' width=8 height=4 fill=red /></svg>" \
               "<svg width=8 height=4><use href='#a&#38;b' /></svg>\n"
        self.assertEqual(self.pictures(html)[0].convert("RGB").getpixel((8, 4)), (255, 0, 0))


harness.main()
