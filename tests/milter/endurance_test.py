#!/usr/bin/python3
"""The quick form of endurance: crowds, slow clients, and a front that runs out of memory. (hostile_test.py has the
clients that vanish or break the protocol, and descriptors; `make soak` the half hour.)

Whatever happens, a message comes out whole, converted or as it went in, or is deferred; and the front stays.
"""
# tests/run: timeout=600 alone

import base64
import collections
import os
import random
import re
import resource
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

import judge  # noqa: E402
import pictures  # noqa: E402
from client import Client, Closed  # noqa: E402
from hostile_test import conversation  # noqa: E402
from running import HTML, Running, descriptors, harness, threads, until  # noqa: E402

IDLE, BUSY = 2000, 200


def array_message(number, width, height, filler=0):
    """Its filler is text, in bytes; the array is like no other's."""
    array = pictures.numpy.random.RandomState(number).randint(0, 256, (height, width, 3)).astype("uint8")
    encoded = base64.encodebytes(pictures.npy(array)).replace(b"\n", b"\r\n")
    text = (b"%d " % number + b"text of no interest " * 40 + b"\r\n") * (1 + filler // 800)
    return (b"From: a@example.test\r\nTo: b@example.test\r\nSubject: %d\r\nMIME-Version: 1.0\r\n"
            b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n%s'
            b"--b\r\nContent-Type: application/x-npy\r\nContent-Transfer-Encoding: base64\r\n\r\n%s--b--\r\n"
            % (number, text, encoded)), array


def problem_with(sent, array, result):
    """A sentence where a message is neither deferred, nor as it was, nor converted."""
    if result.kind == "4":
        return None
    if not result.passed:
        return f"answered {result.kind}"
    if result.message == sent:
        return None
    complaints = judge.complaints(result.message)
    if complaints:
        return "; ".join(complaints)
    text, picture = judge.leaves(judge.parse(result.message))
    if text.get_payload() != judge.leaves(judge.parse(sent))[0].get_payload():
        return "the text has changed"
    if (pictures.pixels(picture.get_payload(decode=True)) != array).any():
        return "the pixels have changed"
    return None


class Crowd(unittest.TestCase):
    def setUp(self):
        needed = IDLE + BUSY + 100
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        if limit[1] < needed:
            self.skipTest(f"no more than {limit[1]} descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit[0], needed), limit[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limit)
        self.running = Running(self, config='[cache]\nmemory = "0"\n[render]\nworkers = 2\n')
        self.front = self.running.front()
        self.running.send(HTML)
        self.running.wait_for_workers(2)
        self.before = threads(self.front), descriptors(self.front)

    def check_unharmed(self):
        self.assertEqual(self.running.front(), self.front)
        self.assertTrue(self.running.send(HTML).changed)
        # Of render workers there may be some more than before.
        until(f"as little as before the crowd, {self.before}", lambda: (
            threads(self.front) <= self.before[0] + 6 and descriptors(self.front) <= self.before[1] + 10), 60)

    def test_two_thousand_that_wait_and_two_hundred_that_send(self):
        expected = self.running.send(HTML).message
        idle, problems, verdicts = [], [], collections.Counter()
        for number in range(IDLE):
            client = Client(self.running.socket, timeout=300)
            self.addCleanup(client.close)
            client.connect()
            if number % 3 == 1:
                client.begin()
            elif number % 3 == 2:
                client.begin()
                client.header(b"Subject", b" waiting")
            idle.append(client)

        def busy(number):
            try:
                with self.running.client(timeout=300) as client:
                    for turn in range(3):
                        sent, array = array_message(number * 10 + turn, 20, 20)
                        problem = problem_with(sent, array, result := client.send(sent))
                        if problem:
                            problems.append(problem)
                        verdicts["converted" if result.changed else result.verdict] += 1
            except Exception as error:  # pylint: disable=broad-except
                problems.append(f"{type(error).__name__}: {error}")

        senders = [threading.Thread(target=busy, args=(number,)) for number in range(BUSY)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        print(f"{IDLE} idle, {BUSY} busy: {dict(verdicts)}, {threads(self.front)} threads, "
              f"{descriptors(self.front)} descriptors", flush=True)
        self.assertEqual(problems, [])
        self.assertEqual(sum(verdicts.values()), BUSY * 3)
        self.assertGreater(verdicts["converted"], 0)
        # Who waited is served as well, from where he stopped.
        for number in range(0, IDLE, 97):
            if number % 3 == 0:
                self.assertEqual(idle[number].send(HTML).message, expected)
            else:
                idle[number].abort()
                self.assertEqual(idle[number].send(HTML).message, expected)
        for client in idle:
            client.close()
        self.check_unharmed()

    def test_slow_clients(self):
        """Thirty that send a few bytes at a time, while others send as ever."""
        data = b"".join(conversation(HTML)[:-1])
        expected = self.running.send(HTML).message
        dice = random.Random(3)
        slow = []
        for _ in range(30):
            client = Client(self.running.socket, timeout=300, negotiate=False)
            self.addCleanup(client.close)
            slow.append([client, data])
        while any(rest for _, rest in slow):
            for entry in slow:
                size = dice.randrange(1, 12)
                entry[0].send_raw(entry[1][:size])
                entry[1] = entry[1][size:]
            time.sleep(0.002)
            if dice.random() < 0.1:
                self.assertEqual(self.running.send(HTML).message, expected)
        for client, _ in slow:
            edits = []
            while (frame := client.read_frame())[0] != b"b":
                edits.append(frame[0])
            self.assertNotIn(b"t", edits)
            client.close()
        self.check_unharmed()


class NoMemory(unittest.TestCase):
    """The front at the limit of its address space, in steps from nothing to enough.

    malloc() has some 64 MB reserved for each arena, which a limit that comes later leaves it: the large messages are
    those that need more.
    """

    def setUp(self):
        if harness.sanitized():
            self.skipTest("no limit of memory under sanitizers")
        self.running = Running(self, config='[cache]\nmemory = "0"\n[milter]\ndeadline = "4s"\n')
        self.front = self.running.front()
        for number in range(4):
            sent, array = array_message(number, 30, 30)
            self.assertIsNone(problem_with(sent, array, self.running.send(sent)))

    def limit(self, extra):
        """So many bytes more than it has; None: no limit."""
        with open(f"/proc/{self.front}/status") as status:
            used = int(re.search(r"VmSize:\s+(\d+) kB", status.read()).group(1)) * 1024
        hard = resource.prlimit(self.front, resource.RLIMIT_AS)[1]
        resource.prlimit(self.front, resource.RLIMIT_AS, (hard if extra is None else used + extra, hard))

    def test_at_every_step(self):
        verdicts = collections.Counter()
        # A connection that is there, as an MTA's is: at its limit the front takes no other.
        number = 100
        for megabytes in (0, 64):
            for width, height, filler in ((20, 20, 0), (800, 600, 0), (100, 100, 40_000_000)):
                number += 1
                sent, array = array_message(number, width, height, filler)
                with self.subTest(megabytes=megabytes, size=len(sent)), self.running.client(timeout=120) as client:
                    self.limit(megabytes << 20)
                    try:
                        result = client.send(sent)
                    except (Closed, BrokenPipeError):
                        # libmilter had no memory for what came, and closes: an MTA defers the message.
                        verdicts["closed"] += 1
                    else:
                        self.assertIsNone(problem_with(sent, array, result))
                        verdicts["converted" if result.changed else result.verdict] += 1
                    finally:
                        self.limit(None)
                self.assertEqual(self.running.front(), self.front, self.running.log()[-3000:])
        print(f"at the limit of memory: {dict(verdicts)}", flush=True)
        self.assertGreater(verdicts["accept"] + verdicts["closed"] + verdicts["tempfail"], 0)
        sent, array = array_message(1, 30, 30)
        self.assertIsNone(problem_with(sent, array, self.running.send(sent)))
        until("a conversion", lambda: self.running.send(sent).changed, 60)


if __name__ == "__main__":
    harness.main()
