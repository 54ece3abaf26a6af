#!/usr/bin/python3
"""Makes the cases of this folder: tests/mail/make_cases.py [--out BUILD] [NAME...]

A case is a folder with
    in.eml       the message, with LF line ends (the walker makes the CRLF form)
    policy.toml  the configuration it is run with; @CASE@ in it is the case's own folder
    why.txt      what it shows, in a sentence
    out.eml      what comes out, byte for byte (where no picture is encoded anew), or
    expect.json  what comes out, as judge_test.py reads it, with the reference pictures beside it
    assets       the files that it names, where there are any
    args         further arguments of `pixmilter rewrite`, one a line, where there are any

Without --out the program is not run: everything but out.eml of the cases that change is written. With it,
`BUILD/pixmilter rewrite` makes those too; read the difference before it is committed (judge_test.py checks
them by other means, but an eye is an eye).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import numpy

import pictures
import rule_cases
from assorted import b64, multipart, part, qp

HEAD = """\
From: Sender <sender@example.test>
To: Recipient <recipient@example.test>
Subject: {name}
Date: Mon, 01 Jan 2024 12:00:00 +0000
Message-ID: <{name}@example.test>
"""
MIME = "MIME-Version: 1.0\n"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
PNG, JPEG, GIF = pictures.png(8, 6), pictures.jpeg(8, 6), pictures.gif(8, 6)
PNG_URI, JPEG_URI, GIF_URI = (pictures.data_uri(PNG), pictures.data_uri(JPEG, "image/jpeg"),
                              pictures.data_uri(GIF, "image/gif"))
BASE64 = "Content-Transfer-Encoding: base64"

CASES = {}


def case(name, why, rest, head=HEAD + MIME, encoding="utf-8", same=False, expect=None, references=(),
         policy='mode = "enforce"\n', arguments=(), assets=None, refused=None):
    """same: what comes out is what went in. expect: for judge_test.py, instead of bytes. refused: (the exit
    status, what is said), and nothing comes out."""
    assert name not in CASES, name
    message = rest if isinstance(rest, bytes) else (head.format(name=name) + rest).encode(encoding)
    CASES[name] = {"why": why, "in": message, "same": same, "expect": expect, "references": references,
                   "policy": policy, "arguments": arguments, "refused": refused,
                   "assets": assets or {}}


def body(html=None, kind=HTML, *headers):
    return part(kind, html if html is not None else f'<p>A <img src="{PNG_URI}" alt="a"></p>\n', *headers)


def picture_part(cid="old@example.test", *headers):
    return part('image/png; name="old.png"', b64(pictures.png(5, 5)), BASE64, f"Content-ID: <{cid}>",
                'Content-Disposition: inline; filename="old.png"', *headers)


PDF = part("application/pdf", b64(b"%PDF-1.4 nothing " * 9), BASE64, 'Content-Disposition: attachment; filename="a.pdf"')


def embedding():
    """Pictures that are embedded as they are, in every place the HTML can stand in."""
    case("html-alone-png", "A PNG in HTML that is the whole message: the HTML moves into a multipart/related.", body())
    case("html-alone-jpeg", "A JPEG is embedded byte for byte, not encoded again.", body(f'<img src="{JPEG_URI}">\n'))
    case("html-alone-gif", "A GIF is embedded byte for byte.", body(f'<img src="{GIF_URI}">\n'))
    case("html-in-alternative", "Within multipart/alternative the related goes round the HTML alone.",
         multipart("alternative", "alt", part(TEXT, "A\n"), body()))
    case("html-in-mixed", "Within multipart/mixed the related goes round the HTML, attachments stay.",
         multipart("mixed", "mix", body(), PDF))
    case("alternative-in-mixed", "The common shape of mail with an attachment: mixed, alternative, HTML.",
         multipart("mixed", "mix", multipart("alternative", "alt", part(TEXT, "A\n"), body()), PDF))
    case("html-in-related", "The HTML is the root of a related already: the picture joins it.",
         multipart("related", "rel", body(f'<img src="cid:old@example.test"><img src="{PNG_URI}">\n'),
                   picture_part(), parameters='; type="text/html"'))
    case("html-in-related-with-start", "The root of a related is named by start= and does not stand first.",
         multipart("related", "rel", picture_part(),
                   body(f'<img src="cid:old@example.test"><img src="{PNG_URI}">\n', HTML, "Content-ID: <root@example.test>"),
                   parameters='; type="text/html"; start="<root@example.test>"'))
    case("alternative-in-related", "The root of a related is an alternative that holds the HTML (Apple Mail, Exchange).",
         multipart("related", "rel", multipart("alternative", "alt", part(TEXT, "A\n"),
                   body(f'<img src="cid:old@example.test"><img src="{PNG_URI}">\n')), picture_part(),
                   parameters='; type="multipart/alternative"'))
    case("related-in-alternative", "A related within an alternative: the picture joins the related.",
         multipart("alternative", "alt", part(TEXT, "A\n"),
                   multipart("related", "rel", body(f'<img src="{PNG_URI}"><img src="cid:old@example.test">\n'), picture_part())))
    case("related-of-html-alone", "A related that holds nothing but the HTML.", multipart("related", "rel", body()))
    case("html-not-root-of-related", "HTML that is not the root of the related it stands in.",
         multipart("related", "rel", part(TEXT, "root\n"), body(), picture_part()))
    case("two-html-parts", "Two HTML parts in one message, each with a picture of its own.",
         multipart("mixed", "mix", body(f'<img src="{PNG_URI}">\n'), part(TEXT, "between\n"), body(f'<img src="{GIF_URI}">\n')))
    case("two-html-parts-one-picture", "Two HTML parts that show the same picture.",
         multipart("mixed", "mix", body(f'<img src="{PNG_URI}">\n'), body(f'<b><img src="{PNG_URI}"></b>\n')))
    case("duplicates-share-a-part", "One picture named three times is one part.",
         body(f'<img src="{PNG_URI}"><img src="{GIF_URI}"><img src="{PNG_URI}">\n<img src=\'{PNG_URI}\'>\n'))
    case("html-7bit", "HTML as 7bit stays 7bit.", body(None, "text/html; charset=us-ascii", "Content-Transfer-Encoding: 7bit"))
    case("html-8bit", "HTML as 8bit stays 8bit, with its other bytes as they are.",
         body(f'<p>Größe: <img src="{PNG_URI}"> – fertig</p>\n', HTML, "Content-Transfer-Encoding: 8bit"))
    case("html-quoted-printable", "HTML as quoted-printable is decoded, edited and encoded again.",
         body(qp(f'<p>Größe = <img src="{PNG_URI}" alt="é"> – fertig</p>\n' + "lange Zeile " * 20 + "\n"), HTML,
              "Content-Transfer-Encoding: quoted-printable"))
    case("html-base64", "HTML as base64 stays base64.",
         body(b64(f'<p>Größe <img src="{PNG_URI}"> – fertig</p>\n'.encode()), HTML, BASE64))
    case("html-base64-upper-case-label", "Content-Transfer-Encoding is case-insensitive.",
         body(b64(f'<img src="{PNG_URI}">\n'.encode()), HTML, "content-transfer-encoding:   BASE64"))
    case("html-without-final-newline", "HTML that ends without a line end, before a boundary and at the end of the message.",
         multipart("mixed", "mix", body(f'<img src="{PNG_URI}">'), part(TEXT, "x")))
    case("html-alone-without-final-newline", "The message ends in the middle of a line.", body(f'<img src="{PNG_URI}">'))
    case("multipart-without-final-newline", "The message ends with its last delimiter, without a line end.",
         multipart("mixed", "mix", body(), part(TEXT, "x")).rstrip("\n"))
    case("preamble-and-epilogue", "Preamble and epilogue of every multipart keep their bytes.",
         multipart("mixed", "mix", multipart("alternative", "alt", part(TEXT, "A\n"), body(), preamble="inner preamble\n",
                   epilogue="inner epilogue\n"), preamble="This is a multi-part message.\n\n", epilogue="\nepilogue\n"))
    case("nested-six-deep", "The HTML stands under six multiparts.", deep(6))
    case("folded-header-fields", "Content-Type is folded and has comments; fields that are not concerned keep their folding.",
         "X-Folded: one\n two\n\tthree\nContent-Type:\n text/html;\n\tcharset=\"utf-8\" (a comment);\n format=flowed\nX-Last: \n z\n\n"
         f'<img src="{PNG_URI}">\n')
    case("mixed-case-header-fields", "Names and values of MIME fields in any case.",
         f'CONTENT-TYPE: Text/HTML; CHARSET=UTF-8\ncontent-transfer-ENCODING: 7BIT\n\n<img src="{PNG_URI}">\n',
         head=HEAD + "mime-version: 1.0\n")
    case("mime-version-missing", "No MIME-Version: the message is read as MIME all the same, and gets one.", body(), head=HEAD)
    case("mime-fields-first", "The MIME fields stand at the very top, before From.",
         f'MIME-Version: 1.0\nContent-Type: {HTML}\nFrom: a@example.test\nTo: b@example.test\nSubject: first\n\n<img src="{PNG_URI}">\n', head="")
    case("content-fields-move-along", "All Content-* fields of the HTML move into its part.",
         f'Content-Type: {HTML}\nContent-Transfer-Encoding: 7bit\nContent-Disposition: inline\nContent-Language: de\n'
         f'Content-ID: <root@example.test>\nContent-Description: the text\nX-Other: stays\n\n<img src="{PNG_URI}">\n')
    case("content-disposition-inline", "HTML whose disposition is inline is looked at.",
         multipart("mixed", "mix", body(None, HTML, "Content-Disposition: inline; filename=\"letter.html\"")))
    for charset, words in (("iso-8859-1", "Größe"), ("windows-1252", "Größe – €"), ("koi8-r", "Привет"),
                           ("gb18030", "你好世界"), ("shift_jis", "表示ソ能"), ("big5", "功能許蓋"), ("euc-jp", "表示")):
        case(f"charset-{charset.replace('_', '-')}", f"HTML in {charset} keeps its charset and its bytes.",
             (HEAD + MIME).format(name=f"charset-{charset}").encode()
             + f"Content-Type: text/html; charset={charset}\nContent-Transfer-Encoding: 8bit\n\n".encode()
             + f'<p>{words} <img src="{PNG_URI}" alt="{words}"> {words}</p>\n'.encode(charset))
    case("charset-unknown", "An unknown charset is taken as a superset of ASCII.",
         body(f'<p>\xe9 <img src="{PNG_URI}"></p>\n', "text/html; charset=x-unknown", "Content-Transfer-Encoding: 8bit"), encoding="latin-1")
    case("charset-missing", "No charset parameter.", body(None, "text/html"))
    for name, uri, why in (
            ("upper-case", PNG_URI.replace("data:image/png;base64", "DATA:IMAGE/PNG;BASE64"), "in upper case"),
            ("parameters", PNG_URI.replace(";base64", ";charset=utf-8;name=\"x\";base64").replace('"', "&quot;"), "with parameters"),
            ("wrong-label", PNG_URI.replace("image/png", "image/jpeg"), "with a wrong label: the bytes say what it is"),
            ("no-label", PNG_URI.replace("image/png", ""), "without a media type"),
            ("white-space", f"{PNG_URI[:60]} \n\t{PNG_URI[60:]}  ", "with white space in it"),
            ("without-padding", PNG_URI.rstrip("="), "without its padding"),
            ("percent-escapes", PNG_URI.replace("+", "%2B").replace("/", "%2f", 3).replace("image%2fpng", "image/png").replace("=", "%3D"), "with percent-escapes"),
            ("character-references", PNG_URI.replace(":", "&#58;", 1).replace("/", "&sol;").replace("+", "&#x2B;"), "with character references")):
        case(f"data-uri-{name}", f"A data: URI {why}.", body(f'<img src="{uri}">\n'))
    case("quoting-of-attributes", "The reference in double quotes, single quotes and none.",
         body(f'<img src="{PNG_URI}"><img src=\'{GIF_URI}\'><img alt=x src={JPEG_URI.rstrip("=")} width=9><IMG SRC = "{PNG_URI}" />\n'))
    case("broken-picture-beside-a-good-one", "A data: URI that is no picture stays; the one beside it is done.",
         body(f'<img src="data:image/png;base64,bm90IGEgcGljdHVyZQ=="><img src="{PNG_URI}"><img src="data:image/png;base64,%%%">\n'))
    case("empty-alt-and-neighbours", "No byte outside the reference changes: odd spacing, case, other attributes.",
         body(f'<P  CLASS = x ><IMG\n  alt=""\n  src  =  "{PNG_URI}"\n  STYLE="a:b" hidden>  </P >\r\n'.replace("\r", "")))
    case("links-and-texts-stay", "A data: URI in a link, a script, a comment or a textarea is not an image reference.",
         body(f'<a href="{PNG_URI}">x</a>\n<script>"<img src=\'{PNG_URI}\'>"</script>\n<!-- <img src="{PNG_URI}"> -->\n'
              f'<textarea><img src="{PNG_URI}"></textarea><img src="{PNG_URI}">\n'))
    case("html-attachment-beside-html", "The attached HTML stays as it is although it holds the same picture.",
         multipart("mixed", "mix", body(), body(None, HTML, 'Content-Disposition: attachment; filename="report.html"')))
    case("forwarded-message-beside-html", "The message's own HTML is done; the message that it forwards is not.",
         multipart("mixed", "mix", body(), part("message/rfc822", HEAD.format(name="inner") + MIME + body())))
    case("signed-part-beside-html", "What is beneath multipart/signed stays; HTML beside it is done.",
         multipart("mixed", "mix", multipart("signed", "sig", body(), part("application/pgp-signature", "abc\n"),
                   parameters='; protocol="application/pgp-signature"; micalg=pgp-sha256'), body()))
    case("boundary-must-be-quoted", "The message's own boundary has characters that need quotes.",
         multipart("alternative", "a b=c?d", part(TEXT, "A\n"), body()))
    case("boundary-without-quotes", "The boundary parameter is a token, and stands before others.",
         f"Content-Type: multipart/alternative; boundary=alt; charset=utf-8\n\n--alt\n{body()}\n--alt--\n")
    case("closing-boundary-missing", "A multipart that is cut off before its end: where it ends is anybody's guess, so it stays.",
         f'Content-Type: multipart/mixed; boundary="mix"\n\n--mix\n{part(TEXT, "A")}\n--mix\n{body()}\n', same=True)
    case("a-hundred-pictures", "A hundred different pictures in one message.",
         body("".join(f'<img src="{pictures.data_uri(pictures.png(3, 3, 3, seed))}">\n' for seed in range(100))))


def deep(levels):
    inner = body()
    for level in range(levels):
        inner = multipart("mixed" if level % 2 else "alternative", f"level-{level}-", part(TEXT, f"{level}\n"), inner)
    return inner


def never_touched():
    """What must go out byte for byte although there is a picture to be seen."""
    def never(name, why, rest, **more):
        case(name, why, rest, same=True, **more)

    signature = part("application/pgp-signature", "abc\n")
    never("never-signed", "At or beneath multipart/signed nothing is touched.", multipart("signed", "sig",
          multipart("mixed", "mix", body()), signature, parameters='; protocol="application/pgp-signature"; micalg=pgp-sha256'))
    never("never-encrypted", "Nor is multipart/encrypted.", multipart("encrypted", "enc",
          part("application/pgp-encrypted", "Version: 1\n"), body()))
    never("never-pkcs7-mime", "S/MIME in one part.", part('application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"',
          b64(("Content-Type: text/html\n\n" + f'<img src="{PNG_URI}">').encode()), BASE64))
    never("never-inline-pgp", "An inline PGP signature covers the text beside the HTML.",
          multipart("alternative", "alt", part(TEXT, "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nA\n"
                    "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n"),
                    body(f'<pre>-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nA</pre><img src="{PNG_URI}">\n'
                         "<pre>-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----</pre>\n")))
    never("never-dkim-signed", "A DKIM-Signature would break.", "DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=x;\n\th=from; bh=abc=; b=def=\n" + body())
    never("never-arc-sealed", "So would an ARC-Seal.", "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=example.test; s=x; b=def=\n" + body())
    never("never-forwarded", "message/rfc822 and what is in it.", "Content-Type: message/rfc822\n\n" + HEAD.format(name="inner") + MIME + body())
    never("never-report", "A multipart/report, its HTML included.", multipart("report", "rep", body(),
          part("message/delivery-status", "Reporting-MTA: dns; example.test\n\nFinal-Recipient: rfc822; a@example.test\nAction: failed\n"),
          parameters="; report-type=delivery-status"))
    never("never-null-sender", "A bounce: its sender is empty.", body(), arguments=("--from", "<>"))
    never("never-calendar", "text/calendar keeps every byte.",
          part("text/calendar; method=REQUEST; charset=utf-8", f'BEGIN:VCALENDAR\nX-ALT-DESC;FMTTYPE=text/html:<img src="{PNG_URI}">\nEND:VCALENDAR\n'))
    never("never-html-attachment", "An attached HTML file is the sender's file.",
          multipart("mixed", "mix", part(TEXT, "A\n"), body(None, HTML, 'Content-Disposition: attachment; filename="a.html"')))
    never("never-html-attachment-alone", "The message itself is an attached HTML file.", body(None, HTML, "Content-Disposition: attachment"))
    never("ambiguous-content-type-twice", "Two Content-Type fields: readers differ on which counts.", f"Content-Type: {TEXT}\n" + body())
    never("ambiguous-content-type-twice-in-part", "The same in a part.", multipart("mixed", "mix", f"Content-Type: {TEXT}\n" + body()))
    never("ambiguous-boundary-twice", "Two boundary parameters.",
          f'Content-Type: multipart/mixed; boundary="a"; boundary="b"\n\n--a\n{body()}\n--b\n{body()}\n--a--\n--b--\n')
    never("ambiguous-boundary-encoded", "A boundary in RFC 2231 encoding: many readers do not see it.",
          f"Content-Type: multipart/mixed; boundary*=utf-8''a%62c\n\n--abc\n{body()}\n--abc--\n")
    never("ambiguous-boundary-continued", "A boundary in RFC 2231 continuations.",
          f"Content-Type: multipart/mixed; boundary*0=\"ab\"; boundary*1=\"c\"\n\n--abc\n{body()}\n--abc--\n")
    never("ambiguous-boundary-prefix", "An inner boundary that is the beginning of the outer one.",
          f'Content-Type: multipart/mixed; boundary="abcd"\n\n--abcd\nContent-Type: multipart/alternative; boundary="abc"\n\n'
          f"--abc\n{body()}\n--abc--\n\n--abcd--\n")
    never("ambiguous-transfer-encoding-twice", "Two Content-Transfer-Encoding fields that disagree.",
          f"Content-Type: {HTML}\nContent-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\n<img src=\"{PNG_URI}\">\n")
    never("ambiguous-nul", "A NUL byte: some readers end the line there.", body(f'<img src="{PNG_URI}">\0\n'))
    never("ambiguous-bare-cr", "A CR without LF: some readers end the line there.", body(f'<img src="{PNG_URI}">x\ry\n'))
    never("ambiguous-bare-cr-in-header", "The same in the header.", "X-Odd: a\rContent-Type: text/plain\n" + body())
    never("audit-changes-nothing", "mode = \"audit\": all is done, nothing is changed.", body(), policy='mode = "audit"\n')
    never("off-changes-nothing", "mode = \"off\".", body(), policy='mode = "off"\n')
    never("unreadable-picture", "What is no picture stays as it is.", body('<img src="data:image/png;base64,bm90IGEgcGljdHVyZQ==">\n'))
    raw = pictures.array(8, 6)
    never("unreadable-raw-too-short", "Fewer pixels than the parameters say.",
          multipart("mixed", "mix", part("image/x-raw-pixels; width=80; height=60; bands=3; format=uchar", b64(raw.tobytes()), BASE64)))
    never("unreadable-raw-too-long", "More pixels than the parameters say.",
          multipart("mixed", "mix", part("image/x-raw-pixels; width=8; height=5; bands=3; format=uchar", b64(raw.tobytes()), BASE64)))
    never("unreadable-raw-parameters", "Parameters that are missing, zero, negative, huge or words.", multipart("mixed", "mix", *(
        part(f"image/x-raw-pixels; {parameters}", b64(raw.tobytes()), BASE64) for parameters in (
            "height=6; bands=3; format=uchar", "width=0; height=6; bands=3; format=uchar", "width=-8; height=6; bands=3; format=uchar",
            "width=4294967304; height=6; bands=3; format=uchar", "width=8; height=6; bands=3; format=bits",
            "width=eight; height=6; bands=3; format=uchar", "width=8; width=8; height=6; bands=3; format=uchar"))))
    never("unreadable-npy-object", "An array of Python objects is refused, not unpickled.",
          multipart("mixed", "mix", part("application/x-npy", b64(npy_header("{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }")
                    + b"cos\nsystem\n(S'true'\ntR."), BASE64)))
    never("unreadable-npy-header", "A header that is an expression, or is cut off.", multipart("mixed", "mix",
          part("application/x-npy", b64(npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1+1), }") + b"\0" * 4), BASE64),
          part("application/x-npy", b64(b"\x93NUMPY\x01\x00\xff\xff{'descr'"), BASE64),
          part("application/x-npy", b64(b""), BASE64)))
    never("attached-tiff", "An attached TIFF is the sender's file until a rule names it.",
          multipart("mixed", "mix", part(TEXT, "A\n"), part("image/tiff", b64(pictures.tiff(8, 6)), BASE64, 'Content-Disposition: attachment; filename="scan.tif"')))
    never("attached-npy-as-octets", "An attached .npy as application/octet-stream likewise.",
          multipart("mixed", "mix", part(TEXT, "A\n"), part('application/octet-stream; name="data.npy"', b64(pictures.npy(raw)), BASE64,
                    'Content-Disposition: attachment; filename="data.npy"')))


def npy_header(text):
    text += " " * (117 - len(text)) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def rendering():
    """Pictures that are encoded anew: judged by their pixels, as an encoder's bytes are its own matter."""
    def image(reference=0, **more):
        return {"type": "image/png", "reference": reference, **more}

    def blob(name, why, kind, data, pixels, wanted, *headers, rest=None):
        case(name, why, rest or multipart("mixed", "mix", part(TEXT, "A\n"), part(kind, b64(data), BASE64, *headers), PDF),
             expect={"tree": ["multipart/mixed", ["text/plain"], ["image/png"], ["application/pdf"]], "images": [wanted]},
             references=[pixels])

    rgb, gray = pictures.array(16, 12, 3), pictures.array(16, 12, 1)
    rgba, gray_alpha = pictures.array(16, 12, 4), pictures.array(16, 12, 2)
    attach = 'Content-Disposition: attachment; filename="{}"'
    blob("npy-attached", "An attached array becomes an attached PNG; the file name's extension follows.", "application/x-npy",
         pictures.npy(rgb), rgb, image(filename="frame.png", disposition="attachment"), attach.format("frame.npy"))
    blob("npy-gray", "Height x width is a gray picture.", "application/x-npy", pictures.npy(gray), gray, image(filename="g.png"), attach.format("g.npy"))
    blob("npy-one-channel", "Height x width x 1 likewise.", "application/x-npy", pictures.npy(gray[:, :, None]), gray, image())
    blob("npy-gray-alpha", "Height x width x 2 is gray with alpha.", "application/x-npy", pictures.npy(gray_alpha), gray_alpha, image())
    blob("npy-rgba", "Height x width x 4 has alpha.", "application/x-npy", pictures.npy(rgba), rgba, image())
    blob("npy-inline", "An inline part stays inline and keeps its Content-ID.", "application/x-npy", pictures.npy(rgb), rgb,
         image(disposition="inline", cid="pix@example.test"), "Content-Disposition: inline", "Content-ID: <pix@example.test>")
    blob("npy-name-parameter", "The name parameter of Content-Type follows too.", 'Application/X-NPY; name="data.npy"', pictures.npy(rgb), rgb,
         image(filename="data.png", name="data.png"), 'Content-Disposition: attachment; filename="data.npy"')
    blob("npy-other-extension", "A name without a known extension gets one.", "application/x-npy", pictures.npy(rgb), rgb,
         image(filename_end=".png"), attach.format("frame.2024"))
    blob("npy-other-fields-stay", "Fields of the part that are not concerned keep their bytes.", "application/x-npy", pictures.npy(rgb), rgb,
         image(fields={"X-Camera": "seven\n  eight", "Content-Description": "a frame"}), "X-Camera: seven\n  eight", "Content-Description: a frame")
    case("npy-named-by-cid", "The HTML names the array by cid: both go on as they are but for the picture.",
         multipart("related", "rel", body('<img src="cid:pix@example.test">\n'),
                   part("application/x-npy", b64(pictures.npy(rgb)), BASE64, "Content-ID: <pix@example.test>", "Content-Disposition: inline")),
         expect={"tree": ["multipart/related", ["text/html"], ["image/png"]], "html": ['<img src="cid:pix@example.test">\n'],
                 "images": [image(cid="pix@example.test", disposition="inline")]}, references=[rgb])
    case("npy-alone", "The array is the whole message.",
         f"Content-Type: application/x-npy\n{BASE64}\n" + attach.format("frame.npy") + "\nX-Other: stays\n\n" + b64(pictures.npy(rgb)),
         expect={"tree": ["image/png"], "images": [image(filename="frame.png", disposition="attachment")]}, references=[rgb])
    case("npy-twice", "The same array twice is two parts still: an attachment is not shared.",
         multipart("mixed", "mix", part("application/x-npy", b64(pictures.npy(rgb)), BASE64, attach.format("a.npy")),
                   part("application/x-npy", b64(pictures.npy(rgb)), BASE64, attach.format("b.npy"))),
         expect={"tree": ["multipart/mixed", ["image/png"], ["image/png"]], "images": [image(filename="a.png"), image(filename="b.png")]},
         references=[rgb])
    case("npy-quoted-printable", "The array came as quoted-printable.",
         multipart("mixed", "mix", part("application/x-npy", qp_bytes(pictures.npy(rgb)), "Content-Transfer-Encoding: quoted-printable")),
         expect={"tree": ["multipart/mixed", ["image/png"]], "images": [image()]}, references=[rgb])
    case("npy-beside-a-broken-one", "One that cannot be read costs itself alone.",
         multipart("mixed", "mix", part("application/x-npy", b64(b"\x93NUMPY\x01\x00"), BASE64), part("application/x-npy", b64(pictures.npy(rgb)), BASE64)),
         expect={"tree": ["multipart/mixed", ["application/x-npy"], ["image/png"]], "images": [image()]}, references=[rgb])
    for name, pixels, bands, why in (("rgb", rgb, 3, "Three bands are RGB."), ("gray", gray, 1, "One band is gray."),
                                     ("gray-alpha", gray_alpha, 2, "Two bands are gray and alpha."), ("rgba", rgba, 4, "Four bands are RGB and alpha.")):
        blob(f"raw-{name}", f"Bare pixels. {why}", f"image/x-raw-pixels; width=16; height=12; bands={bands}; format=uchar", pixels.tobytes(), pixels,
             image(filename="frame.png"), attach.format("frame.raw"))
    blob("raw-parameters-in-any-form", "Parameters in any order and case, quoted, folded, with comments.",
         "IMAGE/X-RAW-PIXELS;\n\tFORMAT=\"uchar\" ; Bands=3;\n HEIGHT = 12 ;width=\"16\"", rgb.tobytes(), rgb, image())
    blob("raw-defaults-said", "Endian and layout may be said.",
         "image/x-raw-pixels; width=16; height=12; bands=3; format=uchar; endian=big; layout=interleaved", rgb.tobytes(), rgb, image())
    blob("raw-inline", "Inline, with a Content-ID and no name.", "image/x-raw-pixels; width=16; height=12; bands=3; format=uchar", rgb.tobytes(), rgb,
         image(disposition="inline", cid="raw@example.test"), "Content-Disposition: inline", "Content-ID: <raw@example.test>")
    for name, data, why in (("webp", pictures.webp(16, 12), "A WebP"), ("tiff", pictures.tiff(16, 12), "A TIFF")):
        kind = f"image/{name}"
        case(f"data-{name}", f"{why} as data: URI becomes a PNG: not every mail client shows it.",
             body(f'<img src="{pictures.data_uri(data, kind)}" alt="x">\n'),
             expect={"tree": ["multipart/related", ["text/html"], ["image/png"]], "html": ['<img src="cid:{0}" alt="x">\n'], "images": [image(disposition="inline")]},
             references=[rgb])
    case("data-npy", "An array as data: URI: a picture for programs that hold pixels and write HTML.",
         body(qp(f'<img src="{pictures.data_uri(pictures.npy(rgb), "application/x-npy")}">\n'), HTML, "Content-Transfer-Encoding: quoted-printable"),
         expect={"tree": ["multipart/related", ["text/html"], ["image/png"]], "html": ['<img src="cid:{0}">\n'], "images": [image(disposition="inline")]},
         references=[rgb])
    svg = "<svg xmlns='http://www.w3.org/2000/svg' width='16' height='12'><rect width='16' height='12' fill='#336699'/></svg>"
    case("data-svg", "An SVG as data: URI is drawn.", body(f'<img src="{pictures.data_uri(svg.encode(), "image/svg+xml")}" width="16" height="12">\n'),
         expect={"tree": ["multipart/related", ["text/html"], ["image/png"]], "html": ['<img src="cid:{0}" width="16" height="12">\n'],
                 "images": [{"type": "image/png", "flat": [0x33, 0x66, 0x99], "disposition": "inline"}]})
    case("data-webp-and-png-and-npy", "All kinds in one message: what needs no worker is embedded, the rest is drawn.",
         multipart("mixed", "mix", body(f'<img src="{PNG_URI}"><img src="{pictures.data_uri(pictures.webp(16, 12), "image/webp")}">\n'),
                   part("application/x-npy", b64(pictures.npy(gray)), BASE64, attach.format("g.npy"))),
         expect={"tree": ["multipart/mixed", ["multipart/related", ["text/html"], ["image/png"], ["image/png"]], ["image/png"]],
                 "html": ['<img src="cid:{0}"><img src="cid:{1}">\n'],
                 "images": [{"type": "image/png", "reference": 0}, {"type": "image/png", "reference": 1}, {"type": "image/png", "reference": 2, "filename": "g.png"}]},
         references=[pictures.array(8, 6), rgb, gray])


def qp_bytes(data):
    import quopri
    # Line ends within binary data have to be escaped too (RFC 2045 6.7 rule 4).
    return "=0A=\n".join(quopri.encodestring(piece).decode().replace("\r", "=0D") for piece in data.split(b"\n")) + "=\n"


def charsets_without_ascii():
    for charset, words in (("utf-16", "Größe"), ("iso-2022-jp", "こんにちは")):
        html = f'<p>{words} <img src="{PNG_URI}"> {words}</p>\n'
        case(f"charset-{charset}", f"HTML in {charset} is no superset of ASCII: whatever is done, its text survives.",
             body(b64(html.encode(charset)), f"text/html; charset={charset}", BASE64), expect={"text": [f"{words}  {words}"]})


BOX = ("<svg xmlns='http://www.w3.org/2000/svg' width='16' height='12'>"
       "<rect width='16' height='12' fill='#336699'/></svg>")
BADGE = ("<svg xmlns='http://www.w3.org/2000/svg' width='16' height='12'><title>{{name}}</title>"
         "<rect width='16' height='12' fill='{{colour}}'/></svg>")
ASSETS = '[assets]\nroot = "@CASE@/assets"\n'


def assets():
    def one(name, why, html, files, policy=ASSETS, **more):
        case(name, why, body(html), policy=policy, assets=files, **more)

    one("asset-png", "asset:NAME is a file beneath the asset root; a PNG is embedded byte for byte under its name.",
        '<p>Us: <img src="asset:logo.png" alt="logo"></p>\n', {"logo.png": PNG})
    one("asset-everywhere", "A reference to an asset may stand wherever a picture is named; one picture is one part.",
        '<style>h1 { background: url(asset:bar.gif) } p { background: url("asset:bar.gif") }</style>\n'
        '<body background="asset:bar.gif"><table background="ASSET:%62ar.gif"><tr><td style="background:url(asset:bar.gif)">\n'
        '<img src="asset:bar.gif" srcset="asset:bar.gif 1x, asset:photos/big.jpg 2x"><input type=image src=asset:bar.gif>\n'
        '<!--[if mso]><v:rect><v:fill src="asset:bar.gif" /></v:rect><![endif]--></td></tr></table></body>\n',
        {"bar.gif": GIF, "photos/big.jpg": JPEG})
    one("asset-svg", "An SVG is drawn, whatever its name says.", '<img src="asset:box.png" alt="box">\n', {"box.png": BOX},
        expect={"tree": ["multipart/related", ["text/html"], ["image/png"]], "html": ['<img src="cid:{0}" alt="box">\n'],
                "images": [{"type": "image/png", "flat": [0x33, 0x66, 0x99], "filename": "box.png", "disposition": "inline"}]})
    case("asset-name-in-latin1", "The name of an asset is read in the charset of its text.",
         body('<img src="asset:größe.png" alt="Größe"><img src="asset:gr&ouml;&szlig;e.png">\n', "text/html; charset=iso-8859-1"),
         encoding="latin-1", policy=ASSETS, assets={"größe.png": PNG})
    one("asset-template", "An SVG asset is filled in where the rules say so: other values are another picture.",
        '<img src="asset:badge.svg?name=Jane+%26+Joe&amp;colour=%23336699"><img src="asset:badge.svg?colour=red&amp;name=%C3%84">'
        '<img src="asset:badge.svg?name=Jane+%26+Joe&amp;colour=%23336699">\n',
        {"badge.svg": BADGE}, policy=ASSETS + "[defaults]\ntemplates = true\n",
        expect={"tree": ["multipart/related", ["text/html"], ["image/png"], ["image/png"]],
                "html": ['<img src="cid:{0}"><img src="cid:{1}"><img src="cid:{0}">\n'],
                "images": [{"type": "image/png", "flat": [0x33, 0x66, 0x99], "filename": "badge.png"},
                           {"type": "image/png", "flat": [255, 0, 0]}]})
    one("asset-template-without-value", "A template that lacks a value stays a reference: a badge without a name is worse.",
        '<img src="asset:badge.svg?colour=red"><img src="asset:badge.svg">\n', {"badge.svg": BADGE},
        policy=ASSETS + "[defaults]\ntemplates = true\n", same=True)
    one("asset-without-templates", "Values are for templates alone.", '<img src="asset:logo.png?v=2">\n', {"logo.png": PNG}, same=True)
    one("asset-missing", "What is not there stays as it was, and the rest is done.",
        '<img src="asset:none.png"><img src="asset:logo.png">\n', {"logo.png": PNG})
    one("asset-outside", "Nothing outside the root is opened, however it is spelt.",
        "".join(f'<img src="{url}">\n' for url in ("asset:../in.eml", "asset:%2e%2e/logo.png", "asset:/etc/passwd",
                                                   "asset:sub/../logo.png", "asset:./logo.png", "asset://logo.png")),
        {"logo.png": PNG, "sub/a.png": PNG}, same=True)
    one("asset-of-a-brand", "A rule may name a folder of its own.", '<img src="asset:logo.png">\n',
        {"brand-a/logo.png": GIF, "logo.png": PNG},
        policy=ASSETS + '[[rule]]\nname = "brand a"\nmatch = { from = "*@a.example" }\nassets = "brand-a"\n',
        arguments=("--from", "x@a.example"))
    one("file-that-no-rule-allows", "file: is for rules that say so, and is no failure where none does.",
        '<img src="file:///C:/Users/jane/logo.png"><img src="file:///etc/passwd">\n', {"logo.png": PNG},
        policy=ASSETS + "[defaults]\non_fail = \"reject\"\n", same=True)


def external(parameters, *fields):
    return part("message/external-body; " + parameters, "\n".join(fields) + "\n\n")


def external_bodies():
    text = part(TEXT, "See the chart.\n")
    svg = external('access-type=local-file; name="chart.svg"', "Content-Type: image/svg+xml", "Content-ID: <chart@example.test>",
                   "Content-Description: Sales")
    case("external-svg", "A message of a few hundred bytes asks the server to make its attachment.",
         multipart("mixed", "mix", text, svg), policy=ASSETS, assets={"chart.svg": BOX},
         expect={"tree": ["multipart/mixed", ["text/plain"], ["image/png"]],
                 "images": [{"type": "image/png", "flat": [0x33, 0x66, 0x99], "filename": "chart.png", "name": "chart.png",
                             "disposition": "attachment", "cid": "chart@example.test", "fields": {"Content-Description": "Sales"}}]})
    case("external-png", "What mail clients show is attached byte for byte, under the names and fields of the inner header.",
         multipart("mixed", "mix", text,
                   external('ACCESS-TYPE="Local-File"; directory=charts;\n NAME*=utf-8\'\'a%20b.png; permission=read; size=9',
                            'Content-Type: image/png; name="old.png"', "Content-Transfer-Encoding: binary",
                            "Content-Disposition: attachment;\n filename=sales.png; size=9", "Content-Language: en",
                            "X-Other: stays behind")), policy=ASSETS, assets={"charts/a b.png": PNG})
    case("external-alone", "A message that is nothing else.",
         external("access-type=local-file; name=logo.gif", "Content-Type: image/gif", "Content-ID: <logo@example.test>", "",
                  "A phantom body that says nothing."), policy=ASSETS, assets={"logo.gif": GIF})
    case("external-named-by-cid", "The Content-ID of the inner header is what the HTML names.",
         multipart("related", "rel", body('<img src="cid:logo@example.test">\n'),
                   external("access-type=local-file; name=logo.png", "Content-Type: image/png", "Content-ID: <logo@example.test>",
                            "Content-Disposition: inline")), policy=ASSETS, assets={"logo.png": PNG})
    case("external-url-of-an-asset", "An access type URL may name an asset, with values for a template.",
         multipart("mixed", "mix", text,
                   external('access-type=URL; URL="asset:badge.svg?name=Jane\n  &colour=%23336699"', "Content-Type: image/svg+xml")),
         policy=ASSETS + "[defaults]\ntemplates = true\n", assets={"badge.svg": BADGE},
         expect={"tree": ["multipart/mixed", ["text/plain"], ["image/png"]],
                 "images": [{"type": "image/png", "flat": [0x33, 0x66, 0x99], "filename": "badge.png", "disposition": "attachment"}]})
    case("external-pixels", "Bare pixels that lie on the server.",
         multipart("mixed", "mix", text, external("access-type=local-file; name=frame.raw",
                                                  "Content-Type: image/x-raw-pixels; width=4; height=3; bands=3; format=uchar")),
         policy=ASSETS, assets={"frame.raw": bytes([10, 20, 30] * 12)},
         expect={"tree": ["multipart/mixed", ["text/plain"], ["image/png"]],
                 "images": [{"type": "image/png", "flat": [10, 20, 30], "filename": "frame.png", "disposition": "attachment"}]})
    image = ("Content-Type: image/png", "Content-ID: <x@example.test>")
    case("external-that-stays", "What cannot be had, or is none of our business, keeps every byte.",
         multipart("mixed", "mix", text,
                   external("access-type=local-file; name=none.png", *image),
                   external('access-type=local-file; name="../in.eml"', *image),
                   external('access-type=local-file; name="/etc/passwd"', *image),
                   external('access-type=local-file; name=logo.png; expiration="Fri, 14 Jun 1991 19:13:14 -0400 (EDT)"', *image),
                   external('access-type=local-file; name=logo.png; site="thumper.bellcore.com"', *image),
                   external("access-type=local-file; name=logo.png; name=logo.png", *image),
                   external("access-type=local-file; name=logo.png", "Content-Type: application/postscript"),
                   external("access-type=anon-ftp; name=logo.png; site=ftp.example.org; directory=pub", *image),
                   external('access-type=URL; URL="https://example.org/logo.png"', *image),
                   external("access-type=local-file", *image),
                   part("message/external-body; access-type=local-file; name=logo.png", "Content-Type: image/png\n\n",
                        "Content-Transfer-Encoding: base64")),
         policy=ASSETS, assets={"logo.png": PNG}, same=True)
    case("external-in-forwarded-mail", "What is forwarded or signed keeps every byte.",
         multipart("mixed", "mix", text, part("message/rfc822", "Subject: inner\n" + MIME + external(
             "access-type=local-file; name=logo.png", *image)),
                   multipart("signed", "sig", external("access-type=local-file; name=logo.png", *image),
                             part("application/pgp-signature", "none\n"), parameters='; micalg=pgp-sha256; protocol="application/pgp-signature"')),
         policy=ASSETS, assets={"logo.png": PNG}, same=True)


def write(name, entry, build):
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)

    def put(file, data):
        with open(os.path.join(folder, file), "wb") as out:
            out.write(data if isinstance(data, bytes) else data.encode())

    put("in.eml", entry["in"])
    put("policy.toml", entry["policy"])
    put("why.txt", entry["why"] + "\n")
    if entry["arguments"]:
        put("args", "".join(argument + "\n" for argument in entry["arguments"]))
    for path, data in entry["assets"].items():
        os.makedirs(os.path.dirname(os.path.join(folder, "assets", path)), exist_ok=True)
        put(os.path.join("assets", path), data)
    if entry["refused"]:
        put("refused", "%d\n%s\n" % entry["refused"])
    elif entry["expect"] is not None:
        put("expect.json", json.dumps(entry["expect"], ensure_ascii=False, indent=1) + "\n")
        for number, pixels in enumerate(entry["references"]):
            put(f"reference-{number}.png", pictures.encode(numpy.ascontiguousarray(pixels), "PNG"))
    elif entry["same"]:
        put("out.eml", entry["in"])
    elif build:
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as policy:
            policy.write(entry["policy"].replace("@CASE@", folder))
            policy.flush()
            done = subprocess.run([os.path.join(build, "pixmilter"), "rewrite", "-c", policy.name, *entry["arguments"],
                                   os.path.join(folder, "in.eml")], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            print(f"{name}: exit status {done.returncode}: {done.stderr.decode()}")
            return
        if done.stdout == entry["in"]:
            print(f"{name}: nothing was changed: {done.stderr.decode().strip()}")
            return
        put("out.eml", done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", metavar="BUILD", help="make out.eml too, with the program built here")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    embedding()
    never_touched()
    rendering()
    charsets_without_ascii()
    rule_cases.add(case, HEAD + MIME)
    assets()
    external_bodies()
    for name, entry in CASES.items():
        if not options.names or name in options.names:
            write(name, entry, options.out and os.path.abspath(options.out))
    print(f"{len(CASES)} cases")


main()
