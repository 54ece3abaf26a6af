#!/usr/bin/python3
"""The cache in the real milter: with a real Redis that is shared, killed, stopped, full, replaced by something
else or written to by somebody else; whatever it does, what goes out is what would go out without it.

Whether a process has rendered a picture or got it from elsewhere shows in two ways: one whose render program is that
of tests/sandbox/refuse.cc can only have it from elsewhere, and a Redis counts what is written to it, once for each
render.
"""
# tests/run: timeout=1200

import hashlib
import itertools
import os
import random
import re
import shutil
import socket
import sys
import tempfile
import threading
import time
import unittest

_tests = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(_tests, "lib"), os.path.join(_tests, "milter")]

import harness  # noqa: E402
import redis  # noqa: E402
import served  # noqa: E402
from running import Running, until  # noqa: E402


def message(*seeds, width=640, height=480):
    """A message with a raw picture for each seed."""
    text = b"From: a@example.test\r\nTo: b@example.test\r\nSubject: pixels\r\nMIME-Version: 1.0\r\n" \
           b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    for seed in seeds:
        pixels = random.Random(seed).randbytes(width * height * 3)
        lines = __import__("base64").encodebytes(pixels).replace(b"\n", b"\r\n")
        text += b"--b\r\nContent-Type: image/x-raw-pixels; width=%d; height=%d; bands=3; format=uchar\r\n" \
                b"Content-Transfer-Encoding: base64\r\n\r\n" % (width, height) + lines
    return text + b"--b--\r\n"


# What is rendered has to be the same each time; in haste it would not be.
PATIENT = """[milter]
deadline = "10m"
[render]
timeout = "9m"
"""


def settings(redis_url="", memory="64M", redis_timeout="20s", more=""):
    """Redis has as much time as a busy machine may need; a message more than any Redis in trouble is granted."""
    return f"""{PATIENT}[cache]
memory = "{memory}"
redis = "{redis_url}"
redis_timeout = "{redis_timeout}"
{more}
"""


def programs(test, render):
    """A folder of its own with pixmilter and one of the render programs; gives pixmilter's path."""
    folder = harness.temp_dir(test)
    shutil.copy2(harness.program(), folder)
    exchange(folder, render)
    return os.path.join(folder, "pixmilter")


def exchange(folder, render):
    """The next zygote is another program. Whole at every moment: one may be starting."""
    shutil.copy2(harness.program(render), os.path.join(folder, "next"))
    os.rename(os.path.join(folder, "next"), os.path.join(folder, "pixmilter-render"))


# Renders nothing.
REFUSES = "tests/render_refuse"

_plain = {}


def without_cache(text):
    """What goes out where nothing is cached."""
    if text not in _plain:
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(PATIENT)
            file.flush()
            done = harness.run([harness.program(), "rewrite", "-c", file.name], input=text, check=0, timeout=600)
        _plain[text] = done.stdout
    return _plain[text]


class CacheTest(unittest.TestCase):
    def serve(self, *arguments, render="pixmilter-render", **more):
        return Running(self, config=settings(*arguments, **more), program=programs(self, render))

    def send(self, running, text, converted=True):
        with running.client(timeout=600) as client:
            result = client.send(text)
            client.quit()
        running.sent = getattr(running, "sent", 0) + 1
        self.assertEqual(result.verdict, "accept")
        expected = without_cache(text) if converted else text
        self.assertEqual(result.message.replace(b" pixels", b"pixels"), expected.replace(b" pixels", b"pixels"))
        return result

    def took(self, running):
        """Milliseconds of the last message; its line may come after its reply."""
        return int(re.search(r"ms=(\d+)", running.wait_logged("did=", running.sent)[-1]).group(1))

    def render_no_more(self, running):
        """From here on each worker comes of a program that renders nothing."""
        exchange(os.path.dirname(running.process.args[0]), REFUSES)
        served.kill_all(running.children("pixmilter-render"))
        seeds = itertools.count(100)

        def left():
            text = message(next(seeds))
            running.sent += 1
            return running.send(text).message == text
        until("no more pictures are rendered", left)


class Memory(CacheTest):
    def test_second_message_needs_no_worker(self):
        running = self.serve()
        self.send(running, message(1))
        self.render_no_more(running)
        self.send(running, message(1))
        self.send(running, message(2), converted=False)

    def test_off(self):
        running = self.serve(memory="0")
        self.send(running, message(1))
        self.render_no_more(running)
        self.send(running, message(1), converted=False)


class Shared(CacheTest):
    def test_two_processes_share_renders(self):
        server = redis.Redis(self)
        for url in (server.url(), server.unix_url(1)):
            database = int(url[-1])
            first = self.serve(url)
            self.send(first, message(1, 2))
            until("both pictures in Redis", lambda: len(server.keys(database=database)) == 2)
            second = self.serve(url, render=REFUSES)
            self.send(second, message(2, 1))
            self.send(second, message(3), converted=False)
            self.assertTrue(all(key.startswith(b"pixmilter:") for key in server.keys(database=database)))
            self.assertGreater(server.ask("PTTL", server.keys(database=database)[0], database=database), 86_000_000)

    def test_rewrite_shares_too(self):
        server = redis.Redis(self, password="s:e/cret")
        server.password = "s:e/cret"
        folder = harness.temp_dir(self)
        config = os.path.join(folder, "pixmilter.toml")
        url = f"redis://:s%3Ae%2Fcret@127.0.0.1:{server.port}/2"
        with open(config, "w") as file:
            file.write(settings(url))
        for render in ("pixmilter-render", REFUSES):
            done = harness.run([programs(self, render), "rewrite", "-c", config], input=message(1), check=0)
            self.assertEqual(done.stdout, without_cache(message(1)))
            self.assertEqual(done.stderr, b"")
        self.assertEqual(len(server.keys(database=2)), 1)

    def test_another_prefix_shares_nothing(self):
        server = redis.Redis(self)
        self.send(self.serve(server.url()), message(1))
        until("the picture in Redis", server.keys)
        other = self.serve(server.url(), render=REFUSES, more='redis_prefix = "other:"')
        self.send(other, message(1), converted=False)

    def test_one_render_for_many_at_once(self):
        server = redis.Redis(self)
        running = self.serve(server.url())
        text = message(1, width=1920, height=1080)
        errors = []

        def one():
            try:
                self.send(running, text)
            except BaseException as error:
                errors.append(error)

        without_cache(text)
        threads = [threading.Thread(target=one) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        until("the picture in Redis", server.keys)
        self.assertEqual(server.calls("set"), 1)


class Broken(CacheTest):
    """Redis in trouble."""

    IMPATIENT = "100ms"  # where it does not answer at all
    HELD = 600  # seconds that it holds on to what it is asked, as long as a message may take

    def broken(self, url, more="", **options):
        return self.serve(url, memory="0", more=more, **options)

    def flow(self, running, count=8):
        """Mail flows with the right bytes; gives the milliseconds that the messages took."""
        taken = []
        for number in range(count):
            self.send(running, message(number % 8, width=64, height=48))
            taken.append(self.took(running))
        return taken

    def limited(self, taken):
        """No message waited until a Redis in trouble let go of it: that would be a message's whole time. How long
        rendering takes on a machine that does other things says nothing."""
        self.assertLess(max(taken), self.HELD * 1000 / 10, taken)

    def back(self, running):
        """Mail flows on, and at some time Redis is used again."""
        until("it is used again", lambda: self.flow(running, 1) and running.logged("answers again"), timeout=60)
        self.assertEqual(len(running.logged("left alone for a while")), 1)

    def test_nobody_listens(self):
        running = self.broken(f"redis://127.0.0.1:{redis.free_port()}")
        self.limited(self.flow(running))
        self.assertEqual(len(running.wait_logged("left alone for a while")), 1)

    def test_killed_and_back(self):
        server = redis.Redis(self)
        running = self.broken(server.url())
        self.flow(running, 2)
        until("entries", lambda: len(server.keys()) == 2)
        server.kill()
        self.limited(self.flow(running))
        running.wait_logged("left alone for a while")
        server.start()
        self.back(running)
        until("entries again", server.keys)

    def test_stopped_and_back(self):
        server = redis.Redis(self)
        running = self.broken(server.url(), redis_timeout="2s")
        self.flow(running, 2)
        server.stop()
        self.limited(self.flow(running))
        running.wait_logged("left alone for a while")
        server.go_on()
        self.back(running)

    def test_full(self):
        # Less than a server has in use when it is empty.
        server = redis.Redis(self, "--maxmemory", "100kb", "--maxmemory-policy", "noeviction")
        running = self.broken(server.url())
        self.limited(self.flow(running, 12))
        self.assertEqual(server.keys(), [])
        self.assertEqual(running.logged("left alone"), [])  # it answers, and reading is no trouble

    def test_read_only_user_and_wrong_password(self):
        server = redis.Redis(self, password="right")
        running = self.broken(f"redis://:wrong@127.0.0.1:{server.port}")
        self.limited(self.flow(running))
        line = running.wait_logged("left alone for a while")[0]
        self.assertIn("AUTH", line)
        self.assertNotIn("wrong@", line)

    def test_entries_of_another_type(self):
        server = redis.Redis(self)
        running = self.broken(server.url())
        self.flow(running, 3)
        keys = until("entries", lambda: server.keys() if len(server.keys()) == 3 else None)
        for key in keys:
            server.ask("DEL", key)
            server.ask("LPUSH", key, "a", "b")
        self.limited(self.flow(running))

    def garbage(self, talk):
        """A listener that does with each connection as it likes; gives its URL."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        self.addCleanup(listener.shutdown, socket.SHUT_RDWR)  # before: whoever waits at it is to go
        self.connections = 0

        def serve(connection):
            with connection:
                try:
                    talk(connection)
                except OSError:
                    pass

        def accept():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                self.connections += 1
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"redis://127.0.0.1:{listener.getsockname()[1]}"

    def left_alone(self, running, count=60):
        """Mail flows, and not each message is one more try: what fails is tried again after a second, two, four."""
        self.limited(self.flow(running, count))
        self.assertLess(self.connections, count / 2)

    def test_garbage_instead_of_redis(self):
        noise = random.Random(1).randbytes(100_000)

        def trickle(connection):
            connection.recv(1000)
            connection.sendall(b"$100000\r\n")
            while True:
                connection.sendall(b"x")
                time.sleep(0.02)

        for name, talk in {
                "silence": lambda c: time.sleep(self.HELD),
                "the end": lambda c: c.recv(1000),
                "the end at once": lambda c: None,
                "noise": lambda c: c.sendall(noise),
                "another server": lambda c: c.sendall(b"220 mail.example.test ESMTP\r\n"),
                "an array without end": lambda c: (c.recv(1000), c.sendall(b"*4000000000\r\n" + b"*1\r\n" * 9),
                                                   time.sleep(self.HELD)),
                "a long string": lambda c: (c.recv(1000), c.sendall(b"$9000000000000\r\n" + b"x" * 50_000_000)),
                "drop by drop": trickle}.items():
            with self.subTest(name):
                running = self.broken(self.garbage(talk), more='redis_max_value = "1M"',
                                      redis_timeout=self.IMPATIENT)
                self.left_alone(running)
                running.wait_logged("left alone for a while")

    def test_garbage_after_a_good_beginning(self):
        for name, answer in {
                "nothing": b"",
                "an error": b"-LOADING Redis is loading the dataset in memory\r\n",
                "a number": b":7\r\n",
                "a status": b"+OK\r\n",
                "another's bytes": b"$5\r\nhello\r\n",
                "too much": b"$5\r\nhello\r\n" * 100,
                "a string without end": b"$1000000\r\nabc",
                "an array": b"*2\r\n$1\r\na\r\n$1\r\nb\r\n"}.items():
            with self.subTest(name):
                def talk(connection, answer=answer):
                    while True:
                        asked = connection.recv(100_000)
                        if not asked:
                            return
                        connection.sendall(b"+PONG\r\n" if b"PING" in asked else answer)

                running = self.broken(self.garbage(talk), redis_timeout=self.IMPATIENT)
                self.left_alone(running)


class Tampered(CacheTest):
    def test_no_changed_entry_goes_out(self):
        server = redis.Redis(self)
        texts = [message(seed, width=64, height=48) for seed in range(3)]
        first = self.serve(server.url())
        for text in texts:
            self.send(first, text)
        keys = until("entries", lambda: server.keys() if len(server.keys()) == 3 else None)
        good = {key: server.ask("GET", key) for key in keys}

        def forged(key, content):
            """An entry as somebody makes it who knows how."""
            name = bytes.fromhex(key.split(b":")[1].decode())
            size = lambda part: len(part).to_bytes(8, "little")
            digest = hashlib.sha256(size(name) + name + size(content) + content).digest()
            return b"pixmilter picture 1\n" + digest + content

        head, facts = len(b"pixmilter picture 1\n") + 32, 13
        for key in keys:  # what is forged this way is what the milter itself writes
            self.assertEqual(forged(key, good[key][head:]), good[key])
        script = b"PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==\r\n"
        for name, change in {
                "nothing": lambda key, value: b"",
                "noise": lambda key, value: random.Random(2).randbytes(len(value)),
                "one bit": lambda key, value: value[:-9] + bytes([value[-9] ^ 1]) + value[-8:],
                "cut short": lambda key, value: value[:-100],
                "longer": lambda key, value: value + b"QUJD\r\n",
                "another picture's": lambda key, value: good[keys[keys.index(key) - 1]],
                "another version": lambda key, value: value.replace(b"picture 1", b"picture 2"),
                "a script with a checksum": lambda key, value: forged(key, value[head:head + facts] + script),
                "lines behind the picture": lambda key, value: forged(key, value[head:] + script),
                "a header within": lambda key, value: forged(
                    key, value[head:head + facts + 78] + b"\r\nX-Evil: 1\r\n" + value[head + facts + 78:])}.items():
            with self.subTest(name):
                for key in keys:
                    server.ask("SET", key, change(key, good[key]))
                second = self.serve(server.url(), memory="0")
                for text in texts:
                    self.send(second, text)
                second.stop()


if __name__ == "__main__":
    harness.main()
