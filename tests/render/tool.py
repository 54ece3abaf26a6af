"""Talks to build/tests/render_tool --batch: many pictures through one process, with time and memory of each.

The time is the processor's. Even of that a busy machine takes more now and then, so what must be quick has a second
try: see within().
"""
import os
import select
import subprocess
import time


class Answer:
    def __init__(self, status, microseconds, peak_kb, format, width, height, frames, reason, picture):
        self.status = status
        self.microseconds = microseconds
        self.peak_kb = peak_kb
        self.format = format
        self.width = width
        self.height = height
        self.frames = frames
        self.reason = reason
        self.picture = picture
        self.again = None  # renders the same once more


def within(answer, seconds):
    """An answer that took no longer; where it did, that of a second try, however long that took."""
    if answer.status == "timeout" or answer.microseconds <= seconds * 1_000_000:
        return answer
    return answer.again()


class Tool:
    """One process; started again after it died. A job that kills it or takes over timeout seconds is answered
    with the status "crashed" or "timeout". That is for those which never end: the timeout is by the wall's clock."""

    def __init__(self, build, timeout=120):
        self.path = os.path.join(build, "tests", "render_tool")
        self.timeout = timeout
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def render(self, media_type, parameters, payload):
        answer = self.render_once(media_type, parameters, payload)
        answer.again = lambda: self.render_once(media_type, parameters, payload)
        return answer

    def render_once(self, media_type, parameters, payload):
        if self.process is None:
            self.process = subprocess.Popen([self.path, "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.DEVNULL)
            self.buffer = b""
        line = "\t".join([str(len(payload)), media_type] + ["%s=%s" % item for item in parameters.items()]) + "\n"
        begin = time.monotonic()
        try:
            self.process.stdin.write(line.encode() + payload)
            self.process.stdin.flush()
            fields = self.read_line(begin).decode("latin-1").split("\t")
            picture = self.read(int(fields[3]), begin)
            return Answer(fields[0], int(fields[1]), int(fields[2]), fields[4], int(fields[5]), int(fields[6]),
                          int(fields[7]), fields[8], picture)
        except (EOFError, BrokenPipeError):
            self.process.wait()
            code = self.process.returncode
            self.stop()
            return Answer("crashed", 0, 0, "unknown", 0, 0, 0, "exit %d" % code, b"")
        except TimeoutError:
            self.stop()
            return Answer("timeout", int(self.timeout * 1e6), 0, "unknown", 0, 0, 0, "", b"")

    def more(self, begin):
        left = self.timeout - (time.monotonic() - begin)
        if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
            raise TimeoutError
        chunk = os.read(self.process.stdout.fileno(), 1 << 20)
        if not chunk:
            raise EOFError
        self.buffer += chunk

    def read_line(self, begin):
        while b"\n" not in self.buffer:
            self.more(begin)
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def read(self, count, begin):
        while len(self.buffer) < count:
            self.more(begin)
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data
