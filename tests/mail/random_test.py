#!/usr/bin/python3
"""Random messages through `pixmilter rewrite`: every picture that should be done is, everything else is as it was.

The generator knows what it put where, so it knows what has to come out: which references of which HTML part are
embedded, with which bytes, which arrays become which pixels, and which parts nobody may touch. A failure names its
seed; SEEDS=17:18 runs that one, SEEDS=0:5000 a long night.
"""
# tests/run: timeout=1200

import concurrent.futures
import html
import os
import random
import re
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import numpy

import harness
import judge
import pictures
from assorted import b64, crlf, part, qp

PICTURES = [pictures.png(4, 3, 3, 1), pictures.png(5, 2, 4, 2), pictures.jpeg(4, 4), pictures.gif(6, 2), pictures.png(3, 3, 1, 3)]
KINDS = ["image/png", "image/png", "image/jpeg", "image/gif", "image/png"]
WORDS = {"utf-8": "Grüße čau žluť – € こん", "iso-8859-1": "Grüße é ÿ", "koi8-r": "Привет мир", "windows-1252": "€ – ß",
         "us-ascii": "plain words", "shift_jis": "表示 ソ 能", "gb18030": "你好 世界"}
BROKEN = ["data:", "data:image/png;base64,", "data:image/png;base64,aGVsbG8=", "data:,", "https://example.test/a.png", "a.png", "cid:nowhere", ""]


def number_of(picture):
    return PICTURES.index(picture) if picture in PICTURES else picture


class Maker:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.boundaries = 0
        self.html = []     # for each HTML part in order: the pictures it shows, or None when it is left alone
        self.arrays = []   # the arrays in order

    def message(self):
        fields = ["From: a@example.test", "To: b@example.test", "Subject: random", "Message-ID: <random@example.test>",
                  "X-Folded: one\n\ttwo\n three", "X-Empty:", "Received: from x\n by y; Mon, 01 Jan 2024 00:00:00 +0000"]
        if self.dice.random() < 0.9:
            fields.append(self.dice.choice(["MIME-Version: 1.0", "Mime-version: 1.0 (really)"]))
        self.dice.shuffle(fields)
        before = self.dice.randint(0, len(fields))
        entity = self.entity(0, False)
        head, body = entity.split(b"\n\n", 1)
        out = b"".join(field.encode() + b"\n" for field in fields[:before]) + head + b"\n"
        out += b"".join(field.encode() + b"\n" for field in fields[before:]) + b"\n" + body
        return out if self.dice.random() < 0.9 else out.rstrip(b"\n")

    def boundary(self):
        self.boundaries += 1
        # No =? in it, which makes it look like an encoded word: such a message is left alone.
        alphabet = "abcdefghijklmnopqrstuvwxyzABC0123456789'()+_,-./:="
        return f"{self.boundaries}-" + "".join(self.dice.choice(alphabet) for _ in range(self.dice.randint(1, 50)))

    def entity(self, depth, protected):
        kind = self.dice.choice(["html", "html", "text", "array", "file", "picture"] +
                                ["mixed", "alternative", "related", "related"] * (depth < 4) + ["signed", "forwarded"] * (0 < depth < 4))
        if depth == 0 and kind in ("text", "file", "picture"):
            kind = "mixed"
        if kind in ("mixed", "alternative", "related"):
            return self.multipart(kind, [self.entity(depth + 1, protected) for _ in range(self.dice.randint(1, 4))])
        if kind == "signed":
            return self.multipart("signed", [self.entity(depth + 1, True), part("application/pgp-signature", "abc\n").encode()])
        if kind == "forwarded":
            return b"Content-Type: message/rfc822\n\nFrom: c@example.test\nSubject: inner\nMIME-Version: 1.0\n" + self.entity(depth + 1, True)
        if kind == "html":
            return self.html_part(protected)
        if kind == "array" and not protected:
            return self.array()
        if kind == "picture":
            return self.encoded("image/png", PICTURES[0], [f"Content-ID: <own{self.dice.randint(0, 10**9)}@example.test>"][:self.dice.randint(0, 1)])
        if kind == "file":
            return self.encoded("application/octet-stream", self.dice.randbytes(60), ['Content-Disposition: attachment; filename="x.bin"'])
        return self.encoded("text/plain; charset=utf-8", "Grüße\nFrom me\n--x\n.\n".encode())

    def multipart(self, subtype, pieces):
        boundary = self.boundary()
        line = self.dice.choice(["", "\n", "text\n"])
        return b"\n".join([
            f'Content-Type: {self.dice.choice([str, str.upper])("multipart/" + subtype)};'
            f'{self.dice.choice([" ", chr(10) + " ", ""])}boundary="{boundary}"'.encode(),
            b"", line.encode() + b"\n".join(b"--" + boundary.encode() + self.dice.choice([b"", b" ", b"\t"]) + b"\n" + piece for piece in pieces),
            b"--" + boundary.encode() + b"--", self.dice.choice([b"", b"epilogue\n"])])

    def encoded(self, kind, data, fields=()):
        """A part with its content in one of the encodings that can carry it."""
        plain = not re.search(rb"[^\n\x20-\x7e]|[^\n]{900}", data) and not kind.startswith(("application", "image"))
        encoding = self.dice.choice(["base64"] + ["quoted-printable"] * kind.startswith("text") +
                                    (["7bit", None] if plain else []) + ["8bit"] * (kind.startswith("text") and not re.search(rb"[^\n]{900}", data)))
        if encoding == "base64":
            data = b64(data, self.dice.choice([76, 76, 64, 60, 4])).encode()
        elif encoding == "quoted-printable":
            data = qp(data.decode("latin-1"), "latin-1").encode()
        head = [f"Content-Type: {kind}"] + ([f"{self.dice.choice(['Content-Transfer-Encoding', 'CONTENT-transfer-encoding'])}: {encoding}"] if encoding else [])
        head += fields
        self.dice.shuffle(head)
        return ("\n".join(head) + "\n\n").encode() + data

    def array(self):
        pixels = self.dice.choice([pictures.array(5, 4, 3), pictures.array(6, 3, 1), pictures.array(3, 7, 4)])
        self.arrays.append(pixels)
        fields = self.dice.choice([[], ['Content-Disposition: attachment; filename="f.npy"'],
                                   ["Content-Disposition: inline", f"Content-ID: <pix{len(self.arrays)}@example.test>"]])
        if self.dice.random() < 0.5:
            return self.encoded("application/x-npy", pictures.npy(pixels), fields)
        bands = 1 if pixels.ndim == 2 else pixels.shape[2]
        return self.encoded(f"image/x-raw-pixels; width={pixels.shape[1]}; height={pixels.shape[0]};\n bands={bands}; format=uchar",
                            pixels.tobytes(), fields)

    def html_part(self, protected):
        charset = self.dice.choice(list(WORDS))
        words = WORDS[charset].split()
        text, shown = "", []
        for _ in range(self.dice.randint(0, 12)):
            what = self.dice.random()
            if what < 0.35:
                text += f"<p>{' '.join(self.dice.choices(words, k=self.dice.randint(1, 8)))} &amp; = .</p>\n"
            elif what < 0.75:
                number = self.dice.randrange(len(PICTURES))
                shown.append(PICTURES[number])
                text += self.image(pictures.data_uri(PICTURES[number], KINDS[number]), words)
            elif what < 0.9:
                text += f'<img alt="x" src="{self.dice.choice(BROKEN)}">' + self.dice.choice(["", "\n"])
            else:
                uri = pictures.data_uri(PICTURES[0])
                text += self.dice.choice([f'<a href="{uri}">l</a>', f'<!-- <img src="{uri}"> -->', f"<script>'<img src=\"{uri}\">'</script>",
                                          f'<textarea><img src="{uri}"></textarea>', f'<img data-src="{uri}" alt="">']) + "\n"
        attached = self.dice.random() < 0.1
        self.html.append(None if protected or attached else shown)
        fields = ['Content-Disposition: attachment; filename="page.html"'] if attached else \
            self.dice.choice([[], ["Content-Disposition: inline"], ["Content-Language: en", "Content-ID: <t%d@example.test>" % len(self.html)]])
        return self.encoded(f"text/html; charset={charset}", text.encode(charset), fields)

    def image(self, uri, words):
        """An <img> in one of the spellings that mean the same; lines stay under 998 bytes in most."""
        quote = self.dice.choice(['"', "'", '"'])
        if self.dice.random() < 0.2:
            uri = uri.replace("data:image", self.dice.choice(["DATA:image", "data:IMAGE", "dAtA:image"]))
        if self.dice.random() < 0.2:
            middle = len(uri) // 2
            uri = uri[:middle] + self.dice.choice(["\n", "\n  ", " ", "\t"]) + uri[middle:]
        if self.dice.random() < 0.2:
            uri = uri.replace("/", "&#x2f;", 3).replace("+", "&#43;")
        if self.dice.random() < 0.25:
            return self.elsewhere(uri, quote)
        other = self.dice.choice(["", f' alt="{html.escape(words[0])}"', " width=3 height='4'", "\n class=x"])
        name = self.dice.choice(["img", "IMG", "Img"])
        tag = self.dice.choice([f"<{name}{other} src={quote}{uri}{quote}>", f"<{name} src = {quote}{uri}{quote}{other}/>"])
        return tag + self.dice.choice(["", " ", "\n"])


    def elsewhere(self, uri, quote):
        """The same picture in one of the other places that can name one."""
        other = "'" if quote == '"' else '"'
        # White space ends a candidate of srcset and an unquoted url().
        tight = re.sub(r"\s", "", uri)
        return self.dice.choice([
            f"<input type={quote}IMAGE{quote} name=x src={quote}{uri}{quote}>",
            f"<table background={quote}{uri}{quote}><tr><td>x</td></tr></table>",
            f"<tr><td class=y BACKGROUND = {quote}{uri}{quote}>x</td></tr>",
            f"<img alt=x srcset={quote}{tight} 2x, https://example.test/b.png 3x{quote}>",
            f"<picture><source srcset={quote}https://example.test/c.png 1x, {tight} 2x{quote}></picture>",
            f"<div style={quote}color: red; background: #fff url({tight}) no-repeat{quote}>x</div>",
            f"<p style={quote}background-image:URL( {other}{tight}{other} ){quote}>x</p>",
        ])


class Random(unittest.TestCase):
    maxDiff = 2000

    def check(self, seed):
        maker = Maker(seed)
        message = maker.message()
        if seed % 2:
            message = crlf(message)
        done = harness.run([harness.program(), "rewrite"], input=message)
        self.assertEqual(done.returncode, 0, done.stderr)
        again = harness.run([harness.program(), "rewrite"], input=done.stdout, check=0)
        self.assertTrue(again.stdout == done.stdout, "a second pass changed something")
        to_do = any(maker.html) or maker.arrays
        if not to_do:
            self.assertTrue(done.stdout == message, "something was changed")
            return
        self.assertTrue(done.stdout != message, f"nothing was done: {done.stderr.decode()}")
        before, after = judge.parse(message), judge.parse(done.stdout)
        # The source may have lines that are too long, and cids that name nothing.
        complaints = [c for c in judge.complaints(done.stdout) if "a line of" not in c and "cid:nowhere" not in c]
        self.assertEqual(complaints, judge.defects(before))
        self.assertEqual(b"\r\n" in done.stdout, bool(seed % 2))
        self.assertFalse(re.search(rb"(?<!\r)\n", done.stdout) if seed % 2 else b"\r" in done.stdout, "mixed line ends")
        judge.check_undone(self, before, after)
        by_cid = {judge.content_id(image): image.get_payload(decode=True) for image in judge.images(after)}
        texts = judge.html_parts(after)
        self.assertEqual(len(texts), len(maker.html))
        for part_, shown in zip(texts, maker.html):
            cids = [cid for cid in judge.cids(judge.html_text(part_)) if cid != "nowhere"]
            wanted = shown or []
            self.assertEqual([number_of(by_cid[cid]) for cid in cids], [number_of(picture) for picture in wanted])
            # One part for each distinct picture of a text.
            self.assertEqual(len(set(cids)), len(set(shown or [])))
        converted = [new for old, new in zip(self.blobs(before), self.kept(before, after))]
        self.assertEqual(len(converted), len(maker.arrays))
        for image, pixels in zip(converted, maker.arrays):
            numpy.testing.assert_array_equal(pictures.pixels(image.get_payload(decode=True)), pixels)

    def blobs(self, message):
        return [leaf for leaf in judge.leaves(message) if leaf.get_content_type() in ("application/x-npy", "image/x-raw-pixels")]

    def kept(self, before, after):
        """The parts of after that stand where before had its blobs."""
        olds = judge.leaves(before)
        ours = {judge.content_id(leaf) for leaf in olds}
        named = {cid for text in judge.html_parts(after) for cid in judge.cids(judge.html_text(text))} - ours
        news = [leaf for leaf in judge.leaves(after) if judge.content_id(leaf) not in named]
        blobs = self.blobs(before)
        return [new for old, new in zip(olds, news) if any(old is blob for blob in blobs)]

    def test_random_messages(self):
        first, last = map(int, os.environ.get("SEEDS", "0:300").split(":"))

        def one(seed):
            try:
                self.check(seed)
            except Exception as error:
                return f"seed {seed}: {type(error).__name__}: {str(error)[:1000]}"

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            failures = [failure for failure in pool.map(one, range(first, last)) if failure]
        if failures:
            self.fail(f"{len(failures)} of {last - first}, the first:\n" + "\n".join(failures[:10]))


harness.main()
