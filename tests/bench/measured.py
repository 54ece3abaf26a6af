"""A milter that is measured: started afresh for each measurement, so that its peak of memory is its own."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib")]

import served  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
MAY_TAKE = 30  # seconds to start


class Watch(threading.Thread):
    """Looks at all processes of a milter again and again: processor time, and the most memory."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.over = pid, threading.Event()
        self.seconds, self.peaks, self.shared_peak = {}, {}, 0

    def look(self):
        together = 0
        for pid in [self.pid, *served.descendants(self.pid)]:
            try:
                with open(f"/proc/{pid}/stat") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                self.seconds[pid] = (int(fields[11]) + int(fields[12])) / TICK
                with open(f"/proc/{pid}/status") as file:
                    for line in file:
                        if line.startswith("VmHWM:"):
                            self.peaks[pid] = int(line.split()[1]) * 1024
                with open(f"/proc/{pid}/smaps_rollup") as file:
                    for line in file:
                        if line.startswith("Pss:"):
                            together += int(line.split()[1]) * 1024
            except (OSError, IndexError, ValueError):
                pass
        self.shared_peak = max(self.shared_peak, together)
        return sum(self.seconds.values())

    def run(self):
        while not self.over.wait(0.1):
            self.look()


class Measured:
    """command: with {socket} where its socket goes, as unix:PATH."""

    def __init__(self, command):
        self.folder = tempfile.TemporaryDirectory(prefix="pix-bench-")
        self.path = os.path.join(self.folder.name, "s")
        words = [word.replace("{socket}", "unix:" + self.path) for word in command]
        self.log = open(os.path.join(self.folder.name, "log"), "w+b")
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            self._wait_until_up(words)
        except BaseException:
            self.stop()
            raise
        self.watch = Watch(self.process.pid)
        self._wait_until_at_rest()
        self.watch.start()

    def _wait_until_up(self, words):
        deadline = time.monotonic() + MAY_TAKE
        while True:
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    return probe.connect(self.path)
                except OSError:
                    pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"does not start: {' '.join(words)}\n{self.said()}")
            time.sleep(0.02)

    def _wait_until_at_rest(self):
        """What runs at start alone (workers that warm up) is over."""
        deadline, before = time.monotonic() + MAY_TAKE, -1
        while (now := self.watch.look()) != before and time.monotonic() < deadline:
            before = now
            time.sleep(0.3)

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def load(self, program, files, connections, seconds, warm_up=1, messages=0):
        """What `load` says, with the milter's processor time for a message and its most memory."""
        before = self.watch.look()
        done = subprocess.run([program, "--socket", "unix:" + self.path, "--connections", str(connections),
                               "--seconds", str(seconds), "--messages", str(messages), "--warm-up", str(warm_up), *files],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise SystemExit(f"load has failed; the milter said:\n{self.said()[-2000:]}")
        result = json.loads(done.stdout)
        spent = self.watch.look() - before
        result["cpu_ms"] = 1000 * spent / (result["messages"] + connections * warm_up)
        result["peak_mb"] = sum(self.watch.peaks.values()) / 1e6
        result["shared_peak_mb"] = self.watch.shared_peak / 1e6
        return result

    def stop(self):
        if hasattr(self, "watch"):
            self.watch.over.set()
            self.watch.join()
        pids = list(served.descendants(self.process.pid))
        self.process.terminate()
        try:
            self.process.wait(0.5)  # libmilter looks at its stop flag every few seconds
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        served.kill_all(pids)
        self.log.close()
        self.folder.cleanup()
