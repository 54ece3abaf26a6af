#!/usr/bin/python3
"""Every array of arrays.py through the renderer: is the picture what numpy says it has to be?

matrix_test.py [--build DIR] [-v] [WORD]: with a word, only cases whose name holds it. Ends with one line of counts.
"""
import argparse
import io
import os
import sys

try:
    from PIL import Image

    import arrays
except ImportError as missing:
    print("skipped render/matrix: %s" % missing)
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

import tool


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(arrays.HERE, "..", "..", "build"))
    parser.add_argument("-v", action="store_true", help="name every case")
    parser.add_argument("word", nargs="?", default="")
    options = parser.parse_args()
    passed = failed = 0
    with tool.Tool(options.build) as renderer:
        for case in arrays.cases():
            if options.word not in case.name:
                continue
            answer = renderer.render(case.media_type, case.parameters, case.payload)
            if answer.status != "ok":
                wrong = "%s: %s" % (answer.status, answer.reason)
            else:
                wrong = case.judge(Image.open(io.BytesIO(answer.picture)))
            if wrong:
                failed += 1
                print("FAILED %s: %s" % (case.name, wrong))
            else:
                passed += 1
                if options.v:
                    print("ok " + case.name)
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed or not passed else 0


sys.exit(main())
