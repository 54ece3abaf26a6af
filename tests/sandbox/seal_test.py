#!/usr/bin/python3
"""The seal of render workers: what a decoder that was taken over can do, which is nothing.

tests/sandbox/attack.cc is such a decoder, pool_tool drives it and the real one through the front's pool.
Each attempt is a test of its own, on the worker's main thread and on one that is older than the seal, in a
picture worker and in an SVG worker. Those that issue lists name are tried inside whole mails as well.
"""
# tests/run: timeout=3600

import os
import re
import shutil
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "milter"), HERE]
import numpy

import client
import harness
import judge
import pictures
from sealed import ATTEMPTS_TO_LEARN, Tool
from served import Served

with open(os.path.join(HERE, "attack.cc"), encoding="utf-8") as source:
    ATTEMPTS = re.findall(r'^      \{"(\w+)",', source.read(), re.M)

# The list of the issue, tried in mails.
LISTED = ("open openat socket connect execve fork vfork ptrace_parent kill_parent mmap_rwx mprotect_to_exec "
          "write_other_descriptors read_parent_environ memfd_create io_uring_setup bpf userfaultfd perf_event_open "
          "keyctl mount unshare prctl_dumpable").split()


# Calls getpid by `int 0x80` and returns.
INT80 = """
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes.fromhex("53b814000000cd805bc3"))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
"""


def has_int80():
    """Whether this machine has a 32-bit way into the kernel at all: where it has none, using it is a SIGSEGV."""
    return harness.run([sys.executable, "-c", INT80], check=None).returncode == 0


class AttemptTest(unittest.TestCase):
    """One test for each attempt, thread and purpose; see below."""

    results = {}

    @classmethod
    def setUpClass(cls):
        tool = Tool(cls)
        for purpose in ("raw", "svg"):
            for where in ("main", "thread"):
                # A worker that serves less is ready sooner. The seal is the same; decoders' threads are there once.
                options = ["--loaders", "png,svg"] if where == "main" else []
                wanted = ATTEMPTS
                for _ in range(ATTEMPTS_TO_LEARN):
                    lines = tool.attacks(*wanted, where=where, purpose=purpose, options=options)
                    cls.results.update({(name, where, purpose): line for name, line in zip(wanted, lines)})
                    wanted = [name for name, line in zip(wanted, lines) if line.unexplained]
                    if not wanted:
                        break

    def held(self, name, where, purpose):
        line = self.results[name, where, purpose]
        if line.status == "crashed":
            deadly = "signal 11" if name.startswith("int80_") and not has_int80() else "signal 31"
            self.assertIn(deadly, line.reason)
        else:
            self.assertEqual(line.status, "refused", f"{name} went through")
            self.assertRegex(line.reason, "held: (Permission denied|Function not implemented)")


for _name in ATTEMPTS:
    for _where in ("main", "thread"):
        for _purpose in ("raw", "svg"):
            setattr(AttemptTest, f"test_{_name}_{_where}_{'picture' if _purpose == 'raw' else 'svg'}",
                    lambda self, n=_name, w=_where, p=_purpose: self.held(n, w, p))


class MailTest(unittest.TestCase):
    """The mail of an attacker goes out, his picture as it came, the next one converted."""

    @classmethod
    def setUpClass(cls):
        folder = harness.temp_dir(cls)
        shutil.copy2(harness.program("pixmilter"), folder)
        shutil.copy2(harness.program("tests/render_attack"), os.path.join(folder, "pixmilter-render"))
        cls.served = Served(folder, program=os.path.join(folder, "pixmilter"), config='[render]\nloaders = ["png"]\n')
        cls.addClassCleanup(cls.served.stop)

    def attack(self, name, where):
        blob = f"ATTACK {name} {where} ".encode().ljust(100, b"\0")
        good = numpy.arange(12, dtype=numpy.uint8).reshape(2, 2, 3)
        parts = [("image/x-raw-pixels; width=10; height=10; bands=1; format=uchar", blob),
                 ("application/x-npy", pictures.npy(good))]
        message = ["From: a@example.test", "To: b@example.test", "Subject: x", "MIME-Version: 1.0",
                   'Content-Type: multipart/mixed; boundary="b"', "", "--b", "Content-Type: text/plain", "", "x"]
        for kind, data in parts:
            message += ["--b", f"Content-Type: {kind}", "Content-Transfer-Encoding: base64", "",
                        pictures.base64.b64encode(data).decode()]
        message += ["--b--", ""]
        result = client.send_message(self.served.socket, "\r\n".join(message).encode())
        self.assertTrue(result.passed, result.kind)
        parsed = judge.parse(result.message)
        kinds = [part.get_content_type() for part in judge.leaves(parsed)]
        self.assertEqual(kinds, ["text/plain", "image/x-raw-pixels", "image/png"], self.served.log())
        self.assertEqual(judge.leaves(parsed)[1].get_payload(decode=True), blob)
        self.assertTrue((pictures.pixels(judge.leaves(parsed)[2].get_payload(decode=True)) == good).all())


for _name in LISTED:
    for _where in ("main", "thread"):
        setattr(MailTest, f"test_{_name}_{_where}", lambda self, n=_name, w=_where: self.attack(n, w))


if __name__ == "__main__":
    harness.main()
