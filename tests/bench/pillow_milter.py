#!/usr/bin/python3
"""pillow_milter.py SOCKET [PNG LEVEL]: what an administrator would script instead of pixmilter, with pymilter
(python3-milter) and Pillow, for run.py.

It does the same work on the bench's messages: pictures in data: URIs of HTML become parts of a
multipart/related, and parts of pixels become PNG, at Pillow's own level 6 unless another is given.
"""

import base64
import email
import email.mime.image
import email.mime.multipart
import hashlib
import io
import re
import sys

import Milter
import numpy
from PIL import Image

PNG_LEVEL = 6
DATA_URI = re.compile(rb'"data:image/(png|jpeg|gif);base64,([A-Za-z0-9+/=\s]+)"')
DTYPES = {"uchar": "u1", "ushort": "<u2", "float": "<f4"}
CONTENT = ("Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-ID")


def pixels_of(part):
    """The picture of a part that mail clients do not show; None: it is no such part."""
    kind = part.get_content_type()
    if kind == "application/x-npy":
        return Image.fromarray(numpy.load(io.BytesIO(part.get_payload(decode=True)), allow_pickle=False))
    if kind == "image/x-raw-pixels":
        width, height, bands = (int(part.get_param(name)) for name in ("width", "height", "bands"))
        samples = numpy.frombuffer(part.get_payload(decode=True), DTYPES[part.get_param("format")])
        return Image.fromarray(samples.reshape((height, width, bands) if bands > 1 else (height, width)))
    if kind in ("image/bmp", "image/tiff"):
        return Image.open(io.BytesIO(part.get_payload(decode=True)))
    return None


def become(part, other):
    """The part takes the other's content and what describes it."""
    for name in CONTENT:
        del part[name]
        if other[name] is not None:
            part[name] = other[name]
    part.set_payload(other.get_payload())


def image_part(data, subtype, content_id, name):
    part = email.mime.image.MIMEImage(data, subtype)
    part["Content-ID"] = f"<{content_id}>"
    part.add_header("Content-Disposition", "inline", filename=name)
    return part


def embed(part):
    """The HTML's pictures as parts of their own."""
    pictures = {}

    def named(match):
        data = base64.b64decode(match.group(2))
        content_id = hashlib.sha1(data).hexdigest() + "@pillow"
        pictures[content_id] = (data, match.group(1).decode())
        return b'"cid:' + content_id.encode() + b'"'

    html = DATA_URI.sub(named, part.get_payload(decode=True))
    if not pictures:
        return False
    related = email.mime.multipart.MIMEMultipart("related")
    text = email.message.Message()
    text.set_type("text/html")
    text.set_payload(html.decode(), "utf-8")
    related.attach(text)
    for content_id, (data, subtype) in pictures.items():
        related.attach(image_part(data, subtype, content_id, "image." + subtype))
    become(part, related)
    return True


def rewrite(message):
    changed = False
    for part in list(message.walk()):
        if part.is_multipart():
            continue
        if part.get_content_type() == "text/html":
            changed |= embed(part)
            continue
        picture = pixels_of(part)
        if picture is None:
            continue
        png = io.BytesIO()
        picture.save(png, "PNG", compress_level=PNG_LEVEL)
        content_id = (part["Content-ID"] or "<picture@pillow>").strip("<> ")
        become(part, image_part(png.getvalue(), "png", content_id, "picture.png"))
        changed = True
    return changed


class Filter(Milter.Base):
    def __init__(self):
        self.text = None

    @Milter.noreply
    def envfrom(self, sender, *arguments):
        self.text, self.before = io.BytesIO(), {}
        return Milter.CONTINUE

    @Milter.noreply
    def header(self, name, value):
        self.before[name.lower()] = value
        self.text.write(f"{name}: {value}\n".encode("utf-8", "surrogateescape"))
        return Milter.CONTINUE

    @Milter.noreply
    def eoh(self):
        self.text.write(b"\n")
        return Milter.CONTINUE

    @Milter.noreply
    def body(self, chunk):
        self.text.write(chunk)
        return Milter.CONTINUE

    def eom(self):
        message = email.message_from_bytes(self.text.getvalue())
        if not rewrite(message):
            return Milter.ACCEPT
        text = message.as_bytes()
        for name in CONTENT + ("MIME-Version",):
            if message[name] != self.before.get(name.lower()):
                self.chgheader(name, 1, message[name] or "")
        body = text[text.index(b"\n\n") + 2:].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        for at in range(0, len(body), 1 << 20):
            self.replacebody(body[at:at + (1 << 20)])
        return Milter.ACCEPT


if __name__ == "__main__":
    if len(sys.argv) > 2:
        PNG_LEVEL = int(sys.argv[2])
    Milter.factory = Filter
    Milter.set_flags(Milter.CHGBODY | Milter.CHGHDRS | Milter.ADDHDRS)
    Milter.runmilter("pillow", sys.argv[1], 300)
