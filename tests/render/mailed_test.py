#!/usr/bin/python3
"""The arrays and formats of this folder, mailed: each as a part of a message that pixmilter rewrites, each format
also as a data: URI, judged in what comes out as a recipient would see it.

mailed_test.py [--build DIR] [-v] [WORD]: with a word, only cases whose name holds it.
"""
# tests/run: timeout=1200
import argparse
import base64
import email
import email.policy
import io
import os
import re
import subprocess
import sys
import tempfile

try:
    import numpy  # noqa: F401
    from PIL import Image

    import arrays
    import pictures
except ImportError as missing:
    print("skipped render/mailed: %s" % missing)
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

import tool

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = 60  # a message; pixmilter takes 250
BOUNDARY = "=_mailed"

# jxl and jp2 are served where the configuration adds them. Sixty pictures share the time of their message, and with
# every process under strace (memory_only_test.py) that is long: what they come out as is judged, not when.
CONFIGURATION = b'[milter]\ndeadline = "10m"\n[render]\ntimeout = "100s"\n' + \
    b'loaders = ["png", "jpeg", "gif", "webp", "tiff", "heif", "svg", "jxl", "jp2"]\n'

# For the cases whose pixels are judged exactly, although their sources are lossy.
AS_PNG = b'[[rule]]\nname = "png"\n[[rule.image]]\nmatch = { type = "image/*" }\nformat = "png"\n'

# What mail clients show.
SAFE = ("image/png", "image/jpeg", "image/gif")


def wrapped(payload):
    return base64.encodebytes(payload).replace(b"\n", b"\r\n")


def message(parts):
    lines = [b"From: a@example.org", b"To: b@example.net", b"Subject: pixels", b"MIME-Version: 1.0",
             b'Content-Type: multipart/mixed; boundary="%s"' % BOUNDARY.encode(), b""]
    return b"\r\n".join(lines) + b"\r\n" + b"".join(b"--" + BOUNDARY.encode() + b"\r\n" + part for part in parts) + \
        b"--" + BOUNDARY.encode() + b"--\r\n"


def inline_part(case, number):
    content_type = case.media_type + "".join('; %s="%s"' % (k, v) for k, v in case.parameters.items() if ":" not in k)
    head = "Content-Type: %s\r\nContent-Disposition: inline; filename=\"case%d.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return (head % (content_type.replace("; ", ";\r\n "), number)).encode() + wrapped(case.payload)


def html_part(cases):
    images = "\n".join('<p>%d<img alt="%d" src="data:%s;base64,%s"></p>' % (i, i, case.media_type, base64.b64encode(case.payload).decode())
                       for i, case in enumerate(cases))
    return b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped(("<html><body>%s</body></html>" % images).encode())


class Mailer:
    def __init__(self, build, folder, rules=b""):
        # memory_only_test.py has its own in front of it.
        self.program = os.path.join(os.environ.get("PIXMILTER_WATCHED", build), "pixmilter")
        self.configuration = os.path.join(folder, "mailed%d.toml" % len(rules))
        with open(self.configuration, "wb") as out:
            out.write(CONFIGURATION + rules)
        # Versions that do not know the key serve the loaders of the default.
        known = subprocess.run([self.program, "check", "-c", self.configuration], capture_output=True).returncode == 0
        self.options = ["-c", self.configuration] if known else []
        self.leaves_safe = not rules  # as they are

    def rewrite(self, data):
        done = subprocess.run([self.program, "rewrite"] + self.options, input=data, capture_output=True, timeout=600)
        if done.returncode:
            raise RuntimeError("rewrite ended with %d: %s" % (done.returncode, done.stderr.decode(errors="replace")))
        return email.message_from_bytes(done.stdout, policy=email.policy.default)


def judge(case, payload, media_type):
    if media_type not in SAFE:
        return "left as " + media_type
    image = Image.open(io.BytesIO(payload))
    if "image/" + image.format.lower() != media_type:
        return "labelled %s, and is %s" % (media_type, image.format)
    return case.judge(image)


class Tests:
    def __init__(self, verbose):
        self.verbose = verbose
        self.passed = self.failed = 0

    def note(self, name, wrong):
        if wrong:
            self.failed += 1
            print("FAILED %s: %s" % (name, wrong))
        else:
            self.passed += 1
            if self.verbose:
                print("ok " + name)

    def as_parts(self, mailer, cases):
        for at in range(0, len(cases), PARTS):
            batch = cases[at:at + PARTS]
            parts = mailer.rewrite(message([inline_part(case, i) for i, case in enumerate(batch)])).get_payload()
            if len(parts) != len(batch):
                self.note("a message of %d parts" % len(batch), "has %d parts" % len(parts))
                continue
            for i, (case, part) in enumerate(zip(batch, parts)):
                wrong = judge(case, part.get_payload(decode=True), part.get_content_type())
                if not wrong and part.get_filename().rsplit(".", 1) != ["case%d" % i, {"image/jpeg": "jpg"}.get(part.get_content_type(), part.get_content_type()[6:])]:
                    wrong = "is called " + part.get_filename()
                self.note("part: " + case.name, wrong)

    def as_data(self, mailer, cases):
        for at in range(0, len(cases), PARTS):
            batch = cases[at:at + PARTS]
            mail = mailer.rewrite(message([html_part(batch)]))
            html = next(part for part in mail.walk() if part.get_content_type() == "text/html").get_content()
            by_id = {part["Content-ID"].strip("<>"): part for part in mail.walk() if part["Content-ID"]}
            for i, case in enumerate(batch):
                found = re.search(r'alt="%d" src="cid:([^"]+)"' % i, html)
                if not found or found.group(1) not in by_id:
                    self.note("data: " + case.name, "was left")
                    continue
                part = by_id[found.group(1)]
                if mailer.leaves_safe and case.media_type in SAFE and not re.search("16 bit|CMYK|YCCK|of inks", case.name):
                    # Shown everywhere: it goes on byte for byte.
                    wrong = None if part.get_payload(decode=True) == case.payload else "was changed"
                else:
                    wrong = judge(case, part.get_payload(decode=True), part.get_content_type())
                self.note("data: " + case.name, wrong)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(HERE, "..", "..", "build"))
    parser.add_argument("-v", action="store_true", help="name every case")
    parser.add_argument("word", nargs="?", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, tool.Tool(options.build) as renderer:
        mailer = Mailer(options.build, folder)
        as_png = Mailer(options.build, folder, AS_PNG)
        tests = Tests(options.v)
        wanted = [case for case in arrays.cases() if options.word in case.name]
        tests.as_parts(mailer, wanted)
        # Other settings that only a rule can make are not mailed.
        for by, setting in ((mailer, {}), (as_png, {"set:format": "png"})):
            formats = [case for case in pictures.cases(renderer) if options.word in case.name and case.payload and
                       {k: v for k, v in case.parameters.items() if k.startswith("set:")} == setting]
            if not by.options:
                formats = [case for case in formats if case.media_type not in ("image/jxl", "image/jp2")]
            tests.as_parts(by, [case for case in formats if case.media_type not in SAFE])
            tests.as_data(by, formats)
    print("%d passed, %d failed, 0 skipped" % (tests.passed, tests.failed))
    return 1 if tests.failed or not tests.passed else 0


sys.exit(main())
