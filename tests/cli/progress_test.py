#!/usr/bin/python3
"""On a terminal `rewrite`, `explain` and `preview` say what they wait for when it takes long; anywhere else they say nothing."""

import os
import pty
import re
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import numpy

import harness
import pictures


def message_of(pixels, subject="x"):
    import base64
    return (f"From: a@example.test\nTo: b@example.test\nSubject: {subject}\nMIME-Version: 1.0\n"
            "Content-Type: application/x-npy\nContent-Transfer-Encoding: base64\n\n").encode() + \
        base64.encodebytes(pictures.npy(pixels))


# An animation of noise: colours to choose for each frame, seconds of work.
LONG = message_of(numpy.random.RandomState(1).randint(0, 256, (6, 600, 600, 3)).astype(numpy.uint8))
# A PNG is sent with the bytes it has.
SHORT = (b"From: a@example.test\nTo: b@example.test\nMIME-Version: 1.0\nContent-Type: text/html\n\n<img src=\"" +
         pictures.data_uri(pictures.png()).encode() + b'">\n')


# As long as a slow machine takes.
PATIENT = '[milter]\ndeadline = "10m"\n[render]\ntimeout = "9m"\n'


class Progress(unittest.TestCase):
    def setUp(self):
        self.config = os.path.join(harness.temp_dir(self), "pixmilter.toml")
        with open(self.config, "w") as file:
            file.write(PATIENT)

    def on_a_terminal(self, message, *command):
        """(what it wrote to standard error, a terminal; to standard output, a pipe)"""
        ours, theirs = pty.openpty()
        said = []

        def read():
            try:
                while data := os.read(ours, 4096):
                    said.append(data)
            except OSError:
                pass  # the other end is closed

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        done = subprocess.run([harness.program(), *command, "-c", self.config], input=message, stdout=subprocess.PIPE,
                              stderr=theirs, timeout=600)
        os.close(theirs)
        reader.join()
        os.close(ours)
        self.assertEqual(done.returncode, 0, said)
        return b"".join(said).decode(), done.stdout

    def test_a_long_render_is_shown_and_cleared(self):
        for command in ("rewrite", "explain", "preview"):
            with self.subTest(command=command):
                said, out = self.on_a_terminal(LONG, command)
                self.assertRegex(said, r"rendering 1 picture, [1-9]\d* s")
                self.assertTrue(said.endswith("\r\x1b[K"), repr(said[-60:]))
                self.assertEqual(re.sub(r"\r\x1b\[K(?:rendering 1 picture, \d+ s)?", "", said), "")
                self.assertNotIn(b"rendering 1 picture", out)

    def test_nothing_is_said_where_nothing_is_waited_for(self):
        said, out = self.on_a_terminal(SHORT, "rewrite")
        self.assertEqual(said, "")
        self.assertIn(b"Content-Type: image/png", out)

    def test_nothing_in_a_pipe(self):
        done = harness.run([harness.program(), "rewrite", "-c", self.config], input=LONG, check=0, timeout=600)
        self.assertEqual(done.stderr, b"")
        self.assertIn(b"Content-Type: image/gif", done.stdout)


harness.main()
