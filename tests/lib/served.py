"""pixmilter as a running milter: starts `pixmilter serve` for a test and ends it by its own pid."""

import os
import random
import signal
import socket
import subprocess
import time

import harness
import sanitizers


def free_port():
    """A loopback port that nothing listens on just now.

    Beneath those that the kernel gives out by itself, where it can be: one of these may be somebody else's before
    whoever asked here comes to listen on it.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        first = int(file.read().split()[0])
    beneath = random.SystemRandom().sample(range(10_000, first), 50) if first > 11_000 else []
    for port in beneath + [0]:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise AssertionError("no port is free")


def parent_of(pid):
    """The parent's pid, or 0 when the process is gone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def state(pid):
    """The letter that /proc has for it; X when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "X"


def processor_time(pid):
    """Seconds a process has worked, and 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kill_all(pids):
    """What is still there of them."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def descendants(pid):
    """{pid: name} of everything beneath a process."""
    parents, names = {}, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    text = stat.read()
            except OSError:
                continue
            fields = text[text.rindex(")") + 2:].split()
            parents[int(entry)] = int(fields[1])
            names[int(entry)] = text[text.index("(") + 1:text.rindex(")")]
    found = {}
    for child in parents:
        walk = child
        while walk in parents and walk != pid:
            walk = parents[walk]
        if walk == pid and child != pid:
            found[child] = names[child]
    return found


class Served:
    """One `pixmilter serve`. socket: unix:PATH or inet:PORT@HOST; config: the text of its configuration;
    program: another than the one under test."""

    def __init__(self, folder, socket_spec=None, config="", wrapper=(), program=None):
        self.folder = folder
        self.socket = socket_spec or f"unix:{folder}/pixmilter.sock"
        self.log_path = os.path.join(folder, "pixmilter.log")
        command = [program or harness.program(), "serve", "--log", "stderr", "--socket", self.socket]
        config_path = os.path.join(folder, "pixmilter.toml")
        with open(config_path, "w") as file:
            file.write(config)
        command += ["-c", config_path]
        self._log = open(self.log_path, "wb")
        self.process = subprocess.Popen(list(wrapper) + command, stdin=subprocess.DEVNULL, stdout=self._log,
                                        stderr=subprocess.STDOUT)
        self._wait_until_up()

    @property
    def postfix_spec(self):
        """The socket as Postfix writes it."""
        kind, rest = self.socket.split(":", 1)
        if kind == "unix":
            return self.socket
        port, host = rest.split("@")
        return f"inet:{host}:{port}"

    def connect(self):
        kind, rest = self.socket.split(":", 1)
        if kind == "unix":
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(rest)
        else:
            port, host = rest.split("@")
            connection = socket.create_connection((host, int(port)))
        return connection

    def _wait_until_up(self, timeout=60):
        deadline = time.monotonic() + timeout
        while True:
            if self.process.poll() is not None:
                raise AssertionError(f"pixmilter serve ended with {self.process.returncode}:\n{self.log()}")
            try:
                self.connect().close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    self.stop()
                    raise AssertionError(f"pixmilter serve does not listen:\n{self.log()}") from None
            time.sleep(0.02)

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def render_processes(self):
        """Pids of the render program: the zygotes and their workers."""
        return [pid for pid, name in descendants(self.process.pid).items() if name.startswith("pixmilter-rende")]

    def workers(self):
        """Pids of the render workers: those whose parent is of the render program too."""
        everyone = descendants(self.process.pid)
        return [pid for pid in self.render_processes()
                if everyone.get(parent_of(pid), "").startswith("pixmilter-rende")]

    def stop(self, timeout=60):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                kill_all(list(descendants(self.process.pid)) + [self.process.pid])
                self.process.wait()
                self._log.close()
                raise AssertionError(f"pixmilter serve did not end on SIGTERM in {timeout} s") from None
        self._log.close()
        sanitizers.check(self.log())
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()
