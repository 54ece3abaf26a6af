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
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed or not passed else 0


sys.exit(main())
