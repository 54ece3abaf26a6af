#!/usr/bin/python3
"""The preview page: what it says, how it looks in a browser, and that mail in it can do nothing."""
# tests/run: timeout=1200

import functools
import os
import re
import socket
import stat
import sys
import tempfile
import threading
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"),
                os.path.dirname(os.path.abspath(__file__))]

import chromium  # noqa: E402
import harness  # noqa: E402
import pictures  # noqa: E402
import sample  # noqa: E402

HEAD = b"From: a@example.org\r\nTo: b@example.com\r\nSubject: %s\r\nMIME-Version: 1.0\r\n"


def preview(message, *options, check=0):
    return harness.run([harness.program(), "preview", *options], message, check=check, timeout=120).stdout.decode()


def html_message(html, subject=b"Test", charset="utf-8"):
    return (HEAD % subject + f"Content-Type: text/html; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            .encode() + html.replace("\n", "\r\n").encode(charset))


# What Chromium asks for by itself, headless and told not to.
OWN = re.compile(rb"[A-Z]+ (https?://)?[a-z0-9.-]+\.(google|googleapis|gstatic)\.com[:/]")


class Listener:
    """A port where nobody shall come; also the browser's proxy, so that names lead here too."""

    def __init__(self, test):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.socket.getsockname()[1]
        self.heard = []
        threading.Thread(target=self._listen, daemon=True).start()
        test.addClassCleanup(self.socket.close)

    def _listen(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._hear, args=(client,), daemon=True).start()

    def _hear(self, client):
        """Chromium connects ahead, and may say nothing for as long as it lives: that is no request of a page's."""
        with client:
            client.settimeout(60)
            try:
                said = client.recv(1000)
            except OSError:
                return
            if said and not OWN.match(said):
                self.heard.append(said)


@functools.lru_cache(maxsize=None)
def twenty_kinds():
    with tempfile.TemporaryDirectory(prefix="pix-") as folder:
        sample.asset_files(folder)
        with open(os.path.join(folder, "p.toml"), "w") as file:
            file.write(f'[assets]\nroot = "{folder}"\n[fetch]\nallow = ["https://grafana.example.org/render/*"]\n')
        return preview(sample.twenty_kinds(), "-c", file.name)


class Text(unittest.TestCase):
    """What the page says, without a browser."""

    def test_no_script_and_nothing_from_elsewhere(self):
        for page in (twenty_kinds(), preview(sample.hostile(9))):
            outside = re.sub(r'srcdoc="[^"]*"', "", page)
            self.assertNotRegex(outside, r"(?i)<script|<link|<base|<object|<embed|\son[a-z]+\s*=\s*[\"']")
            for attribute in re.findall(r'(?:src|href|action|background)="([^"]*)"', outside):
                self.assertRegex(attribute, "^data:image/")
            for frame in re.findall(r"<iframe [^>]*>", page):
                self.assertIn('sandbox=""', frame)
            self.assertTrue(page.index("Content-Security-Policy") < page.index("<title>"))

    def test_says_what_is_done(self):
        page = twenty_kinds()
        for words in ("Rewritten", "Embedded byte for byte", "Converted to PNG: mail clients do not show TIFF",
                      "Drawn as PNG: mail clients take inline SVG out", "Rendered as PNG from a numpy array",
                      "Rendered as PNG from bare pixels", "Left as it was", "multipart/alternative", "report.pdf",
                      "Jörg Bauer", "img src in part 1.1.2"):
            self.assertIn(words, page)

    def test_every_kind_has_its_row(self):
        page = twenty_kinds()
        rows = re.findall(r'<li class="card .*?</li>', page, re.S)
        self.assertGreaterEqual(len(rows), 26)
        for words in ("VML src", "srcset in part", "style attribute in part", "Inline SVG", "asset:badge.png",
                      "there is no such asset", "exceeds max_side", "cut short in its header", "load.svg", "field.npy",
                      "raw@example.org", "a scan with quite a long name"):
            self.assertTrue([row for row in rows if words.lower() in row.lower()], words)
        bomb = next(row for row in rows if "exceeds max_side" in row)
        self.assertIn("Too large to be shown", bomb)
        self.assertNotIn("<img", bomb)
        # What has no row is named, with the reason.
        for words in ("https://images.example.org/chart.png", "a link that is not fetched", "original.tif"):
            self.assertIn(words, page)

    def test_untouched(self):
        for message, words in (
                (HEAD % b"Plain" + b"\r\nHello <b>there</b> & so on.\r\n", "Hello &lt;b&gt;there&lt;/b&gt; &amp; so on."),
                (HEAD % b"Two" + b"Content-Type: text/html\r\nContent-Type: text/plain\r\n\r\n<p>x\r\n", "different ways"),
                (HEAD % b"Empty", "There is no text to show"),
                (HEAD % b"Signed" + b"DKIM-Signature: v=1\r\nContent-Type: text/html\r\n\r\n<p>x\r\n", "DKIM")):
            page = preview(message)
            self.assertIn("Goes out as it came", page)
            self.assertIn(words, page)

    def test_audit_and_rejection(self):
        path = os.path.join(harness.temp_dir(self), "p.toml")
        message = html_message(f'<img src="{pictures.data_uri(pictures.png())}">')
        for text, words in (('mode = "audit"', "Would be rewritten"),
                            ('[[rule]]\naction = "reject"\nreply = "5.7.1 not <here>"', "not &lt;here&gt;")):
            with open(path, "w") as file:
                file.write(text + "\n")
            self.assertIn(words, preview(message, "-c", path))

    def test_charsets(self):
        for charset in ("utf-8", "iso-8859-1", "utf-16", "koi8-r"):
            word = "привет" if charset == "koi8-r" else "Grüße"
            page = preview(html_message(f'<p>{word}</p><img src="{pictures.data_uri(pictures.png())}">', charset=charset)
                           if charset != "utf-16" else
                           HEAD % b"x" + b"Content-Type: text/html; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                           + __import__("base64").encodebytes(f"<p>{word}</p>".encode("utf-16")).replace(b"\n", b"\r\n"))
            self.assertIn(word, page)

    def test_huge(self):
        picture = pictures.data_uri(sample.saved(sample.drawing(700, 500, 1).effect_spread(40), "PNG"))
        many = html_message("".join(f'<p>{i}<img src="{picture}">' for i in range(40)))
        page = preview(many)
        self.assertLess(len(page), 90_000_000)
        long = preview(html_message("<p>word</p>\n" * 400_000))
        self.assertLess(len(long), 20_000_000)
        self.assertIn("The text goes on", long)

    def test_output(self):
        folder = harness.temp_dir(self)
        out = os.path.join(folder, "out.html")
        message = html_message("<p>x</p>")
        preview(message, "-o", out)
        with open(out) as file:
            self.assertIn("</html>", file.read())
        self.assertEqual(stat.S_IMODE(os.stat(out).st_mode), 0o600)
        self.assertEqual(os.listdir(folder), ["out.html"])
        self.assertIn("</html>", preview(message, "-o", "-"))
        self.assertIn("</html>", preview(message, "-o", "/dev/stdout"))
        for options, status in ((("-o", f"{folder}/no/such/x.html"), 75), (("-c", "/no/such.toml"), 78),
                                (("--macro", "x"), 64)):
            preview(message, *options, check=status)
        preview(b"\r\nno header\r\n", check=65)


class InBrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        chromium.need()
        cls.listener = Listener(cls)
        cls.browser = chromium.Browser(proxy=f"127.0.0.1:{cls.listener.port}", scripts=True)
        cls.addClassCleanup(cls.browser.close)

    def scheme(self, name):
        self.browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def test_fits(self):
        page = twenty_kinds()
        tones = {}
        for scheme in ("light", "dark"):
            self.scheme(scheme)
            for width in (1200, 400):
                with self.subTest(scheme=scheme, width=width):
                    shown = self.browser.show(page, width)
                    self.assertGreater(shown.picture.height, 2000)
                    self.assertEqual(self.browser.evaluate("document.documentElement.scrollWidth"), width)
                    # Nothing sticks out of its card and no two cards overlap.
                    self.assertEqual([], self.browser.evaluate("""(() => { const wrong = [];
                      const cards = [...document.querySelectorAll('.card,.client,.tree,.verdict,.numbers')];
                      const box = e => e.getBoundingClientRect();
                      for (const card of cards) for (const e of card.querySelectorAll('*')) {
                        const a = box(e), b = box(card);
                        if (a.width && (a.right > b.right + 1 || a.left < b.left - 1)) wrong.push(e.outerHTML.slice(0, 80));
                      }
                      cards.forEach((c, i) => cards.slice(0, i).forEach(d => { const a = box(c), b = box(d);
                        if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
                          wrong.push('overlap'); }));
                      return wrong; })()"""))
                    tones[scheme] = sum(shown.picture.getpixel((3, 3)))
        self.assertGreater(tones["light"], 600)
        self.assertLess(tones["dark"], 150)
        self.assertEqual(self.listener.heard, [])

    def test_every_picture_of_the_page_is_shown(self):
        self.scheme("light")
        self.browser.show(twenty_kinds(), 1200)
        self.assertEqual([], self.browser.evaluate(
            "[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.outerHTML.slice(0, 60))"))
        self.assertGreater(self.browser.evaluate("document.images.length"), 30)

    def test_hostile_mail_does_nothing(self):
        for message in (sample.hostile(self.listener.port),
                        sample.hostile(self.listener.port).replace(b"127.0.0.1", b"evil.example")):
            page = preview(message)
            self.browser.show(page, 1000)
            title = self.browser.evaluate("document.title")
            self.assertTrue(title.startswith("Preview: "), title)
            # A reader who clicks everywhere, and on every link by keyboard.
            for x in range(20, 980, 60):
                for y in range(20, 900, 40):
                    for kind in ("mousePressed", "mouseReleased"):
                        self.browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
            for _ in range(40):
                for key in ("Tab", "Enter"):
                    for kind in ("keyDown", "keyUp"):
                        self.browser.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                                          windowsVirtualKeyCode={"Tab": 9, "Enter": 13}[key])
            self.assertEqual(self.browser.evaluate("document.title"), title)
            self.assertEqual(self.browser.evaluate("location.protocol"), "file:")
        self.assertEqual(self.listener.heard, [])

    def test_the_listener_would_hear(self):
        """The test itself: a page without walls does reach it."""
        listener = Listener(type(self))
        with chromium.Browser(proxy=f"127.0.0.1:{listener.port}", scripts=True) as browser:
            browser.show(f'<script>document.title = "owned"</script><img src="http://evil.example/x">', 400)
            self.assertEqual(browser.evaluate("document.title"), "owned")
        self.assertTrue(listener.heard)


if __name__ == "__main__":
    harness.main()
