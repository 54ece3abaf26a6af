#!/usr/bin/python3
"""make demo: four messages go through a private Postfix with pixmilter as its milter; see what arrives.

Everything runs on loopback and ends with the demo. What it leaves is the folder it names at its end. Not as
root there is no Postfix: then the messages go through `pixmilter rewrite`, which does the same to them.
"""

import argparse
import email.message
import html
import io
import os
import re
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), HERE]
import numpy

import harness
import judge
import pictures

WIDTH = 46  # of the left column


def wave(width=640, height=480):
    """An interference pattern, computed: pixels that never were in a file."""
    y, x = numpy.mgrid[0:height, 0:width] / height
    rings = [numpy.sin(30 * numpy.hypot(x - cx, y - cy)) for cx, cy in ((0.3, 0.5), (1.0, 0.3), (0.8, 0.8))]
    return numpy.clip(128 + 100 * numpy.stack([rings[0], (rings[0] + rings[1]) / 2, rings[2]], -1), 0, 255).astype(numpy.uint8)


def new_message(subject):
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = "program@example.test", "you@example.test", subject
    message["Date"], message["Message-ID"] = "Mon, 01 Jan 2024 12:00:00 +0000", f"<{abs(hash(subject))}@example.test>"
    return message


def numpy_message():
    message = new_message("A numpy array")
    message.set_content("The frame is attached.\n")
    message.add_attachment(pictures.npy(wave()), "application", "x-npy", filename="frame.npy")
    return message


def data_message():
    message = new_message("A data: URI")
    message.set_content("Your mail program shows no HTML.\n")
    message.add_alternative(f'<h2>Load of the last hour</h2>\n<p><img alt="load" src="{pictures.data_uri(chart())}"></p>\n', "html")
    return message


def chart():
    """A small chart as a PNG, drawn in memory."""
    from PIL import Image, ImageDraw
    image = Image.new("RGB", (360, 160), "white")
    draw = ImageDraw.Draw(image)
    points = [(x, 130 - 50 * numpy.sin(x / 37) ** 2 - x / 8) for x in range(10, 350, 4)]
    draw.line(points, fill="#3366cc", width=3)
    draw.line([(10, 10), (10, 150), (350, 150)], fill="#888888")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def svg_message():
    message = new_message("An inline SVG")
    message.set_content('<p>Status: <svg width="120" height="40" role="img" aria-label="all is well">'
                        '<rect width="120" height="40" rx="8" fill="#2e8b57"/><circle cx="22" cy="20" r="9" fill="#ffffff"/>'
                        '<text x="40" y="26" font-family="DejaVu Sans" font-size="16" fill="#ffffff">ONLINE</text>'
                        '</svg></p>\n', "html")
    return message


def ordinary_message():
    message = new_message("An ordinary message")
    message.set_content("Lunch at noon?\n")
    message.add_alternative('<p>Lunch at noon? <a href="https://example.test/">Menu</a></p>\n', "html")
    return message


# Each with what is promised: the tree that arrives; None: every byte as it was sent.
MESSAGES = [
    ("numpy", "a numpy array, 480 x 640 x 3, attached as application/x-npy", numpy_message,
     ("multipart/mixed", ("text/plain",), ("image/png",))),
    ("data-uri", "HTML that holds its chart as a data: URI", data_message,
     ("multipart/alternative", ("text/plain",), ("multipart/related", ("text/html",), ("image/png",)))),
    ("inline-svg", "HTML with an inline <svg>, which most mail programs drop", svg_message, ("multipart/related", ("text/html",), ("image/png",))),
    ("ordinary", "an ordinary message with nothing to do", ordinary_message, None),
]


class Filter:
    """The way without root: `pixmilter rewrite`."""

    def __enter__(self):
        print("Without a private Postfix (that needs root): the messages go through `pixmilter rewrite`.\n")
        return self

    def __exit__(self, *unused):
        pass

    def relay(self, name, message):
        return harness.run([harness.program(), "rewrite"], input=message, check=0).stdout


class Relay:
    """A private Postfix with pixmilter as its milter, and the server that it relays to."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        from postfix import Postfix
        from served import Served
        from sink import Sink
        self.stack = []
        try:
            self.sink = Sink()
            self.stack.append(self.sink.close)
            self.milter = Served(self.folder)
            self.stack.append(self.milter.stop)
            self.postfix = Postfix(self.folder, self.sink.port, self.milter.postfix_spec)
            self.stack.append(self.postfix.stop)
        except BaseException:
            self.__exit__()
            raise
        print(f"A private Postfix listens on 127.0.0.1:{self.postfix.port}, pixmilter is its milter.\n")
        return self

    def __exit__(self, *unused):
        for close in reversed(self.stack):
            close()

    def relay(self, name, message):
        from smtp_client import without_received
        code, text = self.postfix.send("program@example.test", [f"{name}@example.test"], message)
        if code != 250:
            raise AssertionError(f"Postfix answered {code} {text.decode(errors='replace')}")
        return without_received(self.sink.wait(f"{name}@example.test").data)


def columns(left, right):
    rows = max(len(left), len(right))
    left, right = left + [""] * (rows - len(left)), right + [""] * (rows - len(right))
    return [f"   {one:{WIDTH}} {other}".rstrip() for one, other in zip(left, right)]


def tree_lines(data):
    """The MIME tree with the sizes in a column."""
    lines = []
    for line in judge.outline(judge.parse(data)):
        kind, size = re.fullmatch(r"(\s*\S+)\s*(.*)", line).groups()
        lines.append(f"{kind:32}{size:>10}".rstrip())
    return lines


def save(folder, before, after):
    os.makedirs(folder)
    files = {"before.eml": before, "after.eml": after}
    for number, image in enumerate(judge.images(judge.parse(after)), 1):
        name = os.path.basename(image.get_filename() or f"image-{number}.png")
        files[name] = image.get_payload(decode=True)
    for name, data in files.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
    return list(files)


def shown(data):
    """What a mail program would show, as one HTML text: cids resolved, other pictures beneath."""
    message = judge.parse(data)
    pictures_by_cid, rest = {}, []
    texts = [judge.html_text(part) for part in judge.html_parts(message)]
    for image in judge.images(message):
        uri = pictures.data_uri(image.get_payload(decode=True), image.get_content_type())
        cid = judge.content_id(image)
        if cid and any(f"cid:{cid}" in text for text in texts):
            pictures_by_cid[cid] = uri
        else:
            rest.append(f'<p><img src="{uri}"><br><small>{html.escape(image.get_filename() or "")}</small></p>')
    if not texts:
        texts = [f"<p>{html.escape(part.get_content())}</p>" for part in judge.leaves(message)
                 if part.get_content_type() == "text/plain"]
    text = "".join(texts) + "".join(rest)
    for cid, uri in pictures_by_cid.items():
        text = text.replace(f"cid:{cid}", uri)
    return text


def page(results):
    rows = ""
    for name, title, before, after in results:
        rows += (f"<section><h2>{html.escape(title)}</h2><div class=two>"
                 f"<div><h3>sent, {judge.size(len(before))}</h3><pre>{html.escape(chr(10).join(tree_lines(before)))}</pre></div>"
                 f"<div><h3>arrived, {judge.size(len(after))}</h3><pre>{html.escape(chr(10).join(tree_lines(after)))}</pre></div></div>"
                 f'<iframe sandbox srcdoc="{html.escape(shown(after))}"></iframe>'
                 f'<p><a href="{name}/before.eml">before.eml</a> <a href="{name}/after.eml">after.eml</a> '
                 f'<a href="{name}/preview.html">what `pixmilter preview` says</a></p></section>')
    return ("<!doctype html><meta charset=utf-8><title>pixmilter demo</title><style>"
            "body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}"
            "section{border-top:1px solid #ccc;margin-top:2rem}.two{display:grid;grid-template-columns:1fr 1fr;gap:1rem}"
            "h3{font-size:1rem;margin:.5rem 0}pre{background:#f4f4f4;padding:.7rem;margin:0;overflow:auto}"
            "iframe{width:100%;height:22rem;border:1px solid #ccc;margin-top:1rem}</style>"
            f"<h1>pixmilter demo</h1><p>What was sent, what arrived, and how a mail program shows it.</p>{rows}")


def promised(before, after, tree):
    """What is wrong with what arrived; empty when nothing is."""
    if tree is None:
        return [] if before == after else ["the bytes are not those that were sent"]
    wrong = judge.complaints(after)
    if judge.tree(judge.parse(after)) != tree:
        wrong.append(f"the tree is not {tree}")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build", metavar="DIR")
    parser.add_argument("--filter", action="store_true", help="through `pixmilter rewrite`, without Postfix")
    options = parser.parse_args()
    harness._build = os.path.abspath(options.build)
    out = os.path.join(options.build, "demo")
    try:
        if os.path.exists(out):
            shutil.rmtree(out)
        os.makedirs(out)
    except OSError as error:
        sys.exit(f"the demo's folder cannot be made: {error}")
    with_postfix = not options.filter and os.geteuid() == 0 and os.access("/usr/lib/postfix/sbin/master", os.X_OK)
    results, failed = [], 0
    with tempfile.TemporaryDirectory(prefix="pixdemo-") as folder:
        os.chmod(folder, 0o755)
        with Relay(folder) if with_postfix else Filter() as way:
            for number, (name, title, make, tree) in enumerate(MESSAGES, 1):
                message = make()
                before = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
                after = way.relay(name, before)
                print(f"{number}. {title[0].upper() + title[1:]}\n")
                print("\n".join(columns([f"{'sent':32}{judge.size(len(before)):>10}"] + tree_lines(before),
                                        [f"{'arrived':32}{judge.size(len(after)):>10}"] + tree_lines(after))))
                wrong = promised(before, after, tree)
                failed += bool(wrong)
                note = " ".join(str(judge.parse(after)["X-Pixmilter"] or "").split())
                print(f"\n   {'X-Pixmilter: ' + note if note else 'not a byte was changed' if before == after else ''}")
                for sentence in wrong:
                    print(f"   NOT AS PROMISED: {sentence}")
                print()
                save(os.path.join(out, name), before, after)
                results.append((name, title, before, after))
    with open(os.path.join(out, "page.html"), "w") as file:
        file.write(page(results))
    for name, *_ in results:
        harness.run([harness.program(), "preview", "-o", os.path.join(out, name, "preview.html"),
                     os.path.join(out, name, "before.eml")], check=0)
    print(f"The messages and their pictures are in {out}:")
    for name, *_ in results:
        print(f"   {name + '/':14}{'  '.join(sorted(os.listdir(os.path.join(out, name))))}")
    print("   page.html     all of it, to look at in a browser; a folder's preview.html is what `pixmilter preview` makes")
    if failed:
        print(f"\n{failed} of {len(MESSAGES)} did not arrive as promised.")
        return 1
    print(f"\nAll {len(MESSAGES)} arrived as promised.")
    return 0


sys.exit(main())
