#!/usr/bin/python3
"""`pixmilter explain` answers "why was this picture not shown?" to somebody who has read no source: a table of
messages, each with the words that have to be in the answer.
"""

import base64
import contextlib
import http.server
import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
import pictures  # noqa: E402
from assorted import HEAD, b64, multipart, part  # noqa: E402

HTML = "text/html; charset=utf-8"
BASE64 = "Content-Transfer-Encoding: base64"
ATTACHED, INLINE = "Content-Disposition: attachment", "Content-Disposition: inline"
PNG = pictures.png(8, 6)
URI = pictures.data_uri(PNG)
SHOWN = part(HTML, f'<p><img src="{URI}"></p>\n')


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow.png":
            time.sleep(self.server.patience)
            return
        status, kind, body = {"/login": (200, "text/html", b"<html><form>Please log in</form></html>"),
                              "/moved.png": (302, "text/html", b""), "/denied.png": (403, "text/html", b"no"),
                              "/report.pdf": (200, "application/pdf", b"%PDF-1.4 "), "/large.png": (200, "image/png", PNG + bytes(20_000)),
                              }.get(self.path, (404, "text/html", b"nothing"))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "https://login.example.org/")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def image(url, more=""):
    return part(HTML, f'<p><img src="{url}"{more}></p>\n')


def data(kind, content):
    return image(f"data:{kind};base64,{base64.b64encode(content).decode()}")


def rule(rest, name="t"):
    return f'[[rule]]\nname = "{name}"\n{rest}\n'


def image_rule(match, action, more=""):
    return rule(f'  [[rule.image]]\n  match = {{ {match} }}\n  action = "{action}"\n{more}')


class Why(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = harness.temp_dir(cls)
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
        cls.server.patience = 3
        cls.at = f"http://127.0.0.1:{cls.server.server_port}"
        thread = threading.Thread(target=cls.server.serve_forever, daemon=True)
        thread.start()
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)
        cls.assets = os.path.join(cls.folder, "assets")
        os.mkdir(cls.assets)
        with open(os.path.join(cls.assets, "text.txt"), "w") as file:
            file.write("no picture\n")
        os.symlink("/etc/hostname", os.path.join(cls.assets, "link.png"))

    def explain(self, message, policy="", arguments=()):
        path = os.path.join(self.folder, "p.toml")
        with open(path, "w") as file:
            file.write(policy)
        done = harness.run([harness.program(), "explain", "-c", path, *arguments], input=message.encode(), check=0)
        return done.stdout.decode()

    def ask(self, rest, *words, policy="", arguments=(), head=HEAD):
        text = self.explain(head.format(subject="s", id="s") + rest, policy, arguments)
        if os.environ.get("SHOW"):
            print("=" * 30, self.id().split(".")[-1], words, "\n" + policy + text)
        for word in words:
            self.assertIn(word, text)

    # ---- what the picture is ---------------------------------------------------------------------------

    def test_a_data_uri_that_is_cut_short(self):
        self.ask(data("image/png", PNG[:20]), "png: cut short in its header", "left")

    def test_a_picture_that_ends_too_early(self):
        self.ask(data("image/webp", pictures.webp(64, 64)[:-20]), "keep", "webp: ")

    def test_base64_that_is_none(self):
        self.ask(image("data:image/png;base64,***"), "malformed base64")

    def test_bytes_that_are_no_picture(self):
        self.ask(data("image/png", b"<html>404</html>"), "no image that we know, but a page of HTML")

    def test_an_unknown_type(self):
        self.ask(data("image/x-icon", bytes([0, 0, 1, 0]) + bytes(60)), "no image that we know, but an icon (ICO)")

    def test_a_loader_that_is_not_configured(self):
        self.ask(data("image/tiff", pictures.tiff(8, 6)), '"tiff" is not among [render] loaders', policy='[render]\nloaders = ["png"]\n')

    def test_too_many_pixels(self):
        self.ask(data("image/tiff", pictures.tiff(80, 60)), "80x60 exceeds max_pixels 1000", policy="[render]\nmax_pixels = 1000\n")

    def test_too_many_frames(self):
        array = pictures.array(4, 4, 3)
        import numpy
        self.ask(data("application/x-npy", pictures.npy(numpy.stack([array] * 4))), "4 frames exceed max_frames 2", policy="[render]\nmax_frames = 2\n")

    def test_too_many_pictures(self):
        self.ask(part(HTML, "".join(f'<img src="{pictures.data_uri(pictures.png(8, 6 + i))}">\n' for i in range(3))),
                 "max_images = 2", policy="[defaults]\nmax_images = 2\n")

    def test_too_large_a_message(self):
        self.ask(SHOWN, "max_message_bytes = 700", policy='[defaults]\nmax_message_bytes = "700"\n')

    def test_no_time(self):
        import numpy
        noise = numpy.random.RandomState(1).randint(0, 256, (2000, 3000, 3), "uint8")
        self.ask(data("application/x-npy", pictures.npy(noise)), "not ready within [render] timeout", policy='[render]\ntimeout = "1ms"\n')

    def test_a_numpy_header_that_is_none(self):
        self.ask(multipart("mixed", "m", part("text/plain", "A\n"), part("application/x-npy", b64(b"\x93NUMPY\1\0\6\0{'a': }"), BASE64)), "npy")

    def test_a_numpy_array_of_objects(self):
        import numpy, io
        out = io.BytesIO()
        numpy.save(out, numpy.array([[1, "a"]], dtype=object), allow_pickle=True)
        self.ask(multipart("mixed", "m", part("text/plain", "A\n"), part("application/x-npy", b64(out.getvalue()), BASE64)), "npy")

    def test_raw_pixels_without_their_width(self):
        self.ask(multipart("mixed", "m", part("text/plain", "A\n"), part("image/x-raw-pixels; height=2; bands=3; format=uchar", b64(bytes(12)), BASE64)), "width")

    def test_raw_pixels_that_are_too_few(self):
        self.ask(multipart("mixed", "m", part("text/plain", "A\n"), part("image/x-raw-pixels; width=9; height=9; bands=3; format=uchar", b64(bytes(12)), BASE64)), "too short")

    def test_an_svg_that_refers_outward(self):
        svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="https://example.org/a.png" width="9" height="9"/></svg>'
        self.ask(data("image/svg+xml", svg), "convert", "what it refers to is never loaded: https://example.org/a.png")

    def test_an_inline_svg_that_refers_outward(self):
        self.ask(part(HTML, '<svg width="9" height="9"><use href="https://example.org/a.svg#b"/></svg>\n'), "what it refers to is never loaded: https://example.org/a.svg#b")

    def test_a_foreign_object(self):
        lost = "its foreignObject is not drawn: put the text into <text>"
        svg = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="9"><rect width="9" height="9"/>%s</svg>'
        label = '<foreignObject width="90" height="9"><div xmlns="http://www.w3.org/1999/xhtml">Sales</div></foreignObject>'
        self.ask(data("image/svg+xml", (svg % label).encode()), "convert", lost)
        self.ask(part(HTML, svg % label + "\n"), "convert", lost)

    # ---- where it is -----------------------------------------------------------------------------------

    def test_a_link_with_no_fetching_at_all(self):
        self.ask(image("https://charts.example.org/a.png"), "[fetch] allow lists nothing")

    def test_a_link_that_is_not_listed(self):
        self.ask(image("https://charts.example.org/a.png"), "not in [fetch] allow", policy='[fetch]\nallow = ["https://other.example.org/*"]\n')

    def fetch(self, path, *words, more="", private="true"):
        self.ask(image(f"{self.at}{path}"), *words, policy=f'[fetch]\nallow = ["{self.at}/*"]\nallow_private = {private}\n{more}')

    def test_a_private_address(self):
        self.fetch("/a.png", "127.0.0.1", "allow_private", private="false")

    def test_a_page_that_is_not_there(self):
        self.fetch("/a.png", "404")

    def test_a_picture_that_needs_a_password(self):
        self.fetch("/denied.png", "403")

    def test_a_login_page(self):
        self.fetch("/login", "a page of HTML", "text/html")

    def test_a_redirect_to_a_login_page(self):
        self.fetch("/moved.png", "login.example.org", "not in [fetch] allow")

    def test_a_link_that_is_no_picture(self):
        self.fetch("/report.pdf", "a PDF", "application/pdf")

    def test_a_slow_server(self):
        self.fetch("/slow.png", "in time", more='timeout = "300ms"\n')

    def test_too_large_a_picture(self):
        self.fetch("/large.png", "max_bytes = 10240", more='max_bytes = "10K"\n')

    def test_nobody_listens(self):
        self.ask(image("http://127.0.0.1:1/a.png"), "connect", policy='[fetch]\nallow = ["http://127.0.0.1:1/*"]\nallow_private = true\n')

    def asset(self, url, *words):
        self.ask(image(url), *words, policy=f'[assets]\nroot = "{self.assets}"\n')

    def test_an_asset_that_is_missing(self):
        self.asset("asset:logo.png", "there is no such asset", "assets   " + self.assets)

    def test_an_asset_outside(self):
        self.asset("asset:../secret.png", '".."')

    def test_an_asset_behind_a_link(self):
        self.asset("asset:link.png", "it is a symbolic link")

    def test_an_asset_that_is_no_picture(self):
        self.asset("asset:text.txt", "no image that we know, but text")

    def test_an_asset_root_that_is_missing(self):
        self.ask(image("asset:logo.png"), "the asset root cannot be opened", "assets   /nowhere", policy='[assets]\nroot = "/nowhere"\n')

    def test_a_file(self):
        self.asset("file:///var/www/a.png", 'source "file" is not allowed')

    def test_a_content_id_that_no_part_has(self):
        self.ask(image("cid:logo@example.org"), "no part of the message has this Content-ID")

    def test_a_path_of_a_web_page(self):
        self.ask(image("/images/logo.png"), "no mail client can follow it")

    # ---- what the rules say ----------------------------------------------------------------------------

    def test_mail_from_outside(self):
        self.ask(SHOWN, "not outgoing", "203.0.113.9", "its client has not authenticated", arguments=["--ip", "203.0.113.9"])

    def test_a_rule_skips_it(self):
        self.ask(SHOWN, 'rule "newsletters", line 1: skip', "from = 'news@*'", policy=rule('match = { from = "news@*" }\naction = "skip"', "newsletters"),
                 arguments=["--from", "news@example.org"])

    def test_one_of_several_recipients_skips_it(self):
        self.ask(SHOWN, "action = skip for all, because of <joe@b.test> (no pictures)",
                 policy=rule('match = { rcpt = "*@b.test" }\naction = "skip"', "no pictures"),
                 arguments=["--rcpt", "ann@a.test", "--rcpt", "joe@b.test"])

    def test_a_condition_that_fails(self):
        self.ask(SHOWN, "no   subject = 'report*'", policy=rule('match = { subject = "report*" }'))

    def test_an_image_rule_keeps_it(self):
        self.ask(SHOWN, "an image rule keeps it", "yes  image rule, line 3: keep", "yes  type = 'image/png'", policy=image_rule('type = "image/png"', "keep"))

    def test_an_image_rule_drops_it(self):
        self.ask(SHOWN, "drop", "too small", "yes  image rule, line 3: drop", policy=image_rule('width = "<10"', "drop", '  reason = "too small to matter"\n'))

    def test_an_image_rule_does_not_mean_it(self):
        text = multipart("mixed", "m", part("text/plain", "A\n"), part('image/tiff; name="a.tif"', b64(pictures.tiff(8, 6)), BASE64, ATTACHED))
        self.ask(text, "an attached file: no image rule says attachment = true")
        self.ask(text, "no image rule says attachment = true", policy=image_rule('type = "image/*"', "convert"))
        self.ask(text, "an attachment that no image rule means", "no   image rule, line 3: convert", "no   width = '>100'", "yes  attachment = true",
                 policy=image_rule('attachment = true, width = ">100"', "convert"))
        two = image_rule('type = "image/*"', "keep") + '  [[rule.image]]\n  match = { attachment = true }\n  unless = { width = "<100" }\n'
        self.ask(text, "its match does not say attachment = true", "yes  unless width = '<100'", policy=two)

    def test_a_source_that_is_not_allowed(self):
        self.ask(SHOWN, 'source "data" is not allowed', policy='[defaults]\nsources = ["part"]\n')

    def test_mode_off(self):
        self.ask(SHOWN, "mode off", "the configuration says", policy='mode = "off"\n')

    def test_mode_audit(self):
        self.ask(SHOWN, "audit, would be rewritten", policy='mode = "audit"\n')

    # ---- what is never touched -------------------------------------------------------------------------

    def test_mail_that_is_signed(self):
        signature = part('application/pgp-signature; name="s.asc"', "-----BEGIN PGP SIGNATURE-----\n")
        self.ask(multipart("signed", "s", SHOWN, signature, parameters="; protocol=\"application/pgp-signature\""), "never touched: signed")

    def test_mail_that_is_dkim_signed(self):
        self.ask(SHOWN, "DKIM-signed", "match = { dkim_signed = true }", head=HEAD + "DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=x; h=from; bh=abc=; b=def=\n")

    def test_forwarded_mail(self):
        self.ask(multipart("mixed", "m", part("text/plain", "A\n"), part("message/rfc822", "Subject: x\n" + SHOWN)), "never touched: embedded message")

    def test_a_bounce(self):
        self.ask(SHOWN, "null sender", "bounces", arguments=["--from", "<>"])

    def test_an_html_attachment(self):
        self.ask(multipart("mixed", "m", part("text/plain", "A\n"), part(HTML, f'<img src="{URI}">\n', ATTACHED + "; filename=a.html")), "never touched: an attached file")

    def test_an_attachment_of_octets(self):
        self.ask(multipart("mixed", "m", part("text/plain", "A\n"), part("application/octet-stream", b64(PNG), BASE64, ATTACHED + "; filename=a.npy")), "an attached file: no image rule says attachment = true")

    def test_a_mark_for_us(self):
        self.ask(image(URI, ' data-pixmilter="skip"'), "1 more left alone", 'data-pixmilter="skip"')

    def test_a_mark_for_thunderbird(self):
        self.ask(image("https://example.org/a.png", ' moz-do-not-send="true"'), "1 more left alone", "moz-do-not-send",
                 policy='[fetch]\nallow = ["https://example.org/*"]\n')

    def test_an_unknown_charset(self):
        self.ask(part("text/html; charset=x-none", f'<img src="{URI}">\n'), "embed")

    def test_a_charset_that_cannot_be_read(self):
        self.ask(part("text/html; charset=utf-7", f'<img src="{URI}">\n'), 'in the charset "utf-7"')

    def test_an_unknown_transfer_encoding(self):
        self.ask(part(HTML, f'<img src="{URI}">\n', "Content-Transfer-Encoding: x-uuencode"), "Content-Transfer-Encoding that nobody knows")

    def test_places_that_are_never_read(self):
        self.ask(part(HTML, f'<p><a href="{URI}">x</a> <img data-src="{URI}"></p>\n'), "none were found", "data-src")

    def test_a_message_that_can_be_read_in_two_ways(self):
        self.ask("Content-Type: text/plain\n" + SHOWN, "repeated Content-Type", "read it in two ways")

    def test_a_message_without_pictures(self):
        self.ask(part("text/plain", "Hello\n"), "none were found")


harness.main()
