"""Pictures of every encoded format that is served, with what each has to come out as.

cases(tool) yields Case objects like arrays.py does: media type, payload and judge(image). Formats that Pillow
does not write come from render_tool's "make".
"""
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageOps

import heif_boxes
from arrays import Case


def test_picture(width=61, height=37):
    """Smooth enough for lossy formats, with a different colour in each corner."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // (width - 1), y * 255 // (height - 1), 255 - (x + y) * 255 // (width + height - 2)],
                    -1).astype(np.uint8)


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def judge_near(expected, tolerance=0, mode="RGBA", format="PNG"):
    """expected: a Pillow picture or an array; tolerance: levels, of the worst pixel."""
    if isinstance(expected, np.ndarray):
        expected = Image.fromarray(expected)
    wanted = np.asarray(expected.convert(mode)).astype(int)

    def judge(image):
        if image.format != format:
            return "came as " + image.format
        if image.format == "PNG" and (image.mode not in ("L", "LA", "RGB", "RGBA", "P") or "icc_profile" in image.info):
            return "has mode %s, %s" % (image.mode, list(image.info))
        if image.format in ("PNG", "JPEG") and [round(d) for d in image.info.get("dpi", ())] != [96, 96]:
            return "says %s dpi" % (image.info.get("dpi"),)
        got = np.asarray(image.convert(mode)).astype(int)
        if got.shape != wanted.shape:
            return "has shape %s, not %s" % (got.shape, wanted.shape)
        off = np.abs(got - wanted)
        if mode == "RGBA":
            off[wanted[..., 3] == 0, :3] = 0
        if off.max() > tolerance:
            at = tuple(np.argwhere(off == off.max())[0][:2])
            return "is off by %d at %s: %s, not %s" % (off.max(), at, got[at], wanted[at])
        return None
    return judge


# ---- BMP: Pillow writes few kinds of it ----------------------------------------------------------------------

def bmp_file(header, width, height, bits, compression, palette, pixels, masks=(), top_down=False, colours=0):
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, width, -height if top_down else height, 1, bits, compression,
                           len(pixels), 3780, 3780, colours, 0)
        if header > 40:
            info += b"".join(struct.pack("<I", m) for m in masks)
        info = info[:header].ljust(header, b"\0")
        if header == 40 and compression in (3, 6):
            info += b"".join(struct.pack("<I", m) for m in masks)
    offset = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + info + palette + pixels


def with_bmp_profile(bmp, profile):
    """A bitmap of version 5 with an ICC profile behind its pixels."""
    out = bytearray(bmp + profile)
    struct.pack_into("<4s", out, 14 + 56, b"DEBM")
    struct.pack_into("<II", out, 14 + 112, len(bmp) - 14, len(profile))
    return bytes(out)


def rows(data, top_down=False):
    data = list(data) if top_down else list(data)[::-1]
    return b"".join(row + b"\0" * (-len(row) % 4) for row in data)


def rle(indices, four, rng):
    """Run lengths of every kind: runs, literals, ends of lines. indices: rows from the top."""
    out = b""
    for row in indices[::-1]:
        x = 0
        while x < len(row):
            left = len(row) - x
            if left >= 3 and rng.random() < 0.5:
                count = int(rng.integers(3, min(left, 255) + 1))
                part = [int(v) for v in row[x:x + count]]
                out += bytes([0, count])
                data = bytes((part[i] << 4) | (part[i + 1] if i + 1 < count else 0) for i in range(0, count, 2)) \
                    if four else bytes(part)
                out += data + b"\0" * (len(data) % 2)
                x += count
            else:
                count = 1
                while count < left and row[x + count] == row[x] and count < 255:
                    count += 1
                out += bytes([count, int(row[x]) * 17 if four else int(row[x])])
                x += count
        out += b"\0\0"
    return out + b"\0\1"


def bmp_cases(rng):
    width, height = 13, 7
    for bits in (1, 2, 4, 8):
        count = 1 << bits
        colours = rng.integers(0, 256, (count, 3), dtype=np.uint8)
        indices = rng.integers(0, count, (height, width), dtype=np.uint8)
        packed = [np.packbits(np.unpackbits(row[:, None], axis=1)[:, -bits:].ravel()).tobytes() for row in indices]
        for header in (12, 40, 108, 124):
            entry = b"" if header == 12 else b"\0"
            palette = b"".join(bytes(c[::-1]) + entry for c in colours)
            for top_down in (False, True) if header != 12 else (False,):
                yield Case("bmp %d bit header %d%s" % (bits, header, " top-down" if top_down else ""), "image/bmp", {},
                           bmp_file(header, width, height, bits, 0, palette, rows(packed, top_down), top_down=top_down),
                           judge_near(colours[indices]))
        if bits in (4, 8):
            indices = np.sort(indices, axis=1)
            palette = b"".join(bytes(c[::-1]) + b"\0" for c in colours)
            for _ in range(5):
                yield Case("bmp RLE%d" % bits, "image/bmp", {},
                           bmp_file(40, width, height, bits, 1 if bits == 8 else 2, palette, rle(indices, bits == 4, rng)),
                           judge_near(colours[indices]))
    rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    bgr = [row[:, ::-1].tobytes() for row in rgb]
    for header in (12, 40, 108):
        yield Case("bmp 24 bit header %d" % header, "image/bmp", {}, bmp_file(header, width, height, 24, 0, b"", rows(bgr)),
                   judge_near(rgb))
    bgrx = [np.dstack([rgb[..., ::-1], np.zeros((height, width), np.uint8)])[y].tobytes() for y in range(height)]
    yield Case("bmp 32 bit without alpha", "image/bmp", {}, bmp_file(40, width, height, 32, 0, b"", rows(bgrx)), judge_near(rgb))
    rgba = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    bgra = [row[:, [2, 1, 0, 3]].tobytes() for row in rgba]
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    for header in (56, 108, 124):
        yield Case("bmp 32 bit with alpha header %d" % header, "image/bmp", {},
                   bmp_file(header, width, height, 32, 3, b"", rows(bgra), masks), judge_near(rgba))
    yield Case("bmp 32 bit, alpha all zero", "image/bmp", {},
               bmp_file(124, width, height, 32, 3, b"", rows(bgrx), masks), judge_near(rgb))
    yield Case("bmp 32 bit, masks in another order", "image/bmp", {},
               bmp_file(40, width, height, 32, 3, b"", rows([np.dstack([rgb, rgb[..., :1]])[y].tobytes() for y in range(height)]),
                        (0xFF, 0xFF00, 0xFF0000)), judge_near(rgb))
    words = rng.integers(0, 65536, (height, width), dtype=np.uint16)
    for name, compression, masks, depths in (("555", 0, (), (5, 5, 5)), ("565", 3, (0xF800, 0x7E0, 0x1F), (5, 6, 5))):
        shifts = (depths[1] + depths[2], depths[2], 0)
        wide = np.dstack([np.round((words >> s & (1 << d) - 1) * 255.0 / ((1 << d) - 1)) for s, d in zip(shifts, depths)])
        yield Case("bmp 16 bit " + name, "image/bmp", {},
                   bmp_file(40, width, height, 16, compression, b"", rows([w.tobytes() for w in words]), masks),
                   judge_near(wide.astype(np.uint8)))
    for bits in (16, 24):
        for top_down in (False, True):
            if bits == 16:
                lines, masks, compression, shown = [w.tobytes() for w in words], (0xF800, 0x7E0, 0x1F), 3, wide.astype(np.uint8)
            else:
                lines, masks, compression, shown = bgr, (), 0, rgb
            yield Case("bmp %d bit header 124%s" % (bits, " top-down" if top_down else ""), "image/bmp", {},
                       bmp_file(124, width, height, bits, compression, b"", rows(lines, top_down), masks, top_down), judge_near(shown))
    for name, pixels, shown in (("24 bit", rows(bgr), rgb), ("32 bit with alpha", rows(bgra), rgba)):
        plain = bmp_file(124, width, height, 24 if "24" in name else 32, 0 if "24" in name else 3, b"", pixels,
                         () if "24" in name else (0xFF0000, 0xFF00, 0xFF, 0xFF000000))
        turned = ImageCms.profileToProfile(Image.fromarray(shown[..., :3]), ImageCms.ImageCmsProfile(io.BytesIO(swapped_profile())),
                                           ImageCms.createProfile("sRGB"))
        if shown.shape[2] == 4:
            turned.putalpha(Image.fromarray(shown[..., 3]))
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        yield Case("bmp %s with a profile" % name, "image/bmp", {}, with_bmp_profile(plain, swapped_profile()), judge_near(turned, 2))
        yield Case("bmp %s that says sRGB" % name, "image/bmp", {}, with_bmp_profile(plain, srgb), judge_near(shown))
        yield Case("bmp %s with a broken profile" % name, "image/bmp", {}, with_bmp_profile(plain, b"broken" * 50), judge_near(shown))
        yield Case("bmp %s with a profile that is not there" % name, "image/bmp", {},
                   with_bmp_profile(plain, swapped_profile())[:len(plain) + 9], judge_near(shown))
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        image = Image.fromarray(rgba).convert(mode)
        # Pillow writes 32 bits without saying that there is alpha.
        yield Case("bmp of Pillow " + mode, "image/bmp", {}, saved(image, "BMP"), judge_near(image.convert("RGB")))


# ---- Netpbm --------------------------------------------------------------------------------------------------

def netpbm_cases(rng):
    width, height = 11, 5
    bits = rng.integers(0, 2, (height, width), dtype=np.uint8)
    black_on_white = (1 - bits) * 255
    size = b"%d %d\n" % (width, height)
    text = b"\n".join(b" ".join(b"%d" % v for v in row) for row in bits)
    yield Case("P1", "image/x-portable-bitmap", {}, b"P1\n# a comment\n" + size + text, judge_near(black_on_white))
    yield Case("P1 without spaces", "image/x-portable-bitmap", {}, b"P1 " + size + text.replace(b" ", b""), judge_near(black_on_white))
    yield Case("P4", "image/x-portable-bitmap", {}, b"P4\n" + size + b"".join(np.packbits(row).tobytes() for row in bits),
               judge_near(black_on_white))
    for maxval in (1, 15, 100, 255, 256, 1023, 4095, 65535):
        dtype = ">u2" if maxval > 255 else "u1"
        for kind, bands in (("PGM", 1), ("PPM", 3)):
            data = rng.integers(0, maxval + 1, (height, width, bands))
            levels = np.floor(data * 255.0 / maxval + 0.5).astype(np.uint8)
            levels = levels if bands == 3 else levels[..., 0]
            number = 5 if bands == 1 else 6
            media = "image/x-portable-" + ("graymap" if bands == 1 else "pixmap")
            yield Case("%s raw maxval %d" % (kind, maxval), media, {},
                       b"P%d\n# c\n%s%d\n" % (number, size, maxval) + data.astype(dtype).tobytes(), judge_near(levels))
            yield Case("%s plain maxval %d" % (kind, maxval), media, {},
                       b"P%d %s%d\n" % (number - 3, size, maxval) + b"\n".join(b"%d" % v for v in data.ravel()), judge_near(levels))
        for kind, bands in (("GRAYSCALE", 1), ("GRAYSCALE_ALPHA", 2), ("RGB", 3), ("RGB_ALPHA", 4), ("", 4)):
            data = rng.integers(0, maxval + 1, (height, width, bands))
            levels = np.floor(data * 255.0 / maxval + 0.5).astype(np.uint8)
            levels = levels[..., 0] if bands == 1 else levels
            tuple_type = "TUPLTYPE %s\n" % kind if kind else ""
            head = "P7\nWIDTH %d\nHEIGHT %d\nDEPTH %d\nMAXVAL %d\n%sENDHDR\n" % (width, height, bands, maxval, tuple_type)
            yield Case("PAM %s maxval %d" % (kind, maxval), "image/x-portable-arbitrarymap", {},
                       head.encode() + data.astype(dtype).tobytes(), judge_near(levels))
    yield Case("PAM BLACKANDWHITE", "image/x-portable-arbitrarymap", {},
               b"P7\nWIDTH %d\nHEIGHT %d\nDEPTH 1\nMAXVAL 1\nTUPLTYPE BLACKANDWHITE\nENDHDR\n" % (width, height) + bits.tobytes(),
               judge_near(bits * 255))
    from arrays import expected
    for order in "<>":
        for bands, scale in ((1, 1.0), (3, 1.0), (3, 2.5)):
            data = (rng.random((height, width, bands)) / scale).astype(order + "f4")
            levels, _ = expected(data if bands == 3 else data[..., 0])
            levels = np.floor(levels[0] * (scale if bands == 3 else 1) + 0.5).clip(0, 255).astype(np.uint8)
            levels[..., 3] = 255
            head = b"P%s\n%s%s%g\n" % (b"F" if bands == 3 else b"f", size, b"-" if order == "<" else b"", scale)
            yield Case("PFM %s %d bands scale %g" % (order, bands, scale), "image/x-portable-floatmap", {},
                       head + data[::-1].tobytes(), judge_near(levels, 1 if bands == 3 else 0))


# ---- what libvips decodes --------------------------------------------------------------------------------------

def big_tiff(rgb):
    """An uncompressed BigTIFF, which Pillow reads but does not write."""
    height, width = rgb.shape[:2]
    entries = [(256, 4, width), (257, 4, height), (258, 3, 8 | 8 << 16 | 8 << 32), (259, 3, 1), (262, 3, 2),
               (273, 16, 0), (277, 3, 3), (278, 4, height), (279, 16, rgb.size)]
    start = 16 + 8 + len(entries) * 20 + 8
    out = struct.pack("<2sHHHQQ", b"II", 43, 8, 0, 16, len(entries))
    for tag, kind, value in entries:
        out += struct.pack("<HHQQ", tag, kind, 3 if tag == 258 else 1, start if tag == 273 else value)
    return out + struct.pack("<Q", 0) + rgb.tobytes()


def swapped_profile(gamma=1.8):
    """An ICC profile (version 2, matrix and gamma) whose red and green are exchanged: nobody mistakes it for sRGB."""
    def s15(values):
        return b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    def xyz(values):
        return b"XYZ \0\0\0\0" + s15(values)
    text = b"swapped\0"
    desc = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 78
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    red, green, blue = (0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
    tags = [(b"desc", desc), (b"cprt", b"text\0\0\0\0none\0"), (b"wtpt", xyz((0.9642, 1, 0.8249))), (b"rXYZ", xyz(green)),
            (b"gXYZ", xyz(red)), (b"bXYZ", xyz(blue)), (b"rTRC", curve), (b"gTRC", curve), (b"bTRC", curve)]
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, body in tags:
        body += b"\0" * (-len(body) % 4)
        table += name + struct.pack(">II", start + len(data), len(body))
        data += body
    size = start + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02100000, b"mntr", b"RGB ", b"XYZ ") + b"\0" * 12 + b"acsp"
    head = head.ljust(68, b"\0") + s15((0.9642, 1, 0.8249))
    return head.ljust(128, b"\0") + table + data


def lossy_cases(picture):
    """What comes out of what has lost detail before: JPEG where it is made smaller and that keeps all that is to be seen."""
    gray, flat = picture.convert("L"), Image.new("RGB", (40, 30), (200, 30, 60))
    for name, source, format, options, wanted in (
            ("jpeg", picture, "JPEG", {"quality": 95}, "JPEG"), ("jpeg of one colour", flat, "JPEG", {"quality": 95}, "JPEG"),
            ("gray jpeg", gray, "JPEG", {"quality": 95}, "JPEG"), ("jpeg of inks", picture.convert("CMYK"), "JPEG", {"quality": 95}, "JPEG"),
            ("lossy webp", picture, "WEBP", {"quality": 95}, "JPEG"), ("lossy webp of one colour", flat, "WEBP", {"quality": 95}, "PNG"),
            ("lossy webp in the extended form", picture, "WEBP", {"quality": 95, "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()}, "JPEG"),
            ("lossless webp", picture, "WEBP", {"lossless": True}, "PNG"), ("png", picture, "PNG", {}, "PNG")):
        payload = saved(source, format, **options)
        tolerance = 140 if source.mode == "CMYK" else 40
        for fit in ({}, {"set:resize": "fit", "set:width": str(source.width // 2)}):
            shown = source.convert("RGB").resize((source.width // 2, round(source.height * (source.width // 2) / source.width)),
                                                 Image.LANCZOS) if fit else source
            if not fit and format == "JPEG" and source.mode != "CMYK":
                continue  # goes out as it is
            # What is not made smaller loses no more.
            kept = wanted if fit else "PNG"
            yield Case("%s as it likes%s" % (name, ", smaller" if fit else ""), "image/" + format.lower(), fit, payload,
                       judge_near(shown, tolerance, "RGB", kept))
    see_through = picture.copy()
    see_through.putalpha(picture.convert("L"))
    yield Case("lossy webp with alpha as it likes", "image/webp", {}, saved(see_through, "WEBP", quality=95),
               judge_near(see_through, 255, "RGBA"))


def libvips_cases(tool, rng):
    rgb = test_picture()
    noise = rng.integers(0, 256, rgb.shape, dtype=np.uint8)
    rgba = np.dstack([noise, rng.integers(0, 256, rgb.shape[:2], dtype=np.uint8)])
    picture = Image.fromarray(rgb)

    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        image = Image.fromarray(rgba).convert(mode)
        yield Case("png " + mode, "image/png", {}, saved(image, "PNG"), judge_near(image))
    wide = rng.integers(0, 65536, rgb.shape[:2], dtype=np.uint16)
    yield Case("png 16 bit gray", "image/png", {}, saved(Image.fromarray(wide.astype(np.int32), "I"), "PNG"),
               judge_near(np.floor(wide / 257 + 0.5).astype(np.uint8)))

    def png16(data, profile=None, key=None):
        """Pillow writes no colour of 16 bits."""
        def chunk(kind, body):
            return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        lines = b"".join(b"\0" + row.astype(">u2").tobytes() for row in data)
        extra = chunk(b"iCCP", b"p\0\0" + zlib.compress(profile)) if profile else b""
        if key:
            extra += chunk(b"tRNS", struct.pack(">%dH" % len(key), *key))
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", data.shape[1], data.shape[0], 16, {1: 0, 2: 4, 3: 2, 4: 6}[data.shape[2]], 0, 0, 0)) + \
            extra + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    # tRNS names one gray or one colour of 16 bits that is not there; another that shares its upper byte is.
    for bands in (1, 3):
        wide = np.full(rgb.shape[:2] + (bands,), 0x1234, np.uint16)
        wide[5:9] = 0x1235
        wide[20:] = 0xFFFF
        eight = np.dstack([np.floor(wide / 257 + 0.5), np.where(wide[..., :1] == 0x1235, 0, 255)]).astype(np.uint8)
        eight = eight if bands == 3 else np.dstack([eight[..., :1]] * 3 + [eight[..., 1:]])
        yield Case("png 16 bit %d bands with tRNS" % bands, "image/png", {}, png16(wide, key=[0x1235] * bands), judge_near(eight))
    for bands in (2, 3, 4):
        wide = rng.integers(0, 65536, rgb.shape[:2] + (bands,), dtype=np.uint16)
        yield Case("png 16 bit %d bands" % bands, "image/png", {}, png16(wide), judge_near(np.floor(wide / 257 + 0.5).astype(np.uint8)))
    deep = np.dstack([rgb, rgb[..., 1]]).astype(np.uint16) * 257
    turned = ImageCms.profileToProfile(picture, ImageCms.ImageCmsProfile(io.BytesIO(swapped_profile())), ImageCms.createProfile("sRGB"))
    turned.putalpha(Image.fromarray(rgb[..., 1]))
    yield Case("png 16 bit with a profile and alpha", "image/png", {}, png16(deep, swapped_profile()), judge_near(turned, 2))

    # Pixels of what is lossy are judged as PNG; further down, that it becomes JPEG of its own accord.
    png = {"set:format": "png"}
    for mode in ("L", "RGB", "CMYK"):
        image = picture.convert(mode)
        yield Case("jpeg " + mode, "image/jpeg", png, saved(image, "JPEG", quality=95),
                   judge_near(Image.open(io.BytesIO(saved(image, "JPEG", quality=95))), 140 if mode == "CMYK" else 4, "RGB"))  # Pillow knows no inks
    yield Case("jpeg progressive", "image/jpeg", png, saved(picture, "JPEG", quality=95, progressive=True), judge_near(picture, 12, "RGB"))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for format in ("JPEG", "TIFF", "WEBP", "PNG"):
            options = {"quality": 98, "subsampling": 0} if format == "JPEG" else {"lossless": True} if format == "WEBP" else {}
            payload = saved(picture, format, exif=exif, **options)
            turned = Image.open(io.BytesIO(payload))
            turned.load()  # which turns a TIFF, and no other
            turned = turned if format == "TIFF" else ImageOps.exif_transpose(turned)
            yield Case("%s orientation %d" % (format.lower(), orientation), "image/" + format.lower(), png, payload,
                       judge_near(turned, 4 if format == "JPEG" else 0, "RGB"))

    for mode in ("RGB", "RGBA"):
        image = Image.fromarray(rgba).convert(mode)
        yield Case("webp lossless " + mode, "image/webp", {}, saved(image, "WEBP", lossless=True, exact=True), judge_near(image))
    yield Case("webp lossy", "image/webp", png, saved(picture, "WEBP", quality=95), judge_near(picture, 24, "RGB"))

    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        for mode in ("L", "RGB", "RGBA", "P") if compression != "jpeg" else ("L", "RGB"):
            image = Image.fromarray(rgba if mode == "RGBA" else noise if compression != "jpeg" else rgb).convert(mode)
            yield Case("tiff %s %s" % (mode, compression), "image/tiff", {}, saved(image, "TIFF", compression=compression),
                       judge_near(image, 12 if compression == "jpeg" else 0))
    for compression in ("raw", "group3", "group4"):
        image = Image.fromarray(rgba).convert("1")
        yield Case("tiff 1 bit " + compression, "image/tiff", {}, saved(image, "TIFF", compression=compression), judge_near(image))
    yield Case("tiff CMYK", "image/tiff", {}, saved(picture.convert("CMYK"), "TIFF"), judge_near(picture, 140, "RGB"))
    lab = ImageCms.applyTransform(picture, ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"))
    yield Case("tiff Lab", "image/tiff", {}, saved(lab, "TIFF"), judge_near(picture, 36, "RGB"))
    from arrays import expected
    for dtype, mode in (("<u2", "I;16"), (">u2", "I;16B"), ("<i4", "I"), ("<f4", "F")):
        data = (rng.random(rgb.shape[:2]) * 60000).astype(dtype)
        image = Image.frombytes(mode, (data.shape[1], data.shape[0]), data.tobytes())
        levels, _ = expected(data)
        yield Case("tiff " + mode, "image/tiff", {}, saved(image, "TIFF"), judge_near(np.floor(levels[0] + 0.5).astype(np.uint8)))
    yield Case("BigTIFF", "image/tiff", {}, big_tiff(noise), judge_near(noise))
    pages = [Image.fromarray(np.full((9, 8, 3), 60 * i, np.uint8)) for i in range(4)]
    many = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    yield Case("tiff of four pages", "image/tiff", {}, many, judge_near(pages[0]))
    yield Case("tiff, its third page", "image/tiff", {"set:page": "2"}, many, judge_near(pages[2]))

    for format, tolerance in (("heic", 40), ("avif", 40), ("jxl", 0), ("jp2", 0)):
        for mode in ("RGB", "RGBA", "L"):
            source = picture.copy()
            source.putalpha(Image.fromarray(rgb[..., 0]))
            source = source.convert(mode)
            made = tool.render("make", {"set:as": format}, saved(source, "PNG"))
            if made.status != "ok":
                yield Case("%s %s" % (format, mode), "image/" + format, {}, None, made.reason)
                continue
            yield Case("%s %s" % (format, mode), "image/" + format, png, made.picture, judge_near(source, tolerance))
            yield Case("%s %s as it likes" % (format, mode), "image/" + format, {}, made.picture, judge_near(source, tolerance))
            if mode != "RGB":
                continue
            # Cameras make HEIC and AVIF of photographs; JPEG XL and JPEG 2000 may be without loss.
            lossy = format in ("heic", "avif")
            half = source.resize((source.width // 2, round(source.height * (source.width // 2) / source.width)), Image.LANCZOS)
            yield Case("%s as it likes, smaller" % format, "image/" + format,
                       {"set:resize": "fit", "set:width": str(half.width)}, made.picture,
                       judge_near(half, 60 if lossy else tolerance + 40, "RGB", "JPEG" if lossy else "PNG"))

    profile = swapped_profile()
    turned = ImageCms.profileToProfile(picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"))
    for format in ("PNG", "JPEG", "TIFF", "WEBP"):
        options = {"quality": 100, "subsampling": 0} if format == "JPEG" else {"lossless": True} if format == "WEBP" else {}
        yield Case(format.lower() + " with a profile", "image/" + format.lower(), png,
                   saved(picture, format, icc_profile=profile, **options), judge_near(turned, 8 if format == "JPEG" else 2, "RGB"))
    with_alpha = turned.copy()
    with_alpha.putalpha(Image.fromarray(rgb[..., 1]))
    source = picture.copy()
    source.putalpha(Image.fromarray(rgb[..., 1]))
    yield Case("png with a profile and alpha", "image/png", {}, saved(source, "PNG", icc_profile=profile), judge_near(with_alpha, 2))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield Case("png that says sRGB", "image/png", {}, saved(Image.fromarray(noise), "PNG", icc_profile=srgb), judge_near(noise))
    yield Case("png with a broken profile", "image/png", {}, saved(Image.fromarray(noise), "PNG", icc_profile=b"broken" * 50),
               judge_near(noise))

    yield from lossy_cases(picture)

    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="10" height="10" fill="#f00"/></svg>'
    drawn = np.zeros((10, 20, 4), np.uint8)
    drawn[:, :10] = (255, 0, 0, 255)
    yield Case("svg", "image/svg+xml", {}, svg, judge_near(drawn))
    yield Case("svg in UTF-16", "image/svg+xml", {}, b"\xff\xfe" + svg.decode().encode("utf-16-le"), judge_near(drawn))
    yield Case("svg behind a prologue", "image/svg+xml", {}, b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <html> -->\n" + svg, judge_near(drawn))
    yield Case("svg twice as large", "image/svg+xml", {"set:svg_scale": "2"}, svg, judge_near(drawn.repeat(2, 0).repeat(2, 1)))
    yield Case("svg that refers outward", "image/svg+xml", {},
               svg.replace(b"</svg>", b'<image width="20" height="10" href="file:///etc/passwd"/><image width="20" '
                           b'height="10" href="http://127.0.0.1:9/x.png"/></svg>'), judge_near(drawn))


def heif_cases(tool):
    """What phones write and libheif's encoder does not: several images, thumbnails, turned, mirrored and cropped ones."""
    png = {"set:format": "png"}
    for format in ("heic", "avif"):
        made = []
        for seed, size in ((0, (160, 96)), (1, (320, 192)), (2, (64, 128))):
            picture = Image.fromarray(np.roll(test_picture(*size), seed, -1))
            answer = tool.render("make", {"set:as": format}, saved(picture, "PNG"))
            if answer.status != "ok":
                yield Case(format + " of several images", "image/" + format, {}, None, answer.reason)
                break
            made.append((picture, heif_boxes.Image(answer.picture)))
        if len(made) < 3:
            continue
        (small, first), (large, second), (high, third) = made
        media = "image/" + format
        # A quarter turn against the clock is what Pillow's ROTATE_90 does.
        ways = {"as it is": ([], small), "mirrored": ([heif_boxes.mirrored(1)], small.transpose(Image.FLIP_LEFT_RIGHT)),
                "upside down": ([heif_boxes.mirrored(0)], small.transpose(Image.FLIP_TOP_BOTTOM)),
                "cropped": ([heif_boxes.cropped(80, 64)], small.crop((40, 16, 120, 80)))}
        for quarters, how in ((1, Image.ROTATE_90), (2, Image.ROTATE_180), (3, Image.ROTATE_270)):
            ways["turned by %d" % quarters] = ([heif_boxes.turned(quarters)], small.transpose(how))
        ways["turned and mirrored"] = ([heif_boxes.turned(1), heif_boxes.mirrored(1)],
                                       small.transpose(Image.ROTATE_90).transpose(Image.FLIP_LEFT_RIGHT))
        for name, (more, wanted) in ways.items():
            yield Case("%s %s" % (format, name), media, png, heif_boxes.file((first, more)), judge_near(wanted, 40, "RGB"))
        for primary, wanted in enumerate((small, large, high)):
            yield Case("%s of three images, the primary is number %d" % (format, primary), media, png,
                       heif_boxes.file((first, []), (second, []), (third, []), primary=primary), judge_near(wanted, 40, "RGB"))
        yield Case(format + " with a thumbnail", media, png,
                   heif_boxes.file((second, []), (first, []), thumbnails=[(1, 0)]), judge_near(large, 40, "RGB"))
        yield Case(format + " with a thumbnail before it", media, png,
                   heif_boxes.file((first, []), (second, []), primary=1, thumbnails=[(0, 1)]), judge_near(large, 40, "RGB"))
        yield Case(format + " with a thumbnail, both turned", media, png,
                   heif_boxes.file((second, [heif_boxes.turned(1)]), (first, [heif_boxes.turned(1)]), thumbnails=[(1, 0)]),
                   judge_near(large.transpose(Image.ROTATE_90), 40, "RGB"))
        yield Case(format + " beside a hidden image", media, png,
                   heif_boxes.file((first, []), (third, []), primary=1, hidden=[0]), judge_near(high, 40, "RGB"))
        # Half its size: the turned sides count.
        yield Case(format + " turned, smaller", media, {**png, "set:resize": "fit", "set:width": "48"},
                   heif_boxes.file((first, [heif_boxes.turned(3)])),
                   judge_near(small.transpose(Image.ROTATE_270).resize((48, 80), Image.LANCZOS), 40, "RGB"))


def without_adobe(jpeg):
    """A JPEG without its APP14 segment."""
    at = jpeg.index(b"\xff\xee")
    return jpeg[:at] + jpeg[at + 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]:]


def ink_cases(tool, picture):
    """Four inks in the ways that programs write them: all have to come out as the plain one does."""
    def jpeg(planes):
        return saved(Image.merge("CMYK", planes), "JPEG", quality=97, subsampling=0)

    cmyk = picture.convert("CMYK")
    plain = jpeg(cmyk.split())
    drawn = Image.open(io.BytesIO(tool.render("image/jpeg", {"set:format": "png"}, plain).picture))
    png = {"set:format": "png"}
    yield Case("jpeg CMYK as Adobe writes it", "image/jpeg", png, plain, judge_near(picture, 140, "RGB"))
    # YCCK: Adobe's complements of the inks, made RGB, made YCbCr; and the segment says 2.
    cyan, magenta, yellow, black = cmyk.split()
    ycc = Image.merge("RGB", (cyan, magenta, yellow)).convert("YCbCr").split()
    marked = bytearray(jpeg([ImageOps.invert(one) for one in ycc] + [black]))
    at = marked.index(b"\xff\xee")
    marked[at + 15] = 2
    yield Case("jpeg YCCK", "image/jpeg", png, bytes(marked), judge_near(drawn, 24, "RGB"))
    # Without the segment it is taken to be like Adobe's, as Pillow and browsers do.
    yield Case("jpeg CMYK without Adobe's segment", "image/jpeg", png, without_adobe(plain), judge_near(drawn, 0, "RGB"))


def cases(tool, seed=5):
    rng = np.random.default_rng(seed)
    yield from heif_cases(tool)
    yield from ink_cases(tool, Image.fromarray(test_picture()))
    yield from bmp_cases(rng)
    yield from netpbm_cases(rng)
    yield from libvips_cases(tool, rng)
