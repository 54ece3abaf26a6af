"""Keeps account of messages: what was sent, what the client was told, what came out. The count is exact.

A message that was accepted comes out once, whole; one that was answered 4xx does not come out at all. Whole is:
byte for byte as it was sent, or with all of its pictures, or some of them, made into what they must become, and
nothing else changed. Each message is like no other, so that nothing of one can pass for another's, and is made
anew from its number when it is judged, so that ten thousand of them take no memory.
"""

import collections
import random
import threading
import time
import unittest

import numpy

import judge
import pictures
import smtp_client
from through import as_bytes, new_message

KINDS = ("text", "embed", "array", "both", "large")
_asserts = unittest.TestCase()


class Letter:
    """Message number so and so: its bytes, and the pictures in it."""

    def __init__(self, seed, number, kind=None):
        dice = random.Random(seed * 1_000_000 + number)
        self.number = number
        self.kind = kind or dice.choices(KINDS, (20, 25, 25, 15, 15))[0]
        self.recipient = f"n{number}@example.test"
        self.text = f"This is message {number} of run {seed}."
        self.png = self.array = None
        noise = numpy.random.RandomState(dice.randrange(1 << 31))

        def pixels(width, height):
            return noise.randint(0, 256, (height, width, 3)).astype(numpy.uint8)

        if self.kind in ("embed", "both"):
            self.png = pictures.encode(pixels(dice.randint(4, 60), dice.randint(4, 40)), "PNG")
        if self.kind == "large":  # some chunks of the milter protocol
            self.png = pictures.encode(pixels(400, dice.randint(100, 300)), "PNG", compress_level=0)
        if self.kind in ("array", "both"):
            self.array = pixels(dice.randint(1, 90), dice.randint(1, 60))
        if self.kind == "growing":  # small as it is sent, and large as a PNG
            self.array = pixels(500, 400)
            self.webp = pictures.encode(self.array, "WEBP", quality=1)

    def bytes(self):
        message = new_message(f"number {self.number}")
        if self.png:
            message.set_content(f'<p>{self.text} <img src="{pictures.data_uri(self.png)}"></p>', subtype="html",
                                cte="quoted-printable")
        else:
            message.set_content(self.text + "\n")
        if self.kind == "growing":
            message.add_attachment(self.webp, "image", "webp", filename="frame.webp", disposition="inline")
        elif self.array is not None:
            message.add_attachment(pictures.npy(self.array), "application", "x-npy", filename="frame.npy")
        message_bytes = as_bytes(message)
        # Boundaries of Python's are random.
        boundary = message.get_boundary()
        return message_bytes.replace(boundary.encode(), b"=_%d_=" % self.number) if boundary else message_bytes

    def judged(self, data):
        """"untouched", "converted" or "converted in part"; AssertionError with what is wrong."""
        sent = self.bytes()
        received = smtp_client.without_received(data)
        if received == sent:
            return "untouched"
        _asserts.assertNotEqual(self.kind, "text", "a message with nothing in it to do has changed")
        _asserts.assertEqual(judge.complaints(received), [])
        before, after = judge.parse(sent), judge.parse(received)
        _asserts.assertIn(self.text, received.replace(b"=\r\n", b"").decode("latin-1"))
        judge.check_undone(_asserts, before, after)
        html = ("multipart/related", ("text/html",), ("image/png",)) if self.png else ("text/plain",)
        attached = None
        if self.array is not None:
            attached = judge.leaves(after)[-1]
            if attached.get_content_type() == "image/png":
                if self.kind != "growing":  # lossy as it is
                    numpy.testing.assert_array_equal(pictures.pixels(attached.get_payload(decode=True)), self.array)
            else:
                _asserts.assertEqual(attached.get_payload(decode=True), judge.leaves(before)[-1].get_payload(decode=True))
        shape = ("multipart/mixed", html, (attached.get_content_type(),)) if attached else html
        _asserts.assertEqual(judge.tree(after), shape)
        if self.png:
            embedded = [part for part in judge.images(after) if part is not attached]
            _asserts.assertEqual([part.get_payload(decode=True) for part in embedded], [self.png])
        return "converted" if attached is None or attached.get_content_type() == "image/png" else "converted in part"


class Ledger:
    def __init__(self, sink, seed=1):
        self.sink, self.seed = sink, seed
        self.numbers = 0
        self.answers = collections.defaultdict(list)  # by number: SMTP codes; 0 for a connection that ended
        self.kinds = {}                               # by number, where a test has chosen one
        self.forms = collections.defaultdict(list)    # by number: what each copy that came out was
        self.problems = []
        self._lock = threading.Lock()

    def new(self, kind=None):
        with self._lock:
            self.numbers += 1
            if kind:
                self.kinds[self.numbers] = kind
            return Letter(self.seed, self.numbers, kind)

    def answered(self, letter, code):
        with self._lock:
            self.answers[letter.number].append(code)

    def collect(self):
        """Judges what has come out since."""
        with self._lock:
            for delivered in self.sink.take():
                for recipient in delivered.recipients:
                    self._judge(int(recipient[1:].split("@")[0]), delivered.data)

    def _judge(self, number, data):
        try:
            self.forms[number].append(Letter(self.seed, number, self.kinds.get(number)).judged(data))
        except AssertionError as error:
            self.forms[number].append("corrupt")
            self.problems.append(f"message {number}: {error}")

    def accepted(self):
        return {number for number, codes in self.answers.items() if 250 in codes}

    def settle(self, mta, timeout=240):
        """Waits until nothing is under way any more: all that was accepted has come out, and the queue is empty."""
        deadline = time.monotonic() + timeout
        while True:
            self.collect()
            missing = self.accepted() - set(self.forms)
            queued = mta.queued()
            if (not missing and not queued) or time.monotonic() > deadline:
                break
            mta.try_again()
            time.sleep(0.3)
        self.collect()
        return {number: self.forms.get(number, []) for number in self.answers}

    def close(self, mta):
        """The account: figures, and a list of what is wrong."""
        self.settle(mta)
        wrong = list(self.problems)
        figures = collections.Counter(sent=len(self.answers))
        for number, codes in sorted(self.answers.items()):
            forms, accepted = self.forms.get(number, []), codes.count(250)
            figures["answers 4xx"] += sum(code // 100 == 4 for code in codes)
            figures["no answer"] += codes.count(0)
            for form in forms:
                figures[form] += 1
            for code in codes:
                if code != 250 and code // 100 != 4:
                    wrong.append(f"message {number} was answered {code}")
            if len(forms) < accepted:
                figures["lost"] += 1
                wrong.append(f"message {number} was accepted {accepted} times and came out {len(forms)} times")
            if len(forms) > accepted:
                figures["too many"] += 1
                wrong.append(f"message {number} came out {len(forms)} times and was accepted {accepted} times")
        for number in set(self.forms) - set(self.answers):
            wrong.append(f"message {number} came out and was never sent")
        if mta.queued():
            wrong.append(f"the queue still holds {mta.queued()}")
        return figures, wrong
