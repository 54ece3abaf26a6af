#!/usr/bin/python3
"""A real Sendmail, private to this test, with pixmilter as its milter: the same sentences as for Postfix.

Its milter line is conf/sendmail/pixmilter.mc. Mail comes in by SMTP, and from sendmail(1), which hands it to the daemon
by SMTP over loopback (submit.cf), so that local programs' mail passes the milter too.
"""
# tests/run: timeout=1500

import os
import sys
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"),
                os.path.dirname(os.path.abspath(__file__))]
import harness
import judge
import kills
import macros
import pictures
import sendmail
import smtp_client
import through
from served import Served, free_port
from through import as_bytes, html_message


class WithSendmail(through.WithMta):
    @classmethod
    def need(cls):
        why = sendmail.missing()
        if why:
            raise unittest.SkipTest(why)

    @classmethod
    def new_mta(cls, folder, sink_port, milter):
        return sendmail.Sendmail(folder, sink_port)

    without_additions = staticmethod(sendmail.without_additions)


class Pictures(through.Pictures, WithSendmail):
    def test_inet_socket(self):
        folder = harness.temp_dir(self)
        port = free_port()
        with Served(folder, f"inet:{port}@127.0.0.1"), \
                sendmail.Sendmail(folder, self.sink.port, f"inet:{port}@127.0.0.1") as other:
            recipient = self.new_recipient()
            message = as_bytes(html_message(f'<img src="{pictures.data_uri(pictures.png())}">'))
            self.assertEqual(other.send("a@example.test", [recipient], message)[0], 250)
            data = self.sink.wait(recipient).data
            self.assertEqual(judge.complaints(data), [])
            self.assertEqual(judge.images(judge.parse(data))[0].get_payload(decode=True), pictures.png())

    def test_many_header_fields_keep_their_place(self):
        """Repeated, folded and long fields before, between and after those that change."""
        message = as_bytes(html_message(f'<img src="{pictures.data_uri(pictures.png())}">'))
        fields = (b"X-First: one\r\nReceived: from elsewhere by here; Mon, 01 Jan 2024 00:00:00 +0000\r\n"
                  b"X-Folded: a\r\n\tb\r\n  c\r\nX-Same: 1\r\nX-Same: 2\r\nX-Empty:\r\nX-Tight:value\r\nX-Wide:   value\r\n"
                  b"X-Long: " + b"word " * 180 + b"end\r\n")
        through_it = smtp_client.without_received(self.relay(fields + message))
        past_it = smtp_client.without_received(self.relay(fields + message, port=self.mta.plain_port))
        self.assertEqual(judge.complaints(through_it), [])

        def others(data):
            head = data[:data.index(b"\r\n\r\n") + 2].replace(b"\r\n ", b"\0 ").replace(b"\r\n\t", b"\0\t")
            return [line for line in head.split(b"\r\n")
                    if not line.lower().startswith((b"content-", b"x-pixmilter:", b"mime-version:"))]

        self.assertEqual(others(through_it), others(past_it))


class References(through.References, WithSendmail):
    pass


class NothingToDo(through.NothingToDo, WithSendmail):
    def handed_in(self, message, recipient):
        # Sendmail completes multiparts that lack their end, among others.
        self.mta.sendmail("a@example.test", [recipient], message, "past-the-milter")
        return smtp_client.without_received(self.sink.wait(recipient).data)


class Killed(kills.Killed, WithSendmail):
    pass


class Gone(kills.Gone, WithSendmail):
    pass


class Macros(macros.Macros, WithSendmail):
    queue_id_in = r"(\S+) Message accepted"
    # It hands in over SMTP: what a program on this machine sends is like any client's.
    of_a_program = {"net", "hostname"}

    @classmethod
    def new_mta(cls, folder, sink_port, milter):
        cls.authority = macros.Saslauthd(os.path.join(folder, "mux"))
        cls.door = free_port()
        return sendmail.Sendmail(
            folder, sink_port, sasl=macros.sasl_settings(folder),
            before="RELAY_DOMAIN(`127.0.0.2 127.0.0.9')dnl\n"
                   "define(`confAUTH_MECHANISMS', `PLAIN LOGIN')dnl\n"
                   f"DAEMON_OPTIONS(`Name=ORIGINATING, Family=inet, Addr=127.0.0.1, Port={cls.door}')dnl\n")


class Verdicts(through.Verdicts, WithSendmail):
    pass


harness.main()
