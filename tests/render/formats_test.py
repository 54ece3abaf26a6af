#!/usr/bin/python3
"""Every encoded format through the renderer, and what sizing, limits and metadata do to pictures.

formats_test.py [--build DIR] [-v] [WORD]: with a word, only tests whose name holds it.
"""
import argparse
import io
import os
import sys

try:
    import numpy as np
    from PIL import Image

    import arrays
    import pictures
except ImportError as missing:
    print("skipped render/formats: %s" % missing)
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

import tool


def judge_header(header, answer):
    """What read_header says of a file, against what rendering it gave."""
    if header.status != "ok":
        return header.reason
    if sorted((header.width, header.height)) != sorted((answer.width, answer.height)):
        return "says %dx%d, and it is %dx%d" % (header.width, header.height, answer.width, answer.height)
    image = Image.open(io.BytesIO(answer.picture))
    shows_alpha = image.convert("RGBA").getextrema()[3][0] < 255
    if shows_alpha and " alpha" not in header.reason and header.format != "jxl":
        return "says nothing of alpha"
    if header.format in ("png", "jpeg", "webp", "bmp", "pnm", "avif", "heif") and " alpha" in header.reason and \
            image.mode not in ("RGBA", "LA", "P"):
        return "says alpha, and there is none"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(arrays.HERE, "..", "..", "build"))
    parser.add_argument("-v", action="store_true", help="name every case")
    parser.add_argument("word", nargs="?", default="")
    options = parser.parse_args()
    passed = failed = skipped = 0

    def note(name, wrong):
        nonlocal passed, failed
        if wrong:
            failed += 1
            print("FAILED %s: %s" % (name, wrong))
        else:
            passed += 1
            if options.v:
                print("ok " + name)

    with tool.Tool(options.build) as renderer:
        for case in pictures.cases(renderer):
            if options.word not in case.name:
                continue
            if case.payload is None:
                skipped += 1
                print("skipped %s: libvips does not write it here: %s" % (case.name, case.judge))
                continue
            answer = renderer.render(case.media_type, case.parameters, case.payload)
            wrong = "%s: %s" % (answer.status, answer.reason)
            if answer.status == "ok":
                wrong = case.judge(Image.open(io.BytesIO(answer.picture)))
            note(case.name, wrong)
            if answer.status == "ok" and "svg twice" not in case.name and "UTF-16" not in case.name and \
                    "set:resize" not in case.parameters:
                note("header of " + case.name, judge_header(renderer.render("header", {}, case.payload), answer))
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed or not passed else 0


sys.exit(main())
