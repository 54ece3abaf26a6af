#!/usr/bin/python3
"""The milter protocol, step by step: what is asked for, what is answered, what comes back."""
# tests/run: timeout=1200

import os
import random
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import client as milter  # noqa: E402
from client import Client, join_message, split_message  # noqa: E402
from running import HTML, PLAIN, Running, harness  # noqa: E402


def script(text=b"text\r\n", *fields, **words):
    """A message for the scripted pipeline."""
    head = b"From: a@example.test\r\nSubject: script\r\n"
    for name, value in words.items():
        head += b"X-Script-" + name.capitalize().encode() + b": " + str(value).encode() + b"\r\n"
    return head + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + text


class Negotiation(unittest.TestCase):
    def test_exactly_what_is_needed(self):
        with Running(self).client() as client:
            self.assertEqual(client.version, 6)
            self.assertEqual(client.actions, milter.ADDHDRS | milter.CHGBODY | milter.CHGHDRS
                             | milter.QUARANTINE | milter.SETSYMLIST)
            self.assertEqual(client.steps, milter.NOHELO | milter.NODATA | milter.NOUNKNOWN | milter.HDR_LEADSPC
                             | milter.NR_CONN | milter.NR_MAIL | milter.NR_RCPT | milter.NR_HDR | milter.NR_BODY)
            self.assertEqual(client.macro_lists, {0: "j {daemon_name} {client_addr} {client_name}",
                                                  2: "i {auth_authen}", 5: "i", 6: "i"})

    def test_every_step_is_answered_over_tcp(self):
        running = Running(self, socket="inet:0@127.0.0.1")
        with running.client() as client:
            self.assertEqual(client.steps & milter.ALL_NO_REPLY, 0)
            self.assertIn(b"multipart/related", client.send(HTML).message)

    def test_no_reply_steps_unknown_to_the_mta(self):
        running = Running(self)
        with running.client(offer_steps=milter.ALL_STEPS & ~milter.ALL_NO_REPLY) as client:
            self.assertEqual(client.steps & milter.ALL_NO_REPLY, 0)
            self.assertIn(b"multipart/related", client.send(HTML).message)

    def test_old_protocols(self):
        running = Running(self)
        for version, actions, steps in ((2, 0x3F, 0x7F), (4, 0x3F, 0x3FF), (6, 0xFF, milter.ALL_STEPS)):
            with self.subTest(version=version), running.client(
                    version=version, offer_actions=actions, offer_steps=steps) as client:
                self.assertEqual(client.version, version)
                self.assertEqual(client.macro_lists, {})
                self.assertIn(b"multipart/related", client.send(HTML).message)

    def test_no_leading_space(self):
        # The MTA takes one space away, and puts one in front of what it is given.
        running = Running(self, scripted=True)
        steps = milter.ALL_STEPS & ~milter.HDR_LEADSPC
        with running.client(offer_steps=steps) as client:
            result = client.send(script(b"x\r\n", b"Subject: two", b"X-Script-Change: replace Subject 2= three",
                                        b"X-Script-Change: append X-New= value"))
            self.assertIn(b"Subject: three\r\n", result.message)
            self.assertIn(b"X-New: value\r\n", result.message)

    def test_what_is_missing_leaves_mail_untouched(self):
        for lacking, actions in (("replacing the body", milter.ALL_ACTIONS & ~milter.CHGBODY),
                                 ("adding headers", milter.ALL_ACTIONS & ~milter.ADDHDRS),
                                 ("changing headers", milter.ALL_ACTIONS & ~milter.CHGHDRS)):
            running = Running(self)
            for steps in (milter.ALL_STEPS, milter.ALL_STEPS & ~milter.ALL_NO_REPLY, 0x7F, 0x7F & ~milter.NOCONNECT):
                with self.subTest(lacking=lacking, steps=steps), \
                        Client(running.socket, offer_actions=actions, offer_steps=steps) as client:
                    self.assertEqual(client.actions & ~milter.SETSYMLIST, 0)
                    self.assertEqual(client.steps & milter.ALL_NO_REPLY, 0)
                    if client.connect()[0] == b"a":
                        continue
                    result = client.send(HTML)
                    self.assertTrue(result.passed)
                    self.assertEqual(result.message, join_message(*split_message(HTML)))
            self.assertEqual(len(running.wait_logged("does not offer")), 1)
            self.assertIn(lacking, running.logged("does not offer")[0])

    def test_quarantine_not_offered(self):
        running = Running(self, scripted=True)
        with running.client(offer_actions=milter.ALL_ACTIONS & ~milter.QUARANTINE) as client:
            result = client.send(script(verdict="quarantine", reply="hold this"))
            self.assertEqual((result.verdict, result.reply), ("reply", "451 4.7.1 hold this"))

    def test_a_second_session_on_one_connection(self):
        # SMFIC_QUIT_NC: a new SMTP connection, without a new negotiation.
        running = Running(self)
        steps = milter.ALL_STEPS & ~milter.HDR_LEADSPC
        with running.client(offer_steps=steps) as client:
            for _ in range(3):
                self.assertIn(b"Subject: a picture\r\n", client.send(HTML).message)
                client.quit_and_go_on()
                self.assertEqual(client.connect()[0], b"c")
            self.assertIn(b"multipart/related", client.send(HTML).message)


class Messages(unittest.TestCase):
    def test_rewritten(self):
        result = Running(self).send(HTML)
        self.assertEqual(result.verdict, "accept")
        self.assertIn(b"Content-Type: multipart/related;", result.message)
        self.assertIn(b"\r\nX-Pixmilter: ", result.message)
        self.assertIn(b'<img src="cid:', result.message)
        # The body in one run, then the headers.
        commands = b"".join(command for command, _ in result.edits)
        self.assertRegex(commands, rb"^b+[mh]+$")

    def test_the_same_as_rewrite(self):
        result = Running(self).send(HTML)
        filtered = harness.run([harness.program(), "rewrite"], input=HTML, check=0).stdout
        self.assertEqual(result.message, filtered.replace(b"\n", b"\r\n"))

    def test_a_second_pass_changes_nothing(self):
        running = Running(self)
        once = running.send(HTML).message
        twice = running.send(once)
        self.assertFalse(twice.changed)

    def test_plain_text_is_accepted_at_the_end_of_the_headers(self):
        running = Running(self)
        result = running.send(PLAIN, queue_id="4PLAIN")
        self.assertEqual((result.verdict, result.step), ("accept", b"N"))
        line = running.line_for("4PLAIN")
        self.assertRegex(line, r'did="untouched: .*" from=<.*> nrcpt=1 rule=defaults before=\d+ after=\d+ seen=header ms=\d+$')

    def test_several_messages_on_one_connection(self):
        running = Running(self)
        first = running.send(HTML).message
        with running.client() as client:
            for turn in range(20):
                message, expected = ((HTML, first), (PLAIN, None), (HTML.replace(b"data:", b"gopher:"), None))[turn % 3]
                result = client.send(message, queue_id=f"4ID{turn}")
                if expected:
                    self.assertEqual(result.message, expected)
                else:
                    self.assertFalse(result.changed)
        for turn in range(20):
            self.assertEqual(len(running.wait_logged(f"id=4ID{turn} did=")), 1)

    def test_abort_at_every_step(self):
        running = Running(self)
        expected = running.send(HTML).message
        headers, body = split_message(HTML)
        with running.client() as client:
            for stop in range(6):
                client.begin()
                if stop > 0:
                    client.header(*headers[0])
                if stop > 1:
                    for header in headers[1:]:
                        client.header(*header)
                if stop > 2:
                    self.assertEqual(client.eoh()[0], b"c")
                if stop > 3:
                    client.body(body[:10])
                if stop > 4:
                    client.body(body[10:])
                client.abort()
                # Without an abort in between too: the next MAIL begins anew.
                self.assertEqual(client.send(HTML).message, expected)
                client.begin()
                client.header(b"Content-Type", b" text/plain")
                self.assertEqual(client.send(HTML).message, expected)
        running.wait_logged("did=", 13)
        self.assertEqual(len(running.logged("did=")), 13)  # no line for the aborted ones

    def test_last_chunk_with_the_end(self):
        # SMFIC_BODYEOB may carry the last bytes of the body.
        running = Running(self)
        expected = running.send(HTML).message
        for steps in (milter.ALL_STEPS, milter.ALL_STEPS & ~milter.ALL_NO_REPLY):
            with self.subTest(steps=steps), running.client(offer_steps=steps) as client:
                self.assertEqual(client.send(HTML, last_with_end=True).message, expected)
                self.assertEqual(client.send(HTML, last_with_end=True, chunk=7).message, expected)

    def test_body_in_any_pieces(self):
        running = Running(self)
        expected = running.send(HTML).message
        with running.client() as client:
            for chunk in (1, 2, 3, 50, 65535):
                self.assertEqual(client.send(HTML, chunk=chunk).message, expected)

    def test_empty_body_and_header_only(self):
        running = Running(self)
        for message in (b"Content-Type: text/html\n\n", b"Content-Type: text/html\n",
                        b"Content-Type: multipart/mixed; boundary=x\n\n", b"\nbody only\n", b"\n"):
            with self.subTest(message=message):
                result = running.send(message)
                self.assertTrue(result.passed)
                self.assertFalse(result.changed)

    def test_no_eoh_and_no_header(self):
        running = Running(self, scripted=True)
        with running.client() as client:
            client.begin()
            decision, _, edits = client.eom(b"hello\r\n")
            self.assertEqual((decision, edits), (b"a", []))
            # An end without a message is none: libmilter does not answer it, and goes on.
            client.send_frame(b"E")
            self.assertTrue(client.send(script(body="upper")).changed)

    def test_nul_bytes(self):
        running = Running(self)
        body = b"<p>\0\0 <img src=\"data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7\"></p>\n"
        result = running.send(b"Content-Type: text/html\n\n" + body)
        self.assertTrue(result.passed)
        scripted = Running(self, scripted=True)
        result = scripted.send(script(b"a\0b\0\r\n\0", body="upper"))
        self.assertTrue(result.message.endswith(b"\r\n\r\nA\0B\0\r\n\0\r\n"))
        result = scripted.send(script(b"\0" * 200000 + b"\r\n", body="same"))
        self.assertTrue(result.message.endswith(b"\0" * 200000 + b"\r\n"))

    def test_leading_space_and_folds_of_headers(self):
        running = Running(self)
        odd = (b"Subject:no space\nX-A:  two spaces\nX-B:\ttab\nX-C: folded\n with space\n\tand tab\nX-D:\n on the next line\n"
               b"X-E:\nX-F: \nx-lower: trailing  \nX-G: =?utf-8?q?a=20b?=\nX-H: 8bit \xc3\xbc\xff\n"
               b"Content-Type:text/html;\n\tcharset=utf-8\nMIME-Version:1.0\n")
        result = running.send(odd + b"\n" + split_message(HTML)[1])
        self.assertIn(b"multipart/related", result.message)
        kept = [line for line in odd.replace(b"\n", b"\r\n").split(b"Content-Type:")[0].split(b"\r\n") if line]
        for line in kept:
            self.assertIn(b"\r\n" + line + b"\r\n", b"\r\n" + result.message)

    def test_long_header(self):
        # libmilter alone closes the connection at 64 KiB, and the MTA would defer the message for ever.
        running = Running(self)
        recipients = b",\n ".join(b"somebody-%d@example.test" % number for number in range(6000))
        result = running.send(b"To: " + recipients + b"\n" + HTML)
        self.assertIn(b"multipart/related", result.message)
        self.assertIn(recipients.replace(b"\n", b"\r\n"), result.message)

    def test_many_headers_and_recipients(self):
        running = Running(self, scripted=True)
        with running.client() as client:
            result = client.send(script(b"x\r\n", *(b"X-%d: %d" % (n, n) for n in range(5000)), body="upper"),
                                 recipients=[f"r{n}@example.test" for n in range(2000)])
            self.assertTrue(result.message.endswith(b"X-4999: 4999\r\n\r\nX\r\n"))

    def test_100_mb_body(self):
        running = Running(self, scripted=True)
        line = b"0123456789" * 7 + b"abcde\r\n"
        body = line * (100_000_000 // len(line))
        for parameters in ((), (f"SIZE={len(body)}",), ("BODY=8BITMIME", "size=99999999999999")):
            with self.subTest(parameters=parameters), running.client(timeout=180) as client:
                result = client.send(script(body, body="upper"), parameters=parameters, queue_id="4BIG")
                self.assertTrue(result.message.endswith(b"\r\n\r\n" + body.upper()))
        self.assertRegex(running.line_for("4BIG"), r"before=1000\d+ after=1000\d+ ms=\d+$")
        with running.client(timeout=180) as client:
            result = client.send(script(body="bytes=100000000"))
            self.assertGreater(len(result.message), 99_999_000)
        with open(f"/proc/{running.front()}/status") as status:
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1))
        if not harness.sanitized():
            self.assertLess(peak, 500_000)

    def test_sizes_that_lie(self):
        running = Running(self, scripted=True)
        for size in ("0", "1", "x", "", "-1", "18446744073709551616", "18446744073709551615", "134217728"):
            with self.subTest(size=size), running.client() as client:
                result = client.send(script(b"a" * 100_000 + b"\r\n", body="upper"), parameters=(f"SIZE={size}",))
                self.assertTrue(result.message.endswith(b"A" * 100_000 + b"\r\n"))

    def test_100_mb_through_the_real_one(self):
        running = Running(self)
        body = b"<p>" + b"0123456789" * 7 + b"</p>\r\n"
        body *= 100_000_000 // len(body)
        with running.client(timeout=180) as client:
            result = client.send(b"Content-Type: text/html\r\n\r\n" + body)
            self.assertTrue(result.passed)
            self.assertFalse(result.changed)

    def test_random_messages_pass_or_are_whole(self):
        running = Running(self)
        dice = random.Random(5)
        pieces = [HTML, PLAIN, b"\0", b"\r\n", b"\n", b"--x\r\n", b"Content-Type: text/html\n", b"=", b"<img src=\"data:",
                  b"multipart/mixed; boundary=x", b"\xff\xfe", b" "]
        with running.client() as client:
            for turn in range(300):
                message = b"Content-Type: " + dice.choice([b"text/html", b"multipart/mixed; boundary=x", b"x"]) + b"\n\n"
                message += b"".join(dice.choice(pieces) for _ in range(dice.randrange(12)))
                with self.subTest(turn=turn):
                    self.assertTrue(client.send(message, chunk=dice.choice([1, 100, 65535])).passed)


class Edits(unittest.TestCase):
    """Through the scripted pipeline, which makes changes that the real one never would."""

    @classmethod
    def setUpClass(cls):
        cls.cleanups = []

    def setUp(self):
        self.running = Running(self, scripted=True)

    def send(self, message, counting="postfix"):
        with self.running.client() as client:
            return client.send(message, counting=counting)

    def test_headers_of_one_name(self):
        message = script(b"x\r\n", b"A: 1", b"a: 2", b"A: 3", b"B: 1",
                         b"X-Script-Change: remove A 1", b"X-Script-Change: append A= 5",
                         b"X-Script-Change: remove A 2", b"X-Script-Change: replace A 3= four")
        for counting in ("postfix", "sendmail"):
            with self.subTest(counting=counting):
                message_out = self.send(message, counting).message
                fields = [line for line in message_out.split(b"\r\n") if re.match(rb"[AaB]:", line)]
                self.assertEqual(fields, [b"A: four", b"B: 1", b"A: 5"])

    def test_values_keep_their_space_and_folds(self):
        result = self.send(script(b"x\r\n", b"X-Script-Change: append X-Folded=  two\\n\tthree",
                                  b"X-Script-Change: replace Subject 1=none", b"X-Script-Change: append X-Empty="))
        self.assertIn(b"X-Folded:  two\r\n\tthree\r\n", result.message)
        self.assertIn(b"Subject:none\r\n", result.message)
        self.assertIn(b"X-Empty: \r\n", result.message)

    def test_what_the_protocol_cannot_say_changes_nothing(self):
        for change in (b"append X-A= a\\nInjected: yes", b"append X-A= nul\\0", b"append X:Y= a", b"append = a",
                       b"remove Subject 0", b"replace Subject -1= a", b"append X-A= cr\rlf"):
            with self.subTest(change=change):
                message = script(b"x\r\n", b"X-Script-Change: " + change, body="upper")
                result = self.send(message)
                self.assertTrue(result.passed)
                self.assertEqual(result.edits, [])
        self.assertTrue(self.running.wait_logged("change of header"))

    def test_new_bodies(self):
        for size in (0, 1, 200, 65535, 65536, 131070, 5_000_000):
            with self.subTest(size=size):
                result = self.send(script(body=f"bytes={size}"))
                chunks = [data for command, data in result.edits if command == b"b"]
                self.assertEqual(result.message.partition(b"\r\n\r\n")[2], b"".join(chunks))
                self.assertTrue(all(len(chunk) == 65535 for chunk in chunks[:-1]))
        self.assertTrue(self.send(script(body="empty")).message.endswith(b"\r\n\r\n"))
        self.assertEqual([command for command, _ in self.send(script(body="empty")).edits], [b"b"])

    def test_verdicts(self):
        for verdict, code, reply, expected in (
                ("reject", "reply", "no such thing", "550 5.7.1 no such thing"),
                ("reject", "reply", "", "550 5.7.1 Message rejected by policy"),
                ("reject", "reply", "100% odd", "550 5.7.1 100%% odd"),
                ("tempfail", "reply", "later", "451 4.7.1 later"),
                ("tempfail", "reply", "", "451 4.7.1 Message deferred by policy")):
            with self.subTest(verdict=verdict, reply=reply):
                result = self.send(script(verdict=verdict, reply=reply, body="upper"))
                self.assertEqual((result.verdict, result.reply, result.edits), (code, expected, []))
        result = self.send(script(verdict="quarantine", reply="look at this", body="upper"))
        self.assertEqual((result.verdict, result.quarantined), ("accept", b"look at this"))
        self.assertTrue(result.message.endswith(b"\r\n\r\nTEXT\r\n"))
        self.assertEqual(self.send(script(verdict="quarantine")).quarantined, b"Message held by policy")

    def test_a_failure_of_ours_changes_nothing(self):
        for words in ({"throw": "run"}, {"throw": "header"}):
            with self.subTest(**words), self.running.client() as client:
                result = client.send(script(body="upper", **words), queue_id="4THROW")
                self.assertTrue(result.passed)
                self.assertEqual(result.edits, [])
                self.assertIn("untouched: thrown", self.running.line_for("4THROW"))
                self.assertTrue(client.send(script(body="upper")).changed)  # the connection goes on

    def test_accepted_at_eoh(self):
        result = self.send(script(header="accept", body="upper"))
        self.assertEqual((result.verdict, result.step), ("accept", b"N"))


class Envelope(unittest.TestCase):
    def told(self, connect=None, connect_macros=None, **options):
        running = Running(self, scripted=True)
        with Client(running.socket) as client:
            client.macro(b"C", **(connect_macros or {}))
            client.connect(**(connect or {}))
            client.send(script(), queue_id="4ENV", **options)
        return running.line_for("4ENV")

    def test_everything(self):
        line = self.told({"name": "client.example.test", "address": "192.0.2.7"},
                         {"j": "mx.example.test", "daemon_name": "submission", "client_name": "known.example.test",
                          "client_addr": "192.0.2.7"},
                         macros={"auth_authen": "ann"}, sender="a b@example.test", recipients=["x@y.test", "<odd"])
        self.assertIn("from=a b@example.test to=x@y.test to=<odd client=192.0.2.7/known.example.test user=ann "
                      "daemon=submission j=mx.example.test", line)
        self.assertNotIn("local", line)

    def test_without_macros(self):
        line = self.told({"name": "client.example.test", "address": "2001:db8::7", "port": 25}, sender="")
        self.assertIn("from= to=recipient@example.test client=2001:db8::7/client.example.test user= ", line)

    def test_local(self):
        # sendmail(1) through Postfix: a loopback client without a port. Sendmail's -bs: no client.
        for connect in ({"address": "::1", "port": 0}, {"address": "127.0.0.1", "port": 0}, {"address": None},
                        {"address": "/run/somewhere", "family": b"L"}):
            with self.subTest(connect=connect):
                line = self.told({"name": "localhost", **connect})
                self.assertIn(" client=/localhost ", line)
                self.assertIn(' local deadline=', line)
        self.assertNotIn(" local", self.told({"address": "127.0.0.1", "port": 4000}))

    def test_queue_id_of_each_message(self):
        running = Running(self, scripted=True)
        with running.client() as client:
            for number in range(5):
                client.send(script(), queue_id=f"4Q{number}")
            headers, body = split_message(script())
            client.send(script(), queue_id="odd \"id\"\n")
        for number in range(5):
            self.assertIn("before=", running.line_for(f"4Q{number}"))
        self.assertTrue(running.wait_logged(r'id="odd \"id\"\x0a" did='))


class Modes(unittest.TestCase):
    def test_off(self):
        running = Running(self, config='mode = "off"\n')
        result = running.send(HTML, queue_id="4OFF")
        self.assertEqual((result.verdict, result.step), ("accept", b"N"))
        self.assertIn("mode off", running.line_for("4OFF"))

    def test_audit(self):
        running = Running(self, config='mode = "audit"\n')
        result = running.send(HTML, queue_id="4AUDIT")
        self.assertTrue(result.passed)
        self.assertFalse(result.changed)
        self.assertRegex(running.line_for("4AUDIT"), r'did="audit.*1 embedded" .* before=\d+ after=\d+ ms=\d+')

    def test_not_outgoing(self):
        running = Running(self)
        with Client(running.socket) as client:
            client.connect(name="far.example", address="192.0.2.1")
            result = client.send(HTML, queue_id="4IN")
            self.assertEqual((result.verdict, result.step), ("accept", b"N"))
            self.assertIn("not outgoing", running.line_for("4IN"))
            self.assertTrue(client.send(HTML, macros={"auth_authen": "ann"}).changed)


if __name__ == "__main__":
    harness.main()
