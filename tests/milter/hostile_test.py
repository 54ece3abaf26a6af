#!/usr/bin/python3
"""Clients that break the protocol, vanish or stall: the front goes on, and nothing of theirs stays behind."""
# tests/run: timeout=1200 alone

import os
import random
import re
import resource
import select
import signal
import socket
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from client import ALL_ACTIONS, ALL_STEPS, Client, parse_spec, split_message  # noqa: E402
from running import HTML, Running, descriptors, harness, threads, until  # noqa: E402


def frame(command, data=b""):
    return struct.pack(">I", len(data) + 1) + command + data


def conversation(message=HTML, steps=ALL_STEPS):
    """All frames of a connection with one message, as a list of bytes."""
    headers, body = split_message(message)
    frames = [frame(b"O", struct.pack(">III", 6, ALL_ACTIONS, steps)),
              frame(b"D", b"Cj\0mx.example.test\0{client_addr}\000127.0.0.1\0"),
              frame(b"C", b"localhost\0004\x9c\x40127.0.0.1\0"),
              frame(b"D", b"M{auth_authen}\0ann\0"), frame(b"M", b"<a@example.test>\0SIZE=1000\0"),
              frame(b"R", b"<b@example.test>\0")]
    frames += [frame(b"L", name + b"\0" + value + b"\0") for name, value in headers]
    frames += [frame(b"D", b"Ni\0" + b"4HOSTILE\0"), frame(b"N"), frame(b"B", body), frame(b"E"), frame(b"Q")]
    return frames


class Hostile(unittest.TestCase):
    def setUp(self):
        self.start(scripted="scripted" in self._testMethodName)
        self.expected = self.running.send(HTML).message
        self.before = self.settled()

    def start(self, **options):
        self.running = Running(self, config="[render]\nworkers = 2\n", **options)
        self.front = self.running.front()

    def settled(self):
        """Workers that libmilter keeps, the pool's own thread, what leads to the render program: once no more comes."""
        self.running.wait_for_workers(2)
        last, same = None, 0
        while same < 20:
            now = threads(self.front), descriptors(self.front)
            last, same = now, same + 1 if now == last else 0
            time.sleep(0.1)
        return last

    def check_unharmed(self):
        self.assertEqual(self.running.front(), self.front)
        self.assertEqual(self.running.send(HTML).message, self.expected)
        # libmilter keeps two workers, and ends the others as they come to rest.
        until("the end of what the clients left:\n" + self.running.log(), lambda: (
            threads(self.front) <= self.before[0] + 3 and descriptors(self.front) <= self.before[1] + 1))

    def raw(self):
        family, address = parse_spec(self.running.socket)
        connection = socket.socket(family)
        connection.settimeout(60)
        connection.connect(address)
        return connection

    def throw(self, data, read=0.02):
        """Sends bytes, reads what comes for a moment, and is gone."""
        with self.raw() as connection:
            try:
                connection.sendall(data)
                until_time = time.monotonic() + read
                while (left := until_time - time.monotonic()) > 0 and select.select([connection], [], [], left)[0]:
                    if not connection.recv(65536):
                        break
            except (BrokenPipeError, ConnectionResetError):
                pass

    def test_vanishing_at_every_step(self):
        frames = conversation()
        for count in range(len(frames) + 1):
            self.throw(b"".join(frames[:count]), read=0.005)
            if count < len(frames):
                for part in (1, 4, 5, len(frames[count]) - 1):
                    self.throw(b"".join(frames[:count]) + frames[count][:part], read=0.003)
        self.check_unharmed()

    def test_vanishing_without_reading(self):
        frames = conversation()
        for _ in range(50):
            self.throw(b"".join(frames), read=0)
        self.check_unharmed()

    def test_reset_over_tcp(self):
        self.start(socket="inet:0@127.0.0.1")
        self.running.send(HTML)
        self.before = self.settled()
        frames = conversation()
        for count in range(len(frames)):
            with self.raw() as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(b"".join(frames[:count]))
        self.check_unharmed()

    def test_malformed_frames(self):
        frames = conversation()
        opened = b"".join(frames[:6])
        for data in (struct.pack(">I", 0), struct.pack(">I", 0) * 1000, b"\xff\xff\xff\xff", b"\x7f\xff\xff\xffB",
                     struct.pack(">I", 5 << 20) + b"B", frame(b"\0"), frame(b"\x01x"), frame(b"Z"), frame(b"O"),
                     frame(b"O", b"\0" * 11), frame(b"O", b"\xff" * 12), frame(b"O", struct.pack(">III", 1, 0, 0)),
                     frame(b"O", struct.pack(">III", 2, 0, 0)), frame(b"O", b"\0" * 12 + b"x" * 60000),
                     frame(b"C"), frame(b"C", b"x"), frame(b"C", b"x\0"), frame(b"C", b"x\0004"), frame(b"C", b"x\0004\0\0"),
                     frame(b"C", b"x\0004\0\0not an address\0"), frame(b"C", b"x\0006\0\0::g\0"), frame(b"C", b"\0U"),
                     frame(b"C", b"x\0L\0\0" + b"y" * 200 + b"\0"), frame(b"C", b"x\0?\0\0z\0"),
                     frame(b"M"), frame(b"M", b"no end"), frame(b"M", b"\0"), frame(b"M", b"\0" * 1000), frame(b"R"),
                     frame(b"R", b"x"), frame(b"L"), frame(b"L", b"x"), frame(b"L", b"x\0"), frame(b"L", b"x\0y"),
                     frame(b"L", b"\0\0"), frame(b"D"), frame(b"D", b"M"), frame(b"D", b"Mi"), frame(b"D", b"Mi\0"),
                     frame(b"D", b"Mi\0x"), frame(b"D", b"?i\0x\0"), frame(b"B"), frame(b"N", b"x"), frame(b"E", b"x"),
                     frame(b"A", b"x"), frame(b"Q", b"x"), frame(b"K"), frame(b"U"), frame(b"U", b"x"), frame(b"T", b"x"),
                     b"EHLO example.test\r\n", b"GET / HTTP/1.0\r\n\r\n", b"\0" * 100000, b"\xff" * 100000):
            with self.subTest(data=data[:20]):
                for start in (b"", frames[0], opened, opened + frames[6]):
                    self.throw(start + data, read=0.003)
        self.check_unharmed()

    def test_macros_without_value(self):
        frames = conversation()
        for count in range(1, 40):
            for command in b"CHMRTNE":
                odd = frame(b"D", bytes([command]) + b"x\0" * count)
                self.throw(b"".join(frames[:4]) + odd + b"".join(frames[4:]), read=0.002)
        self.check_unharmed()

    def test_frames_in_any_order(self):
        dice = random.Random(11)
        frames = conversation()
        extra = [frame(b"A"), frame(b"K"), frame(b"H", b"x\0"), frame(b"T"), frame(b"U", b"x\0"), frame(b"E", b"more\r\n")]
        for turn in range(250):
            chosen = [frames[0]] * (turn % 4 != 0) + dice.choices(frames + extra, k=dice.randrange(1, 30))
            self.throw(b"".join(chosen), read=0.004)
        self.check_unharmed()

    def test_damaged_conversations(self):
        dice = random.Random(12)
        for turn in range(400):
            data = bytearray(b"".join(conversation()))
            for _ in range(dice.choice([1, 1, 2, 5, 20])):
                at = dice.randrange(len(data))
                what = dice.randrange(4)
                if what == 0:
                    data[at] ^= 1 << dice.randrange(8)
                elif what == 1:
                    data[at:at + dice.randrange(9)] = b""
                elif what == 2:
                    data[at:at] = bytes(dice.randrange(256) for _ in range(dice.randrange(9)))
                else:
                    data[at] = dice.choice(b"\0\xff\n ")
            self.throw(bytes(data), read=0.003)
        self.check_unharmed()

    def test_scripted_vanishing_while_the_new_body_comes(self):
        # The edits fail in the middle; what was computed is freed.
        message = b"Subject: x\nX-Script-Body: bytes=20000000\n\nx\n"
        for _ in range(8):
            with self.running.client() as client:
                client.begin()
                for header in split_message(message)[0]:
                    client.header(*header)
                client.eoh()
                client.send_frame(b"E")
                self.assertEqual(client.read_frame()[0], b"b")
        self.running.wait_logged("an edit could not be handed to the MTA: deferred", 8)
        with open(f"/proc/{self.front}/status") as status:
            resident = int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1))
        if not harness.sanitized():
            self.assertLess(resident, 250_000)
        self.check_unharmed()

    def test_scripted_clients_that_do_not_read(self):
        # The filter waits for them; the others go on, and so does the end.
        message = b"Subject: x\nX-Script-Body: bytes=20000000\n\nx\n"
        stalled = [self.raw() for _ in range(8)]
        for connection in stalled:
            self.addCleanup(connection.close)
            connection.sendall(b"".join(conversation(message)[:-1]))
        time.sleep(0.3)
        for _ in range(20):
            self.assertTrue(self.running.send(HTML).passed)
        for connection in stalled:
            connection.close()
        self.check_unharmed()

    def test_many_idle_connections(self):
        idle = [Client(self.running.socket) for _ in range(400)]
        for client in idle:
            self.addCleanup(client.close)
            client.connect()
        for client in idle[::20]:
            self.assertEqual(client.send(HTML).message, self.expected)
        for client in idle:
            client.close()
        self.check_unharmed()

    def test_no_descriptors_left(self):
        limit = resource.prlimit(self.front, resource.RLIMIT_NOFILE)
        with Client(self.running.socket) as client:
            client.connect()
            resource.prlimit(self.front, resource.RLIMIT_NOFILE, (descriptors(self.front) + 3, limit[1]))
            held = []
            for _ in range(12):
                held.append(self.raw())
            # Who is connected already is served; who is not waits.
            self.assertTrue(client.send(HTML).passed)
            for connection in held:
                connection.close()
            self.assertEqual(self.running.send(HTML).kind, "2")
        resource.prlimit(self.front, resource.RLIMIT_NOFILE, limit)
        self.check_unharmed()

    def test_stopping_a_front_that_hangs(self):
        # A front that does not answer is killed in the end.
        self.running.signal(signal.SIGHUP)
        os.kill(self.front, signal.SIGSTOP)
        self.running = Running(self, config='[milter]\ndeadline = "1s"\n')
        front = self.running.front()
        os.kill(front, signal.SIGSTOP)
        self.assertEqual(self.running.stop(), 0)
        self.assertTrue(self.running.wait_logged("killing it"))
        os.kill(self.front, signal.SIGCONT)


if __name__ == "__main__":
    harness.main()
