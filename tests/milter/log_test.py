#!/usr/bin/python3
"""The log of a running milter: what a line says, in which form, and what mail cannot do to it."""

import json
import os
import signal
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from running import HTML, PLAIN, Running, harness, until  # noqa: E402

BROKEN = HTML.replace(b"R0lGODlhAQABAIAAAAAA", b"R0lGODlhAQABAIAA")


class Lines(unittest.TestCase):
    def test_a_message_and_its_pictures(self):
        running = Running(self, config='[[rule]]\nname = "all mail"\n')
        running.send(HTML, queue_id="4ONE", recipients=("a@example.test", "b@example.test"))
        line = running.line_for("4ONE")
        self.assertRegex(line, r'^pixmilter: id=4ONE did="rewritten: 1 embedded" from=<sender@example.test> nrcpt=2 '
                               r'rule="all mail" before=\d+ after=\d+ ms=\d+$')
        picture = running.wait_logged("id=4ONE picture=")[0]
        self.assertRegex(picture, r" part=1 source=data format=gif pixels=1x1 bytes=\d+ action=embed to=gif to_pixels=1x1 ")
        running.send(BROKEN, queue_id="4TWO")
        self.assertRegex(running.wait_logged("id=4TWO picture=")[0], r' left="')
        running.send(PLAIN, queue_id="4THREE")
        self.assertEqual(running.logged("id=4THREE picture="), [])

    def test_what_of_a_picture_is_not_drawn(self):
        running = Running(self)
        begin = HTML[:HTML.index(b"<img")]
        running.send(begin + b'<svg width="9" height="9"><path d="M0 0h9"/><foreignObject width="9" height="9"><b>Sales</b></foreignObject></svg>\n',
                     queue_id="4LOST")
        self.assertRegex(running.line_for("4LOST"), 'did="rewritten: 1 converted"')
        self.assertRegex(running.logged("id=4LOST picture=")[0], r' action=convert .* note="its foreignObject is not drawn: [^"]*"$')

    def test_who_forced_what(self):
        policy = """
[[rule]]
name = "a"
match = { rcpt = "a@*" }
[[rule]]
name = "b"
match = { rcpt = ["b@*", "\\"*"] }
action = "skip"
[[rule]]
name = "c"
match = { rcpt = "c@*" }
strip_metadata = "all"
max_images = 7
on_fail = "tempfail"
  [[rule.image]]
  width = 40
"""
        running = Running(self, config=policy)
        alone, both = ("a@example.test",), ("a@example.test", "c@example.test")
        running.send(HTML, queue_id="4ALONE", recipients=alone)
        self.assertNotIn("forced", running.line_for("4ALONE"))
        running.send(HTML, queue_id="4BOTH", recipients=both)
        line = running.line_for("4BOTH")
        self.assertIn(' rule=several forced="max_images = 7: c@example.test; on_fail = tempfail: c@example.test; '
                      'strip_metadata = all: c@example.test" before=', line)
        self.assertRegex(running.logged("id=4BOTH picture=")[0], r' forced="resize = fit: c@example.test; width = 40: c@example.test" ')
        # Known with the header already.
        running.send(HTML, queue_id="4SKIP", recipients=("b@example.test", "a@example.test"))
        self.assertRegex(running.line_for("4SKIP"), r'rule=several forced="action = skip: b@example.test" .* seen=header')
        # Recipients cannot break out of the value, nor make it long.
        running.send(HTML, queue_id="4EVIL", recipients=("a@example.test", '"x\n\x1b[2J\\" did=fake ' + "y" * 300 + '"@example.test'))
        line = running.line_for("4EVIL")
        self.assertRegex(line, r' forced="action = skip: \\"x\\x0a\\x1b\[2J[^ ]* did=fake y+\.\.\." before=\d+ ')
        self.assertLess(len(line), 500)
        running.configure('log_format = "json"\n' + policy)
        running.signal(signal.SIGHUP)

        def in_json():
            running.send(HTML, queue_id="4JSON", recipients=both)
            return [line for line in running.logged('"did":') if '"4JSON"' in line]
        until("lines of JSON", in_json)
        said = json.loads(in_json()[0])
        self.assertEqual(said["forced"], "max_images = 7: c@example.test; on_fail = tempfail: c@example.test; "
                                         "strip_metadata = all: c@example.test")

    def test_a_failed_picture_decides(self):
        running = Running(self, config="".join(
            f'[[rule]]\nmatch = {{ rcpt = "{action}@*" }}\non_fail = "{action}"\n' for action in ("reject", "tempfail", "quarantine")))
        for action, word in (("reject", "rejected"), ("tempfail", "deferred"), ("quarantine", "quarantined")):
            running.send(BROKEN, queue_id="4" + action, recipients=(action + "@example.test",))
            self.assertRegex(running.line_for("4" + action), rf' did="{word}: image could not be processed: ')

    def test_no_query_of_a_url(self):
        root = os.path.join(harness.temp_dir(self), "assets")
        os.mkdir(root)
        with open(os.path.join(root, "badge.svg"), "w") as file:
            file.write('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>{{name}}</text></svg>')
        running = Running(self, config=f'[assets]\nroot = "{root}"\n[defaults]\ntemplates = true\n'
                                       '[fetch]\nallow = ["http://127.0.0.1:1/*"]\nallow_private = true\n'
                                       '[[rule]]\nsources = ["asset", "http"]\n')
        begin = HTML[:HTML.index(b"<img")]
        for number, (url, label) in enumerate((
                ("asset:badge.svg?name=SECRET", "asset:badge.svg"), ("asset:badge.svg#SECRET", "asset:badge.svg"),
                ("asset:bad%2e%2e/x?name=SECRET", "asset:bad%2e%2e/x"), ("asset:b%C3%B6.svg?name=SECRET", "asset:b%C3%B6.svg"),
                ("http://127.0.0.1:1/x.png?token=SECRET&amp;user=SECRET", "http://127.0.0.1:1/x.png"))):
            running.send(begin + f'<img src="{url}"></p>\n'.encode(), queue_id=f"4URL{number}")
            running.line_for(f"4URL{number}")
            self.assertIn(f"picture={label} ", running.logged(f"id=4URL{number} picture=")[0])
        self.assertNotIn("SECRET", running.log())

    def test_json(self):
        running = Running(self, config='log_format = "json"\n', wait=False)
        until("serving", lambda: running.logged("serving on"))
        running.send(HTML, queue_id='4"J\n', sender='"odd\\ one"@example.test')
        line = running.wait_logged('"did":')[0]
        said = json.loads(line)
        self.assertEqual(next(iter(said)), "id")
        self.assertEqual((said["id"], said["from"]), ('4"J\n', '<"odd\\ one"@example.test>'))
        self.assertIsInstance(said["before"], int)
        self.assertRegex(said["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        # Back to text, by reload.
        running.configure("")
        running.signal(signal.SIGHUP)
        running.wait_logged("is in force")

        # The master says so first; the front follows.
        def in_text():
            running.send(PLAIN, queue_id="4TEXT")
            return running.logged("id=4TEXT did=")
        until("lines of text", in_text)
        for line in running.lines[:running.lines.index(running.logged("is in force")[0])]:
            if line.startswith("{"):
                self.assertIn("level", json.loads(line))

    def test_level(self):
        running = Running(self, config='log_level = "warning"\n', wait=False)
        until("it listens", lambda: os.path.exists(running.socket[5:]))
        running.front()
        running.send(HTML, queue_id="4QUIET")
        self.assertEqual(running.logged("did="), [])
        path = os.path.join(harness.temp_dir(self), "wrong.toml")
        with open(path, "w") as file:
            file.write('log_format = "xml"\nlog_level = "loud"\nlog_repeats = -1\n')
        done = harness.run([harness.program(), "check", "-c", path], check=78).stderr.decode()
        self.assertIn(f'{path}:1:14: log_format: one of "text", "json" is expected', done)
        self.assertEqual(len(done.splitlines()), 3)

    def test_many_pictures(self):
        running = Running(self)
        image = HTML[HTML.index(b"<img"):HTML.index(b"</p>")]
        running.send(HTML.replace(b"</p>", image * 500 + b"</p>"), queue_id="4MANY")
        running.line_for("4MANY")
        self.assertEqual(len(running.logged("id=4MANY picture=")), 100)
        self.assertEqual(len(running.logged("id=4MANY more_pictures=401")), 1)

    def test_nothing_breaks_out_of_a_line(self):
        running = Running(self)
        evil = b"<sender@example.test>\r\n\x1b[2Jid=4FAKE did=\"rewritten\" \xe2\x80\xae".replace(b"\r\n", b"\n")
        part = (b"From: a@example.test\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
                b"Content-Type: application/x-npy; name=\"=?utf-8?q?a=0Aid=3D4FAKE_did=3Dx=1B?=\"\n\nno npy\n--b--\n")
        running.send(part, queue_id="4EVIL", sender=evil.decode(errors="replace"))
        running.line_for("4EVIL")
        self.assertEqual([line for line in running.lines if line.startswith("pixmilter: id=4FAKE") or "\x1b" in line], [])

    def test_the_journal(self):
        left, right = socket.socketpair()
        with left, right:
            status = os.fstat(right.fileno())
            folder = harness.temp_dir(self)
            process = subprocess.Popen([harness.program(), "serve", "--log", "stderr", "--socket", f"unix:{folder}/s"],
                                       stderr=right, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                                       env={**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
            try:
                left.settimeout(60)
                text = b""
                while b"serving on" not in text:
                    text += left.recv(4096)
                self.assertRegex(text, rb"(?m)^<5>serving on ")
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


if __name__ == "__main__":
    harness.main()
