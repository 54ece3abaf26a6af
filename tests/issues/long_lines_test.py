#!/usr/bin/python3
"""In 7bit and 8bit HTML no line grows beyond 998 characters: the line breaks within long data: URIs were what held
lines short, and a minified newsletter without them is one line. What is broken is white space of HTML or CSS."""

import base64
import email
import io
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
from PIL import Image


def data_uri():
    out = io.BytesIO()
    Image.new("RGB", (8, 6), (200, 30, 30)).save(out, "PNG")
    text = base64.b64encode(out.getvalue()).decode()
    return "data:image/png;base64,\n" + "\n".join(text[i:i + 60] for i in range(0, len(text), 60))


DATA = data_uri()
WORDS = "x" * 200
SVG = '<svg\nwidth="9" height="9"><rect width="9"\nheight="9"/></svg>'


class LongLines(unittest.TestCase):
    def rewritten(self, html, encoding="8bit", eol="\r\n"):
        message = ("From: a@example.org\nTo: b@example.org\nSubject: x\nMIME-Version: 1.0\n"
                   f"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n{html}\n")
        self.assertLessEqual(max(map(len, message.split("\n"))), 998)
        done = harness.run([harness.program(), "rewrite", "-c", "/dev/null"],
                           input=message.replace("\n", eol).encode(), check=0)
        self.assertLessEqual(max(map(len, done.stdout.split(eol.encode()))), 998)
        self.assertEqual(done.stdout.count(b"\n"), done.stdout.count(eol.encode()))
        parts = [part for part in email.message_from_bytes(done.stdout).walk()
                 if part.get_content_type() == "text/html"]
        self.assertEqual(parts[0]["Content-Transfer-Encoding"], encoding)
        text = parts[0].get_payload(decode=True).decode()
        self.assertNotIn("data:image", text)
        return text, re.sub(r"cid:[^\"')\s>,]+", "cid:C", text)

    def test_images(self):
        for encoding in ("7bit", "8bit"):
            for eol in ("\r\n", "\n"):
                html = f'<td><p>{WORDS}<img alt="x" src="{DATA}"></p></td>' * 30
                _, text = self.rewritten(html, encoding, eol)
                self.assertEqual(re.sub(r"\s+src", " src", text).rstrip(),
                                 f'<td><p>{WORDS}<img alt="x" src="cid:C"></p></td>' * 30)

    def test_styles(self):
        broken = DATA.replace("\n", "\\\n")  # as CSS continues a string on the next line
        html = f"<p style=\"background:url('{broken}')\">{WORDS}</p>" * 30
        _, text = self.rewritten(html)
        self.assertEqual(re.sub(r"\s+url", "url", text).rstrip(),
                         f"<p style=\"background:url('cid:C')\">{WORDS}</p>" * 30)

    def test_srcset(self):
        html = "<img srcset='" + ", ".join(f"{DATA.replace(chr(10), '')}\n{i}w" for i in range(1, 60)) + "'>"
        _, text = self.rewritten(html)
        self.assertEqual(text.count("cid:C"), 59)

    def test_svgs(self):
        _, text = self.rewritten(f"<b>{WORDS}</b>{SVG}" * 30)
        self.assertEqual(len(re.findall(r'<img\s+src="cid:C"\s+width="9"', text)), 30)

    def test_long_title(self):
        title = "word &amp; more\n" * 200
        _, text = self.rewritten(SVG.replace("<rect", f"<title>{title}</title><rect"))
        alt = re.search(r'alt="([^"]*)"', text).group(1)
        self.assertEqual(alt.split(), title.split())

    def test_short_lines_stay(self):
        _, text = self.rewritten(f'<p>\n<img src="{DATA}">\n</p>')
        self.assertEqual(text.replace("\r", ""), '<p>\n<img src="cid:C">\n</p>\n')


if __name__ == "__main__":
    harness.main()
