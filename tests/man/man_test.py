#!/usr/bin/python3
"""The man pages: free of mandoc's warnings, and true.

Every example of pixmilter-parts(7) is run as it stands, but for the mail server and the recipient it names, through a
real Postfix with pixmilter; what arrives is judged. A language that is not installed skips its example.
"""
# tests/run: timeout=1200

import glob
import json
import os
import re
import sys
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "mta")]
import numpy

import harness
import judge
import pictures
import postfix
import through

MAN = os.path.join(harness.ROOT, "man")
PAGES = sorted(glob.glob(f"{MAN}/*.[1-8]"))
ESCAPES = {r"\-": "-", r"\e": "\\", r"\(aq": "'", r"\(ga": "`", r"\(dq": '"', r"\&": "", r"\\": "\\"}


def page_text(name):
    with open(os.path.join(MAN, name)) as file:
        return file.read()


def examples(page):
    """{title: code} of the subsections of EXAMPLES, as a reader copies them."""
    text = page[page.index(".Sh EXAMPLES"):page.index(".Sh SEE ALSO")]
    found = {}
    for section in re.split(r"(?m)^\.Ss ", text)[1:]:
        title, rest = section.split("\n", 1)
        code = re.search(r"(?ms)^\.Bd -literal[^\n]*\n(.*?)^\.Ed", rest).group(1)
        found[title] = re.sub(r"\\(?:\(..|.)", lambda escape: ESCAPES[escape.group(0)], code)
    return found


class Pages(unittest.TestCase):
    def test_mandoc_finds_nothing(self):
        mandoc = harness.need_program("mandoc")
        self.assertGreaterEqual(len(PAGES), 3)
        for path in PAGES:
            with self.subTest(page=os.path.basename(path)):
                done = harness.run([mandoc, "-T", "lint", "-W", "warning", path])
                self.assertEqual((done.returncode, done.stdout.decode() + done.stderr.decode()), (0, ""))

    def test_references_to_own_pages_lead_somewhere(self):
        there = {os.path.basename(path) for path in PAGES}
        for path in PAGES:
            for name, section in re.findall(r"(?m)^\.Xr (pixmilter\S*) (\d)", page_text(os.path.basename(path))):
                self.assertIn(f"{name}.{section}", there, path)

    def test_every_option_is_in_its_page(self):
        """What --help of a command names, the page of that command describes."""
        for command in self.commands():
            text = page_text("pixmilter.8" if command == "serve" else "pixmilter.1").replace("\\-", "-")
            options = re.findall(r"(?m)^\s+(?:-\w,)?--([a-z-]+)", self.help_of(command))
            self.assertIn("config", options)
            for option in options:
                if option != "help":
                    with self.subTest(command=command, option=option):
                        self.assertRegex(text, rf"(?m)^\.It .*Fl -{option}\b")

    def test_every_command_is_in_a_page(self):
        for command in self.commands():
            self.assertRegex(page_text("pixmilter.1") + page_text("pixmilter.8"), rf"(?m)^\.Cm {command}\b")

    def test_every_member_of_explain_is_in_its_page(self):
        folder = harness.temp_dir(self)
        with open(f"{folder}/policy.toml", "w") as file:
            file.write('[[rule]]\nname = "a"\nmatch = { rcpt = "a@*" }\nmax_images = 5\n'
                       '[[rule.image]]\nmatch = { type = "image/png" }\nunless = { width = ">9999" }\naction = "convert"\n')
        message = ("From: x@example.org\nTo: a@example.org\nSubject: x\nMIME-Version: 1.0\n"
                   "Content-Type: multipart/mixed; boundary=next\n\n--next\n"
                   "Content-Type: message/external-body; access-type=anon-ftp; name=a.png; site=ftp.example\n\n"
                   "Content-Type: image/png\n\n\n--next\nContent-Type: text/html\n\n"
                   f'<p><img src="{pictures.data_uri(pictures.png())}"></p>\n'
                   '<svg width="9" height="9"><image href="x.png"/><rect width="5" height="5"/></svg>\n--next--\n')
        done = harness.run([harness.program(), "explain", "--json", "-c", f"{folder}/policy.toml", "--from", "x@example.org",
                            "--rcpt", "a@example.org", "--rcpt", "b@example.org"], input=message.encode(), check=0)
        said, page = json.loads(done.stdout), page_text("pixmilter-explain.5")
        described = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"(?m)^\.(?:It )?Cm (.*)", page))))
        found = set()

        def collect(value):
            if isinstance(value, dict):
                found.update(value)
            for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
                collect(inner)

        collect(said)
        self.assertLess({"result", "conditions", "forced", "note", "never_touched", "render"}, found)
        self.assertEqual(found - described, set())
        # References first, then parts.
        self.assertEqual([one["part"] for one in said["pictures"]], ["2", "2", "1"])
        for place in {one["place"] for one in said["pictures"]} - {"inline svg"}:
            self.assertIn(place, page.replace("\n", " "))

    def commands(self):
        listing = self.help_of()
        found = re.findall(r"(?m)^  ([a-z]+)\s", listing[listing.index("Subcommands:"):])
        self.assertIn("rewrite", found)
        return found

    def help_of(self, *command):
        return harness.run([harness.program(), *command, "--help"], check=0).stdout.decode()


class Examples(through.WithMta):
    @classmethod
    def need(cls):
        if not postfix.installed():
            raise unittest.SkipTest("postfix is not installed")

    @classmethod
    def setUpClass(cls):
        assets = harness.temp_dir(cls)
        for name, width in (("logo.svg", 60), ("chart.svg", 90)):
            with open(os.path.join(assets, name), "w") as file:
                file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="30"><rect width="50" height="30"/></svg>')
        cls.milter_config = f'[assets]\nroot = "{assets}"\n'
        super().setUpClass()

    @classmethod
    def new_mta(cls, folder, sink_port, milter):
        mta = postfix.Postfix(folder, sink_port, milter.postfix_spec)
        cls.sendmail = os.path.join(folder, "sendmail")
        with open(cls.sendmail, "w") as file:
            file.write(f'#!/bin/sh\nexec env MAIL_CONFIG={mta.config} {postfix.SENDMAIL} -C {mta.config} "$@"\n')
        os.chmod(cls.sendmail, 0o755)
        return mta

    def run_example(self, title, command, name):
        """Runs it with its mail server's and its recipient's names changed; gives the message that arrives."""
        code = examples(page_text("pixmilter-parts.7"))[title]
        recipient, folder = self.new_recipient(), harness.temp_dir(self)
        changed, count = re.subn(r'SMTP\("localhost"\)', f'SMTP("127.0.0.1", {self.mta.port})', code)
        for pattern, new in (("/usr/sbin/sendmail", self.sendmail), ("smtp://localhost", f"smtp://127.0.0.1:{self.mta.port}")):
            changed, more = re.subn(pattern, new, changed)
            count += more
        self.assertEqual(count, 1, "the example names its server once")
        self.assertIn("you@example.org", changed)
        path = os.path.join(folder, name)
        with open(path, "w") as file:
            file.write(changed.replace("you@example.org", recipient))
        if name.endswith(".c"):
            harness.run([*command, "-Wall", "-Wextra", "-Werror", "-o", path[:-2], path], check=0)
            command = [path[:-2]]
        else:
            command = [*command, path]
        harness.run(command, check=0, cwd=folder, env={**os.environ, "HOME": folder})
        data = self.sink.wait(recipient, 60).data
        self.assertEqual(judge.complaints(data), [], data[:3000])
        return judge.parse(data)

    def check(self, title, command, name, tree):
        message = self.run_example(title, command, name)
        self.assertEqual(judge.tree(message), tree)
        return message, pictures.pixels(judge.images(message)[0].get_payload(decode=True))

    def test_numpy(self):
        _, pixels = self.check("Python: numpy", ["/usr/bin/python3"], "x.py",
                               ("multipart/related", ("text/html",), ("image/png",)))
        self.assertEqual(pixels.shape, (480, 640, 3))

    def test_pillow(self):
        message, pixels = self.check("Python: Pillow", ["/usr/bin/python3"], "x.py",
                                     ("multipart/mixed", ("text/plain",), ("image/png",)))
        self.assertEqual(judge.images(message)[0].get_filename(), "picture.png")
        self.assertEqual(pixels.shape[:2], (480, 640))
        self.assertGreater(int(pixels[-1, 0].max()) - int(pixels[0, 0].max()), 200)

    def test_matplotlib(self):
        if harness.run(["/usr/bin/python3", "-c", "import matplotlib"]).returncode != 0:
            self.skipTest("python3-matplotlib is not installed")
        _, pixels = self.check("Python: matplotlib", ["/usr/bin/python3"], "x.py",
                               ("multipart/related", ("text/html",), ("image/png",)))
        self.assertEqual(pixels.shape[:2], (400, 600))
        self.assertGreater(len(numpy.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)), 10)

    def test_r(self):
        _, pixels = self.check("R", [harness.need_program("Rscript"), "--vanilla"], "x.R", ("image/png",))
        self.assertEqual(pixels.shape[:2], (61, 87))
        self.assertEqual((pixels.min(), pixels.max()), (0, 255))

    def test_octave(self):
        octave = harness.need_program("octave-cli")
        _, pixels = self.check("Octave", [octave, "--norc", "--quiet"], "x.m", ("image/png",))
        self.assertEqual(pixels.shape, (200, 200, 3))
        # The highest peak is dark red in turbo, the lowest point dark blue.
        red, blue = pixels[:, :, 0].astype(int), pixels[:, :, 2].astype(int)
        self.assertTrue((red - blue).max() > 100 and (blue - red).max() > 50)

    def test_c(self):
        _, pixels = self.check("C", [harness.need_program("cc")], "x.c", ("image/png",))
        y, x = numpy.mgrid[0:200, 0:320]
        numpy.testing.assert_array_equal(pixels, numpy.dstack([x * 255 // 320, y * 255 // 200, 0 * x + 128]))

    def test_shell_and_sendmail(self):
        _, pixels = self.check("Shell: sendmail", ["/bin/sh", "-e"], "x.sh",
                               ("multipart/related", ("text/html",), ("image/png",)))
        y, x = numpy.mgrid[0:48, 0:64]
        numpy.testing.assert_array_equal(pixels, numpy.dstack([x * 4, y * 5, 0 * x + 128]))

    def test_shell_and_curl(self):
        harness.need_program("curl")
        _, pixels = self.check("Shell: curl", ["/bin/sh", "-e"], "x.sh",
                               ("multipart/mixed", ("text/plain",), ("image/png",)))
        numpy.testing.assert_array_equal(pixels.reshape(4, 4, -1)[:, :, 0], numpy.arange(16).reshape(4, 4) * 17)

    def test_pictures_of_the_server(self):
        message, pixels = self.check("Shell: pictures of the server's", ["/bin/sh", "-e"], "x.sh",
                                     ("multipart/mixed", ("multipart/related", ("text/html",), ("image/png",)), ("image/png",)))
        self.assertEqual(pixels.shape[:2], (30, 60))
        attached = judge.images(message)[1]
        self.assertEqual((attached.get_filename(), attached.get_content_disposition()), ("sales.png", "attachment"))
        self.assertEqual(pictures.pixels(attached.get_payload(decode=True)).shape[:2], (30, 90))

    def test_every_example_has_a_test(self):
        self.assertEqual(len(examples(page_text("pixmilter-parts.7"))),
                         sum(name.startswith("test_") for name in vars(Examples)) - 1)


harness.main()
