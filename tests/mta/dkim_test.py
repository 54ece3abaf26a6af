#!/usr/bin/python3
"""pixmilter before a signer: an MTA with pixmilter and then a real OpenDKIM; what arrives is verified.

Both MTAs stand as the snippets in conf/ say, the signer after pixmilter. Two verifiers judge: OpenDKIM's own and dkimpy.
"simple" canonicalization forgives not one byte, so that the signature also says that nothing changed after it.
"""
# tests/run: timeout=1200

import os
import sys
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"),
                os.path.dirname(os.path.abspath(__file__))]
import assorted
import harness
import judge
import pictures
import postfix
import sendmail
import signer
import smtp_client
import through
from through import array_message, as_bytes, html_message


class Chain(through.WithMta):
    """One MTA with pixmilter and a signer."""

    @classmethod
    def need(cls):
        why = signer.missing()
        if why:
            raise unittest.SkipTest(why)

    @classmethod
    def new_signer(cls, folder):
        cls.signer = signer.Signer(folder)
        cls.addClassCleanup(cls.signer.stop)
        return cls.signer

    def check_signed_after(self, message, way):
        data = self.relay(as_bytes(message), way=way)
        self.assertEqual(judge.complaints(data), [])
        self.assertEqual(len(judge.images(judge.parse(data))), 1)
        self.assertEqual(self.signer.complaints(data), [])
        return data


class AfterPixmilter:
    def test_rewritten_mail_verifies(self):
        for way in ("smtp", "sendmail"):
            for message in (html_message(f'<p>Now: <img src="{pictures.data_uri(pictures.png())}"></p>'),
                            html_message(f'<p>Now: <img src="{pictures.data_uri(pictures.webp())}"></p>'),
                            array_message(pictures.array(64, 48))):
                with self.subTest(way=way):
                    data = self.check_signed_after(message, way)
                    # The verifiers can tell: one byte of a picture, and it is no longer what was signed.
                    at = data.rindex(b"\r\n\r\n") + 40
                    other = data[:at] + (b"A" if data[at:at + 1] != b"A" else b"B") + data[at + 1:]
                    self.assertEqual(len(self.signer.complaints(other)), 2)

    def test_what_is_left_alone_verifies(self):
        for number, (name, message) in enumerate(assorted.messages()):
            # A signature of somebody else's is another matter, and Sendmail completes what is broken after it is signed.
            if number % 8 or b"\0" in message or b"DKIM" in message or judge.defects(judge.parse(message)) or \
                    not message.startswith(b"From: Sender"):
                continue
            with self.subTest(message=name):
                self.assertEqual(self.signer.complaints(self.relay(message)), [])

    def test_signed_mail_keeps_its_signature(self):
        """What one server has signed passes the next one as it is, pictures and all."""
        message = as_bytes(html_message(f'<img src="{pictures.data_uri(pictures.png())}">'))
        signed = smtp_client.without_received(self.relay(message, port=self.signing_port))
        self.assertEqual(signed.count(b"DKIM-Signature:"), 1)
        self.assertIn(b"data:image/png", signed)
        self.assertEqual(self.signer.complaints(signed), [])
        again = self.relay(signed, port=self.pixmilter_port)
        self.assertTrue(again.endswith(signed), again[:400])


def ports_past_one(port, smtp):
    return f"127.0.0.1:{port} inet n - n - - smtpd\n  -o smtpd_milters={smtp}\n"


class Postfix(AfterPixmilter, Chain):
    @classmethod
    def need(cls):
        super().need()
        if not postfix.installed():
            raise unittest.SkipTest("postfix is not installed")

    @classmethod
    def new_mta(cls, folder, sink_port, milter):
        signs = f"unix:{cls.new_signer(folder).socket}"
        cls.signing_port, cls.pixmilter_port = through.served.free_port(), through.served.free_port()
        return postfix.Postfix(folder, sink_port, f"{milter.postfix_spec}, {signs}",
                               more_services=ports_past_one(cls.signing_port, signs) +
                               ports_past_one(cls.pixmilter_port, milter.postfix_spec))


class PostfixInTheWrongOrder(Chain):
    """The signer first: its signature is respected, so mail goes out signed and as it was."""

    need = Postfix.need

    @classmethod
    def new_mta(cls, folder, sink_port, milter):
        return postfix.Postfix(folder, sink_port, f"unix:{cls.new_signer(folder).socket}, {milter.postfix_spec}")

    def test_nothing_is_broken(self):
        data = self.relay(as_bytes(html_message(f'<img src="{pictures.data_uri(pictures.png())}">')))
        self.assertIn(b"data:image/png", data)
        self.assertEqual(self.signer.complaints(data), [])
        self.wait_logged("signed")


class Sendmail(AfterPixmilter, Chain):
    @classmethod
    def need(cls):
        super().need()
        why = sendmail.missing()
        if why:
            raise unittest.SkipTest(why)

    @classmethod
    def new_mta(cls, folder, sink_port, milter):
        cls.signing_port, cls.pixmilter_port = through.served.free_port(), through.served.free_port()
        inside = "/run/pixmilter" + cls.new_signer(folder).socket.removeprefix(folder)
        signs = f"S=local:{inside}, F=T, T=C:30s;S:30s;R:30s;E:5m"
        daemons = "".join(f"DAEMON_OPTIONS(`Name={name}, Family=inet, Addr=127.0.0.1, Port={port}, InputMailFilters={name}')dnl\n"
                          for name, port in (("opendkim", cls.signing_port), ("pixmilter", cls.pixmilter_port)))
        return sendmail.Sendmail(folder, sink_port, before=daemons,
                                 after=f"INPUT_MAIL_FILTER(`opendkim', `{signs}')dnl\n")


harness.main()
