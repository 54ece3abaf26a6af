#!/usr/bin/python3
"""The arrays of arrays.py and the formats of pictures.py as senders mail them: parts of messages, parameters in many
spellings, and data: URIs; through `pixmilter rewrite`, and judged by what comes back.

mailed_test.py [--build DIR] [-v]. Ends with one line of counts.
"""
import argparse
import base64
import email
import io
import os
import random
import subprocess
import sys
import tempfile

try:
    from PIL import Image

    import arrays
    import pictures
except ImportError as missing:
    print("skipped render/mailed: %s" % missing)
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

import tool

PARTS = 24  # in one message
POLICY = '[milter]\ndeadline = "5m"\n[render]\ntimeout = "60s"\nloaders = %s\n'
LOADERS = '["png", "jpeg", "gif", "webp", "tiff", "heif", "svg", "jxl", "jp2"]'


def parameter(name, value, rng):
    """One parameter in one of the spellings that mailers use."""
    name = rng.choice([name, name.upper(), name.capitalize()])
    spelling = rng.randrange(5)
    if spelling == 0:
        return "%s*=us-ascii''%s" % (name, "".join("%%%02X" % ord(c) for c in value))
    if spelling == 1 and len(value) > 1:
        return '%s*0="%s"; %s*1="%s"' % (name, value[:1], name, value[1:])
    if spelling == 2:
        return '%s="%s"' % (name, value)
    plain = all(c.isalnum() or c in ".-+" for c in value)
    return "%s=%s" % (name, value if plain else '"%s"' % value)


def part(case, number, rng):
    """Header and body of a part, LF lines."""
    parameters = [parameter(name, str(value), rng) for name, value in case.parameters.items()]
    parameters.append('name="array-%d.bin"' % number)
    rng.shuffle(parameters)
    separator = rng.choice(["; ", ";\n ", " ;\n\t"])
    kind = rng.choice([case.media_type, case.media_type.upper()])
    return ("Content-Type: %s\nContent-Transfer-Encoding: base64\nContent-Disposition: %s\nContent-ID: <%d@test>\n\n%s" % (
        separator.join([kind] + parameters), rng.choice(["inline", 'inline; filename="array-%d.bin"' % number]), number,
        base64.encodebytes(case.payload).decode()))


def message(cases, rng):
    parts = ["--=_b\n" + part(case, number, rng) for number, case in enumerate(cases)]
    return ("From: a@example.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=_b\"\n\n" + "".join(parts) +
            "--=_b--\n").encode()


def uri_message(cases):
    images = "\n".join('<img src="data:%s;base64,%s">' % (case.media_type, base64.b64encode(case.payload).decode())
                       for case in cases)
    return ("From: a@example.org\nMIME-Version: 1.0\nContent-Type: text/html\n\n" + images + "\n").encode()


def rewritten(build, policy, text):
    done = subprocess.run([os.path.join(build, "pixmilter"), "rewrite", "-c", policy], input=text, capture_output=True,
                          timeout=300)
    if done.returncode:
        raise RuntimeError("rewrite ended with %d: %s" % (done.returncode, done.stderr.decode(errors="replace")))
    return email.message_from_bytes(done.stdout), done.stderr.decode(errors="replace")


def judged(case, answer, content_id=None):
    """What is wrong with the part that came back; None if nothing is."""
    if answer.get_content_type() not in ("image/png", "image/jpeg", "image/gif"):
        return "came back as " + answer.get_content_type()
    if content_id and answer["Content-ID"] != content_id:
        return "its Content-ID is %s" % answer["Content-ID"]
    name = answer.get_filename() or ""
    if not name.endswith({"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif"}[answer.get_content_type()]):
        return "its name is %r" % name
    return case.judge(Image.open(io.BytesIO(answer.get_payload(decode=True))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(arrays.HERE, "..", "..", "build"))
    parser.add_argument("-v", action="store_true", help="name every case")
    options = parser.parse_args()
    passed = failed = skipped = 0
    rng = random.Random(7)

    def note(name, wrong):
        nonlocal passed, failed
        if wrong:
            failed += 1
            print("FAILED %s: %s" % (name, wrong))
        else:
            passed += 1
            if options.v:
                print("ok " + name)

    with tempfile.TemporaryDirectory(prefix="pixmilter-mailed-") as folder:
        policy = os.path.join(folder, "policy.toml")
        with open(policy, "w", encoding="ascii") as file:
            file.write(POLICY % LOADERS)
        cases = list(arrays.cases())
        for at in range(0, len(cases), PARTS):
            batch = cases[at:at + PARTS]
            answer, errors = rewritten(options.build, policy, message(batch, rng))
            for number, (case, got) in enumerate(zip(batch, answer.get_payload())):
                wrong = judged(case, got, "<%d@test>" % number)
                note("part: " + case.name, wrong and wrong + " " + errors[:300])
        with tool.Tool(options.build) as renderer:
            formats = list(pictures.cases(renderer))
        skipped = sum(case.payload is None for case in formats)
        # What only a rule can ask for (a page, a scale) has no spelling in mail.
        formats = [case for case in formats if case.payload is not None and not case.parameters]
        for at in range(0, len(formats), PARTS):
            batch = formats[at:at + PARTS]
            shown = ("image/png", "image/jpeg", "image/gif")
            answer, errors = rewritten(options.build, policy, message(batch, rng))
            for number, (case, got) in enumerate(zip(batch, answer.get_payload())):
                if case.media_type not in shown:
                    wrong = judged(case, got, "<%d@test>" % number)
                    note("part: " + case.name, wrong and wrong + " " + errors[:300])
            batch = [case for case in batch if case.media_type not in shown]
            for case in batch:
                answer, errors = rewritten(options.build, policy, uri_message([case]))
                wrong = errors or "nothing was attached"
                if answer.get_content_type() == "multipart/related":
                    wrong = judged(case, answer.get_payload()[1])
                note("data: " + case.name, wrong)
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed or not passed else 0


sys.exit(main())
