"""Pictures made to hurt: some 23,000 of them, from small good ones.

cases(tool) yields (name, media type, parameters, payload, check): check(answer) says what is wrong with an answer,
beyond what holds for all (refused, over a limit, or a picture that opens; in time; in memory). Cutting off,
turning bits, lying about lengths and sizes, Python objects and code in .npy headers, nonsense in parameters.
Cases are cheap until they are run: take(n) of cases skips without making payloads.
"""
import io
import random
import re
import struct

import numpy as np
from PIL import Image

import arrays
import pictures


def nothing(answer):
    return None


def must_refuse(answer):
    return "was served" if answer.status == "ok" else None


class Seed:
    def __init__(self, name, media_type, payload, parameters=None, whole=False):
        self.name, self.media_type, self.payload, self.parameters = name, media_type, payload, parameters or {}
        self.whole = whole  # every byte is needed: cut short, it must be refused


def seeds(tool):
    rng = np.random.default_rng(11)
    rgb = np.concatenate([pictures.test_picture(48, 20), rng.integers(0, 256, (20, 48, 3), dtype=np.uint8)])
    rgba = np.dstack([rgb, rgb[..., 0]])
    image = Image.fromarray(rgb)
    found = []
    for dtype, shape in (("u1", (20, 24, 3)), ("u1", (3, 20, 24)), ("<u2", (20, 24)), (">f4", (20, 24)), ("<f8", (10, 12, 4)),
                         ("<i8", (10, 12)), ("<f2", (20, 24, 2)), ("|b1", (30, 40))):
        array = arrays.make_array(rng, dtype[-2:], shape).astype(dtype)
        found.append(Seed("npy %s" % dtype, "application/x-npy", arrays.npy_bytes(array, shape[0] == 20), whole=True))
    for format, dtype, bands in (("uchar", "u1", 3), ("ushort", "<u2", 1), ("float", "<f4", 4), ("double", "<f8", 1)):
        array = rng.integers(0, 200, (20, 24, bands)).astype(dtype)
        found.append(Seed("raw " + format, "image/x-raw-pixels", array.tobytes(),
                          {"width": "24", "height": "20", "bands": str(bands), "format": format}, whole=True))
    for case in pictures.netpbm_cases(rng):
        if re.search(r"maxval (100|1023)$|^P1$|^P4$|PFM", case.name):
            found.append(Seed(case.name, case.media_type, case.payload, whole=not re.search("plain|P1", case.name)))
    for case in pictures.bmp_cases(rng):
        if re.search(r"^bmp (1|4|8) bit header (12|124)$|RLE|24 bit header 40|alpha header|565", case.name):
            found.append(Seed(case.name, case.media_type, case.payload))
    for format, options in (("PNG", {}), ("JPEG", {"quality": 60}), ("JPEG", {"progressive": True}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}),
                            ("TIFF", {"compression": "tiff_adobe_deflate"}), ("TIFF", {"compression": "jpeg"}), ("WEBP", {"lossless": True}), ("WEBP", {}), ("GIF", {})):
        found.append(Seed("%s %s" % (format, options), "image/" + format.lower(), pictures.saved(image, format, **options)))
    found.append(Seed("PNG RGBA with a profile", "image/png", pictures.saved(Image.fromarray(rgba), "PNG", icc_profile=pictures.swapped_profile())))
    found.append(Seed("PNG palette", "image/png", pictures.saved(image.quantize(16), "PNG")))
    found.append(Seed("TIFF G4", "image/tiff", pictures.saved(image.convert("1"), "TIFF", compression="group4")))
    found.append(Seed("TIFF CMYK with a profile", "image/tiff", pictures.saved(image.convert("CMYK"), "TIFF")))
    found.append(Seed("BigTIFF", "image/tiff", pictures.big_tiff(rgb)))
    frames = [image.rotate(90 * i) for i in range(3)]
    for format in ("GIF", "WEBP"):
        found.append(Seed(format + " of frames", "image/" + format.lower(), pictures.saved(frames[0], format, save_all=True, append_images=frames[1:], duration=50)))
    for format in ("heic", "avif", "jxl", "jp2"):
        made = tool.render("make", {"set:as": format}, pictures.saved(Image.fromarray(rgba), "PNG"))
        if made.status == "ok":
            found.append(Seed(format, "image/" + format, made.picture))
    found.append(Seed("SVG", "image/svg+xml", b"""<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY c "red">]>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="120" height="80" viewBox="0 0 120 80">
<defs><linearGradient id="g"><stop offset="0" stop-color="&c;"/><stop offset="1" stop-color="blue"/></linearGradient>
<pattern id="p" width="8" height="8" patternUnits="userSpaceOnUse"><circle cx="4" cy="4" r="3"/></pattern>
<filter id="f"><feGaussianBlur stdDeviation="2"/><feOffset dx="3"/></filter><symbol id="s"><path d="M0 0L9 9Q3 4 5 6z"/></symbol>
<mask id="m"><rect width="60" height="60" fill="white"/></mask><clipPath id="k"><circle cx="30" cy="30" r="25"/></clipPath></defs>
<rect width="60" height="60" fill="url(#g)" mask="url(#m)"/><rect x="50" width="60" height="60" fill="url(#p)" filter="url(#f)"/>
<g clip-path="url(#k)" opacity=".5" transform="rotate(12)"><use xlink:href="#s" x="20" y="20"/><text x="5" y="70" font-size="12">Words &amp; signs</text></g></svg>"""))
    return found


# ---- what is done to them --------------------------------------------------------------------------------------

def truncations(seed):
    data = seed.payload
    sizes = sorted(set(range(0, len(data), 64)) | {1, 2, 3, len(data) - 1, len(data) - 2})
    for size in sizes:
        yield "cut to %d" % size, (lambda size=size: data[:size]), must_refuse if seed.whole else nothing


def bit_flips(seed, count):
    data = seed.payload
    for i in range(count):
        def make(i=i):
            dice = random.Random("%s %d" % (seed.name, i))
            out = bytearray(data)
            # Every second one within the header, where bits mean most.
            reach = min(len(out), 200) if i % 2 else len(out)
            for _ in range(dice.choice((1, 1, 1, 2, 4, 16, 64))):
                out[dice.randrange(reach)] ^= 1 << dice.randrange(8)
            return bytes(out)
        check = (lambda answer, make=make: npy_check(make(), answer)) if seed.name.startswith("npy") else nothing
        yield "bits %d" % i, make, check


def byte_runs(seed, count):
    """Runs of extreme bytes written over, taken out, doubled: lengths and counts that lie."""
    data = seed.payload
    for i in range(count):
        def make(i=i):
            dice = random.Random("%s run %d" % (seed.name, i))
            at = dice.randrange(len(data)) if i % 3 else dice.randrange(min(len(data), 128))
            size = dice.choice((1, 2, 4, 4, 8, 64))
            how = i % 5
            if how == 0:
                return data[:at] + b"\xff" * size + data[at + size:]
            if how == 1:
                return data[:at] + b"\0" * size + data[at + size:]
            if how == 2:
                return data[:at] + data[at + size:]
            if how == 3:
                return data[:at] + data[at:at + size] * 2 + data[at + size:]
            return data[:at] + dice.choice((b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\0\0\0", b"\0\0\0\x80", b"\0\0\1\0"))[:size] + data[at + min(size, 4):]
        check = (lambda answer, make=make: npy_check(make(), answer)) if seed.name.startswith("npy") else nothing
        yield "run %d" % i, make, check


def npy_check(payload, answer):
    """What numpy loads has to look like numpy's; what it refuses has to be refused."""
    if answer.status != "ok":
        return None
    try:
        array = np.load(io.BytesIO(payload), allow_pickle=False)
    except Exception:
        return "was served, but numpy does not load it"
    with np.errstate(all="ignore"):
        levels, tolerance = arrays.expected(array)
        return arrays.compare(Image.open(io.BytesIO(answer.picture)), levels, max(tolerance, 0.51))


NPY_HEADERS = [
    "{'descr': '|O', 'fortran_order': False, 'shape': (4, 4), }", "{'descr': '|O8', 'fortran_order': False, 'shape': (4, 4), }",
    "{'descr': [('r', '|u1'), ('g', '|u1')], 'fortran_order': False, 'shape': (4, 4), }", "{'descr': ('|u1', (2,)), 'fortran_order': False, 'shape': (4, 4), }",
    "{'descr': '|V16', 'fortran_order': False, 'shape': (4, 4), }", "{'descr': '<c16', 'fortran_order': False, 'shape': (4, 4), }",
    "{'descr': '<U9', 'fortran_order': False, 'shape': (4, 4), }", "{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (4, 4), }",
    "__import__('os').system('touch /tmp/pwned')", "{'descr': __import__('os').system('id'), 'fortran_order': False, 'shape': (4, 4), }",
    "{'descr': '|u1', 'fortran_order': exec('x'), 'shape': (4, 4), }", "{'descr': '|u1', 'fortran_order': False, 'shape': (9**9**9, 4), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (" + "4," * 3000 + "), }", "{'descr': '|u1', 'fortran_order': False, 'shape': (" + "(" * 3000,
    "{" * 9000, "[" * 9000, "'" * 9001, "{'descr': '" + "<" * 9000, "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 4), 'shape': (9999, 9999)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 4), 'x': lambda: 1}", "{'descr': '|u1', 'fortran_order': False, 'shape': (-4, 4), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (18446744073709551616, 4), }", "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (2147483648, 1, 4), }", "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 0), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (4.0, 4), }", "{'descr': '|u1', 'fortran_order': False, 'shape': (0x4, 4), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (True, 4), }", "{'descr': '|u1', 'fortran_order': None, 'shape': (4, 4), }",
    "{'descr': '|u1\\x00', 'fortran_order': False, 'shape': (4, 4), }", "{'descr': '|u1' '|u1', 'fortran_order': False, 'shape': (4, 4), }",
    "{'descr': f'|u1', 'fortran_order': False, 'shape': (4, 4), }", "{**{'descr': '|u1', 'fortran_order': False, 'shape': (4, 4)}}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 4), } ; import os", "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 4), } # comment",
    "dict(descr='|u1', fortran_order=False, shape=(4, 4))", "", "\0" * 500, "\xff" * 500, "{}", "None", "0",
    "{'descr': '>u1', 'fortran_order': False, 'shape': (4, 4, 4, 4), }", "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", "{'descr': '|u1', 'fortran_order': False, 'shape': (), }",
]


def npy_headers():
    for i, header in enumerate(NPY_HEADERS):
        for version in (1, 2, 3):
            for body in (b"", b"x" * 16, b"x" * 128, b"cos\nsystem\n(S'id'\ntR." * 3):
                for lie in (0, 1, -1, 60000):
                    def make(header=header, version=version, body=body, lie=lie):
                        text = header.encode("latin-1")
                        length = max(0, len(text) + lie) & (0xFFFF if version == 1 else 0xFFFFFFFF)
                        return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", length) + text + body
                    yield ("npy header %d v%d %d %d" % (i, version, len(body), lie), "application/x-npy", {}, make,
                           lambda answer, make=make: npy_check(make(), answer))


def wrong_lengths(seed):
    data = seed.payload
    for extra in (1, 2, 3, 7, 64, 1000):
        yield "%d more" % extra, (lambda extra=extra: data + b"\r\n"[:extra] if extra < 3 else data + b"x" * extra), nothing
        if seed.whole:
            yield "%d less" % extra, (lambda extra=extra: data[:-extra]), must_refuse


def raw_parameters():
    pixels = bytes(range(256)) * 3
    good = {"width": "16", "height": "16", "bands": "3", "format": "uchar"}
    numbers = ["0", "-1", "1", "15", "17", "4294967295", "4294967296", "18446744073709551616", "99999999999999999999999", "1e9", "0x10", "16.0", "", " ",
               "\u0661\u0666", "16;16", "nan", "%31%36", "16\0", "+16"]
    for key in ("width", "height", "bands", "frames"):
        for value in numbers:
            yield "raw %s=%r" % (key, value), "image/x-raw-pixels", dict(good, **{key: value}), (lambda: pixels), \
                (nothing if value == "1" and key == "frames" else must_refuse)
    for key, values in (("format", ["complex", "dpcomplex", "UCHAR ", "u8", "float", "double", "", "int\0"]), ("endian", ["middle", "BIG", "", "little big"]),
                        ("layout", ["tiled", "Planar", ""]), ("range", ["nan,1", "1,nan", "inf,inf", "-inf,inf", "1e400,2", "5,5", "9,1", "p5,5", "p-1,p5", "p0,p101", ",", "auto,auto", "x" * 5000]),
                        ("colormap", ["jet", "", "viridis,gray"]), ("fps", ["0", "-1", "1e9", "nan", "inf", "1e-300"])):
        for value in values:
            yield "raw %s=%r" % (key, value[:40]), "image/x-raw-pixels", dict(good, **{key: value}), (lambda: pixels), nothing


def absurd_sizes(tool):
    """Headers that claim what no memory holds, each followed by little or nothing."""
    sizes = (2**15, 30001, 60000, 65535, 2**16, 2**20, 2**31 - 1, 2**31, 2**32 - 1)
    big = tuple(b for b in sizes)
    for width in big:
        for height in (1, 2**16 - 1, 2**31 - 1, width):
            def clipped(bits):
                return min(width, 2**bits - 1), min(height, 2**bits - 1)

            def png(width=width, height=height):
                import zlib
                body = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 1)
                chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
                return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", body) + chunk(b"IDAT", zlib.compress(b"\0" * 100000)) + chunk(b"IEND", b"")
            w16, h16 = clipped(16)
            w31, h31 = clipped(31)
            head = "{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d), }" % (height, width)
            entries = [(256, 4, width), (257, 4, height), (258, 3, 1), (259, 3, 4), (262, 3, 0), (273, 4, 8), (277, 3, 1), (278, 4, height), (279, 4, 4)]
            tiff = struct.pack("<2sHI", b"II", 42, 12) + b"\0\x10\0\x10" + struct.pack("<H", len(entries)) + \
                b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries) + b"\0\0\0\0"
            tiled = tiff.replace(struct.pack("<HHI", 278, 4, 1), struct.pack("<HHI", 322, 4, 1))
            made = {
                ("png", "image/png"): png, ("tiff", "image/tiff"): lambda t=tiff: t, ("tiff tiled", "image/tiff"): lambda t=tiled: t,
                ("gif", "image/gif"): lambda w=w16, h=h16: b"GIF89a" + struct.pack("<HH", w, h) + b"\x80\0\0" + b"\0" * 6 + b"," + struct.pack("<HHHH", 0, 0, w, h) + b"\0\2\2L\1\0;",
                ("bmp", "image/bmp"): lambda w=w31, h=h31: b"BM" + struct.pack("<IHHIIiiHHIIIIII", 0, 0, 0, 54, 40, w, h, 1, 8, 1, 0, 0, 0, 0, 0) + b"\0" * 1100,
                ("bmp plain", "image/bmp"): lambda w=w31, h=h31: b"BM" + struct.pack("<IHHIIiiHHIIIIII", 0, 0, 0, 54, 40, w, -h, 1, 32, 0, 0, 0, 0, 0, 0) + b"\0" * 1100,
                ("ppm", "image/x-portable-pixmap"): lambda w=width, h=height: b"P6 %d %d 255\n" % (w, h) + b"x" * 100,
                ("pgm plain", "image/x-portable-graymap"): lambda w=width, h=height: b"P2 %d %d 255\n" % (w, h) + b"1 " * 100,
                ("pbm", "image/x-portable-bitmap"): lambda w=width, h=height: b"P4 %d %d\n" % (w, h) + b"x" * 100,
                ("pfm", "image/x-portable-floatmap"): lambda w=width, h=height: b"PF %d %d -1\n" % (w, h) + b"x" * 100,
                ("npy", "application/x-npy"): lambda head=head: b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + b"x" * 100,
                ("webp", "image/webp"): lambda w=min(width, 2**14 - 1), h=min(height, 2**14 - 1): b"RIFF" + struct.pack("<I", 40) + b"WEBPVP8L" + struct.pack("<IBI", 20, 0x2F, w | h << 14) + b"\0" * 16,
                ("svg", "image/svg+xml"): lambda w=width, h=height: b'<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d"><rect width="9" height="9"/></svg>' % (w, h),
            }
            for (name, media_type), make in made.items():
                yield "%s of %dx%d" % (name, width, height), media_type, {}, make, nothing


def cases(tool):
    """(name, media type, parameters, a function that makes the payload, check)"""
    for seed in seeds(tool):
        for kind in (truncations(seed), bit_flips(seed, 200), byte_runs(seed, 100), wrong_lengths(seed)):
            for name, make, check in kind:
                yield "%s: %s" % (seed.name, name), seed.media_type, seed.parameters, make, check
    yield from npy_headers()
    yield from raw_parameters()
    yield from absurd_sizes(tool)
