"""Assorted messages with nothing in them for pixmilter to do: all must go through byte for byte.

messages() gives (name, bytes) pairs, the same ones each time, with LF line ends (crlf() makes the other
form). They are the kinds of mail that servers carry, the ones that must never be touched although they
hold pictures, and a good many that are broken in the ways mail is broken.
"""

import base64
import quopri
import random
import re

import pictures

HEAD = """\
From: Sender <sender@example.test>
To: Recipient <recipient@example.test>
Subject: {subject}
Date: Mon, 01 Jan 2024 12:00:00 +0000
Message-ID: <{id}@example.test>
MIME-Version: 1.0
"""

PICTURE_HTML = f'<p>Chart: <img src="{pictures.data_uri(pictures.png())}" alt="c"></p>\n'
PLAIN_HTML = '<html><body><p>Hello <b>there</b> &amp; welcome.</p></body></html>\n'


def crlf(message):
    return re.sub(rb"\r?\n", b"\r\n", message)


def b64(data, width=76):
    text = base64.b64encode(data).decode()
    return "".join(text[i:i + width] + "\n" for i in range(0, len(text), width))


def qp(text, charset="utf-8"):
    return quopri.encodestring(text.encode(charset)).decode("ascii")


def part(kind, body, *headers):
    return "\n".join((f"Content-Type: {kind}",) + headers) + "\n\n" + body


def multipart(subtype, boundary, *parts, parameters="", preamble="", epilogue=""):
    """Content-Type and body of a multipart, to be put after HEAD or into another one."""
    out = f'Content-Type: multipart/{subtype}; boundary="{boundary}"{parameters}\n\n{preamble}'
    for piece in parts:
        out += f"--{boundary}\n{piece}\n"
    return out + f"--{boundary}--\n{epilogue}"


def messages():
    found = []

    def add(name, rest, encoding="utf-8", head=HEAD):
        text = head.format(subject=name, id=re.sub(r"\W", "", name)) + rest
        found.append((name, text if isinstance(text, bytes) else text.encode(encoding)))

    def raw(name, data):
        found.append((name, data))

    text, html = "text/plain; charset=utf-8", "text/html; charset=utf-8"
    html_part = part(html, PICTURE_HTML)
    png64 = b64(pictures.png())
    png_part = part('image/png; name="a.png"', png64, "Content-Transfer-Encoding: base64",
                    'Content-Disposition: inline; filename="a.png"', "Content-ID: <a@example.test>")

    # Plain text in all its encodings and shapes.
    add("plain 7bit", "Content-Type: text/plain; charset=us-ascii\n\nHello.\n")
    add("plain without content type", "\nHello.\n")
    add("plain 8bit utf-8", f"Content-Type: {text}\nContent-Transfer-Encoding: 8bit\n\nGrüße, žluťoučký kůň\n")
    add("plain 8bit latin-1", "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n"
        "Grüße\n", "latin-1")
    add("plain 8bit undeclared", "Content-Type: text/plain\n\nGr\u00fc\u00dfe\n", "latin-1")
    add("plain quoted-printable", f"Content-Type: {text}\nContent-Transfer-Encoding: quoted-printable\n\n"
        + qp("Grüße und lange Zeilen " * 12 + " \nEnde=\n"))
    add("plain base64", f"Content-Type: {text}\nContent-Transfer-Encoding: base64\n\n" + b64("Grüße\n".encode() * 40))
    add("plain base64 odd lines", f"Content-Type: {text}\nContent-Transfer-Encoding: base64\n\n"
        + b64(b"odd line lengths " * 30, 61))
    add("plain format flowed", "Content-Type: text/plain; format=flowed; delsp=yes\n\nThis is \nflowed. \n-- \nme\n")
    add("empty body", f"Content-Type: {text}\n\n")
    add("no body and no blank line", f"Content-Type: {text}\n")
    add("no final newline", f"Content-Type: {text}\n\nHello without an end")
    add("only blank lines", f"Content-Type: {text}\n\n\n\n\n\n")
    add("long line", f"Content-Type: {text}\n\n" + "long " * 180 + "\n")
    add("very long line", f"Content-Type: {text}\n\n" + "x" * 20000 + "\nend\n")
    add("trailing white space", f"Content-Type: {text}\n\nblanks   \ntab\t\n \n\t\n")
    add("dots", f"Content-Type: {text}\n\n.\n..\n.dot\n...\nend\n")
    add("from lines", f"Content-Type: {text}\n\nFrom here on\n>From there\nFrom me\n")
    add("looks like a boundary", f"Content-Type: {text}\n\n--b\nContent-Type: text/html\n\n{PICTURE_HTML}--b--\n")
    add("html source as text", f"Content-Type: {text}\n\n{PICTURE_HTML}")
    add("uuencode in text", f"Content-Type: {text}\n\nbegin 644 a.png\n#0V%T\n`\nend\n")
    add("form feed and bell", f"Content-Type: {text}\n\nforms\f and bells\a\v\x7f\n")
    add("byte order mark", f"Content-Type: {text}\n\n\ufeffmarked\n")
    add("a megabyte", f"Content-Type: {text}\n\n" + "The quick brown fox jumps over the lazy dog. 0123456789\n" * 19000)
    for charset, words in (("iso-2022-jp", "こんにちは"), ("koi8-r", "Привет"), ("gb18030", "你好"),
                           ("shift_jis", "こんにちは"), ("windows-1252", "Grüße €"), ("big5", "你好"),
                           ("euc-kr", "안녕")):
        add(f"plain {charset}", f"Content-Type: text/plain; charset={charset}\n\n{words}\n", charset)
        found[-1] = (f"plain {charset}", found[-1][1].replace(words.encode("utf-8"), words.encode(charset)))
    add("plain utf-16 in base64", "Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\n"
        + b64("Grüße\n".encode("utf-16")))
    add("text enriched", "Content-Type: text/enriched\n\n<bold>Hello</bold>\n")
    add("text csv", "Content-Type: text/csv; header=present\n\na,b\n1,2\n")
    add("text vcard", "Content-Type: text/vcard\n\nBEGIN:VCARD\nVERSION:3.0\nPHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo=\nEND:VCARD\n")
    add("unknown transfer encoding", f"Content-Type: {text}\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 a\n`\nend\n")
    add("binary transfer encoding", f"Content-Type: {text}\nContent-Transfer-Encoding: binary\n\nhello\n")

    # Header fields.
    add("folded fields", "X-Long: one\n two\n\tthree\n  four\nContent-Type: text/plain;\n\tcharset=utf-8;\n format=fixed\n\nHi\n")
    add("no space after the colon", "X-Tight:value\nX-Tighter:\nX-Wide:     value   \nX-Tab:\tvalue\n\nHi\n")
    add("case of names", "x-lower: a\nX-UPPER: B\ncONTENT-tYPE: TEXT/PLAIN; CHARSET=UTF-8\n\nHi\n")
    add("odd names", "X_Under: a\nX.Dot: b\n!#$%&'*+-^`{|}~: c\nX-Foo!Bar: d\n\nHi\n")
    add("encoded words", "X-Note: =?utf-8?B?R3LDvMOfZQ==?= =?iso-8859-1?Q?Gr=FC=DFe?=\n"
        "Comments: =?utf-8?Q?broken?\n\nHi\n")
    add("raw utf-8 in a field", "X-Note: Grüße\n\nHi\n")
    add("raw latin-1 in a field", "X-Note: Grüße\n\nHi\n", "latin-1")
    add("two hundred fields", "".join(f"X-Field-{i}: value {i}\n" for i in range(200)) + "\nHi\n")
    add("the same field often", "".join(f"X-Same: value {i}\n" for i in range(20)) + "\nHi\n")
    add("a field of 5000 bytes", "X-Big: " + "\n ".join("word%d" % i for i in range(700)) + "\n\nHi\n")
    add("a field line of 2000 bytes", "X-Big: " + "y" * 2000 + "\n\nHi\n")
    add("trace fields", "Received: from a.example.test by b.example.test; Mon, 1 Jan 2024 00:00:00 +0000\n"
        "Received: (from x@localhost)\n\tby a.example.test; Mon, 1 Jan 2024 00:00:00 +0000\nResent-From: a@example.test\n"
        "Authentication-Results: example.test; spf=pass\n\nHi\n")
    add("list fields", "List-Id: <x.example.test>\nList-Unsubscribe: <https://example.test/u>\nPrecedence: bulk\n"
        "Auto-Submitted: auto-generated\n\nHi\n")
    add("comments in mime fields", "Content-Type: text/plain (really); charset=(what)utf-8\n"
        "Content-Transfer-Encoding: 7bit (honest)\n\nHi\n")
    add("garbage content type", "Content-Type: plain\n\nHi\n")
    add("empty content type", "Content-Type:\n\nHi\n")
    add("semicolons", "Content-Type: text/plain;; ;charset=utf-8;\n\nHi\n")
    add("unknown charset", "Content-Type: text/plain; charset=x-klingon\n\nHi\n")
    add("unclosed quote", 'Content-Type: text/plain; charset="utf-8\n\nHi\n')
    add("content type without mime version", f"Content-Type: {text}\n\nHi\n", head=HEAD.replace("MIME-Version: 1.0\n", ""))
    raw("no header at all", b"\nbody only\n")
    raw("a line that is no field", b"From: a@example.test\nTo: b@example.test\nthis is no field\nSubject: x\n\nbody\n")
    raw("white space line in the header", b"From: a@example.test\nTo: b@example.test\nX-A: 1\n \nSubject: x\n\nbody\n")
    raw("space before the colon", b"From: a@example.test\nTo: b@example.test\nSubject : spaced\n\nbody\n")

    # HTML with nothing to embed.
    add("html alone", f"Content-Type: {html}\n\n{PLAIN_HTML}")
    add("html with web images", f'Content-Type: {html}\n\n<img src="https://example.test/a.png"><img src=//x/y.gif>\n')
    add("html with relative images", f'Content-Type: {html}\n\n<img src="a.png"><img src=""><img><img src="  ">\n')
    add("html with data: in the wrong places", f"Content-Type: {html}\n\n"
        + '<a href="{0}">x</a><script>var a = "<img src=\'{0}\'>";</script><iframe src="{0}"></iframe>'
          '<textarea><img src="{0}"></textarea><title><img src="{0}"></title><!-- <img src="{0}"> -->'
          '<img data-src="{0}"><p>&lt;img src="{0}"></p><object data="{0}"></object><embed src="{0}">\n'
          .replace("{0}", pictures.data_uri(pictures.png(8, 8))))
    add("html with data: that is no picture", f"Content-Type: {html}\n\n"
        '<img src="data:"><img src="data:,"><img src="data:image/png;base64,"><img src="data:image/png;base64,!!!!">'
        '<img src="data:text/html,hello"><img src="data:image/png;base64,aGVsbG8gd29ybGQ="><img src="data:image/png">\n')
    add("html quoted-printable", f"Content-Type: {html}\nContent-Transfer-Encoding: quoted-printable\n\n" + qp(PLAIN_HTML * 3))
    add("html base64", f"Content-Type: {html}\nContent-Transfer-Encoding: base64\n\n" + b64(PLAIN_HTML.encode() * 3))
    add("html in koi8-r", "Content-Type: text/html; charset=koi8-r\n\n<p>Привет</p>\n", "koi8-r")
    add("html in utf-16", "Content-Type: text/html; charset=utf-16\nContent-Transfer-Encoding: base64\n\n"
        + b64(PLAIN_HTML.encode("utf-16")))
    add("html broken", f"Content-Type: {html}\n\n<p <b <img src= <!-- <![endif]--> <img src='x\n")
    add("html that ends in a tag", f"Content-Type: {html}\n\n<p>x<img src=\"data:image/png;base64,iVBOR")
    add("html empty", f"Content-Type: {html}\n\n")
    add("xhtml", "Content-Type: application/xhtml+xml\n\n<html xmlns='http://www.w3.org/1999/xhtml'/>\n")

    # Multiparts without anything to do.
    alternative = multipart("alternative", "alt", part(text, "Hello.\n"), part(html, PLAIN_HTML))
    add("alternative", alternative)
    add("alternative with preamble and epilogue", multipart("alternative", "alt", part(text, "Hello.\n"),
        part(html, PLAIN_HTML), preamble="This is MIME.\n\n", epilogue="\nThe end.\n"))
    add("related with a picture of its own", multipart("related", "rel",
        part(html, '<img src="cid:a@example.test">\n'), png_part, parameters='; type="text/html"'))
    add("mixed with attachments", multipart("mixed", "mix", part(text, "See.\n"),
        part("application/pdf", b64(b"%PDF-1.4 " * 40), "Content-Transfer-Encoding: base64",
             'Content-Disposition: attachment; filename="a.pdf"'),
        part("application/zip", b64(b"PK\3\4" * 40), "Content-Transfer-Encoding: base64")))
    add("photo attached", multipart("mixed", "mix", part(text, "See.\n"),
        part("image/jpeg", b64(pictures.jpeg()), "Content-Transfer-Encoding: base64",
             'Content-Disposition: attachment; filename="IMG_1.jpg"')))
    add("picture alone", "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n" + png64)
    add("tiff attached", multipart("mixed", "mix", part(text, "Scan.\n"),
        part("image/tiff", b64(pictures.tiff()), "Content-Transfer-Encoding: base64",
             'Content-Disposition: attachment; filename="scan.tif"')))
    add("npy attached as octets", multipart("mixed", "mix", part(text, "Data.\n"),
        part("application/octet-stream", b64(pictures.npy(pictures.array())), "Content-Transfer-Encoding: base64",
             'Content-Disposition: attachment; filename="data.npy"')))
    add("svg attached", multipart("mixed", "mix", part(text, "Logo.\n"),
        part("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>\n",
             'Content-Disposition: attachment; filename="logo.svg"')))
    add("html attached", multipart("mixed", "mix", part(text, "Report.\n"),
        part(html, PICTURE_HTML, 'Content-Disposition: attachment; filename="report.html"')))
    add("html attached without quotes, folded", multipart("mixed", "mix", part(text, "Report.\n"),
        part(html, PICTURE_HTML, "content-disposition:\n ATTACHMENT ;\n filename*=utf-8''r%C3%A9port.html")))
    add("nested six deep", nested(6))
    add("nested forty deep", nested(40))
    add("empty multipart", 'Content-Type: multipart/mixed; boundary="x"\n\n--x--\n')
    add("multipart without any part", 'Content-Type: multipart/mixed; boundary="x"\n\nnothing here\n')
    add("multipart without boundary", f"Content-Type: multipart/mixed\n\n--x\n\n{PICTURE_HTML}\n--x--\n")
    add("multipart without its end", 'Content-Type: multipart/mixed; boundary="x"\n\n--x\n\nhello\n--x\n\nthere\n')
    add("parts without headers", multipart("mixed", "x", "\nhello\n", "\nthere\n", "\n"))
    add("part without blank line", 'Content-Type: multipart/mixed; boundary="x"\n\n--x\nContent-Type: text/plain\n--x--\n')
    add("boundary lines with trailing blanks", 'Content-Type: multipart/mixed; boundary="x"\n\n--x  \n\nhello\n--x\t\n\nthere\n--x-- \n')
    add("boundary with all its characters", multipart("mixed", "=_'()+_,-./:=? x", part(text, "hi\n")))
    add("digest", multipart("digest", "d", "\nFrom: a@example.test\nSubject: one\n\nfirst\n",
                            f"\nFrom: b@example.test\nContent-Type: text/html\n\n{PICTURE_HTML}"))
    add("parallel", multipart("parallel", "p", part(text, "one\n"), part(text, "two\n")))
    add("form data", multipart("form-data", "f", part(text, "v\n", 'Content-Disposition: form-data; name="a"')))
    add("apple double", multipart("appledouble", "a", part("application/applefile", b64(b"\0\5\26\7"),
        "Content-Transfer-Encoding: base64"), part("application/octet-stream", b64(b"x"), "Content-Transfer-Encoding: base64")))
    add("tnef", multipart("mixed", "t", part(text, "x\n"), part('application/ms-tnef; name="winmail.dat"',
        b64(b"\x78\x9f\x3e\x22" * 9), "Content-Transfer-Encoding: base64")))
    add("voice mail", multipart("voice-message", "v", part("audio/32KADPCM", b64(b"\1\2\3"), "Content-Transfer-Encoding: base64")))
    add("external body", multipart("mixed", "e", part(text, "x\n"),
        part('message/external-body; access-type=anon-ftp; name="a"; site="ftp.example.test"', "Content-Type: text/plain\n\n")))
    add("message partial", 'Content-Type: message/partial; id="x@y"; number=1; total=2\n\nFrom: a\n\nhalf\n')

    # Never touched, although there is a picture to be seen.
    signature = part('application/pkcs7-signature; name="smime.p7s"', b64(b"signature"), "Content-Transfer-Encoding: base64")
    pgp = part("application/pgp-signature", "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n")
    add("signed smime", multipart("signed", "s", html_part, signature,
                                  parameters='; protocol="application/pkcs7-signature"; micalg=sha-256'))
    add("signed pgp", multipart("signed", "s", multipart("mixed", "m", html_part), pgp,
                                parameters='; protocol="application/pgp-signature"; micalg=pgp-sha256'))
    add("signed within mixed", multipart("mixed", "o", multipart("signed", "s", html_part, pgp), part(text, "footer\n")))
    add("signed in upper case", multipart("SIGNED", "s", html_part, pgp))
    add("encrypted", multipart("encrypted", "e", part("application/pgp-encrypted", "Version: 1\n"),
                               part("application/octet-stream", "-----BEGIN PGP MESSAGE-----\nx\n-----END PGP MESSAGE-----\n")))
    add("pkcs7 mime", 'Content-Type: application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"\n'
        "Content-Transfer-Encoding: base64\n\n" + b64(f"Content-Type: text/html\n\n{PICTURE_HTML}".encode()))
    add("x pkcs7 mime", "Content-Type: application/x-pkcs7-mime\nContent-Transfer-Encoding: base64\n\n" + b64(b"x" * 99))
    add("inline pgp signed", f"Content-Type: {text}\n\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nhi\n"
        "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n")
    add("inline pgp message", f"Content-Type: {text}\n\n-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n")
    add("dkim signed", f"DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=x; h=from; bh=abc=; b=def=\nContent-Type: {html}\n\n{PICTURE_HTML}")
    add("dkim signed, name in lower case", f"dkim-signature: v=1;\n d=example.test; b=def=\nContent-Type: {html}\n\n{PICTURE_HTML}")
    add("arc sealed", f"ARC-Seal: i=1; a=rsa-sha256; d=example.test; s=x; cv=none; b=def=\nContent-Type: {html}\n\n{PICTURE_HTML}")
    inner = HEAD.format(subject="inner", id="inner") + f"Content-Type: {html}\n\n{PICTURE_HTML}"
    add("forwarded", multipart("mixed", "f", part(text, "fyi\n"), part("message/rfc822", inner)))
    add("forwarded as attachment", multipart("mixed", "f", part(text, "fyi\n"),
        part("message/rfc822", inner, 'Content-Disposition: attachment; filename="m.eml"')))
    add("forwarded alone", "Content-Type: message/rfc822\n\n" + inner)
    add("delivery report", multipart("report", "r", part(text, "failed\n"),
        part("message/delivery-status", "Reporting-MTA: dns; example.test\n\nFinal-Recipient: rfc822; a@example.test\nAction: failed\n"),
        html_part, part("message/rfc822", inner), parameters="; report-type=delivery-status"))
    add("read receipt", multipart("report", "r", part(text, "read\n"), part("message/disposition-notification",
        "Final-Recipient: rfc822; a@example.test\nDisposition: manual-action; displayed\n"),
        parameters="; report-type=disposition-notification"))
    add("calendar", multipart("alternative", "c", part(text, "Meeting\n"), part(html, PLAIN_HTML),
        part("text/calendar; method=REQUEST; charset=utf-8", "BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\n"
             "BEGIN:VEVENT\nUID:1\nX-ALT-DESC;FMTTYPE=text/html:<img src=\"" + pictures.data_uri(pictures.png(4, 4)) + "\">\n"
             "END:VEVENT\nEND:VCALENDAR\n")))
    add("calendar alone", "Content-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n")

    # Two parsers could read these in two ways.
    add("two content types", f"Content-Type: {html}\nContent-Type: {text}\n\n{PICTURE_HTML}")
    add("two content types in a part", multipart("mixed", "x",
        f"Content-Type: {text}\nContent-Type: {html}\n\n{PICTURE_HTML}"))
    add("two boundaries", f'Content-Type: multipart/mixed; boundary="a"; boundary="b"\n\n--a\n{html_part}--b\n{html_part}--a--\n--b--\n')
    add("encoded boundary", f"Content-Type: multipart/mixed; boundary*=us-ascii''x%20y\n\n--x y\n{html_part}\n--x y--\n")
    add("continued boundary", f"Content-Type: multipart/mixed; boundary*0=x; boundary*1=y\n\n--xy\n{html_part}\n--xy--\n")
    add("boundary that prefixes its parent's", 'Content-Type: multipart/mixed; boundary="abc"\n\n--abc\n'
        f'Content-Type: multipart/alternative; boundary="ab"\n\n--ab\n{html_part}\n--ab--\n\n--abc--\n')
    add("boundary equal to its parent's", 'Content-Type: multipart/mixed; boundary="abc"\n\n--abc\n'
        f'Content-Type: multipart/alternative; boundary="abc"\n\n--abc\n{html_part}\n--abc--\n')
    add("two transfer encodings", f"Content-Type: {html}\nContent-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\n{PICTURE_HTML}")

    # Raw pixels that do not add up are left as they came.
    add("raw pixels too few", multipart("mixed", "x", part(text, "x\n"),
        part("image/x-raw-pixels; width=64; height=64; bands=3; format=uchar", b64(b"\1\2\3" * 9), "Content-Transfer-Encoding: base64")))
    add("npy that is none", multipart("mixed", "x", part(text, "x\n"),
        part("application/x-npy", b64(b"\x93NUMPY\1\0v\0{'descr': '|O', "), "Content-Transfer-Encoding: base64")))

    # NUL and bare CR within the lines.
    raw("nul in the body", (HEAD.format(subject="nul", id="nul") + f"Content-Type: {html}\n\n{PICTURE_HTML}a\0b\n").encode())
    raw("bare cr in the body", (HEAD.format(subject="cr", id="cr") + f"Content-Type: {html}\n\n{PICTURE_HTML}a\rb\n").encode())

    # And a few dozen put together at random, so that not all of it is what we thought of.
    dice = random.Random(7)
    for number in range(30):
        add(f"random {number}", random_entity(dice, 0) if number % 5 else f"Content-Type: {text}\n\n" + random_text(dice))
    names = [name for name, _ in found]
    assert len(set(names)) == len(names)
    return found


def nested(depth):
    inner = part("text/plain; charset=utf-8", "deep\n")
    for level in range(depth):
        inner = multipart("mixed" if level % 2 else "alternative", f"level{level}-", inner)
    return inner


def random_text(dice):
    words = "alpha beta gamma Grüße čau =20 . .. --x From -- é \t <b> &amp; data:image/png".split(" ")
    return "".join(" ".join(dice.choice(words) for _ in range(dice.randint(0, 15))) + "\n" for _ in range(dice.randint(0, 30)))


def random_entity(dice, depth):
    kind = dice.choice(["leaf", "leaf", "mixed", "alternative", "related"] if depth < 4 else ["leaf"])
    if depth == 0 and kind == "leaf":
        kind = "mixed"
    if kind != "leaf":
        boundary = "".join(dice.choice("abcdefghijklmnopqrstuvwxyz0123456789'()+_,-./:=?") for _ in range(dice.randint(8, 40))) + f"{depth}{dice.randint(0, 9**9)}"
        # A related whose root is HTML, or one may take it apart.
        pieces = [random_entity(dice, depth + 1) for _ in range(dice.randint(1, 4))]
        return multipart(kind, boundary, *pieces, preamble=dice.choice(["", "preamble\n"]), epilogue=dice.choice(["", "\n", "epilogue\n"]))
    encoding = dice.choice(["7bit", "8bit", "quoted-printable", "base64"])
    kind, body = dice.choice([("text/plain; charset=utf-8", random_text(dice)), ("text/html; charset=utf-8", PLAIN_HTML + random_text(dice)),
                              ("application/octet-stream", random_text(dice)), ("image/png", None), ("application/pdf", random_text(dice))])
    if body is None:
        encoding = "base64"
        data = pictures.png(dice.randint(1, 20), dice.randint(1, 20))
    else:
        data = body.encode()
    if encoding == "base64":
        body = b64(data)
    elif encoding == "quoted-printable":
        body = qp(body)
    return part(kind, body, f"Content-Transfer-Encoding: {encoding}",
                *dice.choice([[], ["Content-Disposition: attachment"], [f"Content-ID: <{dice.randint(0, 9**9)}@example.test>"]]))
