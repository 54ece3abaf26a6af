#!/usr/bin/python3
"""What `rewrite` says beside the message: on standard error and by its exit status."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness

MESSAGE = b"From: a@example.test\nTo: b@example.test\nSubject: x\n\nA text.\n"


class Rewrite(unittest.TestCase):
    def rewrite(self, policy, *options):
        path = os.path.join(harness.temp_dir(self), "policy.toml")
        with open(path, "w") as file:
            file.write(policy)
        done = harness.run([harness.program(), "rewrite", "-c", path, *options], input=MESSAGE)
        return done.returncode, done.stdout, done.stderr.decode()

    def test_a_message_that_would_be_held(self):
        held = self.rewrite('[[rule]]\nname = "kiosk"\naction = "quarantine"\nreply = "Ask the desk"\n')
        self.assertEqual(held[:2], (0, MESSAGE))
        self.assertRegex(held[2], r"^pixmilter: warning: a mail server would hold this message: .*kiosk")
        self.assertEqual(self.rewrite('[[rule]]\nname = "kiosk"\naction = "skip"\n'), (0, MESSAGE, ""))

    def test_an_address_that_is_none(self):
        for address in ("10.1.2", "300.1.1.1", "10.0.0.0/8", "host.example", "", "::g"):
            with self.subTest(address=address):
                code, out, said = self.rewrite("", "--ip", address)
                self.assertEqual((code, out), (64, b""))
                self.assertIn(f"--ip {address}: an address is expected", said)
        for address in ("10.1.2.3", "2001:db8::1", "IPv6:2001:db8::1"):
            self.assertEqual(self.rewrite("", "--ip", address), (0, MESSAGE, ""))


if __name__ == "__main__":
    harness.main()
