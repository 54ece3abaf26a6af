"""Two machines for the fetch tests: the one that pixmilter runs on, and one out on the Internet.

As root the test process moves into network and mount namespaces of its own, with its own /etc/hosts,
resolv.conf and nsswitch.conf, and a second network namespace behind a veth pair is the Internet: so a test
can have servers at public addresses, a private network that routes to, and a name server that says what the
test wants. Nothing of the real machine's network is seen or touched.
"""

import ctypes
import os
import socket
import struct
import subprocess
import threading

CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)

OURS = "45.0.0.1"                   # this machine, at a public address of its own
OURS6 = "2a00:45::1"
SERVER, OTHER = "45.0.0.2", "45.0.0.3"   # two machines out there
SERVER6 = "2a00:45::2"
# Addresses that the network would carry to the second namespace, and that nobody may connect to.
SPECIAL = ["10.9.9.9", "100.64.9.9", "169.254.169.254", "172.16.9.9", "192.0.0.9", "192.0.2.9", "192.88.99.9",
           "192.168.9.9", "198.18.9.9", "198.51.100.9", "203.0.113.9"]
SPECIAL6 = ["fd00::9", "2001:db8::9", "2002:a09:909::9", "64:ff9b::a09:909", "2001:1::9", "3fff::9"]

# Names that are not there are answered at once. A question is given up only when the test's own name server has been
# held off the processor for very long.
RESOLVER = "nameserver 127.0.0.1\noptions timeout:20 attempts:2\n"


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stdout.strip()}")


class Network:
    """Enter it before any thread is started. names: what the name server answers, may be changed at any time:
    a list of addresses, or a function that gives one for each question, or None for no answer at all."""

    def __init__(self, folder):
        self.folder = folder
        self.names = {}
        self._mounted = []
        if libc.unshare(CLONE_NEWNET | CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        run("mount", "--make-rprivate", "/")
        for name, text in (("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
                           ("resolv.conf", RESOLVER),
                           ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")):
            self.configure(name, text, anew=True)
        self.internet = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo up; exec cat"], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)
        self.internet.stdout.readline()
        there = str(self.internet.pid)
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "pixnear", "type", "veth", "peer", "name", "pixfar")
        run("ip", "link", "set", "pixfar", "netns", there)
        run("ip", "addr", "add", OURS + "/24", "dev", "pixnear")
        run("ip", "-6", "addr", "add", OURS6 + "/64", "dev", "pixnear", "nodad")
        run("ip", "link", "set", "pixnear", "up")
        self.far("ip", "link", "set", "lo", "up")
        for address in [SERVER, OTHER]:
            self.far("ip", "addr", "add", address + "/24", "dev", "pixfar")
        self.far("ip", "-6", "addr", "add", SERVER6 + "/64", "dev", "pixfar", "nodad")
        for address in SPECIAL:
            self.far("ip", "addr", "add", address + "/32", "dev", "pixfar")
        for address in SPECIAL6:
            self.far("ip", "-6", "addr", "add", address + "/128", "dev", "pixfar", "nodad")
        self.far("ip", "link", "set", "pixfar", "up")
        run("ip", "route", "add", "default", "via", SERVER)
        run("ip", "-6", "route", "add", "default", "via", SERVER6)
        self._serve_names()

    def configure(self, name, text, anew=False):
        """Writes a file of /etc that the name service reads. anew: as another file in the place of the old one."""
        place = os.path.realpath(f"/etc/{name}")
        path = os.path.join(self.folder, f"{name}.{len(os.listdir(self.folder))}") if anew else place
        with open(path, "w") as file:
            file.write(text)
        if anew:
            run("mount", "--bind", path, place)
            self._mounted.append(place)

    def far(self, *command):
        run("nsenter", "-t", str(self.internet.pid), "-n", *command)

    def far_popen(self, command, **more):
        return subprocess.Popen(["nsenter", "-t", str(self.internet.pid), "-n", *command], **more)

    def socket(self, address, port, far=True):
        """A listening socket on the far or the near machine."""
        made = []

        def make():
            if far:
                with open(f"/proc/{self.internet.pid}/ns/net") as namespace:
                    if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                        return
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address, port))
            listener.listen(128)
            made.append(listener)
        thread = threading.Thread(target=make)  # the namespace is a thread's
        thread.start()
        thread.join()
        if not made:
            raise OSError(f"no socket at {address} port {port}")
        return made[0]

    def _serve_names(self):
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 53))
        self._names_socket = server
        threading.Thread(target=self._answer_names, args=(server,), daemon=True).start()

    def _answer_names(self, server):
        while True:
            try:
                question, client = server.recvfrom(4096)
                answer = self._answer(question)
                if answer:
                    server.sendto(answer, client)
            except OSError:
                return

    def _answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode("latin-1").lower())
            at += 1 + question[at]
        kind = struct.unpack(">H", question[at + 1:at + 3])[0]
        known = self.names.get(".".join(labels))
        addresses = known(kind) if callable(known) else known or []
        if addresses is None:
            return b""
        wanted = [socket.inet_pton(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in addresses
                  if (":" in one) == (kind == 28)] if kind in (1, 28) else []
        records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(one)) + one for one in wanted)
        flags = 0x8180 if known is not None else 0x8183
        return (question[:2] + struct.pack(">HHHHH", flags, 1, len(wanted), 0, 0) + question[12:at + 5] + records)

    def close(self):
        subprocess.run(["umount", "-l", *self._mounted], check=False)
        self._names_socket.close()
        self.internet.kill()
        self.internet.wait()
        self.internet.stdin.close()
        self.internet.stdout.close()


class Silent:
    """Listeners that nobody may reach: counts who connects all the same."""

    def __init__(self):
        self.reached = []
        self._sockets, self._threads = [], []

    def listen(self, listener):
        self._sockets.append(listener)
        self._threads.append(threading.Thread(target=self._accept, args=(listener,), daemon=True))
        self._threads[-1].start()

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.reached.append(connection.getsockname()[:2])
            # Whoever gets here is served a picture, so that success would be seen in the mail as well.
            try:
                connection.settimeout(1)
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/gif\r\nContent-Length: 43\r\n\r\n" + GIF)
            except OSError:
                pass
            connection.close()

    def close(self):
        for one in self._sockets:
            one.shutdown(socket.SHUT_RDWR)
        for one in self._threads:
            one.join()
        for one in self._sockets:
            one.close()


GIF = (b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00"
       b"\x01\x00\x01\x00\x00\x02\x01D\x00;")
