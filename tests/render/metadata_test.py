#!/usr/bin/python3
"""What strip_metadata takes out of JPEG, PNG and GIF, what it leaves, and that it touches no pixel.

metadata_test.py [--build DIR] [-v]
"""
import argparse
import io
import itertools
import os
import struct
import sys
import zlib

try:
    import numpy as np
    from PIL import Image
except ImportError as missing:
    print("skipped render/metadata: %s" % missing)
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

import tool

HERE = os.path.dirname(os.path.abspath(__file__))

# What must never come out again. Numbers are made so that their bytes are found in no picture by accident.
PLACE = struct.pack(">I", 0x5A17B0E1)
SECRETS = [PLACE, PLACE[::-1], b"THUMBSECRET", b"47,11.4711N", b"Secretown", b"PREVIEWSECRET"]


def tiff(order="<", orientation=6, gps=True, thumbnail=True, maker_note=b"a maker's note"):
    """An Exif block with a directory, Exif and GPS directories beneath it, and a thumbnail's behind it."""
    def entry(tag, kind, count, value):
        field = value if isinstance(value, bytes) else struct.pack(order + ("HH" if kind == 3 else "I"), *([value, 0] if kind == 3 else [value]))
        return struct.pack(order + "HHI", tag, kind, count) + field.ljust(4, b"\0")

    def directory(entries, following=0):
        return struct.pack(order + "H", len(entries)) + b"".join(entries) + struct.pack(order + "I", following)

    def size(count):
        return 2 + 12 * count + 4
    make = b"Maker of cameras\0"
    date = b"2026:01:02 03:04:05\0"
    place = b"".join(struct.pack(order + "II", 0x5A17B0E1, 1) for _ in range(3))
    thumb = b"\xff\xd8\xff\xe0THUMBSECRET" * 5 + b"\xff\xd9"
    count = 3 + gps
    at = 8
    make_at = at + size(count)
    exif_at = make_at + len(make) + 1
    date_at = exif_at + size(2)
    note_at = date_at + len(date)
    gps_at = note_at + len(maker_note)
    place_at = gps_at + size(4)
    next_at = place_at + 48 if gps else gps_at
    thumb_at = next_at + size(3)
    main = [entry(0x010F, 2, len(make), make_at), entry(0x0112, 3, 1, orientation), entry(0x8769, 4, 1, exif_at)]
    if gps:
        main.append(entry(0x8825, 4, 1, gps_at))
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    out += directory(main, next_at if thumbnail else 0) + make + b"\0"
    out += directory([entry(0x9003, 2, len(date), date_at), entry(0x927C, 7, len(maker_note), note_at)]) + date + maker_note
    if gps:
        out += directory([entry(1, 2, 2, b"N\0"), entry(2, 5, 3, place_at), entry(3, 2, 2, b"E\0"), entry(4, 5, 3, place_at + 24)])
        out += place + place
    if thumbnail:
        out += directory([entry(0x0103, 3, 1, 6), entry(0x0201, 4, 1, thumb_at), entry(0x0202, 4, 1, len(thumb))]) + thumb
    return out


XMP = ("<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
       "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
       "<rdf:Description xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/'"
       " exif:GPSLatitude='47,11.4711N' exif:ExposureTime='1/60' photoshop:City = \"Secretown\">"
       "<dc:title xmlns:dc='d'><rdf:Alt><rdf:li xml:lang='x-default'>A title</rdf:li></rdf:Alt></dc:title>"
       "<exif:GPSLongitude>47,11.4711N</exif:GPSLongitude>"
       "<Iptc4xmpExt:LocationShown xmlns:Iptc4xmpExt='i'><rdf:Bag><rdf:li rdf:parseType='Resource'>"
       "<Iptc4xmpExt:City>Secretown</Iptc4xmpExt:City></rdf:li></rdf:Bag></Iptc4xmpExt:LocationShown>"
       "<xmp:Thumbnails xmlns:xmp='x'><rdf:Alt><rdf:li>THUMBSECRET</rdf:li></rdf:Alt></xmp:Thumbnails>"
       "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>").encode()


def resource(number, data):
    return b"8BIM" + struct.pack(">H", number) + b"\0\0" + struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)


def dataset(number, value):
    return b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(value)) + value


IPTC = dataset(5, b"A headline") + dataset(90, b"Secretown") + dataset(101, b"Secretown") + dataset(116, b"(c) somebody")
RESOURCES = b"Photoshop 3.0\0" + resource(0x0404, IPTC) + resource(0x040C, b"THUMBSECRET") + resource(0x03ED, b"\0H\0\0\0\1\0\1" * 2)


def segment(marker, content):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def pixels(size=(40, 30)):
    y, x = np.mgrid[0:size[1], 0:size[0]]
    return Image.fromarray(np.stack([x * 6, y * 8, x + y], -1).astype(np.uint8))


def jpeg(segments, trailer=b"", **options):
    out = io.BytesIO()
    pixels().save(out, "JPEG", quality=90, **options)
    plain = out.getvalue()
    return plain[:20] + b"".join(segments) + plain[20:] + trailer


def coded(data):
    """Everything from the first table to the end of the picture: what must stay byte for byte."""
    return data[data.index(b"\xff\xdb"):data.rindex(b"\xff\xd9") + 2]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(chunks, trailer=b""):
    out = io.BytesIO()
    pixels().save(out, "PNG")
    plain = out.getvalue()
    return plain[:33] + b"".join(chunks) + plain[33:] + trailer


def png_chunks(data):
    at, found = 8, []
    while at < len(data):
        length = struct.unpack(">I", data[at:at + 4])[0]
        found.append((data[at + 4:at + 8], data[at + 8:at + 8 + length]))
        at += 12 + length
    return found


class Tests:
    def __init__(self, renderer, verbose):
        self.renderer, self.verbose = renderer, verbose
        self.passed = self.failed = 0

    def check(self, name, wrong):
        if wrong:
            self.failed += 1
            print("FAILED %s: %s" % (name, wrong))
        else:
            self.passed += 1
            if self.verbose:
                print("ok " + name)

    def strip(self, data, how):
        answer = self.renderer.render("strip", {"set:strip": how}, data)
        return answer

    def says_location(self, data):
        return "location" in self.renderer.render("header", {}, data).reason

    def one(self, name, data, how, gone=(), stays=(), orientation=None, same=coded, changed=True):
        answer = self.strip(data, how)
        out = answer.picture
        wrong = None
        if answer.status != "ok":
            wrong = "%s: %s" % (answer.status, answer.reason)
        elif (answer.reason == "changed") != changed or (out != data) != changed:
            wrong = "is " + answer.reason
        elif any(secret in out for secret in list(SECRETS) + list(gone)):
            wrong = "still holds %s" % [s for s in list(SECRETS) + list(gone) if s in out]
        elif any(word not in out for word in stays):
            wrong = "lost %s" % [word for word in stays if word not in out]
        elif same(out) != same(data):
            wrong = "has other image data"
        elif self.says_location(out):
            wrong = "still says where it was taken"
        elif self.strip(out, how).reason != "unchanged":
            wrong = "changes again when it is stripped again"
        else:
            image = Image.open(io.BytesIO(out))
            image.load()
            if orientation and image.getexif().get(0x0112, 1) != orientation:
                wrong = "has orientation %s" % image.getexif().get(0x0112)
            if 0x8825 in image.getexif():
                wrong = "has a GPS directory"
        self.check(name, wrong)

    def jpegs(self):
        for order, gps, thumbnail in itertools.product("<>", (False, True), (False, True)):
            data = jpeg([segment(0xE1, b"Exif\0\0" + tiff(order, gps=gps, thumbnail=thumbnail))])
            name = "jpeg Exif %s%s%s" % (order, " GPS" * gps, " thumbnail" * thumbnail)
            self.one(name, data, "gps", stays=[b"Maker of cameras", b"2026:01:02", b"a maker's note"], orientation=6,
                     changed=gps or thumbnail)
            self.check(name + ": the condition gps", None if self.says_location(data) == gps else "is wrong")
            self.one(name + " all", data, "all", gone=[b"Maker", b"2026"], orientation=6)
        self.one("jpeg XMP", jpeg([segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)]), "gps",
                 stays=[b"A title", b"ExposureTime='1/60'", b"rdf:Alt"])
        self.one("jpeg XMP all", jpeg([segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)]), "all", gone=[b"A title"])
        self.one("jpeg XMP in UTF-16", jpeg([segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP.decode().encode("utf-16"))]),
                 "gps", gone=["Secretown".encode("utf-16-le")])
        self.one("jpeg extended XMP", jpeg([segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 40 + b"PREVIEWSECRET")]), "gps")
        self.one("jpeg IPTC", jpeg([segment(0xED, RESOURCES)]), "gps", stays=[b"A headline", b"(c) somebody", b"\x03\xed"])
        self.one("jpeg IPTC all", jpeg([segment(0xED, RESOURCES)]), "all", gone=[b"A headline"])
        self.one("jpeg IPTC cut short", jpeg([segment(0xED, RESOURCES[:40])]), "gps")
        self.one("jpeg with previews behind it", jpeg([segment(0xE2, b"MPF\0II*\0" + PLACE)], b"\xff\xd8PREVIEWSECRET\xff\xd9"), "gps",
                 same=lambda d: coded(d.split(b"\xff\xd8PREVIEW")[0]))
        self.one("jpeg JFXX thumbnail", jpeg([segment(0xE0, b"JFXX\0\x13THUMBSECRET")]), "gps")
        self.one("jpeg broken Exif", jpeg([segment(0xE1, b"Exif\0\0" + tiff()[:40] + PLACE)]), "gps")
        self.one("jpeg Exif whose directory loops",
                 jpeg([segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\0\0\0\0")]), "gps", changed=False)
        self.one("jpeg comment", jpeg([segment(0xFE, b"a comment")]), "gps", stays=[b"a comment"], changed=False)
        self.one("jpeg comment all", jpeg([segment(0xFE, b"a comment")]), "all", gone=[b"a comment"])
        self.one("jpeg progressive", jpeg([segment(0xE1, b"Exif\0\0" + tiff())], progressive=True), "gps", orientation=6)
        out = io.BytesIO()
        pixels().convert("CMYK").save(out, "JPEG")
        self.one("jpeg CMYK keeps Adobe's marker", out.getvalue(), "all", stays=[b"Adobe"], changed=False)
        profile = jpeg([segment(0xE2, b"ICC_PROFILE\0\1\1" + b"p" * 99)])
        self.one("jpeg keeps its profile", profile, "all", stays=[b"ICC_PROFILE"], changed=False)
        self.one("jpeg without metadata", jpeg([]), "gps", changed=False)
        whole = jpeg([segment(0xE1, b"Exif\0\0" + tiff())])
        for size in range(3, len(whole), 29):
            answer = self.strip(whole[:size], "gps")
            self.check("jpeg of %d bytes" % size, None if answer.status == "refused" else answer.status)

    def pngs(self):
        def same(data):
            return [c for c in png_chunks(data[:data.rindex(b"IEND") + 8]) if c[0] in (b"IHDR", b"IDAT", b"IEND")]
        for order in "<>":
            data = png([chunk(b"eXIf", tiff(order))])
            self.one("png eXIf " + order, data, "gps", stays=[b"Maker of cameras"], orientation=6, same=same)
            self.one("png eXIf all " + order, data, "all", gone=[b"Maker"], orientation=6, same=same)
        self.one("png eXIf upright all", png([chunk(b"eXIf", tiff(orientation=1))]), "all", gone=[b"eXIf"], same=same)
        self.one("png XMP", png([chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)]), "gps", stays=[b"A title"], same=same)
        self.one("png XMP compressed", png([chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP))]), "gps", gone=[b"com.adobe"], same=same)
        self.one("png raw profile", png([chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"00"))]), "gps", gone=[b"Raw profile"], same=same)
        self.one("png text", png([chunk(b"tEXt", b"Title\0A title"), chunk(b"tEXt", b"exif:GPSLatitude\x0047,11.4711N")]), "gps",
                 stays=[b"A title"], same=same)
        self.one("png text all", png([chunk(b"tEXt", b"Title\0A title"), chunk(b"tIME", b"\7\xea\1\1\1\1\1"), chunk(b"prVt", b"x")]), "all",
                 gone=[b"A title", b"tIME", b"prVt"], same=same)
        self.one("png keeps what shows pixels", png([chunk(b"gAMA", b"\0\0\xb1\x8f"), chunk(b"pHYs", b"\0\0\x0e\xc4\0\0\x0e\xc4\1")]), "all",
                 stays=[b"gAMA", b"pHYs"], same=same, changed=False)
        self.one("png trailer", png([], b"PREVIEWSECRET"), "gps", same=same)
        whole = png([chunk(b"eXIf", tiff())])
        for size in range(9, len(whole), 37):
            answer = self.strip(whole[:size], "gps")
            self.check("png of %d bytes" % size, None if answer.status == "refused" else answer.status)

    def gifs(self):
        frames = [pixels().quantize(8), pixels().rotate(180).quantize(8)]
        out = io.BytesIO()
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100, loop=0, comment=b"a comment")
        data = out.getvalue()
        xmp = b"\x21\xff\x0bXMP DataXMP" + XMP + b"\x01" + bytes(range(255, -1, -1)) + b"\0"
        with_xmp = data[:-1] + xmp + b";"

        def same(d):
            image = Image.open(io.BytesIO(d))
            return [(image.seek(i), image.convert("RGB").tobytes(), image.info.get("duration"))[1:] for i in range(image.n_frames)]
        self.one("gif", data, "gps", stays=[b"a comment", b"NETSCAPE2.0"], same=same, changed=False)
        self.one("gif all", data, "all", gone=[b"a comment"], stays=[b"NETSCAPE2.0"], same=same)
        self.one("gif XMP", with_xmp, "gps", stays=[b"a comment"], gone=[b"XMP Data"], same=same)
        self.check("gif XMP: the condition gps", None if self.says_location(with_xmp) else "is wrong")
        for size in range(7, len(data) - 1, 31):
            answer = self.strip(data[:size], "gps")
            self.check("gif of %d bytes" % size, None if answer.status == "refused" else answer.status)

    def others(self):
        self.check("text", None if self.strip(b"hello", "gps").status == "refused" else "was served")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(HERE, "..", "..", "build"))
    parser.add_argument("-v", action="store_true", help="name every test")
    options = parser.parse_args()
    with tool.Tool(options.build) as renderer:
        tests = Tests(renderer, options.v)
        tests.jpegs()
        tests.pngs()
        tests.gifs()
        tests.others()
    print("%d passed, %d failed, 0 skipped" % (tests.passed, tests.failed))
    return 1 if tests.failed or not tests.passed else 0


sys.exit(main())
