#!/usr/bin/python3
"""The soak: hours of mixed mail in one run, after which nothing may have grown.

    tests/milter/soak.py [--build DIR] [--seconds N]       (`make soak SECONDS=1800`)

Eight clients send mail of all kinds over the milter protocol, hold connections, and vanish; the configuration is read
again every minute, workers are killed every few seconds, and the Redis that the cache is shared through stops, dies
and comes back. Each message that comes out is judged. Every minute the clients rest until the milter has nothing in
hand: what it has then is what it keeps, whatever the load and the speed of the machine were. Figures are printed; the
verdict compares the last third with the first one (the first tenth, in which everything is used for the first time,
left out): memory of the milter's processes at rest within 5 %, descriptors and threads no more. Exits 0 when all is well.
"""

import argparse
import collections
import contextlib
import os
import random
import signal
import statistics
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

import harness  # noqa: E402
from client import Client, Closed  # noqa: E402
from endurance_test import array_message, problem_with  # noqa: E402
from redis import Redis  # noqa: E402
from running import HTML, PLAIN, until  # noqa: E402
from served import Served, descendants  # noqa: E402

CLIENTS = 8
CONFIG = """
log_level = "warning"
[milter]
deadline = "20s"
[cache]
memory = "16M"
redis = "{redis}"
[render]
workers = 2
timeout = "{timeout}"
[defaults]
max_images = {images}
"""


class Cleanups(contextlib.ExitStack):
    """What the helpers of the tests want of a test."""

    def addCleanup(self, function, *arguments, **more):
        self.callback(function, *arguments, **more)


class Soak:
    def __init__(self, stack, seconds):
        self.seconds = seconds
        self.over, self.resting = threading.Event(), threading.Event()
        self.counts, self.problems = collections.Counter(), []
        # (kilobytes, descriptors, threads) of master and front: twice a second, and at rest
        self.samples, self.rests = [], []
        self.redis = Redis(stack, "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
        self.folder = harness.temp_dir(stack)
        self.served = Served(self.folder, config=self.config(0))
        stack.addCleanup(self.served.stop, 60)
        self.front = until("a front", self.the_front)

    def config(self, turn):
        # The renderer, and so all workers, is another at every second reload.
        return CONFIG.format(redis=self.redis.url(), timeout=("5s", "6s")[turn // 2 % 2], images=250 + turn % 2)

    def the_front(self):
        return next((pid for pid, name in descendants(self.served.process.pid).items()
                     if name == "pixmilter-front"), None)

    # ---- the load ----

    def message(self, dice):
        """(bytes, what its picture must become or None)"""
        kind = dice.random()
        if kind < 0.35:
            return PLAIN.replace(b"\n", b"\r\n"), None
        if kind < 0.55:
            return HTML.replace(b"\n", b"\r\n"), None
        if kind < 0.57:
            return array_message(dice.randrange(1 << 30), 200, 100, 4_000_000)
        if kind < 0.75:  # such as come again
            return array_message(dice.randrange(50), 60, 40)
        return array_message(dice.randrange(1 << 30), dice.randrange(1, 200), dice.randrange(1, 150))

    def send(self, number):
        dice = random.Random(number)
        while not self.over.is_set():
            try:
                with Client(self.served.socket, timeout=120) as client:
                    client.connect()
                    for _ in range(dice.randrange(1, 20)):
                        while self.resting.is_set() and not self.over.is_set():
                            time.sleep(0.05)
                        if self.over.is_set():
                            break
                        sent, array = self.message(dice)
                        if dice.random() < 0.02:  # and is gone
                            client.begin()
                            break
                        result = client.send(sent)
                        problem = problem_with(sent, array, result) if array is not None else (
                            None if result.passed or result.kind == "4" else f"answered {result.kind}")
                        if problem:
                            self.problems.append(problem)
                        self.counts["rewritten" if result.changed else result.verdict] += 1
            except (Closed, BrokenPipeError):
                self.counts["closed"] += 1
            except Exception as error:  # pylint: disable=broad-except
                self.problems.append(f"{type(error).__name__}: {error}")
                self.over.wait(0.5)

    def reload(self):
        turn = 0
        while not self.over.wait(60):
            turn += 1
            with open(os.path.join(self.folder, "pixmilter.toml"), "w") as file:
                file.write(self.config(turn))
            self.served.process.send_signal(signal.SIGHUP)
            self.counts["reloads"] += 1

    def shoot(self):
        dice = random.Random(7)
        while not self.over.wait(dice.uniform(1, 5)):
            workers = self.served.workers()
            if workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(dice.choice(workers), signal.SIGKILL)
                    self.counts["workers killed"] += 1

    def disturb_redis(self):
        dice = random.Random(8)
        while not self.over.wait(dice.uniform(5, 25)):
            if dice.random() < 0.5:
                self.redis.stop()
                self.over.wait(dice.uniform(1, 6))
                self.redis.go_on()
                self.counts["Redis stopped"] += 1
            else:
                self.redis.kill()
                self.over.wait(dice.uniform(1, 10))
                self.redis.start()
                self.counts["Redis killed"] += 1

    # ---- the measure ----

    def sample(self):
        kilobytes = fds = threads = 0
        for pid in (self.served.process.pid, self.front):
            with open(f"/proc/{pid}/status") as status:
                fields = dict(line.split(":", 1) for line in status)
            kilobytes += int(fields["VmRSS"].split()[0])
            threads += int(fields["Threads"])
            fds += len(os.listdir(f"/proc/{pid}/fd"))
        return kilobytes, fds, threads

    def rest(self):
        """Memory when the clients have been silent until nothing more of it goes back."""
        self.resting.set()
        samples = []
        for _ in range(20):
            time.sleep(1)
            samples.append(self.sample())
            if len(samples) >= 4 and max(s[0] for s in samples[-3:]) - min(s[0] for s in samples[-3:]) < 200:
                break
        self.resting.clear()
        self.rests.append(samples[-1])

    def run(self):
        work = [threading.Thread(target=self.send, args=(number,), daemon=True) for number in range(CLIENTS)]
        work += [threading.Thread(target=each, daemon=True) for each in (self.reload, self.shoot, self.disturb_redis)]
        idle = [Client(self.served.socket, timeout=120) for _ in range(50)]
        for client in idle:
            client.connect()
        for thread in work:
            thread.start()
        end, told = time.monotonic() + self.seconds, time.monotonic()
        while time.monotonic() < end and self.the_front() == self.front:
            time.sleep(0.5)
            self.samples.append(self.sample())
            if time.monotonic() - told >= min(60, self.seconds / 15):
                recent = self.samples[-100:]
                self.rest()
                told = time.monotonic()
                print(f"{self.seconds - (end - told):5.0f} s: {dict(self.counts)}; median of the minute: "
                      + self.words([statistics.median(each) for each in zip(*recent)])
                      + f"; at rest: {self.rests[-1][0]} kB", flush=True)
        self.over.set()
        for thread in work:
            thread.join(150)
        for client in idle:
            client.close()
        return self.verdict()

    @staticmethod
    def thirds(samples):
        """The medians of the first and of the last third, without the first tenth."""
        lived = samples[len(samples) // 10:]
        third = max(1, len(lived) // 3)
        return ([statistics.median(each) for each in zip(*part)] for part in (lived[:third], lived[-third:]))

    @staticmethod
    def words(values):
        return "{:.0f} kB, {:.0f} descriptors, {:.0f} threads".format(*values)

    def verdict(self):
        first, last = self.thirds(self.samples)
        rest_first, rest_last = (third[0] for third in self.thirds(self.rests))
        wrong = list(self.problems[:10])
        if self.the_front() != self.front:
            wrong.append("the front is another process")
        if rest_last > rest_first * 1.05:
            wrong.append("memory has grown by more than 5 %")
        for name, before, after in (("descriptors", first[1], last[1]), ("threads", first[2], last[2])):
            if after > before * 1.05 + 2:
                wrong.append(f"{name} have grown")
        print(f"{self.seconds} s: {dict(self.counts)}\n"
              f"first third: {self.words(first)}; at rest {rest_first:.0f} kB\n"
              f"last third:  {self.words(last)}; at rest {rest_last:.0f} kB\n"
              f"memory at rest {100 * (rest_last / rest_first - 1):+.1f} %, under load "
              f"{100 * (last[0] / first[0] - 1):+.1f} %", flush=True)
        for problem in wrong:
            print(f"WRONG: {problem}")
        print("flat, and every message whole" if not wrong else "FAILED", flush=True)
        return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description="Soaks the milter.")
    parser.add_argument("--build", default=os.path.join(harness.ROOT, "build"), metavar="DIR")
    parser.add_argument("--seconds", type=int, default=1800, metavar="N")
    options = parser.parse_args()
    harness.use_build(options.build)
    with Cleanups() as stack:
        return Soak(stack, options.seconds).run()


if __name__ == "__main__":
    sys.exit(main())
