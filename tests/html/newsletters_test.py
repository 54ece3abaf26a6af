#!/usr/bin/python3
"""Real newsletters: what Chromium shows before and after is the same picture.

Each template of tests/html/newsletters gets pictures of its own as data: URIs, in every place where it names
one, and inline <svg> for some; passes through `pixmilter rewrite`; and is shown twice: as it was, and with
each cid: resolved to the part that it names. Both are the same pixel by pixel, but for the edges within what
was drawn from SVG.
"""
# tests/run: timeout=1200

import base64
import email
import email.policy
import glob
import io
import os
import random
import re
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import chromium
import harness
from PIL import Image, ImageChops

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "newsletters")
WIDTHS = (700, 400)  # a window, a telephone

# An edge is drawn by two renderers at two resolutions: how far its pixels may be off, how far the whole box
# may be on average, and what share of its pixels may be off visibly.
EDGE_MEAN = 7.0
EDGE_SHARE = 0.05
VISIBLY = 48

SHAPES = ('<circle cx="30" cy="40" r="25" fill="#d33"/><rect x="55" y="10" width="40" height="60" fill="#27b"/>'
          '<path d="M5 75 L50 20 L95 75 Z" fill="none" stroke="#161" stroke-width="4"/>')


class Pictures:
    """Pictures in turn: each of its own colours, kind and spelling."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.count = self.random.randrange(4)
        self.seen = {}

    def drawn(self, width, height):
        step = self.random.randint(3, 9)
        picture = Image.new("RGB", (width, height))
        base = [self.random.randrange(256) for _ in range(3)]
        picture.putdata([((base[0] + x * step) % 256, (base[1] + y * step) % 256, (base[2] + (x ^ y)) % 256)
                         for y in range(height) for x in range(width)])
        return picture

    def data(self, url, kinds=("PNG", "JPEG", "GIF", "WEBP", "BMP")):
        """The data: URI that stands for a URL; the same each time."""
        if url not in self.seen:
            self.count += 1
            kind = kinds[self.count % len(kinds)]
            out = io.BytesIO()
            width, height = self.random.choice([(40, 30), (75, 75), (120, 50), (64, 64)])
            more = {"lossless": True} if kind == "WEBP" else {}
            self.drawn(width, height).save(out, kind, **more)
            text = base64.b64encode(out.getvalue()).decode()
            kind = kind.lower()
            self.seen[url] = self.random.choice([
                f"data:image/{kind};base64,{text}", f"DATA:image/{kind.upper()};BASE64,{text}",
                f"data:image/{kind};name=a.x;base64,{urllib.parse.quote(text, safe='')}",
                f"data:;base64,{text.rstrip('=')}"])
        return self.seen[url]


def attribute(tag, name):
    found = re.search(rf"\s{name}\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", tag, re.I)
    return found.group(1).strip("\"'") if found else None


def filled(html, seed):
    """The template with pictures in every place that names one; what is drawn from SVG has the class `drawn`."""
    pictures = Pictures(seed)

    def image(found):
        tag = found.group(0)
        url = attribute(tag, "src")
        if url is None:
            return tag
        pictures.count += 1
        if pictures.count % 2 == 1:
            return tag.replace(url, pictures.data(url))
        classes = f'class="{attribute(tag, "class") or ""} drawn"'
        width, style = attribute(tag, "width"), attribute(tag, "style") or ""
        if pictures.count % 4 == 0:
            more = "".join(f' {name}="{attribute(tag, name)}"' for name in ("width", "style") if attribute(tag, name))
            if not width and not re.search(r"(^|;|\s)width", style):
                more += ' width="90"'
            return f'<svg viewBox="0 0 100 80" {classes}{more}><title>A "chart" &amp; more</title>{SHAPES}</svg>'
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="80">{SHAPES}</svg>'
        data = "data:image/svg+xml," + urllib.parse.quote(svg) if pictures.count % 8 == 2 else \
            "data:image/svg+xml;utf8," + svg.replace('"', "'").replace("#", "%23").replace("<", "&lt;")
        tag = re.sub(r"\sclass=(\"[^\"]*\"|[^\s>]*)|\sclass(?=[\s>])", "", tag)
        return tag.replace(url, data).replace("<img", f"<img {classes}", 1)

    html = re.sub(r"<img\b[^>]*>", image, html, flags=re.I)
    html = re.sub(r"(background=\")(https?:[^\"]+)(\")",
                  lambda found: found.group(1) + pictures.data(found.group(2), ("PNG", "JPEG")) + found.group(3),
                  html)
    html = re.sub(r"(<v:\w+[^>]*\ssrc=\")([^\"]+)(\")",
                  lambda found: found.group(1) + pictures.data(found.group(2), ("PNG", "JPEG")) + found.group(3),
                  html)
    html = re.sub(r"(?<!@import )url\((['\"]?)(https?:[^)'\"]+\.(?:jpg|png|gif))\1\)",
                  lambda found: f"url({found.group(1)}{pictures.data(found.group(2), ('PNG', 'JPEG'))}"
                                f"{found.group(1)})", html)
    return html


def mailed(html, encoding):
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = "news@example.org", "reader@example.org", "News"
    mail["Date"], mail["Message-ID"] = "Mon, 1 Jan 2024 00:00:00 +0000", "<news@example.org>"
    mail.set_content("The text.")
    mail.add_alternative(html, subtype="html", cte=encoding)
    return mail.as_bytes()


def received(message):
    """The HTML of a rewritten message with its parts in place, and the Content-IDs of the parts."""
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    html, cids = None, {}
    for part in parsed.walk():
        if part.get_content_type() == "text/html":
            html = part.get_content()
        elif part["Content-ID"]:
            cids[part["Content-ID"].strip("<>")] = (
                f"data:{part.get_content_type()};base64,{base64.b64encode(part.get_content()).decode()}")
    shown = re.sub(r"cid:([^\"'()\s,;&<>]+)", lambda found: cids.get(found.group(1), found.group(0)), html)
    return html, shown, cids


def joined(before, after):
    """One box round each pair of boxes."""
    return [(min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])) for a, b in zip(before, after)]


def edges(before, after, box):
    """How far the pixels in a box are apart: their mean, and the share of those that are off visibly. A browser
    snaps an image to whole pixels and draws an <svg> between them: the better of the shifts by one counts."""
    found = []
    for dx in (0, -1, 1):
        for dy in (0, -1, 1):
            moved = after.crop((box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy))
            values = ImageChops.difference(before.crop(box), moved).convert("L").histogram()
            total = sum(values)
            found.append((sum(value * count for value, count in enumerate(values)) / total,
                          sum(values[VISIBLY:]) / total))
    return min(found)


class Newsletters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = chromium.Browser()
        cls.addClassCleanup(cls.browser.close)

    def judge(self, name, html):
        encoding = ("base64", "quoted-printable")[len(name) % 2]
        result = harness.run([harness.program(), "rewrite", "-c", "/dev/null"], input=mailed(html, encoding), check=0)
        after, shown, cids = received(result.stdout)
        self.assertNotRegex(after, r"(?i)data:[a-z]+/[a-z]", "a reference was missed")
        self.assertEqual(after.count("<svg"), 0)
        for cid in cids:
            self.assertIn("cid:" + cid, after)

        for width in WIDTHS:
            before, after = (self.browser.show(text, width, ".drawn") for text in (html, shown))
            self.compare(f"{name}-{width}", before, after)

    def compare(self, name, before, after):
        boxes = joined(before.boxes, after.boxes)
        self.assertEqual(len(before.boxes), len(after.boxes))
        before, after = before.picture, after.picture
        self.assertEqual(before.size, after.size)
        difference = ImageChops.difference(before, after)
        for box in boxes:
            if box[0] >= box[2] or box[1] >= box[3]:
                continue
            mean, share = edges(before, after, box)
            if mean > EDGE_MEAN or share > EDGE_SHARE:
                self.keep(name, before, after)
            self.assertLessEqual(mean, EDGE_MEAN, f"{name} {box}")
            self.assertLessEqual(share, EDGE_SHARE, f"{name} {box}")
            difference.paste((0, 0, 0), box)
        if difference.getbbox() is not None:
            self.keep(name, before, after)
        self.assertIsNone(difference.getbbox(), f"{name}: differs outside of what was drawn")

    def keep(self, name, before, after):
        if folder := os.environ.get("PIXMILTER_KEEP"):
            before.save(os.path.join(folder, f"{name}-before.png"))
            after.save(os.path.join(folder, f"{name}-after.png"))

    def test_there_are_enough(self):
        self.assertGreaterEqual(len(glob.glob(FOLDER + "/*.html")), 10)


def add(path):
    name = os.path.basename(path)[:-5]

    def test(self):
        with open(path, encoding="utf-8") as file:
            html = file.read()
        with open(FOLDER + "/foundation-emails.css", encoding="utf-8") as file:
            html = html.replace('<link rel="stylesheet" href="foundation-emails.css" />',
                                "<style>" + file.read() + "</style>")
        self.judge(name, filled(html, name))

    setattr(Newsletters, "test_" + name.replace("-", "_"), test)


for template in sorted(glob.glob(FOLDER + "/*.html")):
    add(template)

if __name__ == "__main__":
    harness.main()
