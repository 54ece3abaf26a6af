#!/usr/bin/python3
"""What resize, max_bytes and format do to pictures, and what the limits refuse, in what time of the processor.

sizing_test.py [--build DIR] [-v] [WORD]
"""
import argparse
import io
import os
import struct
import sys
import zlib

try:
    import numpy as np
    from PIL import Image, ImageDraw

    import pictures
    from arrays import npy_bytes
except ImportError as missing:
    print("skipped render/sizing: %s" % missing)
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

import tool

# tests/run: timeout=1200
HERE = os.path.dirname(os.path.abspath(__file__))
NPY = "application/x-npy"
# What sanitizers, which are slow and hoard memory, are allowed more.
PATIENCE = 10 if any("build-" in word for word in sys.argv) else 1


def photo(width, height, seed=1):
    """Smooth shapes under grain, as a camera gives them."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    base = np.stack([128 + 90 * np.sin(x / 37 + y / 91), 128 + 90 * np.cos(y / 53), 100 + 80 * np.sin((x + y) / 71)], -1)
    return (base + rng.normal(0, 6, base.shape)).clip(0, 255).astype(np.uint8)


def chart(width, height):
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for i in range(300):
        draw.line((i * 2, height - i, i * 2 + 60, (i * 7919) % height), fill=((i * 37) % 256, (i * 91) % 256, i % 256), width=2)
    return np.asarray(image)


class Tests:
    def __init__(self, renderer, options):
        self.renderer, self.options = renderer, options
        self.passed = self.failed = 0

    def check(self, name, wrong):
        if self.options.word not in name:
            return
        if wrong:
            self.failed += 1
            print("FAILED %s: %s" % (name, wrong))
        else:
            self.passed += 1
            if self.options.v:
                print("ok " + name)

    def render(self, payload, media_type=NPY, **settings):
        return self.renderer.render(media_type, {("set:" + k): str(v) for k, v in settings.items()}, payload)

    def size(self, name, wanted, payload, **settings):
        answer = self.render(payload, **settings)
        got = Image.open(io.BytesIO(answer.picture)).size if answer.status == "ok" else answer.status + ": " + answer.reason
        wrong = None if got == wanted and (answer.width, answer.height) == wanted else "is %s, not %s" % (got, wanted)
        self.check("%s %s" % (name, settings), wrong)
        return answer

    def sizes(self):
        wide = npy_bytes(photo(300, 200))
        encoded = pictures.saved(Image.fromarray(photo(1500, 1000)), "JPEG", quality=90)
        for name, payload, unit in (("array", wide, 1), ("jpeg", encoded, 5)):
            for settings, wanted in (
                    (dict(resize="fit", width=100 * unit), (100, 67)), (dict(resize="fit", height=100 * unit), (150, 100)),
                    (dict(resize="fit", width=100 * unit, height=40 * unit), (60, 40)), (dict(resize="fit", width=1000 * unit), (300, 200)),
                    (dict(resize="fill", width=100 * unit, height=100 * unit), (100, 100)), (dict(resize="fill", width=50 * unit), (50, 33)),
                    (dict(resize="force", width=90 * unit, height=170 * unit), (90, 170)), (dict(resize="force", width=30 * unit), (30, 20)),
                    (dict(resize="fill", width=1000 * unit, height=100 * unit), (300, 100)), (dict(resize="none", width=10 * unit), (300, 200)),
                    (dict(resize="force", width=1000 * unit, height=100 * unit), (300, 100)), (dict(resize="fit"), (300, 200))):
                exact = {"width": wanted[0] * unit, "height": wanted[1] * unit}
                if unit == 5 and settings.get("width") == 500 and "height" not in settings:
                    exact["height"] = 333
                if unit == 5 and settings.get("width") == 250:
                    exact["height"] = 167
                self.size(name, (exact["width"], exact["height"]), payload, media_type="image/jpeg" if unit == 5 else NPY, **settings)
        self.size("enlarged", (600, 400), wide, resize="fit", width=600, enlarge=1)
        self.size("enlarged", (400, 400), wide, resize="fill", width=400, height=400, enlarge=1)
        self.size("enlarged", (400, 50), wide, resize="force", width=400, height=50, enlarge=1)
        self.size("thin", (100, 1), npy_bytes(photo(3000, 4)), resize="fit", width=100)
        svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><circle cx="20" cy="10" r="9"/></svg>'
        self.size("svg", (40, 20), svg, media_type="image/svg+xml", resize="fit", width=400)
        self.size("svg", (400, 200), svg, media_type="image/svg+xml", resize="fit", width=400, enlarge=1)
        self.size("svg", (80, 40), svg, media_type="image/svg+xml", svg_scale=2)
        self.size("svg", (60, 30), svg, media_type="image/svg+xml", svg_scale=2, resize="fit", width=60)

        exif = Image.Exif()
        exif[0x0112] = 6
        turned = pictures.saved(Image.fromarray(photo(600, 200)), "JPEG", exif=exif, quality=90)
        self.size("turned jpeg", (50, 150), turned, media_type="image/jpeg", resize="fit", height=150)
        webp = pictures.saved(Image.fromarray(photo(1200, 600)), "WEBP", quality=90)
        self.size("webp", (200, 100), webp, media_type="image/webp", resize="fit", width=200)

        # Scaled pixels are those that Pillow makes, near enough; and a shrunk decode is no other picture.
        source = Image.fromarray(photo(900, 600))
        for name, payload, media in (("array", npy_bytes(np.asarray(source)), NPY), ("jpeg", pictures.saved(source, "JPEG", quality=95), "image/jpeg"),
                                     ("webp", pictures.saved(source, "WEBP", lossless=True), "image/webp")):
            answer = self.render(payload, media, resize="fit", width=90, format="png")
            got = np.asarray(Image.open(io.BytesIO(answer.picture)).convert("RGB")).astype(int)
            wanted = np.asarray(source.resize((90, 60), Image.LANCZOS)).astype(int)
            off = np.abs(got - wanted).mean()
            self.check("pixels of a scaled %s" % name, None if off < 3 else "off by %.1f on average" % off)
        # A white disc on transparent black must not get a dark rim.
        y, x = np.mgrid[0:200, 0:200]
        disc = np.zeros((200, 200, 4), np.uint8)
        disc[(x - 100) ** 2 + (y - 100) ** 2 < 80 ** 2] = 255
        answer = self.render(npy_bytes(disc), resize="fit", width=50)
        got = np.asarray(Image.open(io.BytesIO(answer.picture)).convert("RGBA"))
        seen = got[..., 3] > 8
        self.check("alpha weighs colours", None if got[seen][:, :3].min() >= 250 else "darkest rim %d" % got[seen][:, :3].min())
        # Frames do not bleed into each other.
        frames = np.zeros((4, 60, 60, 3), np.uint8)
        frames[1::2] = 255
        answer = self.render(npy_bytes(frames), resize="fit", width=20)
        image = Image.open(io.BytesIO(answer.picture))
        flat = []
        for i in range(image.n_frames):
            image.seek(i)
            flat.append(np.unique(np.asarray(image.convert("L"))).tolist())
        self.check("frames are scaled one by one", None if image.size == (20, 20) and flat == [[0], [255], [0], [255]] else str(flat))

    def bytes_and_formats(self):
        grain = npy_bytes(photo(480, 360))
        lines = npy_bytes(chart(480, 360))
        for payload, settings, wanted in (
                (grain, {}, "PNG"), (grain, {"lossy": 1}, "JPEG"), (lines, {"lossy": 1}, "PNG"), (lines, {"format": "jpeg"}, "JPEG"),
                (grain, {"format": "gif"}, "GIF"), (npy_bytes(np.zeros((3, 9, 9, 3), np.uint8)), {"format": "png"}, "PNG"),
                (npy_bytes(np.zeros((3, 9, 9, 3), np.uint8)), {"lossy": 1}, "GIF"),
                (npy_bytes(np.dstack([photo(99, 99), np.full((99, 99), 77, np.uint8)])), {"lossy": 1}, "PNG"),
                (npy_bytes(np.dstack([photo(99, 99), np.full((99, 99), 255, np.uint8)])), {"lossy": 1}, "JPEG"),
                (npy_bytes(photo(99, 99)[..., 0]), {"lossy": 1}, "JPEG"), (npy_bytes(np.zeros((99, 99, 3), np.uint8)), {"lossy": 1}, "PNG")):
            answer = self.render(payload, **settings)
            got = Image.open(io.BytesIO(answer.picture)).format if answer.status == "ok" else answer.status
            said = answer.format.upper()
            self.check("format of %d bytes %s" % (len(payload), settings), None if got == said == wanted else "%s, said %s" % (got, said))
        image = Image.open(io.BytesIO(self.render(grain, format="jpeg").picture))
        self.check("JPEG says 96 dpi", None if [round(v) for v in image.info["dpi"]] == [96, 96] else str(image.info))
        self.check("JPEG carries no more than it needs", None if not set(image.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"} else str(image.info))
        see_through = np.zeros((40, 40, 4), np.uint8)
        see_through[:, 20:] = (200, 0, 0, 255)
        got = np.asarray(Image.open(io.BytesIO(self.render(npy_bytes(see_through), format="jpeg", quality=95).picture)))
        self.check("JPEG on a white ground", None if got[20, 5].min() > 245 and abs(int(got[20, 35, 0]) - 200) < 8 else str(got[20, [5, 35]]))
        # Of at most 256 colours: these are written by a way of their own.
        for name, alpha in (("half", 255), ("all", 0)):
            clear = see_through.copy()
            clear[:, 20:, 3] = alpha
            answer = self.render(npy_bytes(clear), format="gif")
            image = Image.open(io.BytesIO(answer.picture))
            got = np.asarray(image.convert("RGBA"))
            right = (got[..., 3] == clear[..., 3]).all() and (got[clear[..., 3] > 0] == (200, 0, 0, 255)).all()
            still = image.n_frames == 1 and b"NETSCAPE" not in answer.picture and image.info.get("duration", 0) == 0
            self.check("a still GIF that is %s transparent" % name, None if right and still else "alpha %s, %s" % (np.unique(got[..., 3]), image.info))
        low, high = (len(self.render(grain, format="jpeg", quality=q).picture) for q in (20, 90))
        self.check("quality", None if low * 2 < high else "%d and %d bytes" % (low, high))

        full = len(self.render(grain, format="jpeg").picture)
        for payload, name in ((grain, "photo"), (lines, "chart")):
            for settings in ({"format": "jpeg"}, {"format": "png"}, {}, {"lossy": 1}, {"format": "gif"}):
                for bound in (80_000, 20_000, 3_000):
                    answer = tool.within(self.render(payload, max_bytes=bound, **settings), 8 * PATIENCE)
                    wrong = None
                    if answer.status != "ok":
                        wrong = answer.status + ": " + answer.reason
                    elif len(answer.picture) > bound:
                        wrong = "has %d bytes" % len(answer.picture)
                    elif settings == {"format": "jpeg"} and bound < full and name == "photo" and len(answer.picture) < bound * 0.55:
                        wrong = "has only %d bytes" % len(answer.picture)
                    elif answer.microseconds > 8e6 * PATIENCE:
                        wrong = "took %d ms" % (answer.microseconds / 1000)
                    self.check("max_bytes=%d of a %s %s" % (bound, name, settings), wrong)
        answer = self.render(grain, format="jpeg", max_bytes=full + 1)
        self.check("max_bytes that is met already", None if (answer.width, len(answer.picture)) == (480, full) else "changed")
        answer = self.render(grain, format="jpeg", max_bytes=2000, min_side=200)
        self.check("min_side", None if answer.status == "limit" and "max_bytes" in answer.reason else answer.status + answer.reason)
        answer = self.render(grain, format="png", max_bytes=60_000, min_side=150)
        self.check("min_side that suffices", None if answer.status == "ok" and min(answer.width, answer.height) >= 150 and len(answer.picture) <= 60_000 else answer.reason)
        movie = npy_bytes(np.stack([photo(200, 150, i) for i in range(4)]))
        answer = self.render(movie, max_bytes=30_000)
        image = Image.open(io.BytesIO(answer.picture)) if answer.status == "ok" else None
        self.check("max_bytes of an animation", None if image and image.n_frames == 4 and len(answer.picture) <= 30_000 else answer.reason)

    def limits(self):
        def refused(name, answer, status="limit", milliseconds=500, megabytes=150):
            answer = tool.within(answer, milliseconds / 1000 * PATIENCE)
            wrong = None
            if answer.status != status:
                wrong = answer.status + ": " + answer.reason
            elif not answer.reason or "\n" in answer.reason:
                wrong = "gives no one-line reason: %r" % answer.reason
            elif answer.microseconds > milliseconds * 1000 * PATIENCE or answer.peak_kb > megabytes * 1024 * PATIENCE:
                wrong = "took %d ms and %d MB" % (answer.microseconds / 1000, answer.peak_kb / 1024)
            self.check(name, wrong)

        def png_head(width, height, depth=8, colour=2, rest=b""):
            return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)) + rest

        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        array = npy_bytes(np.zeros((20, 50), np.uint8))
        refused("max_pixels", self.render(array, max_pixels=999))
        self.check("max_pixels that suffice", None if self.render(array, max_pixels=1000).status == "ok" else "refused")
        refused("max_side", self.render(array, max_side=49))
        refused("max_frames", self.render(npy_bytes(np.zeros((5, 9, 9), np.uint8)), max_frames=4))
        refused("all frames together", self.render(npy_bytes(np.zeros((5, 9, 9), np.uint8)), max_pixels=400))
        refused("enlarging", self.render(array, resize="fit", width=5000, enlarge=1, max_pixels=100_000))
        refused("max_output_bytes", self.render(npy_bytes(photo(200, 200)), max_output_bytes=5000))
        refused("PNG of 2^31-1 pixels a side", self.render(png_head(2**31 - 1, 2**31 - 1), "image/png"), status="refused")
        refused("PNG 50000x50000", self.render(png_head(50000, 50000, rest=chunk(b"IDAT", zlib.compress(b"\0" * 10**6))), "image/png"))
        flat = zlib.compressobj(9)
        body = b"".join(flat.compress(b"\0" * 24001) for _ in range(8000)) + flat.flush()
        answer = self.render(png_head(8000, 8000, rest=chunk(b"IDAT", body) + chunk(b"IEND", b"")), "image/png", max_pixels=60_000_000)
        refused("PNG 8000x8000 flat, over the limit", answer)
        bomb = zlib.compress(b"\0" * 200_000_000, 9)
        for kind, data in ((b"zTXt", b"k\0\0" + bomb), (b"iCCP", b"k\0\0" + bomb), (b"iTXt", b"k\0\1\0\0\0" + bomb)):
            idat = chunk(b"IDAT", zlib.compress(b"\0\1\2\3")) + chunk(b"IEND", b"")
            answer = tool.within(self.render(png_head(1, 1, rest=chunk(kind, data) + idat), "image/png"), PATIENCE)
            wrong = None if answer.microseconds < 1_000_000 * PATIENCE and answer.peak_kb < 250_000 * PATIENCE else "took %d ms and %d MB" % (answer.microseconds / 1000, answer.peak_kb / 1024)
            self.check("PNG with a %s bomb (%s)" % (kind.decode(), answer.status), wrong)
        # A 60000x60000 one bit TIFF, its strips empty G4.
        entries = [(256, 4, 60000), (257, 4, 60000), (258, 3, 1), (259, 3, 4), (262, 3, 0), (273, 4, 8), (277, 3, 1), (278, 4, 60000), (279, 4, 4)]
        tiff = struct.pack("<2sHI", b"II", 42, 12) + b"\0\x10\0\x10" + struct.pack("<H", len(entries))
        tiff += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries) + b"\0\0\0\0"
        refused("TIFF 60000x60000", self.render(tiff, "image/tiff"))
        refused("JPEG 65023x65023", self.render(pictures.saved(Image.new("L", (8, 8)), "JPEG").replace(b"\xff\xc0\0\x0b\x08\0\x08\0\x08", b"\xff\xc0\0\x0b\x08\xfd\xff\xfd\xff"), "image/jpeg"))
        progressive = pictures.saved(Image.fromarray(photo(64, 64)), "JPEG", progressive=True)
        scan = progressive[progressive.rindex(b"\xff\xda"):-2]
        refused("JPEG of 1000 scans", self.render(progressive[:-2] + scan * 1000 + b"\xff\xd9", "image/jpeg"))
        refused("GIF 65535x65535", self.render(b"GIF89a\xff\xff\xff\xff\0\0\0," + b"\0" * 4 + b"\xff\xff\xff\xff\0\2\2L\1\0;", "image/gif"))
        many = pictures.saved(Image.new("P", (4, 4)), "GIF", save_all=True, append_images=[Image.new("P", (4, 4), i % 255 + 1) for i in range(300)])
        refused("GIF of 300 frames", self.render(many, "image/gif"))
        bmp = b"BM" + struct.pack("<IHHIIiiHHIIIIII", 0, 0, 0, 54, 40, 2**31 - 1, 2**31 - 1, 1, 8, 1, 0, 0, 0, 0, 0) + b"\0" * 2000
        refused("BMP of 2^31 pixels a side", self.render(bmp, "image/bmp"))
        refused("PPM of 2^32 pixels a side", self.render(b"P6 4294967295 4294967295 255\n" + b"\0" * 99, "image/x-portable-pixmap"), status="refused")
        refused("P1 60000x60000", self.render(b"P1 60000 60000\n" + b"1" * 100, "image/x-portable-bitmap"), status="refused")
        header = "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967295, 4294967295, 4), }\n"
        refused("npy of 2^66 bytes", self.render(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode()), status="refused")

        def svg(inside, size="100", head=b""):
            return head + ('<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="%s" height="%s">' % (size, size)).encode() + inside + b"</svg>"
        for size in ("100000", "4294967296", "1e9", "1e300", "99999999999999999999"):
            refused("SVG of %s px" % size, self.render(svg(b"", size), "image/svg+xml"))
        laughs = b"<!DOCTYPE svg [<!ENTITY l0 'ha'>" + b"".join(b"<!ENTITY l%d '%s'>" % (i, (b"&l%d;" % (i - 1)) * 10) for i in range(1, 10)) + b"]>"
        deep = b"<g>" * 20000 + b"</g>" * 20000
        uses = b"<g id='a0'><rect width='1' height='1'/></g>" + b"".join(b"<g id='a%d'>%s</g>" % (i, (b"<use xlink:href='#a%d'/>" % (i - 1)) * 10) for i in range(1, 9)) + b"<use xlink:href='#a8'/>"
        cases = {
            "SVG of a billion laughs": svg(b"<text>&l9;</text>", head=laughs),
            "SVG 20000 deep": svg(deep),
            "SVG of nested uses": svg(uses),
            "SVG that blurs widely": svg(b"<filter id='f' x='-100' y='-100' width='300' height='300'><feGaussianBlur stdDeviation='5000'/></filter><rect width='90' height='90' filter='url(#f)'/>"),
            "SVG of many blurs": svg(b"<filter id='f'>" + b"<feGaussianBlur stdDeviation='50'/>" * 500 + b"</filter><rect width='2000' height='2000' filter='url(#f)'/>", "3000"),
            "SVG of nested filters": svg(b"<filter id='f'><feTurbulence numOctaves='1000' baseFrequency='.01'/></filter>" + b"<rect width='2000' height='2000' filter='url(#f)'/>" * 20, "2000"),
            "SVG of nested patterns": svg(b"".join(b"<pattern id='p%d' width='.01' height='.01'><rect width='9' height='9' fill='url(#p%d)'/></pattern>" % (i, i - 1) for i in range(1, 9)) + b"<rect width='90' height='90' fill='url(#p8)'/>"),
            "SVG with a parameter entity": svg(b"", head=b"<!DOCTYPE svg [<!ENTITY % x SYSTEM 'file:///etc/passwd'> %x;]>"),
            "SVG whose pattern has a million tiles": svg(b"<pattern id='p' width='.00001' height='.00001'><circle r='1'/></pattern><rect width='2000' height='2000' fill='url(#p)'/>", "2000"),
            "SVG of a long dash": svg(b"<path d='M0 0L2000 2000' stroke='red' stroke-width='3' stroke-dasharray='.0001'/>", "2000"),
        }
        for name, payload in cases.items():
            answer = tool.within(self.render(payload, "image/svg+xml"), PATIENCE)
            wrong = None
            if answer.status not in ("ok", "refused", "limit"):
                wrong = answer.status + " " + answer.reason
            elif answer.microseconds > 1_000_000 * PATIENCE or answer.peak_kb > 400_000 * PATIENCE:
                wrong = "%s after %d ms and %d MB" % (answer.status, answer.microseconds / 1000, answer.peak_kb / 1024)
            self.check("%s (%s)" % (name, answer.status), wrong)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(HERE, "..", "..", "build"))
    parser.add_argument("-v", action="store_true", help="name every test")
    parser.add_argument("word", nargs="?", default="")
    options = parser.parse_args()
    with tool.Tool(options.build) as renderer:
        tests = Tests(renderer, options)
        tests.sizes()
        tests.bytes_and_formats()
        tests.limits()
    print("%d passed, %d failed, 0 skipped" % (tests.passed, tests.failed))
    return 1 if tests.failed or not tests.passed else 0


sys.exit(main())
