#!/usr/bin/python3
"""Writes the seeds of the wire targets: tests/fuzz/corpus/wire_front and wire_worker.

    tests/fuzz/wire_seeds.py
"""

import io
import os
import struct
import zlib

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
# image::Format, as far as it is needed.
PNG, JPEG, GIF, SVG, RAW = 1, 2, 3, 8, 14


def text(value):
    return struct.pack("<H", len(value)) + value


def answer(status, reason, kind, width, height, frames, size, retire=0, number=7, picture=b""):
    return (struct.pack("<BQB", 8, number, status) + text(reason) +
            struct.pack("<BIIIQI", kind, width, height, frames, size, len(picture)) + picture +
            struct.pack("<B", retire))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height):
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(b"\0" * (width + 1) * height)) + chunk(b"IEND", b""))


def pillow(kind, **options):
    from PIL import Image
    buffer = io.BytesIO()
    Image.new("RGB", (5, 4), (200, 100, 50)).save(buffer, kind, **options)
    return buffer.getvalue()


def job(kind, number=7, size=100, picture=b""):
    layout = struct.pack("<IIIIBBBBQ", 10, 10, 1, 1, 0, 0, 0, 0, 0)
    settings = struct.pack("<BBBBIIBQIBBdddd", 0, 82, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 10.0, 1.0)
    settings += struct.pack("<I", 0)
    limits = struct.pack("<QIIQ", 64_000_000, 64, 30_000, 100 << 20)
    return (struct.pack("<BQQI", 7, number, size, len(picture)) + picture + struct.pack("<B", kind) +
            layout + settings + limits)


def write(target, name, data):
    folder = os.path.join(HERE, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def main():
    for name, data in {
            "fork": struct.pack("<BQB", 2, 1, 0), "fork_svg": struct.pack("<BQB", 2, 2, 1),
            "kill": struct.pack("<BQ", 3, 1), "output": struct.pack("<BQ", 11, 7), "job_png": job(PNG), "job_svg": job(SVG), "job_raw": job(RAW),
            "job_inline": job(RAW, size=0, picture=bytes(100))}.items():
        write("wire_worker", name, data)
    pictures = {"png": (PNG, png(5, 4)), "jpeg": (JPEG, pillow("JPEG")), "gif": (GIF, pillow("GIF")),
                "progressive": (JPEG, pillow("JPEG", progressive=True))}
    packets = {"hello": (struct.pack("<BI", 1, 99), b""), "forked": (struct.pack("<BQI", 4, 1, 99), b""),
               "ended": (struct.pack("<BQII", 5, 1, 9, 0), b""), "ready": (struct.pack("<BB", 6, 1) + text(b""), b""),
               "unusable": (struct.pack("<BB", 6, 0) + text(b"no seccomp"), b""),
               "refused": (answer(1, b"not a PNG", 0, 0, 0, 0, 0), b""),
               "limit": (answer(2, b"too large", 0, 0, 0, 0, 0, 1), b"")}
    for name, (kind, data) in pictures.items():
        packets[name] = (answer(0, b"", kind, 5, 4, 1, len(data)), data)
        packets[name + "_inline"] = (answer(0, b"", kind, 5, 4, 1, len(data), picture=data), b"")
    for name, (packet, memory) in packets.items():
        write("wire_front", name, struct.pack("<H", len(packet)) + packet + memory)


main()
