#!/usr/bin/python3
"""Bombs: small files that unpack into enormous pictures, or take for ever.

Each is refused, or ended within the limits of time and memory, and costs nothing but itself: the pictures
beside it in the same message are done.
"""
# tests/run: timeout=1800

import io
import os
import struct
import sys
import time
import unittest
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "..", "src", "render")]
from PIL import Image

import harness
import judge
import pictures

SECONDS = 10          # [render] timeout at its default
SLACK = 30            # for who waits for a processor: without that timeout it would be the message's 60
MEMORY = 512 << 20    # [render] memory at its default


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def deflated(piece, count):
    """zlib's deflation of a piece so many times over, made without having it in memory."""
    packer = zlib.compressobj(9)
    out = [packer.compress(piece) for _ in range(count)]
    return b"".join(out) + packer.flush()


def png(width, height, depth, colour, data, *chunks):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IDAT", data) +
            chunk(b"IEND", b""))


def small_png(*chunks):
    return png(8, 8, 8, 0, zlib.compress(b"\0" * 72), *chunks)


def tiff(width, height, bits, strip, compression=8, rows=None):
    """A TIFF whose strips are all the same bytes."""
    rows = rows or height
    count = -(-height // rows)
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, bits), (259, 3, 1, compression), (262, 3, 1, 1),
               (277, 3, 1, 1), (278, 4, 1, rows)]
    data_at = 8 + 2 + 12 * (len(entries) + 2) + 4
    tables_at = data_at + len(strip)
    if count == 1:
        entries += [(273, 4, 1, data_at), (279, 4, 1, len(strip))]
        tables = b""
    else:
        entries += [(273, 4, count, tables_at), (279, 4, count, tables_at + 4 * count)]
        tables = struct.pack("<I", data_at) * count + struct.pack("<I", len(strip)) * count
    out = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    for entry in sorted(entries):
        out += struct.pack("<HHII", *entry)
    return out + struct.pack("<I", 0) + strip + tables


def box(kind, *parts):
    data = b"".join(parts)
    return struct.pack(">I", 8 + len(data)) + kind + data


def full_box(kind, version, flags, *parts):
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def find_box(data, *path):
    """The content of a box by its path; meta is a full box."""
    for kind in path:
        at = 0
        while at < len(data):
            size, name = struct.unpack_from(">I4s", data, at)
            if name == kind:
                data = data[at + 8:at + size]
                if kind == b"meta":
                    data = data[4:]
                break
            at += size
        else:
            raise AssertionError(f"no {kind}")
    return data


def heic_grid(rows, columns):
    """A HEIC whose picture is a grid of one tile, over and over (ISO/IEC 23008-12, 6.6.2.3)."""
    import warm_up_samples as samples
    tile = samples.encode(samples.picture(64, 64, 3), ".heic")
    configuration = find_box(tile, b"meta", b"iprp", b"ipco", b"hvcC")
    location = find_box(tile, b"meta", b"iloc")
    count = rows * columns

    def description(number, kind):
        return full_box(b"infe", 2, 0, struct.pack(">HH4sB", number, 0, kind, 0))

    grid = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, columns * 64, rows * 64)
    items = [description(1, b"grid")] + [description(number, b"hvc1") for number in range(2, count + 2)]
    properties = box(b"ipco", box(b"hvcC", configuration), full_box(b"ispe", 0, 0, struct.pack(">II", 64, 64)),
                     full_box(b"ispe", 0, 0, struct.pack(">II", columns * 64, rows * 64)))
    association = struct.pack(">HBB", 1, 1, 3) + b"".join(struct.pack(">HBBB", number, 2, 0x81, 2)
                                                         for number in range(2, count + 2))
    association = full_box(b"ipma", 0, 0, struct.pack(">I", count + 1), association)
    references = full_box(b"iref", 0, 0, box(b"dimg", struct.pack(">HH", 1, count),
                                             b"".join(struct.pack(">H", number) for number in range(2, count + 2))))
    # Where the tile's bytes are in the sample: the base offset and length of its first item.
    base, _, offset, size = struct.unpack_from(">IHII", location, 12)
    tile_bytes = tile[base + offset:][:size]

    def build(tile_at, grid_at):
        extents = b"".join(struct.pack(">HHHII", number, 0, 1, tile_at, len(tile_bytes))
                           for number in range(2, count + 2))
        iloc = full_box(b"iloc", 0, 0, struct.pack(">BBH", 0x44, 0, count + 1),
                        struct.pack(">HHHII", 1, 0, 1, grid_at, len(grid)), extents)
        meta = full_box(b"meta", 0, 0, full_box(b"hdlr", 0, 0, struct.pack(">I4s12xB", 0, b"pict", 0)),
                        full_box(b"pitm", 0, 0, struct.pack(">H", 1)), iloc,
                        full_box(b"iinf", 0, 0, struct.pack(">H", count + 1), *items), references,
                        box(b"iprp", properties, association))
        return box(b"ftyp", b"heic\0\0\0\0mif1heic") + meta

    at = len(build(0, 0)) + 8
    return build(at, at + len(tile_bytes)) + box(b"mdat", tile_bytes, grid)


def gif_frames(count, side=1, screen=1):
    frame = struct.pack("<BHHHHB", 0x2C, 0, 0, side, side, 0) + b"\x02\x02\x44\x01\x00"
    return (b"GIF89a" + struct.pack("<HHBBB", screen, screen, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + frame * count +
            b";")


def jpeg_scans(side, scans):
    """A progressive JPEG whose last scan comes again and again."""
    buffer = io.BytesIO()
    Image.new("L", (side, side), 100).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    at = data.rindex(b"\xff\xda")
    return data[:at] + data[at:-2] * scans + b"\xff\xd9"


def webp_frames(count, side):
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (side, side), (i % 256, i // 256, 9)) for i in range(count)]
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], lossless=True, quality=0, method=0)
    return buffer.getvalue()


def svg(body, width=100, height=100, more=""):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" '
            f'height="{height}" {more}>{body}</svg>').encode()


def laughs(levels, each, element="g"):
    body = '<rect id="l0" width="9" height="9"/>'
    for level in range(1, levels + 1):
        uses = f'<use xlink:href="#l{level - 1}" x="1"/>' * each
        body += f'<{element} id="l{level}">{uses}</{element}>'
    return svg(f"<defs>{body}</defs><use xlink:href='#l{levels}'/>")


def patterns(levels):
    body = '<pattern id="p0" width="1" height="1" patternUnits="userSpaceOnUse"><rect width="1" height="1"/></pattern>'
    for level in range(1, levels):
        body += (f'<pattern id="p{level}" width="1" height="1" patternUnits="userSpaceOnUse">'
                 f'<rect width="99" height="99" fill="url(#p{level - 1})"/></pattern>')
    return svg(f'<defs>{body}</defs><rect width="3000" height="3000" fill="url(#p{levels - 1})"/>', 3000, 3000)


ENTITIES = ('<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a0 "ha">' +
            "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12)) +
            ']><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&a11;</text></svg>').encode()

# These are made the same way and no bombs yet.
SMALL_ENOUGH = ("heic_256_tiles", "png_8000x8000_flat", "gif_frames_on_a_large_screen")
MEGABYTE = b"\0" * (1 << 20)

# Name: what makes it.
BOMBS = {
    "png_50000x50000": lambda: png(50000, 50000, 1, 0, deflated(b"\0" * 6251, 50000)),
    "png_50000x50000_interlaced": lambda: png(50000, 50000, 1, 0, deflated(b"\0" * 6251, 50000)).replace(
        b"\x01\x00\x00\x00\x00", b"\x01\x00\x00\x00\x01", 1),
    "png_8000x8000_flat": lambda: png(8000, 8000, 8, 2, deflated(b"\0" * 24001, 8000)),
    "png_16_bit_8000x8000": lambda: png(8000, 8000, 16, 6, deflated(b"\0" * 64001, 8000)),
    "png_claims_2_to_the_31": lambda: png(2**31 - 1, 2**31 - 1, 8, 6, zlib.compress(b"\0" * 100)),
    "png_ztxt": lambda: small_png(chunk(b"zTXt", b"Comment\0\0" + deflated(MEGABYTE, 1024))),
    "png_ztxt_many": lambda: small_png(*[chunk(b"zTXt", b"Comment\0\0" + deflated(MEGABYTE, 8))] * 2000),
    "png_itxt": lambda: small_png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + deflated(MEGABYTE, 1024))),
    "png_iccp": lambda: small_png(chunk(b"iCCP", b"icc\0\0" + deflated(MEGABYTE, 1024))),
    "png_text_chunks": lambda: small_png(*[chunk(b"tEXt", b"Comment\0x")] * 200_000),
    "tiff_60000x60000": lambda: tiff(60000, 60000, 1, deflated(b"\0" * 7500, 60000)),
    "tiff_60000x60000_shared_strips": lambda: tiff(60000, 60000, 1, deflated(b"\0" * 7500, 100), rows=100),
    "tiff_one_strip_of_a_gigabyte": lambda: tiff(7900, 7900, 8, deflated(MEGABYTE, 1024)),
    "tiff_one_row_strips": lambda: tiff(7900, 7900, 8, deflated(b"\0" * 7900, 1), rows=1),
    "gif_10000_frames": lambda: gif_frames(10_000),
    "gif_65535x65535": lambda: gif_frames(1, 65535, 65535),
    "gif_frames_on_a_large_screen": lambda: gif_frames(60, 1, 8000),
    "webp_2000_frames": lambda: webp_frames(2000, 4),
    "webp_16383x3900": lambda: encoded(Image.new("RGB", (16383, 3900)), "WEBP", method=0, quality=1),
    "jpeg_65500x65500": lambda: jpeg_scans(64, 1).replace(b"\x00\x40\x00\x40", b"\xff\xdc\xff\xdc", 1),
    "jpeg_2000_scans": lambda: jpeg_scans(4000, 2000),
    "heic_256_tiles": lambda: heic_grid(16, 16),
    "heic_4096_tiles": lambda: heic_grid(64, 64),
    "heic_14400_tiles": lambda: heic_grid(120, 120),
    "svg_blur": lambda: svg('<filter id="f" x="-9" y="-9" width="99" height="99"><feGaussianBlur stdDeviation="9999"/>'
                            '</filter><rect width="7000" height="7000" filter="url(#f)"/>', 7000, 7000),
    "svg_blurs": lambda: svg('<filter id="f">' + '<feGaussianBlur stdDeviation="50"/>' * 500 +
                             '</filter><rect width="2000" height="2000" filter="url(#f)"/>', 2000, 2000),
    "svg_turbulence": lambda: svg('<filter id="f"><feTurbulence baseFrequency="0.1" numOctaves="999999"/></filter>'
                                  '<rect width="5000" height="5000" filter="url(#f)"/>', 5000, 5000),
    "svg_convolution": lambda: svg('<filter id="f"><feConvolveMatrix order="99" kernelMatrix="' + "1 " * 9801 +
                                   '"/></filter><rect width="3000" height="3000" filter="url(#f)"/>', 3000, 3000),
    "svg_morphology": lambda: svg('<filter id="f"><feMorphology operator="dilate" radius="2000"/></filter>'
                                  '<rect width="3000" height="3000" filter="url(#f)"/>', 3000, 3000),
    "svg_nested_use": lambda: laughs(10, 10),
    "svg_nested_use_small": lambda: laughs(4, 20),
    "svg_nested_masks": lambda: svg("<g opacity='0.5'>" * 200 + "<rect width='9' height='9'/>" + "</g>" * 200, 4000,
                                    4000),
    "svg_nested_patterns": lambda: patterns(6),
    "svg_deep": lambda: svg("<g>" * 100_000 + "</g>" * 100_000),
    "svg_a_million_elements": lambda: svg("<path d='M0 0L9 9'/>" * 1_000_000),
    "svg_entities": lambda: ENTITIES,
    "svg_wide": lambda: svg("<rect width='1' height='1'/>", 10**9, 10**9),
    "svg_dashes": lambda: svg('<path d="M0 0H1e9" stroke="red" stroke-dasharray="0.00001"/>'),
    "svg_text": lambda: svg('<text font-size="99999">' + "W" * 100_000 + "</text>"),
    "svg_of_itself": lambda: svg('<defs><g id="a"><use xlink:href="#a"/></g></defs><use xlink:href="#a"/>'),
}


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


class BombTest(unittest.TestCase):
    """One test for each."""

    @classmethod
    def setUpClass(cls):
        cls.folder = harness.temp_dir(cls)
        cls.tool = harness.program("tests/pool_tool")

    def bomb(self, name):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(BOMBS[name]())
        self.addCleanup(os.unlink, path)
        # They are no bombs, however long a slow machine takes over them.
        slow = ["--timeout", "120000", "--deadline", "240000"] if name in SMALL_ENOUGH else []
        # The first picture has the render program started, which is not the bomb's time.
        done = harness.run([self.tool, "--workers", "1", "--counters", *slow, "raw:8x8x1", path, "raw:64x48x3"],
                           check=0, timeout=900)
        lines = [line.split("\t") for line in done.stdout.decode(errors="replace").splitlines()]
        self.assertEqual(lines[0][1], "ok", lines[0][7])
        memory = int(lines[3][3]) << 10
        status, seconds, reason = lines[1][1], float(lines[1][2]) / 1e6, lines[1][7]
        if name in SMALL_ENOUGH:
            # So the larger ones are what they are meant to be. A sanitizer's time is no measure.
            self.assertIn(status, ("ok", "timeout") if harness.sanitized() else ("ok",), reason)
        self.assertIn(status, ("ok", "refused", "limit", "timeout", "crashed"), reason)
        if status == "crashed":
            # Its own end, by a limit that the kernel keeps; never by a call that the seal forbids.
            self.assertNotIn("signal 31", reason)
        self.assertEqual(lines[2][1], "ok", "the picture after it: " + lines[2][7])
        if name not in SMALL_ENOUGH:
            # Its own time was what ended it, at the latest, not the message's; a worker for its format had to start.
            self.assertLess(seconds, SECONDS + SLACK, f"{status}: {reason}")
        if not harness.sanitized():
            self.assertLess(memory, MEMORY + (200 << 20))
        if os.environ.get("BOMBS_SHOW"):
            print(f"{name:32} {status:8} {seconds:6.2f} s {memory >> 20:5} MB  {reason}", flush=True)


for _name in BOMBS:
    setattr(BombTest, f"test_{_name}", lambda self, n=_name: self.bomb(n))


class MailOfBombsTest(unittest.TestCase):
    """Many in one mail, and a good picture among them."""

    def test_the_rest_of_the_mail_is_done(self):
        names = ["tiff_60000x60000", "svg_nested_use", "heic_14400_tiles", "svg_blur", "webp_2000_frames",
                 "svg_entities"]
        kinds = {"tiff": "image/tiff", "svg": "image/svg+xml", "heic": "image/heic", "webp": "image/webp"}
        good = pictures.array(20, 10, 3)
        message = ["From: a@example.test", "To: b@example.test", "MIME-Version: 1.0",
                   'Content-Type: multipart/mixed; boundary="b"', ""]
        parts = [(kinds[name.split("_")[0]], BOMBS[name]()) for name in names]
        parts.insert(3, ("application/x-npy", pictures.npy(good)))
        for kind, data in parts:
            text = pictures.base64.b64encode(data).decode()
            message += ["--b", f"Content-Type: {kind}", "Content-Disposition: inline",
                        "Content-Transfer-Encoding: base64", ""]
            message += [text[at:at + 76] for at in range(0, len(text), 76)]
        message += ["--b--", ""]
        sent = "\r\n".join(message).encode()
        begun = time.monotonic()
        done = harness.run([harness.program(), "rewrite"], sent, check=0)
        # Its pictures have 30 s; the rest is for a busy machine, to start and to end what works on them.
        self.assertLess(time.monotonic() - begun, 75)
        leaves = judge.leaves(judge.parse(done.stdout))
        self.assertEqual(len(leaves), len(parts))
        self.assertEqual(leaves[3].get_content_type(), "image/png", done.stderr)
        self.assertTrue((pictures.pixels(leaves[3].get_payload(decode=True)) == good).all())
        for (kind, data), leaf in zip(parts, leaves):
            if leaf.get_content_type() == kind:
                self.assertEqual(leaf.get_payload(decode=True), data)


if __name__ == "__main__":
    harness.main()
