#!/usr/bin/python3
"""A real Postfix, private to this test, with pixmilter as its milter; judged by what it relays.

Every sentence of "it is done when" that names Postfix has its test here, on both ways in: SMTP
(smtpd_milters) and sendmail(1) (non_smtpd_milters).
"""
# tests/run: timeout=600

import concurrent.futures
import email.message
import os
import re
import resource
import signal
import smtplib
import sys
import threading
import time
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"),
                os.path.dirname(os.path.abspath(__file__))]
import numpy

import assorted
import harness
import judge
import pictures
import postfix
import served
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


def processor_time(pid):
    """Seconds a process has worked, and 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_memory(pid):
    """The most memory a process has had, in bytes, and 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) * 1024
    except (OSError, AttributeError):
        return 0


class WithPostfix(unittest.TestCase):
    """One Postfix, one pixmilter, one sink for all the tests of a class."""

    socket = None   # the milter's socket specification; unix beside the folder if None
    milter_config = ""

    @classmethod
    def setUpClass(cls):
        harness.need_root()
        if not postfix.installed():
            raise unittest.SkipTest("postfix is not installed")
        folder = harness.temp_dir(cls)
        cls.sink = Sink()
        cls.addClassCleanup(cls.sink.close)
        cls.milter = Served(folder, cls.socket() if cls.socket else None, cls.milter_config)
        cls.addClassCleanup(cls.milter.stop)
        cls.postfix = postfix.Postfix(folder, cls.sink.port, cls.milter.postfix_spec)
        cls.addClassCleanup(cls.postfix.stop)
        cls.count = 0

    def new_recipient(self):
        type(self).count += 1
        return f"r{self.count}@example.test"

    def relay(self, message, sender="a@example.test", port=None, way="smtp", timeout=60):
        """Sends a message and gives what the sink got for it."""
        recipient = self.new_recipient()
        if way == "smtp":
            code, text = self.postfix.send(sender, [recipient], message, port)
            self.assertEqual(code, 250, (text, self.postfix.log()[-2000:]))
        else:
            self.postfix.sendmail(sender, [recipient], message)
        return self.sink.wait(recipient, timeout).data


class Pictures(WithPostfix):
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
        relayed = postfix.without_received(self.relay(message))
        filtered = harness.run([harness.program(), "rewrite"], input=message, check=0).stdout
        self.assertEqual(relayed, filtered)

    def test_two_recipients_get_one_message(self):
        one, two = self.new_recipient(), self.new_recipient()
        message = as_bytes(html_message(f'<img src="{pictures.data_uri(pictures.gif())}">'))
        code, _ = self.postfix.send("a@example.test", [one, two], message)
        self.assertEqual(code, 250)
        self.assertEqual(judge.complaints(self.sink.wait(one).data), [])
        self.assertEqual(judge.complaints(self.sink.wait(two).data), [])

    def test_null_sender_is_left_alone(self):
        message = as_bytes(html_message(f'<img src="{pictures.data_uri(pictures.png())}">'))
        self.assertEqual(postfix.without_received(self.relay(message, sender="")), message)

    def test_many_messages_on_one_connection(self):
        recipients = [self.new_recipient() for _ in range(12)]
        with smtplib.SMTP("127.0.0.1", self.postfix.port) as smtp:
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
        code, text = self.postfix.send("a@example.test", [recipient], as_bytes(html_message(html)))
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

    def test_inet_socket(self):
        folder = harness.temp_dir(self)
        with Served(folder, f"inet:{postfix.free_port()}@127.0.0.1") as milter, \
                postfix.Postfix(folder, self.sink.port, milter.postfix_spec) as other:
            recipient = self.new_recipient()
            message = as_bytes(html_message(f'<img src="{pictures.data_uri(pictures.png())}">'))
            self.assertEqual(other.send("a@example.test", [recipient], message)[0], 250)
            data = self.sink.wait(recipient).data
            self.assertEqual(judge.complaints(data), [])
            self.assertEqual(judge.images(judge.parse(data))[0].get_payload(decode=True), pictures.png())


class Filter(unittest.TestCase):
    """The same sentences for `pixmilter rewrite`, which needs no Postfix and no root."""

    def test_25_megabytes_in_memory_and_time(self):
        noise = numpy.random.RandomState(3).randint(0, 256, (2048, 3010, 3)).astype(numpy.uint8)
        picture = pictures.encode(noise, "PNG", compress_level=0)
        path = os.path.join(harness.temp_dir(self), "in.eml")
        with open(path, "wb") as file:
            file.write(as_bytes(html_message(f'<img src="{pictures.data_uri(picture)}">')))
        start = time.monotonic()
        out = harness.run([harness.program(), "rewrite", path], check=0).stdout
        seconds = time.monotonic() - start
        self.assertEqual(judge.images(judge.parse(out))[0].get_payload(decode=True), picture)
        if not harness.sanitized():
            # Under the address-space limit it could not have used more.
            limit = (resource.RLIMIT_DATA, (1 << 30, 1 << 30))
            again = harness.run([harness.program(), "rewrite", path], check=0,
                                preexec_fn=lambda: resource.setrlimit(*limit))
            self.assertEqual(again.stdout, out)
            # About a second on an idle machine; this one may be busy.
            self.assertLess(seconds, 10)

    def test_assorted_messages_through_rewrite(self):
        folder = harness.temp_dir(self)
        path = os.path.join(folder, "in.eml")
        failed = []

        def check(name, message):
            done = harness.run([harness.program(), "rewrite"], input=message)
            if name.startswith("no header"):  # that is no message, and said to be none
                self.assertEqual((done.returncode, done.stdout), (65, b""))
                return
            if done.returncode != 0 or done.stdout != message:
                failed.append(f"{name} (stdin): status {done.returncode}, {first_difference(message, done.stdout)}")

        jobs = [(f"{name}, {form}", change(message)) for name, message in assorted.messages()
                for form, change in (("LF", bytes), ("CRLF", assorted.crlf))]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda job: check(*job), jobs))
        for name, message in jobs:
            with open(path, "wb") as file:
                file.write(message)
            done = harness.run([harness.program(), "rewrite", path])
            if not name.startswith("no header") and (done.returncode != 0 or done.stdout != message):
                failed.append(f"{name} (file): status {done.returncode}, {first_difference(message, done.stdout)}")
        self.assertGreaterEqual(len(jobs), 200)
        self.assertEqual(failed, [], f"{len(failed)} of {2 * len(jobs)}")


class NothingToDo(WithPostfix):
    def test_assorted_messages_through_postfix(self):
        """Against what this Postfix relays without a milter, and against what was sent."""
        failed, same = [], 0

        def pair(numbered):
            number, (name, message) = numbered
            one, two = f"m{number}@example.test", f"p{number}@example.test"
            through = self.postfix.send("a@example.test", [one], message)
            plain = self.postfix.send("a@example.test", [two], message, self.postfix.plain_port)
            if through[0] != plain[0]:
                return name, f"answered {through}, without the milter {plain}", None, None
            if plain[0] != 250:
                return name, None, None, None
            return (name, None, postfix.without_received(self.sink.wait(one).data),
                    postfix.without_received(self.sink.wait(two).data))

        # Postfix makes a space of a bare CR before the milter sees it, and then there is something to do.
        messages = [(name, message) for name, message in assorted.messages() if name != "bare cr in the body"]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for (_, message), (name, problem, through, plain) in zip(messages, pool.map(pair, enumerate(messages))):
                if problem:
                    failed.append(f"{name}: {problem}")
                elif postfix.without_additions(through) != postfix.without_additions(plain):
                    failed.append(f"{name}: {first_difference(plain, through)}")
                elif through == postfix.to_wire(message):
                    same += 1
        self.assertEqual(failed, [], "\n".join(failed))
        # The few others are those whose broken header Postfix itself repairs.
        self.assertGreaterEqual(same, 140)

    def test_by_sendmail(self):
        for number, (name, message) in enumerate(assorted.messages()):
            # Of what has no complete header, Postfix makes something else by itself.
            if number % 6 or b"\0" in message or not message.startswith(b"From: Sender") or b"\nResent-" in message:
                continue
            with self.subTest(message=name):
                recipient = f"s{number}@example.test"
                self.postfix.sendmail("a@example.test", [recipient], message)
                data = postfix.without_received(self.sink.wait(recipient).data)
                self.assertEqual(first_difference(postfix.to_wire(message), data), None)


def first_difference(expected, got):
    """Where two byte strings part, for a message a person can read; None when they are the same."""
    if expected == got:
        return None
    at = next((i for i, (a, b) in enumerate(zip(expected, got)) if a != b), min(len(expected), len(got)))
    return f"at byte {at} of {len(expected)}: expected {expected[max(0, at - 30):at + 40]!r}, got {got[max(0, at - 30):at + 40]!r}"


class Killed(WithPostfix):
    milter_config = "[render]\nworkers = 2\n"

    def kill(self, pids):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def relay_while(self, message, disturb):
        """Relays a message while disturb(over) runs beside it; over is set when the message is through."""
        over = threading.Event()
        disturber = threading.Thread(target=disturb, args=(over,))
        disturber.start()
        try:
            return self.relay(message, timeout=60)
        finally:
            over.set()
            disturber.join()

    def wait_until_well(self):
        deadline = time.monotonic() + 30
        while not judge.images(judge.parse(self.relay(as_bytes(array_message(pictures.array(64, 48)))))):
            self.assertLess(time.monotonic(), deadline, "no worker came back")
            time.sleep(0.2)

    def test_kill_9_of_a_worker_in_the_middle_of_a_message(self):
        """The message is delivered, its picture converted or as it was, and the next one is as ever."""
        noise = numpy.random.RandomState(5).randint(0, 256, (1600, 2400, 3)).astype(numpy.uint8)
        as_it_was = 0
        for attempt in range(12):
            # Another picture each time: one that has killed workers before may be refused.
            noise[0, 0] = attempt
            message = as_bytes(array_message(noise))

            def kill_whoever_works(over):
                # The worker that has used the most time since this began is the one at work.
                before = {pid: processor_time(pid) for pid in self.milter.workers()}
                while not over.is_set():
                    for pid in self.milter.workers():
                        if processor_time(pid) - before.get(pid, 0) >= 0.05:
                            self.kill([pid])
                            return
                    time.sleep(0.005)

            data = self.relay_while(message, kill_whoever_works)
            kinds = [part.get_content_type() for part in judge.leaves(judge.parse(data))]
            if kinds == ["text/plain", "application/x-npy"]:
                as_it_was += 1
                self.assertEqual(postfix.without_received(data), message)
                if as_it_was == 2:
                    break
            else:
                self.assertEqual(kinds, ["text/plain", "image/png"])
                image = judge.images(judge.parse(data))[0]
                numpy.testing.assert_array_equal(pictures.pixels(image.get_payload(decode=True)), noise)
        self.assertGreater(as_it_was, 0, "no kill hit a worker at work")
        self.wait_until_well()

    def test_what_needs_no_worker_is_done_whatever_happens_to_them(self):
        """Workers and zygote are killed all the time: the PNG is embedded, the array stays as it was."""
        noise = numpy.random.RandomState(6).randint(0, 256, (1600, 2400, 3)).astype(numpy.uint8)
        both = new_message("both")
        both.set_content(f'<img src="{pictures.data_uri(pictures.png())}">', subtype="html")
        both.add_attachment(pictures.npy(noise), "application", "x-npy", filename="frame.npy")

        def kill_all(over):
            while not over.is_set():
                self.kill(self.milter.render_processes())
                time.sleep(0.002)

        data = self.relay_while(as_bytes(both), kill_all)
        self.assertEqual(judge.complaints(data), [])
        self.assertEqual(judge.tree(judge.parse(data)),
                         ("multipart/mixed", ("multipart/related", ("text/html",), ("image/png",)), ("application/x-npy",)))
        self.wait_until_well()

    def test_kill_9_of_the_front(self):
        """The master keeps the listening socket: what comes next is done by the front that it starts again."""
        fronts = [pid for pid, name in served.descendants(self.milter.process.pid).items() if name == "pixmilter-front"]
        self.assertTrue(fronts)
        self.kill(fronts)
        data = self.relay(as_bytes(array_message(pictures.array(64, 48))))
        self.assertEqual(len(judge.images(judge.parse(data))), 1)


class Reload(WithPostfix):
    milter_config = 'mode = "off"\n'

    def reload(self, text):
        with open(os.path.join(self.milter.folder, "pixmilter.toml"), "w") as file:
            file.write(text)
        self.milter.process.send_signal(signal.SIGHUP)

    def is_rewritten(self):
        return bool(judge.images(judge.parse(self.relay(as_bytes(array_message(pictures.array(64, 48)))))))

    def wait_for(self, rewritten):
        deadline = time.monotonic() + 20
        while self.is_rewritten() != rewritten:
            self.assertLess(time.monotonic(), deadline, self.milter.log())
            time.sleep(0.1)

    def test_sighup_reads_the_configuration_again(self):
        self.assertFalse(self.is_rewritten())
        self.reload('mode = "enforce"\n')
        self.wait_for(True)
        # A bad one is refused, with its place in the log, and the old one stays.
        self.reload('mode = "sometimes"\n')
        deadline = time.monotonic() + 20
        while "pixmilter.toml:1:8" not in self.milter.log():
            self.assertLess(time.monotonic(), deadline, self.milter.log())
            time.sleep(0.05)
        self.assertTrue(self.is_rewritten())
        self.reload('mode = "off"\n')
        self.wait_for(False)


class Readme(WithPostfix):
    """The README's Python examples, run as they stand but for the host and port they send to."""

    def examples(self):
        with open(os.path.join(harness.ROOT, "README.md")) as file:
            return re.findall(r"```python\n(.*?)```", file.read(), re.S)

    def run_example(self, text):
        self.assertIn('"you@example.org"', text)
        changed, count = re.subn(r'SMTP\("localhost"\)', f'SMTP("127.0.0.1", {self.postfix.port})', text)
        self.assertEqual(count, 1, "the example names its server once")
        recipient = self.new_recipient()
        changed = changed.replace("you@example.org", recipient)
        harness.run(["/usr/bin/python3", "-c", changed], check=0)
        return self.sink.wait(recipient).data

    def test_examples_arrive(self):
        examples = self.examples()
        self.assertGreaterEqual(len(examples), 2)
        for text in examples:
            with self.subTest(example=text.splitlines()[0]):
                data = self.run_example(text)
                self.assertEqual(judge.complaints(data), [])
                message = judge.parse(data)
                self.assertTrue(judge.images(message), judge.outline(message))
                for image in judge.images(message):
                    self.assertIn(image.get_content_type(), judge.SAFE)

    def test_the_seven_lines(self):
        text = next(text for text in self.examples() if "numpy" in text)
        self.assertEqual(len(text.splitlines()), 7, text)
        message = judge.parse(self.run_example(text))
        self.assertEqual(judge.tree(message), ("multipart/related", ("text/html",), ("image/png",)))
        image = judge.images(message)[0]
        self.assertEqual(judge.cids(judge.html_text(judge.html_parts(message)[0])), [judge.content_id(image)])


harness.main()
