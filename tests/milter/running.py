"""A milter that runs for a test: `pixmilter serve`, or the same over the scripted pipeline.

Its log comes by a pipe (--log stderr) and is kept line by line. Ended by its own pids, never by name.
"""

import base64
import os
import re
import signal
import subprocess
import sys
import threading
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"),
                os.path.dirname(os.path.abspath(__file__))]

import harness  # noqa: E402
import sanitizers  # noqa: E402
import served  # noqa: E402
from client import Client  # noqa: E402

HTML = b"""From: a@example.test
To: b@example.test
Subject: a picture
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8

<p><img src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"></p>
"""
PLAIN = b"""From: a@example.test
To: b@example.test
Subject: text

Hello.
"""

# Its picture has to be rendered.
PIXELS = (b"Subject: pixels\nMIME-Version: 1.0\nContent-Type: image/x-raw-pixels; width=16; height=16; bands=3; "
          b"format=uchar\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(bytes(range(256)) * 3))


def until(what, condition, timeout=60):
    """Waits for a condition and gives its (true) value; fails with what."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(0.01)


class Running:
    def __init__(self, test, socket=None, config=None, scripted=False, wait=True, options=(), program=None, **popen):
        self.folder = harness.temp_dir(test)
        self.socket = socket or f"unix:{self.folder}/milter.sock"
        self.config = None
        if scripted:
            command = [harness.program("tests/scripted_milter")]
        else:
            command = [program or harness.program(), "serve"]
        command += ["--socket", self.socket, "--log", "stderr", *options]
        if config is not None:
            self.config = os.path.join(self.folder, "pixmilter.toml")
            self.configure(config)
            command += ["-c", self.config]
        self.lines = []
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, **popen)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        test.addCleanup(self._clean)
        if wait:
            until("the milter serves", lambda: self.process.poll() is not None or self.logged("serving on"))
            if self.process.poll() is not None:
                raise AssertionError("the milter has ended:\n" + self.log())
            if ":0@" in self.socket:  # a port that the kernel has chosen
                self.socket = re.search(r"serving on (\S+),", self.logged("serving on")[0]).group(1)

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.decode(errors="replace").rstrip("\n"))

    def _clean(self):
        if self.process.poll() is None:
            children = served.descendants(self.process.pid)
            self.process.kill()
            self.process.wait()
            served.kill_all(children)
        self.reader.join(5)
        if not self.reader.is_alive():
            self.process.stderr.close()
        sanitizers.check(self.log())

    def configure(self, text):
        with open(self.config, "w") as file:
            file.write(text)

    def log(self):
        return "\n".join(self.lines)

    def logged(self, text):
        """The log lines that hold text, newest last."""
        return [line for line in list(self.lines) if text in line]

    def wait_logged(self, text, count=1, timeout=60):
        return until(f"{text!r} in the log:\n{self.log()}", lambda: (
            self.logged(text) if len(self.logged(text)) >= count else None), timeout)

    def line_for(self, queue_id):
        """The log line of a message."""
        return self.wait_logged(f"id={queue_id} did=")[-1]

    def client(self, **options):
        """A connection that is past CONNECT, as from a local SMTP client."""
        client = Client(self.socket, **options)
        answer = client.connect()
        assert answer[0] == b"c", answer
        return client

    def send(self, message, **options):
        with self.client() as client:
            result = client.send(message, **options)
            client.quit()
            return result

    def children(self, name):
        return sorted(pid for pid, comm in served.descendants(self.process.pid).items()
                      if comm.startswith(name[:15]))

    def front(self, other_than=()):
        """The front's pid, once there is one."""
        return until("a front", lambda: [pid for pid in self.children("pixmilter-front") if pid not in other_than])[0]

    def wait_for_workers(self, count):
        """Until the front has all that it keeps ready: its zygote, so many workers for pictures and the one for SVG.

        A descriptor stands for each of these processes. What is counted before is less than what there will be.
        """
        until("the workers that are kept ready", lambda: processes_held(self.front()) == count + 2, 120)

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, timeout=60):
        """SIGTERM; gives the exit status, after which nothing may be left."""
        children = served.descendants(self.process.pid)
        self.signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError("does not end:\n" + self.log()) from None
        until("the end of all processes", lambda: not [pid for pid in children if alive(pid)])
        return status


def alive(pid):
    return served.state(pid) not in ("Z", "X")


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def processes_held(pid):
    """How many other processes a process has descriptors of."""
    count = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            count += "[pidfd]" in os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:
            pass
    return count
