#!/usr/bin/python3
"""How the milter starts: the socket it makes or is given, what it refuses, and what it tells the service manager."""
# tests/run: timeout=1200

import grp
import os
import re
import signal
import socket
import stat
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from client import Client  # noqa: E402
from running import HTML, PIXELS, PLAIN, Running, descriptors, harness, threads, until  # noqa: E402


class Sockets(unittest.TestCase):
    def refused(self, status, *said, **options):
        running = Running(self, wait=False, **options)
        # A host that there is not may be looked for at several servers, ten seconds at each.
        self.assertEqual(running.process.wait(120), status)
        running.reader.join(60)
        for text in said:
            self.assertIn(text, running.log())
        return running

    def test_mode_and_group(self):
        running = Running(self, config='[milter]\nsocket_mode = "0640"\nsocket_group = "root"\n')
        status = os.stat(running.socket[5:])
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o640)
        self.assertTrue(stat.S_ISSOCK(status.st_mode))
        default = Running(self)
        status = os.stat(default.socket[5:])
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o660)
        if os.geteuid() == 0:
            try:
                self.assertEqual(status.st_gid, grp.getgrnam("postfix").gr_gid)
            except KeyError:
                pass

    def test_a_group_that_does_not_exist(self):
        running = Running(self, config='[milter]\nsocket_group = "no-such-group"\n')
        self.assertTrue(running.send(PLAIN).passed)

    def test_stale_socket(self):
        folder = harness.temp_dir(self)
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(f"{folder}/s")
            left.listen(1)
        running = Running(self, socket=f"unix:{folder}/s")
        self.assertTrue(running.wait_logged("replacing it"))
        self.assertTrue(running.send(PLAIN).passed)

    def test_live_socket(self):
        first = Running(self)
        self.refused(75, f"socket {first.socket}: another process listens on it", socket=first.socket)
        self.assertTrue(first.send(PLAIN).passed)
        self.assertTrue(os.path.exists(first.socket[5:]))

    def test_what_is_no_socket_stays(self):
        folder = harness.temp_dir(self)
        with open(f"{folder}/file", "w") as file:
            file.write("precious")
        self.refused(75, "no socket stands there", socket=f"unix:{folder}/file")
        with open(f"{folder}/file") as file:
            self.assertEqual(file.read(), "precious")

    def test_a_socket_of_somebody_else_at_the_end_stays(self):
        running = Running(self)
        path = running.socket[5:]
        os.unlink(path)
        with open(path, "w"):
            pass
        self.assertEqual(running.stop(), 0)
        self.assertTrue(os.path.exists(path))

    def test_tcp(self):
        for kind, host in (("inet", "127.0.0.1"), ("inet", "localhost"), ("inet6", "::1"), ("inet6", "[::1]")):
            with self.subTest(kind=kind, host=host):
                if kind == "inet6" and not has_ipv6():
                    self.skipTest("no IPv6 here")
                running = Running(self, socket=f"{kind}:0@{host}", wait=False)
                line = running.wait_logged("serving on")[0]
                running.socket = re.search(r"serving on (\S+),", line).group(1)
                self.assertIn(b"multipart/related", running.send(HTML).message)
                self.refused(75, "Address already in use", socket=running.socket)
                self.assertEqual(running.stop(), 0)
                again = Running(self, socket=running.socket)  # at once, in spite of TIME_WAIT
                self.assertTrue(again.send(PLAIN).passed)

    def test_a_socket_that_listens_already(self):
        folder = harness.temp_dir(self)
        for family, address, spec in ((socket.AF_UNIX, f"{folder}/s", f"unix:{folder}/s"),
                                      (socket.AF_INET, ("127.0.0.1", 0), None)):
            with socket.socket(family) as listening:
                listening.bind(address)
                listening.listen(10)
                listening.setblocking(False)
                spec = spec or "inet:%d@127.0.0.1" % listening.getsockname()[1]
                running = Running(self, socket=f"fd:{listening.fileno()}", pass_fds=[listening.fileno()])
            running.wait_logged(f"serving on {spec}")
            running.socket = spec
            self.assertIn(b"multipart/related", running.send(HTML).message)
            with Client(spec) as client:
                self.assertEqual(bool(client.steps & 0x80), family == socket.AF_UNIX)
            self.assertEqual(running.stop(), 0)
        self.assertTrue(os.path.exists(f"{folder}/s"))  # whoever made it removes it

    def test_what_cannot_be_listened_on(self):
        folder = harness.temp_dir(self)
        for spec, status, said in (
                ("unix:", 78, "the path is missing"), ("/run/x", 78, "write unix:PATH"), ("tcp:1@x", 78, "write unix:PATH"),
                ("inet:8899", 78, "the host is missing"), ("inet:127.0.0.1:8899", 78, "the host is missing"),
                ("inet:x@127.0.0.1", 78, "the port is no number"), ("inet:65536@127.0.0.1", 78, "the port is no number"),
                ("fd:x", 78, "no number"), ("fd:77", 75, "Bad file descriptor"), ("fd:0", 75, "fd:0"),
                (f"unix:{folder}/" + "x" * 120, 75, "longer than 107 bytes"),
                (f"unix:{folder}/no/such", 75, "No such file or directory"),
                ("inet:8899@192.0.2.1", 75, "Cannot assign requested address"),
                ("inet:8899@no-such-host.invalid", 75, "no-such-host.invalid")):
            with self.subTest(spec=spec):
                self.refused(status, said, socket=spec)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


class Starting(unittest.TestCase):
    def test_bad_configuration(self):
        running = Running(self, config='mode = "loud"\n[milter]\nx = 1\n', wait=False)
        self.assertEqual(running.process.wait(60), 78)
        running.reader.join(60)
        self.assertIn(f"{running.config}:1:", running.log())
        self.assertIn(f"{running.config}:3:1: ", running.log())

    def test_no_configuration_file(self):
        running = Running(self, options=("-c", "/no/such/file.toml"), wait=False)
        self.assertEqual(running.process.wait(60), 78)
        running.reader.join(60)
        self.assertIn("/no/such/file.toml: ", running.log())

    def test_tells_the_service_manager(self):
        folder = harness.temp_dir(self)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"{folder}/notify")
            manager.settimeout(60)
            running = Running(self, config="", env={**os.environ, "NOTIFY_SOCKET": f"{folder}/notify"})
            said = manager.recv(4096)
            self.assertIn(b"READY=1\n", said + b"\n")
            self.assertIn(b"STATUS=", said)
            running.signal(signal.SIGHUP)
            self.assertRegex(manager.recv(4096), rb"^RELOADING=1\nMONOTONIC_USEC=\d+$")
            self.assertIn(b"READY=1", manager.recv(4096))
            running.signal(signal.SIGTERM)
            self.assertIn(b"STOPPING=1\n", manager.recv(4096) + b"\n")
            self.assertEqual(running.process.wait(60), 0)

    def test_nothing_of_the_masters_in_the_front(self):
        running = Running(self)
        # By then the zygote has loaded what its workers need.
        self.assertIn(b"image/png", running.send(PIXELS).message)
        self.assertLessEqual(threads(running.process.pid), 1)
        for pid in [running.front()] + running.children("pixmilter-render"):
            with open(f"/proc/{pid}/maps") as maps:
                text = maps.read()
            self.assertEqual("libvips" in text, pid != running.front())

    def test_descriptors_do_not_grow(self):
        running = Running(self, config="[render]\nworkers = 2\n")
        for _ in range(5):
            running.send(PIXELS)
        master, front = running.process.pid, running.front()
        running.wait_for_workers(2)
        before = descriptors(master), descriptors(front)
        for _ in range(30):
            running.send(PIXELS)
            running.send(HTML)
        until("as many descriptors as before", lambda: (
            descriptors(master) <= before[0] and descriptors(front) <= before[1] + 1))
        for _ in range(3):
            os.kill(front, signal.SIGKILL)
            front = running.front(other_than=[front])
            running.send(PIXELS)
        until("as many in the master", lambda: descriptors(master) <= before[0] + 1)


if __name__ == "__main__":
    harness.main()
