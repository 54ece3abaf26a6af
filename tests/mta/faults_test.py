#!/usr/bin/python3
"""Faults behind a real Postfix: whatever is killed, full, exhausted or reloaded, each message that was accepted is
delivered whole, once, and every other was answered 4xx. The count is exact (ledger.py).

COUNT=N sets the number of messages in all, 500 when it is not set; the full form is COUNT=10000 (half an hour),
which kills at every step whoever can be killed. FAULTS_SEED chooses another run.
"""
# tests/run: timeout=2400

import collections
import ctypes
import os
import random
import resource
import signal
import smtplib
import struct
import subprocess
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "milter"), HERE]

import harness
import postfix
from frame_proxy import DECISIONS, Armed, FrameProxy, Trap
from ledger import Ledger
from running import alive, descriptors, until
from served import Served, descendants, parent_of, state
from sink import Sink

COUNT = int(os.environ.get("COUNT", "500"))
FULL = COUNT > 500
OTHERS = 300  # what the other tests send, about
STORM = COUNT - OTHERS
if STORM <= 0:
    sys.exit(f"COUNT={COUNT}: more than {OTHERS}, which the tests other than the storm send about")
SEED = int(os.environ.get("FAULTS_SEED", "1"))
SENDERS = 6
CONFIG = """
[milter]
deadline = "20s"
[cache]
memory = "0"
[render]
workers = 2
timeout = "5s"
"""

# By name, in the order of a message.
STEPS = {
    "asked what it can do": Trap("mta", b"O"),
    "told what it can do": Trap("milter", b"O"),
    "told of the client": Trap("mta", b"C"),
    "told of the sender": Trap("mta", b"M"),
    "told of the recipient": Trap("mta", b"R"),
    "given the first header field": Trap("mta", b"L"),
    "given half a header field": Trap("mta", b"L", "inside", nth=2),
    "asked at the end of the headers": Trap("mta", b"N"),
    "answered at the end of the headers": Trap("milter", DECISIONS, at_end=False),
    "given some of the body": Trap("mta", b"B"),
    "given all of the body": Trap("mta", b"E"),
    "about to hand back the body": Trap("milter", b"b", "before"),
    "in the first piece of the new body": Trap("milter", b"b", "inside"),
    "after the first piece of the new body": Trap("milter", b"b"),
    "in the middle of the new body": Trap("milter", b"b", "inside", nth=3),
    "after the new body": Trap("milter", b"hm", "before"),
    "between the header changes": Trap("milter", b"hm"),
    "about to answer": Trap("milter", DECISIONS, "before", at_end=True),
    "in its answer": Trap("milter", DECISIONS, "inside", at_end=True),
}
# Of the others, those in which they matter most; the full form takes all.
MOST_STEPS = dict(list(STEPS.items())[0 if FULL else 9:])
# No fault any more for whoever has been answered.
ANSWERED = Trap("milter", DECISIONS, at_end=True)


def kill(pids, number=signal.SIGKILL):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


class Kept:
    """pixmilter as a service manager keeps it: started again when it has ended."""

    def __init__(self, folder, config=CONFIG, wrapper=()):
        self.folder, self.config, self.wrapper = folder, config, wrapper
        self.path = os.path.join(folder, "milter.sock")
        self.lock = threading.RLock()
        self.starts = 0
        self.start()

    def start(self):
        self.starts += 1
        own = os.path.join(self.folder, f"start{self.starts}")
        os.mkdir(own, 0o755)
        self.served = Served(own, f"unix:{self.path}", self.config, self.wrapper)

    def family(self):
        """The front, and pids of zygotes and workers."""
        names = descendants(self.served.process.pid)
        fronts = [pid for pid, name in names.items() if name == "pixmilter-front"]
        render = [pid for pid, name in names.items() if name.startswith("pixmilter-rende")]
        workers = [pid for pid in render if names.get(parent_of(pid), "").startswith("pixmilter-rende")]
        return fronts, [pid for pid in render if pid not in workers], workers

    def kill(self, victim, dice=random):
        with self.lock:
            if victim == "master":
                # It may just be starting a process, which would be missed now and listen when the next master starts.
                self.served.process.send_signal(signal.SIGSTOP)
                until("the master stands still", lambda: state(self.served.process.pid) in "TZ")
                others = list(descendants(self.served.process.pid))
                # With it systemd ends the others; without it they end by themselves, the message in hand being done.
                self.served.process.kill()
                self.served.process.wait()
                self.served.stop()
                if dice.random() < 0.5:
                    kill(others)
                return others
            fronts, zygotes, workers = self.family()
            kill({"front": fronts, "zygote": zygotes, "worker": workers}[victim])
            return []

    def kill_and_start(self, victim, dice=random):
        with self.lock:
            others = self.kill(victim, dice)
            if victim == "master":
                self.start_when_over(others)

    def start_when_over(self, others):
        with self.lock:
            until("the end of what the master has left", lambda: not [pid for pid in others if alive(pid)], 60)
            self.start()

    def reload(self, text):
        with self.lock:
            with open(os.path.join(self.served.folder, "pixmilter.toml"), "w") as file:
                file.write(text)
            self.served.process.send_signal(signal.SIGHUP)

    def log(self):
        text = ""
        for number in range(1, self.starts + 1):
            with open(os.path.join(self.folder, f"start{number}", "pixmilter.log"), errors="replace") as file:
                text += file.read()
        return text

    def stop(self):
        self.served.stop()


class Faults(unittest.TestCase):
    """Sink, milter, proxy and Postfix of a class; a ledger of each test, which closes it."""

    settings = {}
    wrapper = ()

    @classmethod
    def setUpClass(cls):
        harness.need_root()
        if not postfix.installed():
            raise unittest.SkipTest("postfix is not installed")
        cls.folder = harness.temp_dir(cls)
        cls.prepare()
        cls.sink = Sink()
        cls.addClassCleanup(cls.sink.close)
        cls.milter = Kept(cls.folder, wrapper=cls.wrapper)
        cls.addClassCleanup(cls.milter.stop)
        cls.proxy = FrameProxy(cls.folder, cls.milter.path)
        cls.addClassCleanup(cls.proxy.close)
        cls.mta = postfix.Postfix(cls.folder, cls.sink.port, cls.proxy.postfix_spec, settings=cls.settings)
        cls.addClassCleanup(cls.mta.stop)

    @classmethod
    def prepare(cls):
        pass

    def setUp(self):
        self.ledger = Ledger(self.sink, SEED)
        self.refusals = collections.Counter()
        self.taken = 0  # by SMTP, about: many threads count
        self.problems = []  # of the threads of send_many
        self.sink.take()

    def send(self, letter):
        """By SMTP, once; gives the code, 0 when there was none."""
        try:
            code, text = self.mta.send("a@example.test", [letter.recipient], letter.bytes())
        except smtplib.SMTPResponseException as error:
            code, text = error.smtp_code, error.smtp_error
        except (OSError, smtplib.SMTPException) as error:
            code, text = 0, str(error).encode()
        self.ledger.answered(letter, code)
        if code == 250:
            self.taken += 1
        else:
            self.refusals[text.decode(errors="replace")] += 1
        return code

    def send_until_taken(self, letter):
        """As a client does that is told to try again."""
        deadline = time.monotonic() + 900
        while self.send(letter) != 250:
            if time.monotonic() > deadline:
                raise AssertionError(f"message {letter.number} was not taken in 900 s")
            if self.problems:
                raise AssertionError(f"message {letter.number} is given up")
            time.sleep(0.05)

    def before_next_fault(self, over, seconds, messages):
        """Waits so long, and then until so many messages have been taken meanwhile; False when all is over. By time
        alone, a slow machine's messages would meet more faults than a fast one's, and in the end none would get through
        between two of them."""
        before = self.taken
        while not over.wait(seconds):
            if self.taken >= before + messages:
                return True
            seconds = 0.05
        return False

    def hand_in(self, letter):
        self.mta.sendmail("a@example.test", [letter.recipient], letter.bytes())
        self.ledger.answered(letter, 250)

    def send_many(self, count, disturb=None, send=None, senders=SENDERS):
        """count messages by some senders at once, beside which disturb(over) runs."""
        send = send or self.send_until_taken
        over, problems, left = threading.Event(), self.problems, iter(range(count))
        lock = threading.Lock()

        def work():
            try:
                while True:
                    with lock:
                        number = next(left, None)
                    if number is None:
                        return
                    send(self.ledger.new())
                    if number % 50 == 49:
                        self.ledger.collect()
            except Exception as error:  # pylint: disable=broad-except
                problems.append(f"{type(error).__name__}: {error}")

        def disturbing():
            try:
                disturb(over)
            except Exception as error:  # pylint: disable=broad-except
                problems.append(f"{type(error).__name__}: {error}")

        threads = [threading.Thread(target=work) for _ in range(senders)]
        disturber = threading.Thread(target=disturbing) if disturb else None
        for thread in threads + ([disturber] if disturber else []):
            thread.start()
        for thread in threads:
            thread.join()
        over.set()
        if disturber:
            disturber.join()
        self.assertEqual(problems, [])

    def close(self, note=""):
        figures, wrong = self.ledger.close(self.mta)
        print(f"{self.id().replace('__main__.', '')}: {note}{dict(figures)}, {dict(self.refusals)}", flush=True)
        with harness.promise():
            self.assertEqual(wrong, [], self.milter.log()[-3000:])
        self.assertEqual(figures["no answer"], 0)
        return figures


class Steps(Faults):
    """Killed at each step by name; what the MTA has seen is cut at that very frame where the front dies."""

    def one(self, step, trap, victim, cut):
        letter = self.ledger.new("large" if step.endswith("of the new body") else "both")
        armed = self.proxy.arm(trap, lambda: self.others.append(self.milter.kill(victim)), cut)
        code = self.send(letter)
        self.assertTrue(armed.sprung.wait(60), "this step never came")  # an answer may be faster than the trap
        return code, letter

    def settle(self, letter):
        return self.ledger.settle(self.mta)[letter.number]

    def setUp(self):
        super().setUp()
        self.others = []
        # There is a worker, and all is well.
        self.send_until_taken(self.ledger.new("array"))

    def test_front(self):
        for step, trap in STEPS.items():
            with self.subTest(step=step):
                code, letter = self.one(step, trap, "front", cut=True)
                self.assertEqual(code // 100, 4)
                self.assertEqual(self.settle(letter), [])
        code, letter = self.one("answered", ANSWERED, "front", cut=True)
        self.assertEqual(code, 250)
        self.assertEqual(len(self.settle(letter)), 1)
        self.close()

    def test_worker_and_zygote(self):
        for victim in ("worker", "zygote"):
            for step, trap in MOST_STEPS.items():
                with self.subTest(victim=victim, step=step):
                    code, letter = self.one(step, trap, victim, cut=False)
                    self.assertEqual(code, 250)
                    self.assertIn(self.settle(letter), (["converted"], ["converted in part"]))
        self.close()

    def test_master(self):
        for step, trap in MOST_STEPS.items():
            with self.subTest(step=step):
                code, letter = self.one(step, trap, "master", cut=False)
                self.assertIn(code // 100, (2, 4))
                forms = self.settle(letter)
                self.assertEqual(len(forms), code == 250)
                self.milter.start_when_over(self.others.pop())
        self.send_until_taken(self.ledger.new("both"))
        self.close()


class Storm(Faults):
    RELOADS = (CONFIG, CONFIG.replace("workers = 2", "workers = 1"), CONFIG + '[assets]\nroot = "{folder}"\n',
               "mode = nonsense\n")

    def test_anything_at_any_moment(self):
        dice = random.Random(SEED)
        done = collections.Counter()

        def trap_of_connection():
            """One connection in forty ends with its front at some step."""
            if dice.random() >= 1 / 40:
                return None
            name = dice.choice(list(STEPS))

            def act():
                done["front, " + name] += 1
                self.milter.kill("front")
            return Armed(STEPS[name], act, True)

        def disturb(over):
            while self.before_next_fault(over, dice.uniform(0.15, 0.7), 2):
                what = dice.choices(("worker", "zygote", "front", "reload", "master"), (40, 10, 20, 20, 2))[0]
                done[what] += 1
                if what == "reload":
                    self.milter.reload(dice.choice(self.RELOADS).replace("{folder}", self.folder))
                else:
                    self.milter.kill_and_start(what, dice)

        def send(letter):
            if letter.number % 10 == 0:
                self.hand_in(letter)
            else:
                self.send_until_taken(letter)

        self.proxy.for_connection = trap_of_connection
        try:
            self.send_many(STORM, disturb, send)
        finally:
            self.proxy.for_connection = None
        self.milter.reload(CONFIG)
        steps = sum(count for what, count in done.items() if what.startswith("front, "))
        done = {what: count for what, count in done.items() if not what.startswith("front, ")}
        figures = self.close(f"faults {done} and the front {steps} times at a step, ")
        self.assertEqual(figures["sent"], STORM)
        self.assertGreater(figures["converted"], 0)
        # And it still works.
        until("a conversion", lambda: self.send(self.ledger.new("both")) == 250, 60)
        self.close()


def own_mounts():
    """From here on what this process mounts is seen by it and its children alone, and goes with them."""
    new_namespace = 0x00020000  # CLONE_NEWNS
    if ctypes.CDLL(None, use_errno=True).unshare(new_namespace) != 0:
        raise unittest.SkipTest(f"no mounts of its own: {os.strerror(ctypes.get_errno())}")
    for command in (["mount", "--make-rprivate", "/"],):
        if harness.run(command).returncode != 0:
            raise unittest.SkipTest("no mounts of its own: mount is refused")


class FullDisk(Faults):
    settings = {"message_size_limit": "0"}  # Postfix keeps room for 1.5 times of it, and is to run out
    SIZE = 8 << 20

    @classmethod
    def prepare(cls):
        own_mounts()
        queue = os.path.join(cls.folder, "spool")
        os.mkdir(queue, 0o755)
        done = harness.run(["mount", "-t", "tmpfs", "-o", f"size={cls.SIZE},mode=755", "queue", queue])
        if done.returncode != 0:
            raise unittest.SkipTest(f"no file system of its own: {done.stderr.decode(errors='replace')}")
        cls.ballast = os.path.join(queue, "ballast")
        cls.addClassCleanup(harness.run, ["umount", "-l", queue])

    def leave(self, free):
        """Fills the disk but for so many bytes."""
        with open(self.ballast, "wb", buffering=0) as file:
            state = os.statvfs(self.mta.queue)
            try:
                file.write(bytes(max(0, state.f_bavail * state.f_frsize - free)))
            except OSError:
                pass  # a message has come between; all the fuller

    def test_as_it_fills(self):
        for free in (4096, 16384, 65536, 100_000, 200_000, 400_000, 600_000, 2_000_000):
            self.leave(free)
            letter = self.ledger.new("growing")
            with self.subTest(free=free):
                code = self.send(letter)
                forms = self.ledger.settle(self.mta)[letter.number]
                self.assertIn(code, {4096: (451, 452), 2_000_000: (250,)}.get(free, (250, 451, 452)))
                if 65536 < free <= 200_000:
                    # The message fits, and its new body does not: that is seen when most of it has been written.
                    self.assertIn((code // 100, forms), [(4, []), (2, ["untouched"])])
        self.close()

    def test_full_now_and_then(self):
        dice = random.Random(SEED)

        def disturb(over):
            while self.before_next_fault(over, 0.3, 1):
                self.leave(dice.choice((4096, 30_000, 100_000, 300_000)))
                over.wait(0.3)
                self.leave(self.SIZE)

        self.send_many(60, disturb)
        self.close()


class Exhausted(Faults):
    def test_descriptors(self):
        """The front has none, or one, or five left, while six clients send."""
        dice = random.Random(SEED)

        def disturb(over):
            while self.before_next_fault(over, 0.1, 1):
                front = until("a front", lambda: self.milter.family()[0])[0]
                limit = resource.prlimit(front, resource.RLIMIT_NOFILE)
                resource.prlimit(front, resource.RLIMIT_NOFILE,
                                 (min(limit[1], descriptors(front) + dice.choice((0, 0, 1, 5))), limit[1]))
                over.wait(0.3)
                resource.prlimit(front, resource.RLIMIT_NOFILE, limit)

        front = self.milter.family()[0]
        self.send_many(60, disturb)
        self.assertEqual(self.milter.family()[0], front, "the front is another process:\n" + self.milter.log())
        self.close()


class ClockSteps(Faults):
    @classmethod
    def prepare(cls):
        compiler = harness.need_program("cc")
        library, cls.step = os.path.join(cls.folder, "clock_step.so"), os.path.join(cls.folder, "step")
        harness.run([compiler, "-O1", "-shared", "-fPIC", "-o", library,
                     os.path.join(HERE, "..", "lib", "clock_step.c")], check=0)
        cls.set_step(0)
        cls.wrapper = ("/usr/bin/env", f"LD_PRELOAD={library}", f"CLOCK_STEP_FILE={cls.step}")
        if harness.sanitized():
            raise unittest.SkipTest("a sanitizer wants to be the first library")

    @classmethod
    def set_step(cls, seconds):
        with open(cls.step, "r+b" if os.path.exists(cls.step) else "wb") as file:
            file.write(struct.pack("=q", seconds))

    def test_forward_and_back(self):
        def disturb(over):
            for seconds in (1, -1, 3600, -3600, 0, 10 * 365 * 86400, -365 * 86400) * 1000:
                if over.wait(0.2):
                    return
                self.set_step(seconds)

        front = self.milter.family()[0]
        self.send_many(80, disturb, send=self.send)
        self.set_step(0)
        self.assertEqual(self.milter.family()[0], front, self.milter.log())
        self.assertEqual(self.close()["answers 4xx"], 0)


class SlowDisk(Faults):
    def test_a_tenth_of_a_second_for_each_flush(self):
        """Every process of Postfix's that keeps a message waits for its disk."""
        strace = harness.need_program("strace")
        trace = subprocess.Popen(
            [strace, "-f", "-q", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e",
             "inject=fsync,fdatasync:delay_exit=100000", "-p", str(self.mta.master.pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            time.sleep(0.5)
            if trace.poll() is not None:
                self.skipTest("strace is refused: " + trace.stderr.read().decode(errors="replace"))
            self.send_many(20, self.kill_now_and_then)
            self.close()
        finally:
            trace.terminate()
            trace.wait()
            trace.stderr.close()

    def kill_now_and_then(self, over):
        while self.before_next_fault(over, 0.5, 4):
            self.milter.kill("front")


if __name__ == "__main__":
    harness.main()
