#!/usr/bin/python3
"""Runs hostile pictures (hostile.py) through the renderer: none may crash it, take over two seconds of the processor
or 512 MB, or come out as a picture that does not open.

hostile_test.py [--build DIR] [-v] [--full] [WORD]: every 20th, or all of them (--full), or those whose name holds
the word. The counts are of files.
"""
# tests/run: timeout=1200
import argparse
import io
import os
import sys

try:
    import numpy  # noqa: F401
    from PIL import Image

    import hostile
except ImportError as missing:
    print("skipped render/hostile: %s" % missing)
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

import tool

HERE = os.path.dirname(os.path.abspath(__file__))
MAX_SECONDS = 2
MAX_KB = 512 * 1024
# Sanitizers are slow, and address's keeps freed memory.
PLAIN = not any("build-" in word for word in sys.argv)


def judge(answer, check):
    if PLAIN:
        answer = tool.within(answer, MAX_SECONDS)
    if answer.status not in ("ok", "refused", "limit"):
        return "%s %s" % (answer.status, answer.reason)
    if PLAIN and answer.microseconds > MAX_SECONDS * 1_000_000:
        return "%s after %d ms" % (answer.status, answer.microseconds / 1000)
    if PLAIN and answer.peak_kb > MAX_KB:
        return "%s with %d MB" % (answer.status, answer.peak_kb / 1024)
    if answer.status != "ok":
        return None if answer.reason and "\n" not in answer.reason else "gives no reason"
    try:
        image = Image.open(io.BytesIO(answer.picture))
        frames = getattr(image, "n_frames", 1)
        for i in range(frames):
            image.seek(i)
            image.load()
    except Exception as error:
        return "came out unreadable: %s" % error
    if (image.format.lower(), image.size, frames) != (answer.format, (answer.width, answer.height), answer.frames):
        return "is %s %s %d, and was said to be %s %dx%d %d" % (image.format, image.size, frames, answer.format, answer.width, answer.height, answer.frames)
    return check(answer)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(HERE, "..", "..", "build"))
    parser.add_argument("-v", action="store_true", help="say what became of the files, and which took longest")
    parser.add_argument("--full", action="store_true", help="all of them, some ten minutes")
    parser.add_argument("word", nargs="?", default="")
    options = parser.parse_args()
    step = 1 if options.full or options.word else 20
    passed = failed = 0
    became, slowest, largest = {}, [], 0
    with tool.Tool(options.build) as renderer:
        for number, (name, media_type, parameters, make, check) in enumerate(hostile.cases(renderer)):
            if number % step or options.word not in name:
                continue
            answer = renderer.render(media_type, parameters, make())
            wrong = judge(answer, check)
            became[answer.status] = became.get(answer.status, 0) + 1
            slowest = sorted(slowest + [(answer.microseconds, name)])[-5:]
            largest = max(largest, answer.peak_kb)
            if wrong:
                failed += 1
                print("FAILED %s: %s" % (name, wrong))
            else:
                passed += 1
    if options.v:
        print("%s; at most %d MB; slowest: %s" % (became, largest / 1024, ", ".join("%s %d ms" % (n, t / 1000) for t, n in slowest[::-1])))
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed or not passed else 0


sys.exit(main())
