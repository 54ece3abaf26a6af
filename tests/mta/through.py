"""What must hold whichever MTA pixmilter stands before: the sentences, once, for all of them.

A test file names its MTA in a class of its own (WithMta with new_mta), and makes each of these classes with it:
    class Pictures(through.Pictures, WithPostfix): pass
An MTA has port, plain_port, send, sendmail, log and stop (postfix.py, sendmail.py).
"""

import concurrent.futures
import email.message
import http.server
import os
import re
import signal
import smtplib
import threading
import time
import unittest

import numpy

import assorted
import harness
import judge
import pictures
import served
import smtp_client
from served import Served
from sink import Sink


def new_message(subject):
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.test", "b@example.test", subject
    message["Message-ID"], message["Date"] = "<message@example.test>", "Mon, 01 Jan 2024 00:00:00 +0000"
    return message


def html_message(html):
    message = new_message("picture")
    message.set_content(html, subtype="html", cte="quoted-printable")
    return message


def as_bytes(message):
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def array_message(pixels):
    """What the issue asks for: an array as application/x-npy."""
    message = new_message("array")
    message.set_content("The frame is attached.\n")
    message.add_attachment(pictures.npy(pixels), "application", "x-npy", filename="frame.npy")
    return message


def peak_memory(pid):
    """The most memory a process has had, in bytes, and 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) * 1024
    except (OSError, AttributeError):
        return 0


def first_difference(expected, got):
    """Where two byte strings part, for a message a person can read; None when they are the same."""
    if expected == got:
        return None
    at = next((i for i, (a, b) in enumerate(zip(expected, got)) if a != b), min(len(expected), len(got)))
    return f"at byte {at} of {len(expected)}: expected {expected[max(0, at - 30):at + 40]!r}, got {got[max(0, at - 30):at + 40]!r}"


class WithMta(unittest.TestCase):
    """One MTA, one pixmilter, one sink for all the tests of a class."""

    socket = None   # the milter's socket specification; unix beside the folder if None
    milter_config = ""

    @classmethod
    def need(cls):
        """Skips, with the reason, where the MTA is not here."""
        raise NotImplementedError

    @classmethod
    def new_mta(cls, folder, sink_port, milter):
        """The MTA with a Served as its milter, running."""
        raise NotImplementedError

    @staticmethod
    def without_additions(data):
        """What was relayed without what the MTA makes up for each message."""
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        harness.need_root()
        cls.need()
        folder = harness.temp_dir(cls)
        cls.sink = Sink()
        cls.addClassCleanup(cls.sink.close)
        cls.milter = Served(folder, cls.socket() if cls.socket else None, cls.milter_config)
        cls.addClassCleanup(cls.milter.stop)
        cls.mta = cls.new_mta(folder, cls.sink.port, cls.milter)
        cls.addClassCleanup(cls.mta.stop)
        cls.count = 0

    def new_recipient(self):
        type(self).count += 1
        return f"r{self.count}@example.test"

    def wait_logged(self, pattern):
        """Waits until the milter's log has the pattern: a message's line may come after its answer."""
        deadline = time.monotonic() + 60
        while not re.search(pattern, self.milter.log()):
            self.assertLess(time.monotonic(), deadline, f"{pattern} is not in\n{self.milter.log()}")
            time.sleep(0.05)

    def relay(self, message, sender="a@example.test", port=None, way="smtp", timeout=60):
        """Sends a message and gives what the sink got for it."""
        recipient = self.new_recipient()
        if way == "smtp":
            code, text = self.mta.send(sender, [recipient], message, port)
            self.assertEqual(code, 250, (text, self.mta.log()[-2000:]))
        else:
            self.mta.sendmail(sender, [recipient], message)
        return self.sink.wait(recipient, timeout).data


class Pictures:
    def check_array(self, way):
        pixels = pictures.array(640, 480, 3)
        data = self.relay(as_bytes(array_message(pixels)), way=way)
        message = judge.parse(data)
        self.assertEqual(judge.complaints(data), [])
        self.assertEqual(judge.tree(message), ("multipart/mixed", ("text/plain",), ("image/png",)))
        image = judge.images(message)[0]
        self.assertEqual(image.get_filename(), "frame.png")
        self.assertEqual(image.get_content_disposition(), "attachment")
        numpy.testing.assert_array_equal(pictures.pixels(image.get_payload(decode=True)), pixels)

    def test_numpy_array_by_smtp(self):
        self.check_array("smtp")

    def test_numpy_array_by_sendmail(self):
        self.check_array("sendmail")

    def check_data_uri(self, way):
        picture = pictures.png(300, 200)
        data = self.relay(as_bytes(html_message(f'<p>Now: <img alt="x" src="{pictures.data_uri(picture)}"></p>')), way=way)
        self.assertEqual(judge.complaints(data), [])
        message = judge.parse(data)
        self.assertEqual(judge.tree(message), ("multipart/related", ("text/html",), ("image/png",)))
        image = judge.images(message)[0]
        self.assertEqual(image.get_payload(decode=True), picture)
        html = judge.html_text(judge.html_parts(message)[0])
        self.assertEqual(html.strip(), f'<p>Now: <img alt="x" src="cid:{judge.content_id(image)}"></p>')

    def test_data_uri_by_smtp(self):
        self.check_data_uri("smtp")

    def test_data_uri_by_sendmail(self):
        self.check_data_uri("sendmail")

    def test_what_arrives_is_what_rewrite_makes(self):
        message = as_bytes(html_message(f'<img src="{pictures.data_uri(pictures.jpeg())}"> and '
                                        f'<img src="{pictures.data_uri(pictures.webp())}">'))
        relayed = smtp_client.without_received(self.relay(message))
        filtered = harness.run([harness.program(), "rewrite"], input=message, check=0).stdout
        self.assertEqual(relayed, filtered)

    def test_two_recipients_get_one_message(self):
        one, two = self.new_recipient(), self.new_recipient()
        message = as_bytes(html_message(f'<img src="{pictures.data_uri(pictures.gif())}">'))
        code, _ = self.mta.send("a@example.test", [one, two], message)
        self.assertEqual(code, 250)
        self.assertEqual(judge.complaints(self.sink.wait(one).data), [])
        self.assertEqual(judge.complaints(self.sink.wait(two).data), [])

    def test_null_sender_is_left_alone(self):
        message = as_bytes(html_message(f'<img src="{pictures.data_uri(pictures.png())}">'))
        self.assertEqual(smtp_client.without_received(self.relay(message, sender="")), message)

    def test_many_messages_on_one_connection(self):
        recipients = [self.new_recipient() for _ in range(12)]
        with smtplib.SMTP("127.0.0.1", self.mta.port) as smtp:
            for number, recipient in enumerate(recipients):
                picture = pictures.data_uri(pictures.png(seed=number)) if number % 3 else "https://example.test/a.png"
                smtp.sendmail("a@example.test", [recipient], as_bytes(html_message(f'{number} <img src="{picture}">')))
                if number % 4 == 0:  # given up after the envelope: the milter sees an abort
                    smtp.mail("a@example.test")
                    smtp.rcpt("gone@example.test")
                    smtp.rset()
        for number, recipient in enumerate(recipients):
            message = judge.parse(self.sink.wait(recipient).data)
            self.assertIn(f"{number} <img", judge.html_text(judge.html_parts(message)[0]))
            found = [image.get_payload(decode=True) for image in judge.images(message)]
            self.assertEqual(found, [pictures.png(seed=number)] if number % 3 else [])
        self.assertFalse(self.sink.has("gone@example.test"))

    def test_ten_clients_at_once(self):
        def one(number):
            picture = pictures.png(seed=100 + number)
            data = self.relay_to(f"c{number}@example.test", f'{number} <img src="{pictures.data_uri(picture)}">')
            return judge.images(judge.parse(data))[0].get_payload(decode=True) == picture

        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            self.assertEqual(list(pool.map(one, range(30))), [True] * 30)

    def relay_to(self, recipient, html):
        code, text = self.mta.send("a@example.test", [recipient], as_bytes(html_message(html)))
        self.assertEqual(code, 250, text)
        return self.sink.wait(recipient).data

    def test_a_message_of_25_megabytes(self):
        # 18.5 MB of noise are a PNG of the same size, and 25 MB of base64.
        noise = numpy.random.RandomState(3).randint(0, 256, (2048, 3010, 3)).astype(numpy.uint8)
        picture = pictures.encode(noise, "PNG", compress_level=0)
        message = as_bytes(html_message(f'<img src="{pictures.data_uri(picture)}">'))
        self.assertGreater(len(message), 24_000_000)
        data = self.relay(message, timeout=120)
        self.assertEqual(judge.images(judge.parse(data))[0].get_payload(decode=True), picture)
        if not harness.sanitized():
            family = [self.milter.process.pid] + list(served.descendants(self.milter.process.pid))
            self.assertLess(sum(map(peak_memory, family)), 1 << 30)


class References:
    """A message of a few hundred bytes that asks the server to make its attachment (RFC 2046, 5.2.3; RFC 2017)."""

    @classmethod
    def setUpClass(cls):
        cls.picture = picture = pictures.png(60, 40)

        class Pages(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(picture)))
                self.end_headers()
                self.wfile.write(picture)

            def log_message(self, *unused):
                pass
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.base = f"http://127.0.0.1:{cls.server.server_port}"
        folder = harness.temp_dir(cls)
        with open(os.path.join(folder, "chart.svg"), "w") as file:
            file.write('<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><rect width="60" height="40" '
                       'fill="#336699"/></svg>')
        cls.milter_config = (f'[milter]\ndeadline = "120s"\n[assets]\nroot = "{folder}"\n'
                             f'[fetch]\nallow = ["{cls.base}/charts/*"]\nallow_private = true\n'
                             'timeout = "60s"\n')
        super().setUpClass()

    def check(self, access, kind, name, way):
        message = ("From: a@example.test\r\nTo: b@example.test\r\nSubject: chart\r\nMessage-ID: <m@example.test>\r\n"
                   "Date: Mon, 01 Jan 2024 00:00:00 +0000\r\nMIME-Version: 1.0\r\n"
                   "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                   "--b\r\nContent-Type: text/plain\r\n\r\nSee the chart.\r\n"
                   f"--b\r\nContent-Type: message/external-body; {access}\r\n\r\n"
                   f"Content-Type: {kind}\r\nContent-ID: <chart@example.test>\r\n"
                   f"Content-Disposition: attachment; filename={name}\r\n\r\n--b--\r\n").encode()
        data = self.relay(message, way=way)
        self.assertEqual(judge.complaints(data), [])
        parsed = judge.parse(data)
        self.assertEqual(judge.tree(parsed), ("multipart/mixed", ("text/plain",), ("image/png",)), self.milter.log())
        image = judge.images(parsed)[0]
        self.assertEqual((image.get_filename(), image.get_content_disposition(), judge.content_id(image)),
                         ("sales.png", "attachment", "chart@example.test"))
        return image.get_payload(decode=True)

    def test_a_file_of_the_servers(self):
        for way in ("smtp", "sendmail"):
            drawn = self.check('access-type=local-file; name="chart.svg"', "image/svg+xml", "sales.svg", way)
            colour = pictures.pixels(drawn)[..., :3]
            numpy.testing.assert_array_equal(colour, numpy.broadcast_to(numpy.uint8([0x33, 0x66, 0x99]), colour.shape))
            self.assertEqual(colour.shape[0] * 60, colour.shape[1] * 40)

    def test_a_url(self):
        for way in ("smtp", "sendmail"):
            self.assertEqual(self.check(f'access-type=URL; URL="{self.base}/charts/1"', "image/png", "sales.png", way),
                             self.picture)


class NothingToDo:
    def test_assorted_messages_through_the_mta(self):
        """Against what this MTA relays without a milter, and against what was sent."""
        failed, refused, same = [], [], 0

        def pair(numbered):
            number, (name, message) = numbered
            one, two = f"m{number}@example.test", f"p{number}@example.test"
            through = self.mta.send("a@example.test", [one], message)
            plain = self.mta.send("a@example.test", [two], message, self.mta.plain_port)
            if through[0] != plain[0]:
                return name, f"answered {through}, without the milter {plain}", None, None
            if plain[0] != 250:
                return name, None, None, None
            return (name, None, smtp_client.without_received(self.sink.wait(one).data),
                    smtp_client.without_received(self.sink.wait(two).data))

        # Postfix makes a space of a bare CR before the milter sees it, and then there is something to do.
        messages = [(name, message) for name, message in assorted.messages() if name != "bare cr in the body"]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for (_, message), (name, problem, through, plain) in zip(messages, pool.map(pair, enumerate(messages))):
                if problem:
                    failed.append(f"{name}: {problem}")
                elif through is None:
                    refused.append(name)
                elif self.without_additions(through) != self.without_additions(plain):
                    failed.append(f"{name}: {first_difference(plain, through)}")
                elif through == smtp_client.to_wire(message):
                    same += 1
        self.assertEqual(failed, [], "\n".join(failed))
        # The few others are those whose broken header the MTA itself repairs.
        self.assertLessEqual(len(refused), 2, refused)
        self.assertGreaterEqual(same, 140)

    def test_by_sendmail(self):
        for number, (name, message) in enumerate(assorted.messages()):
            # Of what has no complete header, an MTA makes something else by itself.
            if number % 6 or b"\0" in message or not message.startswith(b"From: Sender") or b"\nResent-" in message:
                continue
            with self.subTest(message=name):
                recipient = f"s{number}@example.test"
                self.mta.sendmail("a@example.test", [recipient], message)
                data = smtp_client.without_received(self.sink.wait(recipient).data)
                self.assertEqual(first_difference(self.handed_in(message, f"h{number}@example.test"), data), None)

    def handed_in(self, message, recipient):
        """What the MTA relays of what a local program hands in, when no milter is there."""
        return smtp_client.to_wire(message)


class Verdicts:
    milter_config = "".join(f"""
[[rule]]
name = "{action}"
match = {{ from = ["{action}@example.test"] }}
action = "{action}"
""" for action in ("reject", "tempfail", "quarantine"))

    def test_what_a_rule_says_is_what_the_client_hears(self):
        message = as_bytes(html_message(f'<img src="{pictures.data_uri(pictures.png())}">'))
        for action, answer in (("reject", 550), ("tempfail", 451)):
            with self.subTest(action=action):
                recipient = self.new_recipient()
                code, text = self.mta.send(f"{action}@example.test", [recipient], message)
                self.assertEqual(code, answer, text)
                self.assertFalse(self.sink.has(recipient))

    def test_quarantine_holds_the_message(self):
        message = as_bytes(html_message(f'<img src="{pictures.data_uri(pictures.png())}">'))
        held, other = self.new_recipient(), self.new_recipient()
        self.assertEqual(self.mta.send("quarantine@example.test", [held], message)[0], 250)
        self.assertEqual(self.mta.send("a@example.test", [other], message)[0], 250)
        self.sink.wait(other)
        self.assertEqual(len(self.mta.held()), 1)
        self.assertFalse(self.sink.has(held))


class Reload:
    milter_config = 'mode = "off"\n'

    def reload(self, text):
        with open(os.path.join(self.milter.folder, "pixmilter.toml"), "w") as file:
            file.write(text)
        self.milter.process.send_signal(signal.SIGHUP)

    def is_rewritten(self):
        return bool(judge.images(judge.parse(self.relay(as_bytes(array_message(pictures.array(64, 48)))))))

    def wait_for(self, rewritten):
        deadline = time.monotonic() + 60
        while self.is_rewritten() != rewritten:
            self.assertLess(time.monotonic(), deadline, self.milter.log())
            time.sleep(0.1)

    def test_sighup_reads_the_configuration_again(self):
        self.assertFalse(self.is_rewritten())
        self.reload('mode = "enforce"\n')
        self.wait_for(True)
        # A bad one is refused, with its place in the log, and the old one stays.
        self.reload('mode = "sometimes"\n')
        self.wait_logged(r"pixmilter\.toml:1:8")
        self.assertTrue(self.is_rewritten())
        self.reload('mode = "off"\n')
        self.wait_for(False)
