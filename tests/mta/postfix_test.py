#!/usr/bin/python3
"""A real Postfix, private to this test, with pixmilter as its milter; judged by what it relays.

Every sentence of "it is done when" that names Postfix has its test here, on both ways in: SMTP
(smtpd_milters) and sendmail(1) (non_smtpd_milters).
"""
# tests/run: timeout=1500

import concurrent.futures
import os
import re
import resource
import shutil
import sys
import time
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"),
                os.path.dirname(os.path.abspath(__file__))]
import numpy

import assorted
import harness
import judge
import kills
import macros
import pictures
import postfix
import through
from served import Served, free_port
from sink import Sink
from through import as_bytes, first_difference, html_message


class WithPostfix(through.WithMta):
    @classmethod
    def need(cls):
        if not postfix.installed():
            raise unittest.SkipTest("postfix is not installed")

    @classmethod
    def new_mta(cls, folder, sink_port, milter):
        return postfix.Postfix(folder, sink_port, milter.postfix_spec)

    without_additions = staticmethod(postfix.without_additions)


class Pictures(through.Pictures, WithPostfix):
    def test_inet_socket(self):
        folder = harness.temp_dir(self)
        with Served(folder, f"inet:{free_port()}@127.0.0.1") as milter, \
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
            print(f"{seconds:.2f} s", flush=True)  # about a second on an idle machine

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


class References(through.References, WithPostfix):
    pass


class NothingToDo(through.NothingToDo, WithPostfix):
    pass


class Killed(kills.Killed, WithPostfix):
    pass


class Gone(kills.Gone, WithPostfix):
    pass


class Verdicts(through.Verdicts, WithPostfix):
    pass


class Reload(through.Reload, WithPostfix):
    pass


class Macros(macros.Macros, WithPostfix):
    queue_id_in = r"queued as (\S+)"
    # pickup(8) has no client; cleanup(8) says localhost for it.
    of_a_program = {"local", "hostname"}

    @classmethod
    def new_mta(cls, folder, sink_port, milter):
        cls.authority = macros.Dovecot(os.path.join(folder, "auth"))
        cls.door = free_port()
        return postfix.Postfix(
            folder, sink_port, milter.postfix_spec,
            settings={"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": f"{folder}/auth"},
            more_services=f"127.0.0.1:{cls.door} inet n - n - - smtpd\n  -o milter_macro_daemon_name=ORIGINATING\n")


class Snippets(WithPostfix):
    """conf/postfix/ as it stands: its paths are relative to the queue directory, where the milter's socket is."""

    @classmethod
    def snippet(cls, name):
        with open(os.path.join(harness.ROOT, "conf", "postfix", name)) as file:
            return [line for line in file.read().splitlines() if line and not line.startswith("#")]

    @classmethod
    def setUpClass(cls):
        harness.need_root()
        cls.need()
        folder = harness.temp_dir(cls)
        cls.sink = Sink()
        cls.addClassCleanup(cls.sink.close)
        settings = dict(re.split(r"\s*=\s*", line, maxsplit=1) for line in cls.snippet("main.cf"))
        cls.mta = cls.with_snippets(folder, settings)
        cls.addClassCleanup(cls.mta.stop)
        sockets = os.path.join(cls.mta.queue, "pixmilter")
        os.mkdir(sockets)
        shutil.chown(sockets, "root", "postfix")
        os.chmod(sockets, 0o2750)
        cls.milter = Served(folder, f"unix:{sockets}/pixmilter.sock")
        cls.addClassCleanup(cls.milter.stop)
        cls.count = 0

    @classmethod
    def with_snippets(cls, folder, settings):
        return postfix.Postfix(folder, cls.sink.port, settings=settings)

    def is_rewritten(self, **way):
        return bool(judge.images(judge.parse(self.relay(as_bytes(through.array_message(pictures.array())), **way))))

    def test_main_cf(self):
        self.assertTrue(self.is_rewritten())
        self.assertTrue(self.is_rewritten(way="sendmail"))


class SubmissionOnly(Snippets):
    """master.cf's lines with main.cf's smtpd_milters empty."""

    @classmethod
    def with_snippets(cls, folder, settings):
        cls.submission = free_port()
        service = "\n".join(cls.snippet("master.cf")) + "\n"
        assert service.startswith("submission inet")
        return postfix.Postfix(folder, cls.sink.port, settings={**settings, "smtpd_milters": ""},
                               more_services=service.replace("submission inet", f"127.0.0.1:{cls.submission} inet", 1))

    def test_main_cf(self):
        self.assertTrue(self.is_rewritten(way="sendmail"))

    def test_only_submitted_mail_is_looked_at(self):
        self.assertTrue(self.is_rewritten(port=self.submission))
        self.assertFalse(self.is_rewritten())


class Readme(WithPostfix):
    """The README's Python examples, run as they stand but for the host and port they send to."""

    def examples(self):
        with open(os.path.join(harness.ROOT, "README.md")) as file:
            return re.findall(r"```python\n(.*?)```", file.read(), re.S)

    def run_example(self, text):
        self.assertIn('"you@example.org"', text)
        changed, count = re.subn(r'SMTP\("localhost"\)', f'SMTP("127.0.0.1", {self.mta.port})', text)
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
