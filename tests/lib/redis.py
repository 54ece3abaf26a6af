"""A private redis-server for tests, and enough of its protocol to ask it things."""

import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402
from served import free_port  # noqa: E402


class Redis:
    """A server in a folder of its own, on a loopback port and a unix socket; nothing is written to disk."""

    def __init__(self, test, *options, port=None, password=None):
        binary = harness.need_program("redis-server")
        self.folder = harness.temp_dir(test)
        self.port = port or free_port()
        self.path = os.path.join(self.folder, "redis.sock")
        self.password = password
        self.command = [binary, "--bind", "127.0.0.1", "--port", str(self.port), "--unixsocket", self.path,
                        "--unixsocketperm", "700", "--save", "", "--appendonly", "no", "--dir", self.folder,
                        "--daemonize", "no", "--databases", "4", *options]
        if password:
            self.command += ["--requirepass", password]
        self.process = None
        test.addCleanup(self.kill)
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            try:
                if self.ask("PING") == "PONG":
                    return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError("redis-server does not start") from None
                time.sleep(0.02)

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def url(self, database=0):
        login = f":{self.password}@" if self.password else ""
        return f"redis://{login}127.0.0.1:{self.port}/{database}"

    def unix_url(self, database=0):
        login = f":{self.password}@" if self.password else ""
        return f"unix://{login}{self.path}?db={database}"

    def ask(self, *words, database=0):
        """One command: a str for a status, bytes, an int, None or a list; an error is raised."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            with connection.makefile("rwb") as stream:
                if self.password:
                    self._ask(stream, ("AUTH", self.password))
                if database:
                    self._ask(stream, ("SELECT", str(database)))
                return self._ask(stream, words)

    def _ask(self, stream, words):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        stream.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        stream.flush()
        return self._answer(stream)

    def _answer(self, stream):
        line = stream.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise AssertionError(f"redis: {rest.decode()}")
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self._answer(stream) for _ in range(int(rest))]
        raise ConnectionError("redis has closed the connection")

    def keys(self, pattern="*", database=0):
        return sorted(self.ask("KEYS", pattern, database=database))

    def calls(self, command):
        """How often a command has been carried out since the start."""
        for line in self.ask("INFO", "commandstats").decode().splitlines():
            if line.startswith(f"cmdstat_{command}:"):
                return int(line.split("calls=")[1].split(",")[0])
        return 0
