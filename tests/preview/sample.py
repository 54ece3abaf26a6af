"""Messages for the preview: one with every kind of picture that pixmilter meets, and one that attacks its reader."""

import base64
import io
import os
import struct
import sys
import zlib

import numpy
from PIL import Image, ImageDraw

import harness
import pictures

sys.path.append(os.path.join(harness.ROOT, "tests", "render"))
import tool  # noqa: E402


def drawing(width, height, seed, mode="RGB"):
    """Something to look at: a sky, a sun and hills, other colours for each seed."""
    y, x = numpy.mgrid[0:height, 0:width]
    random = numpy.random.RandomState(seed)
    top, bottom = random.randint(40, 220, 3), random.randint(120, 255, 3)
    sky = top + (bottom - top) * (y / max(1, height - 1))[..., None]
    hills = y > height * (0.62 + 0.12 * numpy.sin(x / width * 7 + seed) + 0.05 * numpy.sin(x / width * 23))
    sky[hills] = random.randint(20, 140, 3)
    image = Image.fromarray(sky.astype("uint8"))
    at, radius = (int(width * random.uniform(.2, .8)), int(height * .3)), height // 8
    ImageDraw.Draw(image).ellipse([at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius], fill=(255, 236, 160))
    if mode == "RGBA":
        alpha = numpy.clip(255 - numpy.hypot(x - width / 2, y - height / 2) / (height / 2) * 255 * .8, 0, 255)
        image.putalpha(Image.fromarray(alpha.astype("uint8")))
        return image
    return image.convert(mode)


def saved(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def moving(kind):
    frames = [drawing(120, 80, seed) for seed in range(4)]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=200, loop=0)


SVG = ('<svg width="220" height="110" viewBox="0 0 220 110" role="img" aria-label="Load of the week">'
       '<rect width="220" height="110" fill="#eef3fb"/>'
       + "".join(f'<rect x="{10 + i * 29}" y="{100 - h}" width="20" height="{h}" fill="#3b6fd4"/>'
                 for i, h in enumerate((30, 52, 44, 71, 88, 40, 24)))
       + "</svg>")


def part(kind, data, *headers):
    body = "\r\n".join(base64.encodebytes(data).decode().split("\n"))
    return "\r\n".join([f"Content-Type: {kind}", "Content-Transfer-Encoding: base64", *headers]) + "\r\n\r\n" + body


def photograph_as(kind):
    """A HEIC or an AVIF, which Pillow does not write here; None where libvips does not either."""
    with tool.Tool(harness.build_dir()) as made_by:
        made = made_by.render("make", {"set:as": kind}, saved(drawing(240, 160, 15), "PNG"))
    return made.picture if made.status == "ok" else None


def bomb():
    """A PNG of a few bytes that says it has 2.5 thousand million pixels."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 50000, 50000, 16, 6, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b""))


def asset_files(folder):
    """Puts what the message asks the server for into a folder."""
    with open(os.path.join(folder, "badge.png"), "wb") as file:
        file.write(saved(drawing(96, 96, 16, "RGBA"), "PNG"))
    with open(os.path.join(folder, "load.svg"), "w") as file:
        file.write(SVG.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"'))


def twenty_kinds():
    """A report that shows every kind of picture that there is, each in its own way."""
    uri = pictures.data_uri
    heic, avif = photograph_as("heic"), photograph_as("avif")
    wave = numpy.sin(numpy.hypot(*(numpy.mgrid[-60:60, -90:90] / 9.0))).astype("float32")
    wave[:12, :20] = numpy.nan
    rows = [
        ("PNG", f'<img alt="A PNG" width="180" src="{uri(saved(drawing(360, 240, 1), "PNG"))}">'),
        ("PNG with alpha", f'<img alt="Alpha" width="180" src="{uri(saved(drawing(180, 120, 2, "RGBA"), "PNG"))}">'),
        ("JPEG", f'<img alt="A JPEG" width="180" src="{uri(saved(drawing(640, 426, 3), "JPEG"), "image/jpeg")}">'),
        ("JPEG in CMYK", f'<img alt="CMYK" width="180" src="{uri(saved(drawing(180, 120, 4, "CMYK"), "JPEG"), "image/jpeg")}">'),
        ("GIF that moves", f'<img alt="A GIF" width="120" src="{uri(moving("GIF"), "image/gif")}">'),
        ("WebP", f'<img alt="A WebP" width="180" src="{uri(saved(drawing(180, 120, 5), "WEBP"), "image/webp")}">'),
        ("TIFF", f'<img alt="A TIFF" width="180" src="{uri(saved(drawing(180, 120, 6), "TIFF"), "image/tiff")}">'),
        ("BMP", f'<img alt="A BMP" width="180" src="{uri(saved(drawing(180, 120, 7), "BMP"), "image/bmp")}">'),
        ("PPM", f'<img alt="A PPM" width="180" src="{uri(saved(drawing(180, 120, 8), "PPM"), "image/x-portable-pixmap")}">'),
        ("SVG in a data: URI", '<img alt="An SVG" width="220" src="data:image/svg+xml;base64,'
         + base64.b64encode(SVG.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"').encode()).decode() + '">'),
        ("Inline SVG", SVG),
        ("numpy in a data: URI", f'<img alt="A wave" width="180" src="{uri(pictures.npy(wave), "application/x-npy")}">'),
        ("numpy part", '<img alt="An array" width="180" src="cid:array@example.org">'),
        ("Bare pixels", '<img alt="Raw" width="180" src="cid:raw@example.org">'),
        ("TIFF part", '<img alt="A scan" width="180" src="cid:scan@example.org">'),
        ("PNG part", '<img alt="A logo" width="90" src="cid:logo@example.org">'),
        ("CSS background", f'<div style="height:60px;background:url({uri(saved(drawing(240, 60, 9), "PNG"))})">Behind the text</div>'),
        ("srcset", f'<img alt="Two densities" width="90" src="{uri(saved(drawing(90, 60, 10), "PNG"))}" '
                   f'srcset="{uri(saved(drawing(180, 120, 10), "PNG"))} 2x">'),
        ("A link", '<img alt="Remote chart" width="180" height="60" src="https://images.example.org/chart.png">'),
        ("An asset", '<img alt="A badge" width="48" src="asset:badge.png">'),
        ("An asset that is not there", '<img alt="Another badge" width="48" src="asset:departments/research-and-development/badge.png">'),
        ("Too large to open", f'<img alt="A bomb" width="90" src="{uri(bomb())}">'),
        ("For Outlook alone", '<!--[if mso]><v:rect xmlns:v="urn:schemas-microsoft-com:vml" style="width:180px;height:60px">'
         f'<v:fill type="frame" src="{uri(saved(drawing(180, 60, 17), "PNG"))}"/></v:rect><![endif]-->A frame behind this cell'),
        *([("AVIF", f'<img alt="An AVIF" width="180" src="{uri(avif, "image/avif")}">')] if avif else []),
        *([("HEIC part", '<img alt="From a phone" width="180" src="cid:phone@example.org">')] if heic else []),
        ("Broken", '<img alt="Broken" width="180" src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA">'),
        ("One pixel", f'<img alt="" width="4" height="4" src="{uri(pictures.png(2, 2))}">'),
        ("The first once more", f'<img alt="Again" width="90" src="{uri(saved(drawing(360, 240, 1), "PNG"))}">')]
    html = ('<html><body style="font-family:Georgia,serif"><h1 style="font-size:22px">Week 47 in pictures</h1>'
            '<p>All that our programs send, in one message. <a href="https://example.org/report">The whole report</a>'
            ' has the numbers.</p><table cellpadding="8" style="border-collapse:collapse">'
            + "".join(f'<tr style="border-top:1px solid #ddd"><td>{name}</td><td>{cell}</td></tr>\r\n'
                      for name, cell in rows) + "</table></body></html>")
    text = "Week 47 in pictures. Your mail program shows no HTML.\r\n"
    raw = numpy.asarray(drawing(160, 100, 11)).tobytes()
    array = (numpy.mgrid[0:100, 0:160].sum(0) % 64 * 4).astype("uint16") * 200
    alternative = ("Content-Type: multipart/alternative; boundary=alt\r\n\r\n--alt\r\n"
                   "Content-Type: text/plain; charset=utf-8\r\n\r\n" + text + "--alt\r\n"
                   + part("text/html; charset=utf-8", html.encode()) + "--alt--\r\n")
    related = ("Content-Type: multipart/related; boundary=rel\r\n\r\n" + "--rel\r\n" + "--rel\r\n".join([
        alternative,
        part("application/x-npy", pictures.npy(array), "Content-ID: <array@example.org>",
             'Content-Disposition: inline; filename="field.npy"'),
        part("image/x-raw-pixels; width=160; height=100; bands=3; format=uchar", raw, "Content-ID: <raw@example.org>"),
        part("image/tiff", saved(drawing(400, 300, 12), "TIFF"), "Content-ID: <scan@example.org>",
             'Content-Disposition: inline; filename="a scan with quite a long name, of page one.tif"'),
        *([part("image/heic", heic, "Content-ID: <phone@example.org>",
                'Content-Disposition: inline; filename="IMG_4711.HEIC"')] if heic else []),
        part("image/png", saved(drawing(90, 60, 13), "PNG"), "Content-ID: <logo@example.org>")]) + "--rel--\r\n")
    reference = ('Content-Type: message/external-body; access-type=local-file; name="load.svg"\r\n\r\n'
                 "Content-Type: image/svg+xml\r\nContent-ID: <load@example.org>\r\n"
                 "Content-Disposition: attachment; filename=load.svg\r\n\r\n")
    return ("From: =?utf-8?q?J=C3=B6rg_Bauer?= <reports@example.org>\r\nTo: everybody@example.com\r\n"
            "Cc: archive@example.org\r\nSubject: Week 47 in pictures: load, memory, "
            "and what the cameras saw\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed; boundary=mix\r\n\r\n--mix\r\n" + related + "--mix\r\n"
            + part("application/pdf", b"%PDF-1.4 not really" * 400, 'Content-Disposition: attachment; filename="report.pdf"')
            + "--mix\r\n" + part("image/tiff", saved(drawing(200, 150, 14), "TIFF"),
                                 'Content-Disposition: attachment; filename="original.tif"')
            + "--mix\r\n" + reference + "--mix--\r\n").encode()


def hostile(port):
    """HTML that tries everything to run a script, reach a host or lead the reader away."""
    here = f"http://127.0.0.1:{port}"
    png = pictures.data_uri(pictures.png())
    attacks = f"""
<base href="{here}/base/"><meta http-equiv="refresh" content="0;url={here}/refresh">
<link rel="stylesheet" href="{here}/link.css"><link rel="preconnect" href="{here}"><link rel="dns-prefetch" href="{here}">
<link rel="prefetch" href="{here}/prefetch"><link rel="preload" as="image" href="{here}/preload"><link rel="icon" href="{here}/icon">
<link rel="prerender" href="{here}/prerender"><link rel="modulepreload" href="{here}/module.js">
<script>document.title = "owned"; top.document.title = "owned"; fetch("{here}/script")</script>
<script src="{here}/script.js"></script>
<img src="{png}" onload="top.document.title='owned'"><img src=x onerror="top.document.title='owned'">
<img src="{here}/img"><img srcset="{here}/srcset 1x, {here}/srcset2 2x"><picture><source srcset="{here}/source"><img></picture>
<img src="//127.0.0.1:{port}/relative"><img src="&#104;ttp://127.0.0.1:{port}/reference"><img/src={here}/slash>
<input type=image src="{here}/input"><body background="{here}/background" onload="top.document.title='owned'">
<table background="{here}/table"><tr><td background="{here}/td">x</table>
<div style="background:url({here}/css)">x</div><div style="background:u\\72l({here}/escaped)">x</div>
<div style="background:image-set('{here}/set' 1x)">x</div><div style="list-style:url({here}/list) inside;cursor:url({here}/cursor),auto">x</div>
<style>@import url({here}/import); @import "{here}/import2"; @font-face{{font-family:f;src:url({here}/font)}} *{{font-family:f}}
body::before{{content:url({here}/content)}} @namespace url({here}/namespace);</style>
<style><!-- </sty</style><style></style ><p title="</style><script>top.document.title='owned'</script>">
<svg width="20" height="20"><script>top.document.title='owned'</script><image href="{here}/svgimage"/><use href="{here}/use#a"/>
<style>@import "{here}/svgimport";</style><a href="javascript:top.document.title='owned'"><text y="9">x</text></a>
<foreignObject><iframe src="{here}/foreign"></iframe></foreignObject><rect width="9" height="9" fill="url({here}/fill#a)"/></svg>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=top.document.title='owned'&gt;"></table></math>
<iframe src="{here}/iframe"></iframe><iframe srcdoc="<script>top.document.title='owned'</script><img src={here}/nested>"></iframe>
<object data="{here}/object"></object><embed src="{here}/embed"><applet code="{here}/applet"></applet>
<video src="{here}/video" poster="{here}/poster" autoplay></video><audio src="{here}/audio" autoplay></audio><track src="{here}/track">
<form action="{here}/form" id=f><input name=a value=b autofocus onfocus="top.document.title='owned'"><button formaction="{here}/button">go</button></form>
<a id=link href="{here}/click" target="_top" ping="{here}/ping">click me</a><a href="javascript:top.document.title='owned'">or me</a>
<map name=m><area shape=rect coords="0,0,99,99" href="{here}/area"></map><img usemap="#m" src="{png}">
<details open ontoggle="top.document.title='owned'"><summary>x</summary></details><marquee onstart="top.document.title='owned'">x</marquee>
<noscript><p title="</noscript><img src=x onerror=top.document.title='owned'>"></noscript>
<textarea><img title="</textarea><img src=x onerror=top.document.title='owned'>"></textarea>
<select><style><img src=x onerror="top.document.title='owned'"></style></select>
<xmp><img src="{here}/xmp"></xmp><template><img src="{here}/template"></template>
&lt;script&gt;top.document.title='owned'&lt;/script&gt; <<script>x</script>script>top.document.title='owned'</script>
<frameset onload="top.document.title='owned'"><frame src="{here}/frame"></frameset>
"]]>--></iframe><script>document.title='owned'</script><img src="{here}/after">
<plaintext><img src="{here}/plaintext">"""
    return ("From: attacker@example.net\r\nTo: admin@example.org\r\n"
            "Subject: =?utf-8?q?=22=3E=3Cscript=3Edocument=2Etitle=3D=27owned=27=3C/script=3E?=\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed; boundary=mix\r\n\r\n--mix\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
            + attacks.replace("\n", "\r\n") + "\r\n--mix\r\nContent-Type: text/plain\r\n\r\n"
            + f"</pre><script>document.title='owned'</script><img src={here}/plain>\r\n--mix\r\n"
            "Content-Type: application/x-\"><img src=x onerror=document.title='owned'>; name=\"a\"\r\n"
            f"Content-Disposition: attachment; filename=\"<img src={here}/name onerror=document.title='owned'>\"\r\n\r\nx\r\n--mix--\r\n"
            ).encode()
