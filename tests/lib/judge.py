"""Judges a message with Python's email package and Pillow: eyes that share no code with pixmilter."""

import email
import email.policy
import io
import re

from PIL import Image

SAFE = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF"}
POLICY = email.policy.default.clone(raise_on_defect=False)


def parse(data):
    return email.message_from_bytes(data, policy=POLICY)


def defects(message):
    """Everything the parser found wrong, part by part."""
    return [f"{part.get_content_type()}: {defect!r}" for part in message.walk() for defect in part.defects]


def leaves(message):
    return [part for part in message.walk() if not part.is_multipart()]


def images(message):
    return [part for part in leaves(message) if part.get_content_maintype() == "image"]


def html_parts(message):
    return [part for part in leaves(message) if part.get_content_type() == "text/html"]


def html_text(part):
    """The part's text, decoded; unknown charsets as Latin-1, so that every byte stays visible."""
    raw = part.get_payload(decode=True)
    charset = part.get_content_charset() or "us-ascii"
    try:
        return raw.decode(charset)
    except (LookupError, UnicodeDecodeError):
        return raw.decode("latin-1")


CID = re.compile(r"cid:([^\s\"<>(),]+)")


def one_quote(html):
    """The text with all its quotes alike; within attributes they may be character references."""
    return re.sub("'|&#39;|&quot;", '"', html)


def cids(html):
    """The Content-IDs an HTML text names, in order."""
    return CID.findall(one_quote(html))


def content_id(part):
    value = part["Content-ID"]
    return str(value).strip().strip("<>") if value else None


def tree(message):
    """The MIME tree as nested tuples of content types: ("multipart/related", ("text/html",), ...)."""
    if message.is_multipart():
        return (message.get_content_type(),) + tuple(tree(part) for part in message.iter_parts()) \
            if message.get_content_maintype() == "multipart" else (message.get_content_type(),)
    return (message.get_content_type(),)


def outline(message, depth=0):
    """The MIME tree for the eye, a line a part with the size of its content."""
    kind = message.get_content_type()
    if message.is_multipart() and message.get_content_maintype() == "multipart":
        lines = ["  " * depth + kind]
        for part in message.iter_parts():
            lines += outline(part, depth + 1)
        return lines
    payload = message.get_payload(decode=True) or b""
    return ["  " * depth + f"{kind}  {size(len(payload))}"]


def size(count):
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 999_950 else f"{count / 1e6:.1f} MB"


def complaints(data):
    """What is wrong with a rewritten message, as a list of sentences; empty when it is as promised."""
    found = []
    message = parse(data)
    found += defects(message)
    seen = {}
    for part in leaves(message):
        cid = content_id(part)
        if cid:
            if cid in seen and part.get_content_maintype() == "image":
                found.append(f"two parts have the Content-ID {cid}")
            seen[cid] = part
    for html in html_parts(message):
        if html.get_content_disposition() == "attachment":
            continue
        for cid in cids(html_text(html)):
            if cid not in seen:
                found.append(f"the HTML names cid:{cid}, and no part is it")
    for part in images(message):
        kind = part.get_content_type()
        if kind not in SAFE:
            continue
        payload = part.get_payload(decode=True)
        try:
            with Image.open(io.BytesIO(payload)) as image:
                image.load()
                if image.format != SAFE[kind]:
                    found.append(f"a part says {kind} and is {image.format}")
        except Exception as error:
            found.append(f"a part of {kind} cannot be opened: {error}")
    for line in data.splitlines():
        if len(line) > 998:
            found.append(f"a line of {len(line)} bytes")
            break
    if message.get_all("X-Pixmilter") is None or len(message.get_all("X-Pixmilter")) != 1:
        found.append("X-Pixmilter is not there once")
    return found


def fields_of(part):
    """A part's header fields as they stand, unfolded only as far as the parser does."""
    return [(name.lower(), value) for name, value in part._headers]


def undoing(now, added):
    """What the old text, without its quotes, must match: each cid that is new stands for one data: URI or file,
    and nothing else differs but quotes (an unquoted url() may get some)."""
    now = one_quote(now)
    pattern, last = "", 0
    for found in CID.finditer(now):
        if found.group(1) in added:
            pattern += re.escape(now[last:found.start()].replace('"', "")) + r"\s*(?:data|asset|file)(?::|&#58;)[^>]*?"
            last = found.end()
    return re.compile(r"\A" + pattern + re.escape(now[last:].replace('"', "")) + r"\Z", re.S | re.I)


def check_stood_for(test, header, part):
    """A part whose bytes lay elsewhere: an image under the header that stood for it, or that header still."""
    own = ("content-type", "content-disposition", "content-transfer-encoding", "content-md5", "content-length")
    test.assertEqual(*([field for field in fields_of(one) if field[0].startswith("content-") and field[0] not in own]
                       for one in (header, part)))
    if part.get_payload():
        test.assertEqual(part.get_content_maintype(), "image")
        test.assertEqual(part.get_content_disposition(), header.get_content_disposition() or "attachment")


def check_undone(test, before, after):
    """What was there is there still, in its order; what is new is a picture that the HTML names."""
    old, new = leaves(before), leaves(after)
    for kind in ("preamble", "epilogue"):
        def texts(message):
            return [getattr(part, kind) for part in message.walk() if getattr(part, kind)]
        test.assertEqual(texts(before), texts(after))
    # The fields of the message but for those of MIME keep their order and their bytes.
    def own(message):
        return [(name, value) for name, value in fields_of(message)
                if not name.startswith("content-") and name not in ("mime-version", "x-pixmilter")]
    test.assertEqual(own(before), own(after))
    before_cids = {content_id(part) for part in old}
    added = {content_id(part): part for part in new
             if part.get_content_maintype() == "image" and content_id(part) not in before_cids
             and part.get_content_disposition() == "inline"}
    kept = [part for part in new if not any(part is picture for picture in added.values())]
    test.assertEqual(len(old), len(kept), [part.get_content_type() for part in kept])
    # The header within a message/external-body is a part without content to Python: what it stands for.
    stands_for = [inner for part in before.walk() if part.get_content_type() == "message/external-body"
                  for inner in part.get_payload()]
    for one, other in zip(old, kept):
        if any(one is inner for inner in stands_for):
            check_stood_for(test, one, other)
            continue
        changing = ("content-type", "content-disposition", "content-transfer-encoding")
        if one.get_content_type() == other.get_content_type():
            # A charset that is no superset of ASCII gives way to UTF-8.
            changing = ("content-type",) if str(one.get_content_charset()).startswith(("utf-16", "utf-32", "iso-2022")) else ()
        test.assertEqual(*([field for field in fields_of(part) if field[0].startswith("content-") and field[0] not in changing]
                           for part in (one, other)))
        if one.get_content_type() != other.get_content_type():
            # A blob that was rendered in its place.
            test.assertEqual(other.get_content_maintype(), "image")
            test.assertEqual(content_id(one), content_id(other))
            test.assertEqual(one.get_content_disposition(), other.get_content_disposition())
        elif one.get_payload() != other.get_payload():
            test.assertEqual(one.get_content_type(), "text/html")
            was, now = html_text(one), html_text(other)
            test.assertRegex(one_quote(was).replace('"', ""), undoing(now, added))
            test.assertEqual(one["Content-Transfer-Encoding"], other["Content-Transfer-Encoding"])
    named = {cid for part in html_parts(after) for cid in cids(html_text(part))}
    test.assertEqual(set(added) - named, set(), "a picture was added that no HTML names")

