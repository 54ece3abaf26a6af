#!/usr/bin/env python3
"""Writes entities_table.cc: the named character references of the HTML standard.

The names and values are those of the standard's own table (section 13.5), as Python carries it in
html.entities.html5. Names are sorted by byte value, so that a prefix is found by narrowing a range.

    ./entities_table.py > entities_table.cc
"""

import html.entities

WIDTH = 104


def literal(data):
    """Lines of a C++ string literal for printable ASCII or arbitrary bytes."""
    line = ""
    for byte in data:
        char = chr(byte)
        if byte >= 0x7F or byte < 0x20:
            piece = "\\%03o" % byte
        elif char in '"\\':
            piece = "\\" + char
        elif char == "?":
            piece = "\\?"
        else:
            piece = char
        if len(line) + len(piece) > WIDTH - 6:
            yield '    "%s"' % line
            line = ""
        line += piece
    yield '    "%s"' % line


def numbers(values):
    line = ""
    for value in values:
        piece = "%d," % value
        if len(line) + len(piece) + 1 > WIDTH:
            yield "    " + line.strip()
            line = ""
        line += piece + " "
    yield "    " + line.strip()


def main():
    table = sorted((name.encode("ascii"), value.encode("utf-8")) for name, value in html.entities.html5.items())
    print("// Made by entities_table.py from the HTML standard's table of named character references; not to be edited.")
    print('#include "html/entities_table.h"')
    print()
    print("namespace pixmilter::html::entities {")
    print()
    print("// clang-format off")
    print("const char kNames[] =")
    print("\n".join(literal(b"".join(name for name, _ in table))) + ";")
    print()
    print("const char kValues[] =")
    print("\n".join(literal(b"".join(value for _, value in table))) + ";")
    print()
    for title, column in (("kNameEnds", 0), ("kValueEnds", 1)):
        ends, end = [], 0
        for row in table:
            end += len(row[column])
            ends.append(end)
        assert end < 1 << 16
        print("const std::uint16_t %s[kCount] = {" % title)
        print("\n".join(numbers(ends)))
        print("};")
        print()
    assert len(table) == 2231
    print("// clang-format on")
    print()
    print("}  // namespace pixmilter::html::entities")


main()
