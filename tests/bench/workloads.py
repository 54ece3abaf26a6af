"""The messages that run.py sends: deterministic, three of each kind, which differ in their pictures.

Camera pictures are gradients, edges and grain; flat ones are drawn. Needs Debian's python3-numpy and
python3-pil.
"""

import base64
import email.mime.application
import email.mime.base
import email.mime.image
import email.mime.multipart
import email.mime.text
import io
import os
import random

import numpy
from PIL import Image, ImageDraw

VARIANTS = 3


def photograph(width, height, seed, grain=6):
    """height x width x 3 of uint8."""
    noise = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[0:height, 0:width].astype("float32")
    bands = [128 + 60 * numpy.sin((x / (37 + 5 * band) + seed) * 400 / width) * numpy.cos(y * 130 / height / (7 + band))
             + 40 * ((x * height + y * width) % (width * height / 2) > width * height / 4) for band in range(3)]
    picture = numpy.stack(bands, axis=2)
    picture += noise.integers(-grain, grain + 1, picture.shape, dtype="int8")
    return picture.clip(0, 255).astype("uint8")


def drawing(width, height, seed):
    """A chart, as a Pillow image."""
    choose = random.Random(seed)
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    for column in range(0, width, 24):
        top = choose.randrange(height)
        draw.rectangle((column, top, column + 16, height), fill=(choose.randrange(256), 90, 160))
        draw.text((column, max(0, top - 12)), str(top), fill="black")
    return picture


def encoded(picture, kind, **options):
    if not isinstance(picture, Image.Image):
        picture = Image.fromarray(picture)
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def data_uri(data, kind):
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


WORDS = ("report quarter value figure north south meeting customer number total change market budget plan "
         "result river team measure week delivery").split()


def prose(seed, length):
    choose, text = random.Random(seed), ""
    while len(text) < length:
        text += " ".join(choose.choice(WORDS) for _ in range(12)).capitalize() + ".\n"
    return text


def html(seed, length, pictures=()):
    """Table rows as newsletters have them, with the pictures among them."""
    choose, rows = random.Random(seed), []
    size = 0
    while size < length:
        rows.append('<tr><td style="font-family: Arial, sans-serif; font-size: 14px; color: #333333;">'
                    f'{prose(choose.random(), 120)}<a href="https://example.org/{choose.randrange(10**6)}">more</a>'
                    "</td></tr>\n")
        size += len(rows[-1])
    for number, picture in enumerate(pictures):
        place = (number + 1) * len(rows) // (len(pictures) + 1)
        rows[place] += f'<tr><td><img src="{picture}" alt="picture {number}" width="200"></td></tr>\n'
    return f"<!DOCTYPE html><html><head><title>Report</title></head><body><table>\n{''.join(rows)}</table></body></html>\n"


def part(kind, data, content_id, name, **parameters):
    main, subtype = kind.split("/")
    made = email.mime.base.MIMEBase(main, subtype, **parameters)
    made.set_payload(base64.encodebytes(data).decode())
    made["Content-Transfer-Encoding"] = "base64"
    made["Content-ID"] = f"<{content_id}>"
    made.add_header("Content-Disposition", "inline", filename=name)
    return made


def quoted_printable(text):
    made = email.mime.text.MIMEText("", "html")
    made.replace_header("Content-Transfer-Encoding", "quoted-printable")
    import quopri
    made.set_payload(quopri.encodestring(text.encode()).decode())
    return made


def showing(picture):
    """HTML that shows a part, and the part."""
    related = email.mime.multipart.MIMEMultipart("related", boundary="=_related")
    related.attach(email.mime.text.MIMEText('<p>The picture:</p><img src="cid:p1@example.org">\n', "html", "us-ascii"))
    related.attach(picture)
    return related


def npy(width, height, seed):
    out = io.BytesIO()
    numpy.save(out, photograph(width, height, seed))
    return showing(part("application/x-npy", out.getvalue(), "p1@example.org", "frame.npy"))


def raw(width, height, seed):
    data = photograph(width, height, seed).tobytes()
    return showing(part("image/x-raw-pixels", data, "p1@example.org", "frame.raw", width=str(width),
                        height=str(height), bands="3", format="uchar"))


def tiff16(seed):
    """Uncompressed, 16 bits a sample, written by hand: Pillow has no such mode."""
    width, height = 1024, 768
    samples = photograph(width, height, seed).astype("<u2") * 257
    entries = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, 0), (259, 3, 1, 1), (262, 3, 1, 2),
               (273, 4, 1, 0), (277, 3, 1, 3), (278, 3, 1, height), (279, 4, 1, samples.nbytes)]
    data_at = 8 + 2 + 12 * len(entries) + 4
    entries[2] = (258, 3, 3, data_at)
    entries[5] = (273, 4, 1, data_at + 6)
    head = b"II*\0" + (8).to_bytes(4, "little") + len(entries).to_bytes(2, "little")
    for tag, kind, count, value in entries:
        head += tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + count.to_bytes(4, "little") + value.to_bytes(4, "little")
    return showing(part("image/tiff", head + bytes(4) + (16).to_bytes(2, "little") * 3 + samples.tobytes(),
                        "p1@example.org", "scan.tif"))


def attachment(seed):
    mixed = email.mime.multipart.MIMEMultipart("mixed", boundary="=_mixed")
    mixed.attach(email.mime.text.MIMEText(prose(seed, 400)))
    mixed.attach(email.mime.application.MIMEApplication(random.Random(seed).randbytes(1 << 20), "pdf", name="report.pdf"))
    return mixed


def alternative(seed):
    both = email.mime.multipart.MIMEMultipart("alternative", boundary="=_alternative")
    both.attach(email.mime.text.MIMEText(prose(seed, 2000)))
    both.attach(quoted_printable(html(seed, 16000)))
    return both


def newsletter(seed):
    pictures = [data_uri(encoded(drawing(240, 160, seed * 100 + i), "PNG"), "png") for i in range(5)]
    pictures += [data_uri(encoded(photograph(240, 160, seed * 100 + i), "JPEG", quality=85), "jpeg") for i in range(5)]
    return quoted_printable(html(seed, 40000, pictures + pictures[:2]))


def photo_in_html(seed):
    jpeg = encoded(photograph(4000, 3000, seed, 9), "JPEG", quality=92)
    return email.mime.text.MIMEText(html(seed, 4000, [data_uri(jpeg, "jpeg")]), "html", "utf-8")


KINDS = {
    "plain-4k": lambda seed: email.mime.text.MIMEText(prose(seed, 4000)),
    "html-20k-noimg": alternative,
    "attach-1M-pdf": attachment,
    "data-png-50k": lambda seed: quoted_printable(
        html(seed, 4000, [data_uri(encoded(photograph(150, 120, seed), "PNG"), "png")])),
    "newsletter": newsletter,
    "data-photo-3M": photo_in_html,
    "npy-640x480": lambda seed: npy(640, 480, seed),
    "raw-1080p": lambda seed: raw(1920, 1080, seed),
    "npy-4k": lambda seed: npy(3840, 2160, seed),
    "bmp-2M": lambda seed: showing(part("image/bmp", encoded(photograph(1024, 683, seed), "BMP"), "p1@example.org", "a.bmp")),
    "tiff-16bit": tiff16,
}


def write(message, path):
    for name, value in (("From", "a@example.org"), ("To", "b@example.net"), ("Subject", "A message of the bench"),
                        ("Date", "Mon, 01 Jan 2024 00:00:00 +0000"), ("Message-ID", "<bench@example.org>")):
        message[name] = value
    text = message.as_bytes()
    with open(path + ".new", "wb") as file:
        file.write(text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    os.rename(path + ".new", path)


def files(folder, kind, variants=VARIANTS):
    """The paths of a kind's messages, made where they are not there."""
    os.makedirs(folder, exist_ok=True)
    paths = [os.path.join(folder, f"{kind}-{variant}.eml") for variant in range(variants)]
    for seed, path in enumerate(paths, 1):
        if not os.path.exists(path):
            write(KINDS[kind](seed), path)
    return paths


# ---- the same at any size, for time against size --------------------------------------------------------------

GROWING = {
    "plain text": lambda size: email.mime.text.MIMEText(prose(1, size)),
    "HTML without pictures": lambda size: quoted_printable(html(1, size)),
    "data: URI": lambda size: email.mime.text.MIMEText(
        f'<img src="{data_uri(filled_png(size), "png")}">\n', "html", "us-ascii"),
    "raw pixels": lambda size: raw(*sides(size), 1),
    "attachment": lambda size: sized_attachment(size),
}


def sides(size):
    """Width and height, 4:3, of the raw RGB picture whose message takes about so many bytes."""
    unit = max(1, round((size * 0.73 / 36) ** 0.5))
    return 4 * unit, 3 * unit


def filled_png(size):
    """Noise that does not shrink."""
    side = max(1, round((size * 0.73 / 3) ** 0.5))
    return encoded(numpy.random.default_rng(1).integers(0, 256, (side, side, 3), dtype="uint8"), "PNG", compress_level=1)


def sized_attachment(size):
    mixed = email.mime.multipart.MIMEMultipart("mixed", boundary="=_mixed")
    mixed.attach(email.mime.text.MIMEText(prose(1, 400)))
    mixed.attach(email.mime.application.MIMEApplication(random.Random(1).randbytes(size * 3 // 4), "pdf"))
    return mixed


def file_of_size(folder, kind, size):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{kind.replace(' ', '-').replace(':', '')}-{size}.eml")
    if not os.path.exists(path):
        write(GROWING[kind](size), path)
    return path
