#!/usr/bin/python3
"""Chaos: eight clients send two thousand messages through the milter while the render program is shot at.

Workers and the zygote get SIGKILL, SIGSTOP and SIGSEGV at random, and one picture in twenty is a bomb. Each
message comes out whole: converted, or byte for byte as it went in. Afterwards nothing is left behind: no
zombie, no descriptor, no memfd, no memory. CHAOS_SEED and CHAOS_MESSAGES choose another run; builds with sanitizers
have a fifth of the messages.
"""
# tests/run: timeout=1800 alone

import collections
import os
import random
import signal
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", name) for name in ("lib", "milter", "sandbox")]
import numpy

import bombs_test
import client
import harness
import judge
import pictures
from served import Served, descendants

CLIENTS = 8
RESTS = 3
MESSAGES = int(os.environ.get("CHAOS_MESSAGES", "0"))  # 0: as many as the build is quick enough for
SEED = int(os.environ.get("CHAOS_SEED", "1"))
# For each shot; by time alone, a slow machine's messages would be shot at more often than a fast one's.
MESSAGES_PER_SHOT = 10
BOMBS = ("tiff_60000x60000", "svg_nested_use", "svg_entities", "gif_10000_frames", "svg_morphology",
         "tiff_one_row_strips", "heic_14400_tiles", "svg_blur", "webp_2000_frames")
KINDS = {"tiff": "image/tiff", "svg": "image/svg+xml", "heic": "image/heic", "webp": "image/webp", "gif": "image/gif"}


class Sender:
    """Makes messages, each with something to convert, and judges what comes back."""

    def __init__(self, seed, bombs):
        self.dice = random.Random(seed)
        self.bombs = bombs
        self.verdicts = collections.Counter()

    def picture(self):
        """(media type, bytes, the pixels that it must become or None)"""
        choice = self.dice.random()
        if choice < 0.05:
            name = self.dice.choice(BOMBS)
            return KINDS[name.split("_")[0]], self.bombs[name], None
        width, height, seed = self.dice.randint(1, 80), self.dice.randint(1, 60), self.dice.randint(0, 9)
        if choice < 0.60:
            array = pictures.array(width, height, self.dice.choice((1, 3, 4)), seed)
            return "application/x-npy", pictures.npy(array), array
        if choice < 0.80:
            array = pictures.array(width, height, 3, seed)
            return "image/webp", pictures.encode(array, "WEBP", lossless=True), array
        if choice < 0.92:
            array = pictures.array(width, height, 3, seed)
            return "image/tiff", pictures.encode(array, "TIFF"), array
        return "image/svg+xml", bombs_test.svg(f"<text y='{height}'>{seed}</text>"), None

    def message(self):
        parts = [self.picture() for _ in range(self.dice.choice((1, 1, 1, 2, 3)))]
        lines = ["From: a@example.test", "To: b@example.test", f"Subject: {self.dice.random()}", "MIME-Version: 1.0",
                 'Content-Type: multipart/mixed; boundary="bound"', "", "--bound", "Content-Type: text/plain", "",
                 f"text {self.dice.random()}"]
        for kind, data, _ in parts:
            text = pictures.base64.b64encode(data).decode()
            lines += ["--bound", f"Content-Type: {kind}", "Content-Disposition: inline",
                      "Content-Transfer-Encoding: base64", ""]
            lines += [text[at:at + 76] for at in range(0, len(text), 76)]
        return "\r\n".join(lines + ["--bound--", ""]).encode(), parts

    def judge(self, sent, parts, received):
        """A sentence about what is wrong, or nothing."""
        if received == sent:
            self.verdicts["untouched"] += 1
            return None
        complaints = judge.complaints(received)
        if complaints:
            return "; ".join(complaints)
        before, after = judge.leaves(judge.parse(sent)), judge.leaves(judge.parse(received))
        if len(before) != len(after):
            return f"{len(before)} parts became {len(after)}"
        if before[0].get_payload(decode=True) != after[0].get_payload(decode=True):
            return "the text has changed"
        converted = 0
        for (kind, data, array), part in zip(parts, after[1:]):
            payload = part.get_payload(decode=True)
            if part.get_content_type() == kind:
                if payload != data:
                    return f"a part of {kind} has changed"
                continue
            converted += 1
            if array is not None:
                pixels = pictures.pixels(payload)
                if pixels.shape != array.shape and array.ndim == 3:
                    pixels = numpy.stack([pixels] * 3, axis=-1) if pixels.ndim == 2 else pixels
                if pixels.shape != array.shape or (pixels != array).any():
                    return f"the pixels of a part of {kind} are wrong"
        self.verdicts["converted" if converted == len(parts) else "converted in part"] += 1
        return None


class ChaosTest(unittest.TestCase):
    def setUp(self):
        self.folder = harness.temp_dir(self)
        if harness.sanitized("address"):
            # The faults are ours, and no finding.
            before = os.environ["ASAN_OPTIONS"]
            self.addCleanup(os.environ.__setitem__, "ASAN_OPTIONS", before)
            os.environ["ASAN_OPTIONS"] = before + ":handle_segv=0"
        self.served = Served(self.folder, config='[cache]\nmemory = "0"\n[milter]\ndeadline = "20s"\n'
                                                 '[render]\nworkers = 2\ntimeout = "1s"\nmemory = "256M"\n')
        self.addCleanup(self.served.stop)
        self.stop = threading.Event()
        self.shots = collections.Counter()
        self.answered = 0  # messages, about: many threads count

    def front(self):
        return next(pid for pid, name in descendants(self.served.process.pid).items() if name == "pixmilter-front")

    def shoot(self):
        dice = random.Random(SEED)
        while not self.stop.wait(dice.uniform(0.05, 0.5)):
            if self.answered < sum(self.shots.values()) * MESSAGES_PER_SHOT:
                continue
            workers = self.served.workers()
            zygotes = [pid for pid in self.served.render_processes() if pid not in workers]
            targets = zygotes if dice.random() < 0.07 else workers
            if not targets:
                continue
            number = dice.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP))
            try:
                os.kill(dice.choice(targets), number)
                self.shots[("zygote " if targets is zygotes else "worker ") + number.name] += 1
            except ProcessLookupError:
                pass

    def send(self, sender, count, problems, broken):
        try:
            with client.Client(self.served.socket, timeout=120) as connection:
                connection.connect()
                for _ in range(count):
                    message, parts = sender.message()
                    result = connection.send(message)
                    self.answered += 1
                    if not result.passed:
                        problems.append(f"the answer was {result.kind}")
                        continue
                    problem = sender.judge(message, parts, result.message)
                    if problem:
                        broken.append(problem)
        except Exception as error:  # pylint: disable=broad-except
            problems.append(f"{type(error).__name__}: {error}")

    def send_all(self, count, seed):
        problems, broken = [], []
        senders = [Sender(seed * 100 + i, self.bombs) for i in range(CLIENTS)]
        threads = [threading.Thread(target=self.send, args=(sender, count // CLIENTS, problems, broken))
                   for sender in senders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with harness.promise():
            self.assertEqual(broken, [])
        self.assertEqual(problems, [])
        return sum((sender.verdicts for sender in senders), collections.Counter())

    def under_fire(self, count, seed):
        self.stop.clear()
        shooter = threading.Thread(target=self.shoot)
        shooter.start()
        try:
            return self.send_all(count, seed)
        finally:
            self.stop.set()
            shooter.join()

    def state(self):
        """Descriptors, memfds and kilobytes of the front; processes of the render program; zombies."""
        front = self.front()
        links = []
        for fd in os.listdir(f"/proc/{front}/fd"):
            try:
                links.append(os.readlink(f"/proc/{front}/fd/{fd}"))
            except OSError:
                pass
        with open(f"/proc/{front}/status") as file:
            status = dict(line.split(":", 1) for line in file)
        zombies = []
        for pid in descendants(self.served.process.pid):
            try:
                with open(f"/proc/{pid}/stat") as file:
                    if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                        zombies.append(pid)
            except OSError:
                pass
        return {"descriptors": len(links), "memfds": sum("memfd:" in link for link in links),
                "kilobytes": int(status["VmRSS"].split()[0]), "processes": len(self.served.render_processes()),
                "zombies": len(zombies)}

    def settled(self):
        """The state once it is the same for a while."""
        last, since = None, time.monotonic()
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            now = self.state()
            if last is None or {**now, "kilobytes": 0} != {**last, "kilobytes": 0}:
                since = time.monotonic()
            last = now
            if time.monotonic() - since > 3:
                if not now["zombies"]:
                    break
                # A zygote that was stopped is seen, and replaced, when messages need it.
                self.send_all(CLIENTS, 7)
                since = time.monotonic()
            time.sleep(0.1)
        return last

    def settled_within(self, most):
        """The state once none of its numbers is above `most`, or else after two minutes: what was left behind stays,
        but a rest may meet a zygote that is stopped and not yet found out, or one on its way out, and memory that
        goes back within ten seconds."""
        deadline = time.monotonic() + 120
        while True:
            now = self.settled()
            if all(now[key] <= most[key] for key in most) or time.monotonic() > deadline:
                return now
            time.sleep(1)

    def test_every_message_is_whole_and_nothing_is_left(self):
        messages = MESSAGES or (400 if harness.sanitized() else 2000)
        self.bombs = {name: bombs_test.BOMBS[name]() for name in BOMBS}
        # The first messages, and the first faults, make buffers and threads that stay: until some hundreds of the
        # largest have met at once, what stays still comes to its level, and then it keeps it. Which pages stay at a
        # rest differs by a megabyte or two from one to the next, and one may fall into a pause before workers are made
        # again, so the level of each number is its highest of several.
        rests = []
        for rest in range(RESTS):
            self.under_fire(messages * 3 // 4 // RESTS, SEED + 1000 + rest)
            rests.append(self.settled())
        before = {key: max(rest[key] for rest in rests) for key in rests[0]}
        most = {**before, "zombies": 0, "memfds": 0, "kilobytes": before["kilobytes"] * 1.1}
        if harness.sanitized():
            del most["kilobytes"]
        self.answered = 0
        self.shots.clear()
        front = self.front()
        verdicts = self.under_fire(messages, SEED)
        after = self.settled_within(most)
        print(f"{dict(verdicts)}, shots {dict(self.shots)}, rests {[rest['kilobytes'] for rest in rests]}, "
              f"before {before}, after {after}", flush=True)
        self.assertEqual(self.front(), front, "the front is another process")
        self.assertEqual(sum(verdicts.values()), messages // CLIENTS * CLIENTS)
        self.assertGreater(verdicts["converted"], messages // 2)
        self.assertGreater(sum(self.shots.values()), 20)
        for key, bound in most.items():
            self.assertLessEqual(after[key], bound, key)
        # And it still works.
        self.assertEqual(sum(self.send_all(CLIENTS * 2, SEED + 2000).values()), CLIENTS * 2)


if __name__ == "__main__":
    harness.main()
