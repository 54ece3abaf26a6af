#!/usr/bin/python3
"""The systemd unit: closed as far as it says, and pixmilter renders, fully sealed, within it.

There is no systemd to run it here. So its directives are read from the file and done by hand to a process: the user
without capabilities, the system call filter (the groups as systemd-analyze lists them), writable-and-executable memory
forbidden, namespaces and address families restricted. What would keep a render worker from sealing itself in the unit
does so here.
"""
# tests/run: timeout=1200

import base64
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", folder) for folder in ("lib", "milter")]
import client as milter
import harness
import pictures
import served

UNITS = os.path.join(harness.ROOT, "conf", "systemd")
NAMESPACES = {"cgroup": 0x02000000, "ipc": 0x08000000, "mnt": 0x00020000, "net": 0x40000000, "pid": 0x20000000,
              "user": 0x10000000, "uts": 0x04000000}
FAMILIES = {name: int(getattr(socket, name)) for name in ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET")}


def directives(name):
    """[(key, value)] of a unit, in order."""
    with open(os.path.join(UNITS, name)) as file:
        return re.findall(r"(?m)^(\w+)=(.*)$", file.read())


def value(name, key):
    return [text for found, text in directives(name) if found == key][-1]


class Text(unittest.TestCase):
    def setUp(self):
        self.analyze = harness.need_program("systemd-analyze")
        self.folder = harness.temp_dir(self)
        for name in os.listdir(UNITS):
            with open(os.path.join(UNITS, name)) as source, open(os.path.join(self.folder, name), "w") as copy:
                copy.write(source.read().replace("/usr/sbin/pixmilter", "/bin/true"))

    def test_exposure_is_two_at_most(self):
        done = harness.run([self.analyze, "security", "--offline=yes", "--threshold=20", "--no-pager", "./pixmilter.service"],
                           cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stdout.decode() + done.stderr.decode())
        self.assertRegex(done.stdout.decode(), r"Overall exposure level for pixmilter.service: [012]\.\d")

    def test_units_are_well_formed(self):
        for name in ("pixmilter.service", "pixmilter.socket"):
            done = harness.run([self.analyze, "verify", "--man=no", f"./{name}"], cwd=self.folder)
            said = [line for line in done.stderr.decode().splitlines() if "pixmilter" in line]
            self.assertEqual(said, [], name)

    def test_a_socket_of_the_manager_outlives_the_service(self):
        """What lies in a RuntimeDirectory goes when the service stops, unless that is preserved (systemd.exec(5))."""
        socket_folder = os.path.dirname(value("pixmilter.socket", "ListenStream"))
        self.assertEqual(socket_folder, "/run/" + value("pixmilter.service", "RuntimeDirectory"))
        self.assertEqual(value("pixmilter.service", "RuntimeDirectoryPreserve"), "yes")

    def test_sysusers_and_tmpfiles(self):
        for program, name, root_file in (("systemd-sysusers", "sysusers.conf", "etc/passwd"),
                                         ("systemd-tmpfiles", "tmpfiles.conf", "run/pixmilter")):
            path = harness.need_program(program)
            harness.need_root()
            root = os.path.join(self.folder, "root")
            os.makedirs(f"{root}/etc", exist_ok=True)
            more = ["--create"] if "tmpfiles" in program else []
            harness.run([path, f"--root={root}", *more, os.path.join(UNITS, name)], check=0)
            self.assertTrue(os.path.exists(os.path.join(root, root_file)), root_file)


def confine(unit):
    """In a child that is about to become the service: what the unit's directives say of system calls."""
    import seccomp
    denied = seccomp.ERRNO(1)
    known = {key: [text for found, text in directives(unit) if found == key] for key, _ in directives(unit)}
    allowed = set()
    for line in known["SystemCallFilter"]:
        names = set()
        for word in line.lstrip("~").split():
            names |= calls(word)
        allowed = allowed - names if line.startswith("~") else allowed | names
    rules = seccomp.SyscallFilter(denied)
    for name in sorted(allowed):
        try:
            number = seccomp.resolve_syscall(seccomp.Arch(), name)
        except ValueError:
            continue
        if number >= 0:
            rules.add_rule(seccomp.ALLOW, name)
    others = seccomp.SyscallFilter(seccomp.ALLOW)
    masked = lambda at, bits: seccomp.Arg(at, seccomp.MASKED_EQ, bits, bits)
    if "yes" in known["MemoryDenyWriteExecute"]:
        others.add_rule(denied, "mmap", masked(2, 2 | 4))
        others.add_rule(denied, "mprotect", masked(2, 4))
        others.add_rule(denied, "pkey_mprotect", masked(2, 4))
    for name, bit in NAMESPACES.items():
        if name not in known["RestrictNamespaces"][-1].split():
            others.add_rule(denied, "unshare", masked(0, bit))
            others.add_rule(denied, "clone", masked(0, bit))
    others.add_rule(seccomp.ERRNO(38), "clone3")
    for name, number in FAMILIES.items():
        if name not in known["RestrictAddressFamilies"][-1].split():
            others.add_rule(seccomp.ERRNO(97), "socket", seccomp.Arg(0, seccomp.EQ, number))
    others.load()
    rules.load()


def calls(word):
    """A system call, or all of a group of them."""
    if not word.startswith("@"):
        return {word}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", word], stdout=subprocess.PIPE, check=True).stdout
    found = set()
    for line in listed.decode().splitlines()[1:]:
        line = line.strip()
        if line and not line.startswith("#"):
            found |= calls(line)
    return found


class Within(unittest.TestCase):
    """As the unit starts it, by hand."""

    def setUp(self):
        harness.need_root()
        harness.need_program("systemd-analyze")
        if harness.run(["/usr/bin/python3", "-c", "import seccomp"]).returncode != 0:
            self.skipTest("python3-seccomp is not installed")
        self.folder = harness.temp_dir(self)
        self.user = pwd.getpwnam("nobody")
        os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        # The tree under test may lie where only root gets.
        for name in ("pixmilter", "pixmilter-render"):
            shutil.copy(harness.program(name), self.folder)
        # The service manager's end of Type=notify.
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(f"{self.folder}/notify")
        os.chmod(f"{self.folder}/notify", 0o666)
        self.notices.settimeout(60)
        self.addCleanup(self.notices.close)

    def start(self, *arguments, watchdog=None, handed=None, config=""):
        with open(f"{self.folder}/pixmilter.toml", "w") as file:
            file.write(config)
        environment = {"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": f"{self.folder}/notify",
                       **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}}
        if watchdog:
            environment["WATCHDOG_USEC"] = str(int(watchdog * 1e6))

        command = [sys.executable, os.path.abspath(__file__), "--within", self.folder, f"{self.folder}/pixmilter", "serve",
                   "--log", "stderr", "-c", f"{self.folder}/pixmilter.toml", *arguments]
        self.log_path = f"{self.folder}/log"
        log = open(self.log_path, "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={
            **environment, **({"HANDED": str(handed.fileno())} if handed else {})},
            pass_fds=[handed.fileno()] if handed else [])
        log.close()
        self.addCleanup(self.stop)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                for pid in list(served.descendants(self.process.pid)) + [self.process.pid]:
                    os.kill(pid, signal.SIGKILL)
                self.process.wait()
        return self.process.returncode

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def notice(self):
        try:
            return self.notices.recv(4096).decode()
        except socket.timeout:
            raise AssertionError(f"no notice came:\n{self.log()}") from None

    def wait_for(self, text):
        while text not in (said := self.notice()):
            pass
        return said

    def test_a_sealed_worker_renders(self):
        self.start("--socket", f"unix:{self.folder}/sock")
        self.assertIn("STATUS=Serving on", self.wait_for("READY=1"))
        body = base64.encodebytes(pictures.npy(pictures.array(64, 48))).replace(b"\n", b"\r\n")
        message = (b"From: a@example.test\r\nTo: b@example.test\r\nMIME-Version: 1.0\r\nContent-Type: application/x-npy\r\n"
                   b"Content-Transfer-Encoding: base64\r\n\r\n" + body)
        result = milter.send_message(f"unix:{self.folder}/sock", message)
        self.assertEqual(result.verdict, "accept", self.log())
        self.assertIn(b"image/png", result.message, self.log())
        # Everything of the seal that this kernel has is there: nothing is said to be missing.
        self.assertNotRegex(self.log(), "(?i)missing|no namespaces|no Landlock|not sealed")
        self.assertEqual(self.stop(), 0, self.log())
        self.wait_for("STOPPING=1")

    def test_every_ping_of_the_watchdog_is_earned(self):
        self.start("--socket", f"unix:{self.folder}/sock", watchdog=1.5)
        self.wait_for("READY=1")
        for _ in range(3):
            self.wait_for("WATCHDOG=1")
        # A front that hangs answers nobody: the pings end.
        front = [pid for pid, name in served.descendants(self.process.pid).items() if name == "pixmilter-front"][0]
        os.kill(front, signal.SIGSTOP)
        self.addCleanup(lambda: os.path.exists(f"/proc/{front}") and os.kill(front, signal.SIGCONT))
        # What it had answered before is passed on before the master misses an answer, however late the master is.
        deadline = time.monotonic() + 60
        while self.log().count("the front does not answer") == self.log().count("the front answers again"):
            self.assertLess(time.monotonic(), deadline, self.log())
            time.sleep(0.05)
        self.notices.settimeout(0.01)
        while True:  # what had been said before
            try:
                self.notices.recv(4096)
            except socket.timeout:
                break
        self.notices.settimeout(2)
        with self.assertRaises(AssertionError):
            self.wait_for("WATCHDOG=1")
        os.kill(front, signal.SIGCONT)
        self.notices.settimeout(60)
        self.wait_for("WATCHDOG=1")

    def test_socket_activation(self):
        path = f"{self.folder}/handed"
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path)
            os.chmod(path, 0o666)
            listening.listen(16)
            self.start(handed=listening)
            self.assertIn(f"Serving on unix:{path}", self.wait_for("READY=1"))
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(60)
                client.connect(path)
                client.sendall(b"\0\0\0\x0dO\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff")
                self.assertEqual(client.recv(5)[4:], b"O")
            self.assertEqual(self.stop(), 0)
            # The socket is the manager's: its file stays.
            self.assertTrue(os.path.exists(path))


def within():
    """The child: --within FOLDER COMMAND...; becomes the user and closes what the unit closes."""
    import ctypes
    command = sys.argv[3:]
    handed = os.environ.pop("HANDED", None)
    if handed:
        os.dup2(int(handed), 3, inheritable=True)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(64):
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
    user = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    os.umask(int(value("pixmilter.service", "UMask"), 8))
    confine("pixmilter.service")
    os.execv(command[0], command)


if len(sys.argv) > 1 and sys.argv[1] == "--within":
    within()
harness.main()
