#!/usr/bin/python3
"""max_message_bytes is about the message: pictures that are parts of it already and that the text shows shrink like
those that become parts, and a message that stays too large says so and is a failure of the kind `limit`. Attached
files keep every byte. (They passed without a word, whatever their size.)"""

import email
import email.policy
import io
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import numpy
import pictures
from assorted import b64
from PIL import Image

HEAD = b"From: a@example.org\nTo: b@example.org\nSubject: x\nMIME-Version: 1.0\n"
BUDGET = 120_000


def photograph(kind="JPEG", seed=1, **options):
    y, x = numpy.mgrid[0:700, 0:1000]
    shapes = numpy.stack([128 + 90 * numpy.sin(x / 37 + y / 91), 128 + 90 * numpy.cos(y / 53),
                          100 + 80 * numpy.sin((x + y) / 71)], -1)
    grain = numpy.random.default_rng(seed).normal(0, 6, shapes.shape)
    out = io.BytesIO()
    Image.fromarray((shapes + grain).clip(0, 255).astype(numpy.uint8)).save(out, kind, **options)
    return out.getvalue()


PHOTO = photograph(quality=95)


def part(picture, kind="image/jpeg", more=b"Content-ID: <a@b>\n"):
    return (b"--b\nContent-Type: " + kind.encode() + b'; name="photo"\n' + more
            + b"Content-Transfer-Encoding: base64\n\n" + b64(picture).encode() + b"\n")


def message(*parts, html='<img src="cid:a@b">', kind=b"related"):
    return (HEAD + b"Content-Type: multipart/" + kind + b'; boundary="b"\n\n--b\nContent-Type: text/html\n\n'
            + html.encode() + b"\n" + b"".join(parts) + b"--b--\n")


class BudgetOfParts(unittest.TestCase):
    def policy(self, budget=BUDGET, more="", rule=""):
        text = f'[defaults]\nmax_message_bytes = "{budget}"\n{more}'
        if rule:
            text += f'[[rule]]\nname = "t"\n[[rule.image]]\n{rule}\n'
        path = os.path.join(harness.temp_dir(self), "policy.toml")
        with open(path, "w") as file:
            file.write(text)
        return path

    def rewrite(self, policy, text, status=0):
        done = harness.run([harness.program(), "rewrite", "-c", policy], input=text, check=status)
        return done.stdout, done.stderr.decode()

    def explain(self, policy, text):
        done = harness.run([harness.program(), "explain", "--json", "-c", policy], input=text, check=0)
        return json.loads(done.stdout), harness.run([harness.program(), "explain", "-c", policy], input=text,
                                                    check=0).stdout.decode()

    def pictures(self, text):
        return [(part.get_content_type(), part.get_payload(decode=True))
                for part in email.message_from_bytes(text, policy=email.policy.SMTP).walk()
                if part.get_content_maintype() == "image"]

    def check_fits(self, text, policy=None, kinds=("image/jpeg",)):
        policy = policy or self.policy()
        out, _ = self.rewrite(policy, text)
        self.assertGreater(len(text), BUDGET)
        self.assertLessEqual(len(out), BUDGET)
        found = self.pictures(out)
        self.assertEqual([kind for kind, _ in found], list(kinds))
        for _, picture in found:
            Image.open(io.BytesIO(picture)).load()
        self.assertTrue(self.rewrite(policy, out)[0] == out, "a second pass changed something")
        return out

    def test_named_by_cid(self):
        out = self.check_fits(message(part(PHOTO)))
        self.assertIn(b"\nContent-ID: <a@b>\n", out)
        self.assertIn(b"\nX-Pixmilter: ", out)

    def test_named_by_cid_whatever_its_disposition(self):
        self.check_fits(message(part(PHOTO, more=b'Content-ID: <a@b>\nContent-Disposition: attachment; filename="photo"\n')))

    def test_inline(self):
        self.check_fits(message(part(PHOTO, more=b"Content-Disposition: inline\n"), html="Hello.", kind=b"mixed"))

    def test_alone(self):
        self.check_fits(HEAD + b"Content-Type: image/jpeg\nContent-Transfer-Encoding: base64\n\n" + b64(PHOTO).encode() + b"\n")

    def test_png_and_octets(self):
        self.check_fits(message(part(photograph("PNG"), "application/octet-stream")), kinds=("image/png",),
                        policy=self.policy(more="min_side = 40\n"))

    def test_beside_a_picture_that_becomes_a_part(self):
        uri = pictures.data_uri(photograph(seed=2, quality=95), "image/jpeg")
        self.check_fits(message(part(PHOTO), html=f'<img src="cid:a@b"><img src="{uri}">'), kinds=("image/jpeg",) * 2)

    def test_small_ones_keep_every_byte(self):
        small = part(pictures.png(8, 6), "image/png", b"Content-ID: <small@b>\n")
        out = self.check_fits(message(part(PHOTO), small, html='<img src="cid:a@b"><img src="cid:small@b">'),
                              kinds=("image/jpeg", "image/png"))
        self.assertIn(small, out)

    def test_a_rule_that_has_nothing_to_change(self):
        self.check_fits(message(part(PHOTO)), self.policy(rule='match = { type = "image/jpeg" }\nwidth = 4000'))

    def test_a_rule_may_say_that_it_stays(self):
        for action in "keep", "embed":
            policy = self.policy(rule=f'action = "{action}"', more='strip_metadata = "none"\n')
            out, said = self.rewrite(policy, message(part(PHOTO)))
            self.assertEqual(out, message(part(PHOTO)))
            self.assertIn("more than max_message_bytes = 120000", said)

    def test_within_the_budget_nothing_happens(self):
        policy = self.policy(budget="10M")
        out, said = self.rewrite(policy, message(part(PHOTO)))
        self.assertEqual((out, said), (message(part(PHOTO)), ""))
        told, _ = self.explain(policy, message(part(PHOTO)))
        self.assertEqual(told["outcome"], "untouched: nothing to do")

    def test_attached_files_only_count(self):
        attached = part(PHOTO, more=b'Content-Disposition: attachment; filename="photo.jpg"\n')
        text = message(attached, part(PHOTO), kind=b"mixed")
        out, said = self.rewrite(self.policy(), text)
        self.assertEqual(out, text)
        self.assertRegex(said, r"left as it was: .*\d+ bytes are more than max_message_bytes = 120000")
        # Where the others can make up for it, it stays.
        out, _ = self.rewrite(self.policy(budget=len(text) - 10_000), text)
        self.assertIn(attached, out)
        self.assertLessEqual(len(out), len(text) - 10_000)

    def test_attached_pictures_that_a_rule_means(self):
        attached = part(PHOTO, more=b'Content-Disposition: attachment; filename="photo.jpg"\n')
        self.check_fits(message(attached, html="Hello.", kind=b"mixed"),
                        self.policy(rule='match = { attachment = true }\nwidth = 4000'))

    def test_too_large_is_said_and_is_a_limit(self):
        pdf = (b"--b\nContent-Type: application/pdf\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n\n"
               + b64(bytes(200_000)).encode() + b"\n")
        texts = {
            "a file": message(pdf, html="Hello.", kind=b"mixed"),
            "a file and a picture": message(pdf, part(pictures.png(8, 6), "image/png"), kind=b"mixed"),
            "text": HEAD + b"Content-Type: text/plain\n\n" + b"Hello, hello.\n" * 10_000,
        }
        for name, text in texts.items():
            with self.subTest(name):
                told, words = self.explain(self.policy(), text)
                self.assertRegex(told["outcome"], r"untouched: \d+ bytes are more than max_message_bytes = 120000$")
                self.assertIn("more than max_message_bytes = 120000", words)
                self.assertNotIn("not looked for", words)
                out, said = self.rewrite(self.policy(), text)
                self.assertEqual(out, text)
                self.assertIn("the message: ", said)
                refusing = self.policy(more='on_fail = { limit = "reject" }\n')
                _, said = self.rewrite(refusing, text, status=69)
                self.assertIn("message is too large: ", said)
                self.rewrite(self.policy(more='on_fail = { unreadable = "reject" }\n'), text)

    def test_signed_mail_stays_what_it_is(self):
        text = b"DKIM-Signature: v=1\n" + message(part(PHOTO))
        policy = self.policy(more='on_fail = "reject"\n')
        self.assertEqual(self.rewrite(policy, text)[0], text)


if __name__ == "__main__":
    harness.main()
