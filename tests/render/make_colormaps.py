#!/usr/bin/python3
"""Writes src/render/colormap_table.cc and tests/unit/render/colormap_published.h from matplotlib's own tables.

Run once, by hand, where Debian's python3-matplotlib is installed; its output is committed. matplotlib publishes
256 colours for each map as fractions; the nearest 8 bit values are taken (as in the hexadecimal lists that go
round: viridis ends in #fde725). Where matplotlib itself draws bytes it cuts off instead, so its own pixels may
be one level darker.
"""
import os

import matplotlib
import numpy as np

MAPS = ["viridis", "magma", "inferno", "plasma", "cividis", "turbo"]
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def table(name):
    fractions = matplotlib.colormaps[name](np.arange(256))[:, :3]
    return np.floor(fractions * 255 + 0.5).astype(int)


def main():
    with open(os.path.join(TOP, "src/render/colormap_table.cc"), "w") as out:
        out.write("// The colour maps of matplotlib %s, 256 entries each as 0xRRGGBB.\n" % matplotlib.__version__)
        out.write("// Written by tests/render/make_colormaps.py; viridis, magma, inferno and plasma are by Nathaniel Smith\n"
                  "// and Stefan van der Walt, cividis by Jamie Nunez and others, turbo by Anton Mikhailov.\n")
        out.write('#include "render/colormap.h"\n\nnamespace pixmilter::render {\n\n// clang-format off\n')
        for name in MAPS:
            out.write("const ColormapTable k%s{{\n" % name.capitalize())
            words = ["0x%02X%02X%02X," % tuple(row) for row in table(name)]
            for at in range(0, 256, 11):
                out.write("  " + " ".join(words[at:at + 11]) + "\n")
            out.write("}};\n")
        out.write("// clang-format on\n\n}  // namespace pixmilter::render\n")
    with open(os.path.join(TOP, "tests/unit/render/colormap_published.h"), "w") as out:
        out.write("// What the published tables say, as a second witness: red, green and blue of 256 entries, two\n"
                  "// hexadecimal digits each. Written by tests/render/make_colormaps.py.\n#pragma once\n\n"
                  "// clang-format off\n")
        for name in ["gray"] + MAPS:
            text = "".join("%02x%02x%02x" % ((i, i, i) if name == "gray" else tuple(row))
                           for i, row in enumerate(table(name)))
            out.write("inline constexpr char kPublished_%s[] =\n" % name)
            for at in range(0, len(text), 96):
                out.write('  "%s"%s\n' % (text[at:at + 96], ";" if at + 96 >= len(text) else ""))
        out.write("// clang-format on\n")


main()
