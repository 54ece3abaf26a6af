#!/usr/bin/python3
"""Each policy of conf/examples, run on messages that it is made for; judged by Python's email and Pillow."""

import email.message
import glob
import io
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import numpy
from PIL import Image

import harness
import judge
import pictures

EXAMPLES = os.path.join(harness.ROOT, "conf", "examples")
GPS, LATITUDE = 0x8825, 2


def message(sender, html=None, attachments=(), recipient="b@example.net"):
    """attachments: (bytes, "image/tiff", "scan.tif")"""
    mail = email.message.EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, "example"
    mail.set_content(html or "See attachment.\n", subtype="html" if html else "plain", cte="quoted-printable")
    for data, kind, name in attachments:
        mail.add_attachment(data, *kind.split("/"), filename=name)
    return mail.as_bytes()


def photograph(width, height, kind="JPEG", gps=False, **options):
    """Something that no encoder makes small: smooth waves with noise on them."""
    noise = numpy.random.default_rng(1).integers(0, 60, (height, width, 3))
    waves = 90 + 80 * numpy.sin(numpy.arange(width) / 40)[None, :, None] * numpy.ones((height, 1, 3))
    if gps:
        exif = Image.Exif()
        exif[GPS] = {1: "N", LATITUDE: (52.0, 31.0, 0.0)}
        options["exif"] = exif.tobytes()
    out = io.BytesIO()
    Image.fromarray((waves + noise).clip(0, 255).astype("uint8")).save(out, kind, **options)
    return out.getvalue()


def opened(part):
    return Image.open(io.BytesIO(part.get_payload(decode=True)))


class Examples(unittest.TestCase):
    def rewrite(self, policy, given, *arguments, status=0):
        done = harness.run([harness.program(), "rewrite", "-c", os.path.join(EXAMPLES, policy + ".toml"), *arguments],
                           input=given, check=status)
        if status == 0 and done.stdout != given:
            self.assertEqual(judge.complaints(done.stdout), [])
        self.errors = done.stderr.decode()
        return done.stdout

    def images(self, data):
        return judge.images(judge.parse(data))

    def test_check_accepts_each_without_a_warning(self):
        names = sorted(glob.glob(os.path.join(EXAMPLES, "*.toml")))
        self.assertGreaterEqual(len(names), 6)
        for name in names:
            done = harness.run([harness.program(), "check", "-c", name], check=0)
            self.assertNotIn(name, done.stderr.decode())
            test = "test_" + os.path.basename(name)[:-5].replace("-", "_")
            self.assertTrue(any(own.startswith(test) for own in dir(self)), f"{name} has no test")

    def test_monitoring(self):
        graph = pictures.data_uri(pictures.png(1600, 400))
        html = (f'<img alt="load" src="{graph}"><img src="https://grafana.lan/render/1.png" width="800" height="300">'
                '<svg width="40" height="20"><rect width="40" height="20" fill="#369"/></svg>\n')
        out = self.rewrite("monitoring", message("grafana@example.org", html), "--from", "grafana@example.org")
        mail = judge.parse(out)
        self.assertEqual(mail["X-Images"], "rendered by pixmilter")
        sizes = [opened(image).size for image in judge.images(mail)]
        self.assertEqual(sizes[0], (1200, 300))
        self.assertEqual(sizes[1], (64, 48))
        text = judge.html_text(judge.html_parts(mail)[0])
        self.assertIn("Graph on the intranet: open the dashboard to see it", text)
        self.assertIn('width="800" height="300"', text)
        self.assertNotIn("grafana.lan", text)
        other = message("ann@example.org", html)
        self.assertIn(b"grafana.lan", self.rewrite("monitoring", other, "--from", "ann@example.org").replace(b"=\n", b""))

    def test_phone_photos(self):
        heic = photograph(2400, 1800, "JPEG", quality=95)
        self.assertGreater(len(heic), 400 << 10)
        out = self.rewrite("phone-photos", message("ann@example.org", attachments=[(heic, "image/jpeg", "IMG_1.jpg")]),
                           "--auth", "ann")
        image, = self.images(out)
        self.assertLessEqual(len(image.get_payload(decode=True)), 400 << 10)
        self.assertLessEqual(max(opened(image).size), 1600)
        self.assertEqual(image.get_filename(), "IMG_1.jpg")
        self.assertEqual(image.get_content_disposition(), "attachment")
        small = message("ann@example.org", attachments=[(pictures.jpeg(), "image/jpeg", "small.jpg")])
        self.assertEqual(self.rewrite("phone-photos", small, "--auth", "ann"), small)

    def test_scans(self):
        pages = [Image.fromarray(pictures.array(2000, 100, 3, seed)) for seed in (1, 2)]
        tiff = io.BytesIO()
        pages[0].save(tiff, "TIFF", save_all=True, append_images=pages[1:])
        given = message("copier@example.org", attachments=[(tiff.getvalue(), "image/tiff", "Scan 7.tif")])
        out = self.rewrite("scans", given, "--from", "copier@example.org")
        images = self.images(out)
        self.assertEqual([image.get_content_type() for image in images], ["image/jpeg"] * 2)
        self.assertEqual([opened(image).size for image in images], [(1700, 85)] * 2)
        self.assertEqual([image.get_filename() for image in images], ["Scan 7-1.jpg", "Scan 7-2.jpg"])
        broken = message("copier@example.org", attachments=[(tiff.getvalue()[:300], "image/tiff", "Scan.tif")])
        self.rewrite("scans", broken, "--from", "copier@example.org", status=69)
        self.assertEqual(self.rewrite("scans", given, "--from", "ann@example.org"), given)

    def test_strip_gps(self):
        photo = photograph(64, 48, gps=True)
        given = message("ann@example.org", attachments=[(photo, "image/jpeg", "here.jpg")])
        image, = self.images(self.rewrite("strip-gps", given, "--from", "ann@example.org"))
        self.assertEqual(dict(opened(image).getexif().get_ifd(GPS)), {})
        numpy.testing.assert_array_equal(numpy.asarray(opened(image)), numpy.asarray(Image.open(io.BytesIO(photo))))
        for shown in (given.replace(b"attachment;", b"inline;"), given.replace(b"Content-Disposition: attachment;", b"X-Was:")):
            self.assertNotEqual(shown, given)
            image, = self.images(self.rewrite("strip-gps", shown, "--from", "ann@example.org"))
            self.assertEqual(image.get_content_type(), "image/jpeg")
            self.assertEqual(dict(opened(image).getexif().get_ifd(GPS)), {})
        for kind in ("WEBP", "TIFF"):
            other = message("ann@example.org", attachments=[(photograph(64, 48, kind, gps=True), "image/" + kind.lower(), "here")])
            image, = self.images(self.rewrite("strip-gps", other, "--from", "ann@example.org"))
            self.assertIn(image.get_content_type(), ("image/png", "image/jpeg"))
            self.assertEqual(dict(opened(image).getexif().get_ifd(GPS)), {})
        self.assertEqual(self.rewrite("strip-gps", given, "--from", "x@press.example.org"), given)
        without = message("ann@example.org", attachments=[(photograph(64, 48), "image/jpeg", "nowhere.jpg")])
        self.assertEqual(self.rewrite("strip-gps", without, "--from", "ann@example.org"), without)

    def test_compute_cluster(self):
        field = numpy.linspace(0, 1, 2048 * 16, dtype="float32").reshape(16, 2048)
        data = pictures.npy(field)
        html = f'<img src="{pictures.data_uri(data, "application/x-npy")}">\n'
        given = message("job@node7", html, [(data, "application/octet-stream", "field.npy")])
        out = self.rewrite("compute-cluster", given, "--ip", "10.20.3.4")
        self.assertEqual([opened(image).size for image in self.images(out)], [(1024, 8)] * 2)
        self.assertEqual(self.images(out)[1].get_filename(), "field.png")
        self.assertNotEqual(self.rewrite("compute-cluster", given, "--ip", "fd00:20::7"), given)
        for arguments in (("--ip", "10.21.0.1"), ("--ip", "192.0.2.1", "--auth", "ann"), ()):
            self.assertEqual(self.rewrite("compute-cluster", given, *arguments), given)

    def test_audit(self):
        given = message("ann@example.org", f'<img src="{pictures.data_uri(pictures.png())}">\n')
        self.assertEqual(self.rewrite("audit", given, "--from", "ann@example.org"), given)
        explained = harness.run([harness.program(), "explain", "-c", os.path.join(EXAMPLES, "audit.toml")], input=given,
                                check=0).stdout.decode()
        self.assertRegex(explained, r"audit, would be rewritten, \d+ to \d+ bytes: 1 embedded")
        self.assertEqual(len(self.images(self.rewrite("audit", given, "--from", "bob@it.example.org"))), 1)

    def test_no_pictures(self):
        html = f'<p>A <img src="{pictures.data_uri(pictures.png())}"><img src="https://x.example/logo.png"><img src="asset:logo.png"></p>\n'
        pdf = b"%PDF-1.4 nothing"
        given = message("ann@example.org", html, [(pictures.jpeg(), "image/jpeg", "a.jpg"), (pdf, "application/octet-stream", "a.pdf")])
        mail = judge.parse(self.rewrite("no-pictures", given, "--rcpt", "all@lists.example.org"))
        self.assertEqual(judge.tree(mail), ("multipart/mixed", ("text/html",), ("application/octet-stream",)))
        self.assertEqual(judge.html_text(judge.html_parts(mail)[0]).strip(), "<p>A </p>")
        self.assertEqual(judge.leaves(mail)[1].get_payload(decode=True), pdf)
        self.assertEqual(len(self.images(self.rewrite("no-pictures", given, "--rcpt", "joe@example.org"))), 2)
        large = message("kiosk@example.org", attachments=[(b"x" * (6 << 20), "application/pdf", "a.pdf")])
        self.rewrite("no-pictures", large, "--auth", "kiosk", status=69)
        self.assertIn("5.3.4 Messages from this account are limited to 5 MB", self.errors)


harness.main()
