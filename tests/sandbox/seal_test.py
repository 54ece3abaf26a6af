#!/usr/bin/python3
"""The seal of render workers: what a decoder that was taken over can do, which is nothing.

tests/sandbox/attack.cc is such a decoder, pool_tool drives it and the real one through the front's pool.
Each attempt is a test of its own, on the worker's main thread and on one that is older than the seal, in a
picture worker and in an SVG worker. Those that issue lists name are tried inside whole mails as well.
"""
# tests/run: timeout=3600

import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "milter"),
                os.path.join(HERE, "..", "..", "src", "render")]
import numpy
from PIL import Image

import client
import harness
import judge
import pictures
import sanitizers
from served import Served

UNSHARE, SECCOMP, LANDLOCK = 272, 317, 444
EPERM, ENOSYS = 1, 38
NOBODY = 12345  # nobody's number

# A thread, process or descriptor of /proc that ended between the listing and the look at it.
GONE = (FileNotFoundError, ProcessLookupError)
# How often something is done where how a worker died may come too late: see Line.unexplained.
ATTEMPTS_TO_LEARN = 4

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


class Line:
    def __init__(self, text):
        fields = text.split("\t")
        self.name, self.status, self.time, self.format = fields[0], fields[1], int(fields[2]) / 1e6, fields[3]
        self.width, self.height, self.size = int(fields[4]), int(fields[5]), int(fields[6])
        self.reason = fields[7]

    @property
    def unexplained(self):
        """How the worker died was not told in time: the front asks the zygote for three seconds, and a busy machine
        may hold it off the processor for longer. It says nothing about the death, so it is looked at again."""
        return "it closed its connection" in self.reason


class Tool:
    """pool_tool and the render programs, where any user can run them."""

    def __init__(self, test):
        self.folder = harness.temp_dir(test)
        for name in ("tests/pool_tool", "tests/render_attack", "pixmilter-render", "pixmilter"):
            shutil.copy2(harness.program(name), os.path.join(self.folder, os.path.basename(name)))
        self.path = os.path.join(self.folder, "pool_tool")
        self.attack = os.path.join(self.folder, "render_attack")

    def run(self, *arguments, user=None, timeout=600):
        """Lines of results, and what was logged."""
        more = {"user": user, "group": user, "extra_groups": []} if user else {}
        # Each attempt costs a worker, which a sanitizer makes ten times as slowly.
        timeout *= 5 if harness.sanitized() else 1
        done = harness.run([self.path, *arguments], timeout=timeout, check=0, **more)
        lines = done.stdout.decode(errors="replace").splitlines()
        self.counters = [line.split("\t")[1:] for line in lines if line.startswith("counters\t")]
        return ([Line(line) for line in lines if line.count("\t") == 7], done.stderr.decode(errors="replace"))

    def attacks(self, *names, where="main", purpose="raw", options=()):
        lines, _ = self.run("--program", self.attack, *options,
                            *(f"attack:{name}:{where}:{purpose}" for name in names))
        return lines


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


class LieTest(unittest.TestCase):
    """Workers that return something else than they should; the picture after it is fine."""

    @classmethod
    def setUpClass(cls):
        cls.tool = Tool(cls)

    def lie(self, name, *statuses):
        lines = self.tool.attacks(name, "breach", options=["--workers", "1"])
        self.assertIn(lines[0].status, statuses, lines[0].reason)
        self.assertEqual(lines[1].status, "ok")

    def test_width(self):
        self.lie("lie_width", "violated")

    def test_format(self):
        self.lie("lie_format", "violated")

    def test_garbage(self):
        self.lie("lie_garbage", "violated")

    def test_bytes_after_the_picture(self):
        self.lie("lie_tail", "violated")

    def test_nothing(self):
        self.lie("lie_empty", "refused")

    def test_a_picture_of_four_quintillion_pixels(self):
        self.lie("lie_huge", "violated")

    def test_junk_instead_of_an_answer(self):
        self.lie("say_junk", "violated")

    def test_a_packet_that_is_too_long(self):
        self.lie("say_long", "violated")

    def test_an_empty_packet(self):
        self.lie("say_nothing", "violated", "crashed")

    def test_another_picture_s_answer(self):
        self.lie("say_wrong_number", "violated")

    def test_a_size_beyond_the_memory(self):
        self.lie("say_too_large", "violated")

    def test_two_answers(self):
        self.lie("say_twice", "violated", "refused")

    def test_an_answer_in_advance_is_not_the_next_picture_s(self):
        for _ in range(5):
            lines = self.tool.attacks("say_again_later", "breach", "breach", "breach", options=["--workers", "1"])
            for line in lines[1:]:
                self.assertIn(line.status, ("ok", "violated"), line.reason)

    def test_a_flood_on_stderr(self):
        lines, log = self.tool.run("--program", self.tool.attack, "attack:flood_stderr:main", "attack:breach:main")
        self.assertEqual([line.status for line in lines], ["ok", "ok"])
        self.assertLess(len(log), 10_000)
        for line in log.splitlines():
            self.assertTrue(line.startswith("pixmilter: warning: render program says "), line)
            self.assertNotIn("\x1b", line)


class HarmTest(unittest.TestCase):
    """What ends a worker is named, costs one picture, and is over in time."""

    @classmethod
    def setUpClass(cls):
        cls.tool = Tool(cls)

    def harm(self, name, status, reason, options=()):
        # It holds for the good picture as well, whose worker may have to wait for a processor.
        timeout = "15000" if harness.sanitized() else "10000"
        for _ in range(ATTEMPTS_TO_LEARN):
            begun = time.monotonic()
            lines = self.tool.attacks(name, "breach", options=["--workers", "1", "--timeout", timeout,
                                                               "--deadline", "240000", *options])
            took = time.monotonic() - begun
            if not lines[0].unexplained:
                break
        self.assertEqual(lines[0].status, status, lines[0].reason)
        self.assertRegex(lines[0].reason, reason)
        self.assertEqual(lines[1].status, "ok", lines[1].reason)
        self.assertLess(took, 120, "it waited for the message's time")

    def test_segfault(self):
        if not harness.sanitized("address"):
            return self.harm("crash_segv", "crashed", "SIGSEGV")
        # This sanitizer says what it was and exits.
        self.harm("crash_segv", "crashed", "exit code [1-9]")
        _, log = self.tool.run("--program", self.tool.attack, "attack:crash_segv:main:raw")
        self.assertRegex(log, sanitizers.REPORT)

    def test_abort(self):
        self.harm("crash_abort", "crashed", "SIGABRT")

    def test_exit(self):
        self.harm("crash_exit", "crashed", "exit code 0")

    def test_exception(self):
        self.harm("crash_throw", "crashed", "SIGABRT")

    def test_busy_loop(self):
        self.harm("spin", "timeout", "time for one image")

    def test_hang(self):
        self.harm("hang", "timeout", "time for one image")

    def test_memory(self):
        if harness.sanitized():
            self.skipTest("no limit of memory under sanitizers")
        self.harm("eat_memory", "limit", "memory", ["--memory", "100000000"])

    def test_memory_that_glib_does_not_get(self):
        self.harm("eat_glib", "limit", "memory")

    def test_threads(self):
        if harness.sanitized():
            self.skipTest("no limit of memory under sanitizers")
        self.harm("eat_threads", "crashed", "SIGABRT|signal 31", ["--memory", "100000000"])

    def test_stack(self):
        self.harm("eat_stack", "crashed", "SIGSEGV")

    def test_a_picture_that_killed_two_workers_is_refused(self):
        lines = self.tool.attacks(*["crash_segv"] * 4, "crash_abort", "breach")
        self.assertEqual([line.status for line in lines],
                         ["crashed", "crashed", "refused", "refused", "crashed", "ok"])
        self.assertIn("ended several render workers", lines[2].reason)

    def test_freed_memory_holds_nothing(self):
        if harness.sanitized():
            self.skipTest("a sanitizer has an allocator of its own, which does not wipe")
        lines = self.tool.attacks("leave_secret", "find_secret", options=["--workers", "1", "--counters"])
        self.assertEqual([line.reason for line in lines], ["left", "clean"])
        self.assertEqual(self.tool.counters[0][:2], ["1", "1"], "both had the same worker")
        # What came in the packet itself: large blocks are wiped when the answer is out.
        lines = self.tool.attacks("find_packet", "leave_packet", "find_packet",
                                  options=["--workers", "1", "--counters"])
        self.assertEqual([line.reason for line in lines], ["clean", "left", "clean"])
        self.assertEqual(self.tool.counters[0][:2], ["1", "1"], "all had the same worker")


def sample_files(folder):
    """{format: paths}: for each loader a tiny picture, an ordinary and a large one."""
    import warm_up_samples as samples
    made = {}
    kinds = {"png": ".png", "jpeg": ".jpg", "gif": ".gif", "webp": ".webp", "tiff": ".tif[compression=lzw]",
             "heif": ".heic", "avif": ".avif[effort=0]", "jxl": ".jxl[effort=3]", "jp2": ".jp2"}
    for name, suffix in kinds.items():
        for side in (64, 500, 2000):
            path = os.path.join(folder, f"{name}-{side}")
            with open(path, "wb") as file:
                file.write(samples.encode(samples.picture(side, side, 3), suffix))
            made.setdefault(name, []).append(path)
    texts = {
        "small": '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="4" height="4"/></svg>',
        "text": '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="200"><text x="20" y="120" '
                'font-size="90" font-family="sans-serif">Grüße ∑ x</text></svg>',
        # A face that the warm-up has not asked for.
        "rare": '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="200"><text x="20" y="120" '
                'font-size="90" font-family="DejaVu Sans" font-stretch="condensed" font-weight="bold" '
                'font-style="oblique">Rare</text></svg>',
    }
    for name, text in texts.items():
        path = os.path.join(folder, f"svg-{name}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        made.setdefault("svg", []).append(path)
    return made


class LoaderTest(unittest.TestCase):
    """Each loader inside the seal, first job included; as root, as nobody, with a kernel that has less."""

    ways = {}  # what all files came to, by way
    rounds = 3

    @classmethod
    def setUpClass(cls):
        cls.tool = Tool(cls)
        cls.files = sample_files(cls.tool.folder)
        if harness.sanitized():
            cls.rounds = 1

    def run_all(self, options, user):
        """Every file as a worker's first job, and then all in one message, on few workers, several times."""
        out = harness.temp_dir(type(self))
        os.chmod(out, 0o777)
        # What is looked at is whether it works inside the seal: a slow machine may take as long as it needs.
        options = ["--loaders", "png,jpeg,gif,webp,tiff,heif,svg,jxl,jp2", "--deadline", "240000", "--timeout",
                   "120000", *options]
        paths = [path for paths in self.files.values() for path in paths]
        first, log = self.tool.run("--fresh", "--out", out, *options, *paths, user=user, timeout=900)
        later, _ = self.tool.run("--together", "--workers", "2", *options, *paths * self.rounds, user=user,
                                 timeout=900)
        return {line.name: (line, place) for place, line in enumerate(first)}, later, log, out

    def check(self, name, options=(), user=None, quiet=True):
        way = (*options, user)
        if way not in self.ways:
            self.ways[way] = self.run_all(options, user)
        first, later, log, out = self.ways[way]
        if quiet:
            self.assertEqual(log, "")
        for path in self.files[name]:
            line, place = first[path]
            self.assertEqual(line.status, "ok", f"{path}: {line.reason}")
            with Image.open(os.path.join(out, str(place))) as image:
                image.load()
                if "text" in path or "rare" in path:
                    drawn = numpy.asarray(image.convert("RGBA"))[:, :, 3] > 128
                    self.assertGreater(drawn.sum(), 2000, f"{path}: no text was drawn")
            again = [line for line in later if line.name == path]
            self.assertEqual([line.status for line in again], ["ok"] * self.rounds,
                             [line.reason for line in again])

    def as_oneself(self, name):
        self.check(name)

    def as_nobody(self, name):
        harness.need_root()
        self.check(name, user=NOBODY)

    def without_namespaces(self, name):
        self.check(name, ["--deny", f"{UNSHARE}={EPERM}"], quiet=False)

    def without_landlock(self, name):
        self.check(name, ["--deny", f"{LANDLOCK}={ENOSYS}"], quiet=False)


for _name in ("png", "jpeg", "gif", "webp", "tiff", "heif", "avif", "svg", "jxl", "jp2"):
    for _way in ("as_oneself", "as_nobody", "without_namespaces", "without_landlock"):
        if _name == "svg" and _way == "without_landlock":
            continue  # below
        setattr(LoaderTest, f"test_{_name}_{_way}", lambda self, n=_name, w=_way: getattr(self, w)(n))


class LoadersChosenTest(unittest.TestCase):
    """Only the loaders that were chosen, and none by another's name."""

    @classmethod
    def setUpClass(cls):
        cls.tool = Tool(cls)
        cls.files = sample_files(cls.tool.folder)

    def test_what_is_not_chosen_is_refused(self):
        lines, _ = self.tool.run("--loaders", "png", self.files["png"][0], self.files["webp"][0],
                                 self.files["heif"][0], self.files["svg"][0], "raw:8x8x3")
        self.assertEqual([line.status for line in lines], ["ok", "refused", "refused", "refused", "ok"])
        self.assertIn("not served", lines[1].reason)

    def test_formats_outside_the_defaults_are_refused(self):
        lines, _ = self.tool.run(self.files["jxl"][0], self.files["jp2"][0])
        self.assertEqual([line.status for line in lines], ["refused", "refused"])

    def test_an_svg_without_landlock_reads_no_files(self):
        lines, log = self.tool.run("--deny", f"{LANDLOCK}={ENOSYS}", *self.files["svg"])
        self.assertEqual({line.status for line in lines}, {"ok"}, [line.reason for line in lines])
        self.assertIn("no Landlock", log)
        results = self.tool.run("--deny", f"{LANDLOCK}={ENOSYS}", "--program", self.tool.attack,
                                *(f"attack:{name}:main:svg" for name in
                                  ("openat", "read_parent_environ", "open_proc_self", "list_root")))[0]
        self.assertEqual({line.reason for line in results}, {"held: Permission denied"})


class ReuseTest(unittest.TestCase):
    """A worker that decoded a risky format serves no other message."""

    @classmethod
    def setUpClass(cls):
        cls.tool = Tool(cls)
        cls.files = sample_files(cls.tool.folder)

    def workers_for(self, *arguments):
        lines, _ = self.tool.run("--workers", "1", "--counters", *arguments)
        self.assertEqual({line.status for line in lines}, {"ok"})
        return int(self.tool.counters[0][0])

    def test_safe_formats_share_one(self):
        self.assertEqual(self.workers_for(*(self.files[name][0] for name in ("png", "jpeg", "gif", "webp"))), 1)

    def test_each_message_with_a_risky_format_has_its_own(self):
        for name in ("tiff", "heif", "avif", "svg"):
            with self.subTest(name):
                self.assertEqual(self.workers_for(*[self.files[name][0]] * 4), 4)

    def test_within_a_message_it_goes_on(self):
        self.assertEqual(self.workers_for("--together", *[self.files["tiff"][0]] * 4), 1)

    def test_a_safe_format_after_a_risky_one(self):
        self.assertEqual(self.workers_for(self.files["png"][0], self.files["tiff"][0], self.files["png"][0]), 2)


class StateTest(unittest.TestCase):
    """What /proc says about workers that wait."""

    @classmethod
    def setUpClass(cls):
        cls.tool = Tool(cls)
        cls.files = sample_files(cls.tool.folder)

    def setUp(self):
        self.process = subprocess.Popen([self.tool.path, "--workers", "2", "--hold", "raw:8x8x1"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.end)
        for line in self.process.stdout:
            if line == b"holding\n":
                break
        self.wait_until(lambda: len(self.workers()) >= 3)
        self.assertEqual(len(self.workers()), 3)
        self.wait_until(lambda: all(self.status(pid)["Seccomp"] == "2" for pid in self.workers()))

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    @staticmethod
    def wait_until(holds, seconds=60):
        """Generous: what is waited for comes within a second where there is a processor for it."""
        deadline = time.monotonic() + seconds
        while not holds() and time.monotonic() < deadline:
            time.sleep(0.02)

    @staticmethod
    def children(pid, task=None):
        try:
            with open(f"/proc/{pid}/task/{task or pid}/children") as file:
                return [int(word) for word in file.read().split()]
        except GONE:
            return []

    def zygote(self):
        # The thread that started it is the pool's.
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            for child in self.children(self.process.pid, task):
                return child
        self.fail("no zygote")

    def workers(self):
        return self.children(self.zygote())

    @staticmethod
    def status(pid, task=None):
        with open(f"/proc/{pid}/task/{task or pid}/status") as file:
            return dict((line.split(":", 1)[0], line.split(":", 1)[1].strip()) for line in file)

    def test_the_zygote_has_one_thread(self):
        self.assertEqual(self.status(self.zygote())["Threads"], "1")

    def test_every_thread_is_filtered_and_unprivileged(self):
        for pid in self.workers():
            seen = 0
            for task in os.listdir(f"/proc/{pid}/task"):
                try:
                    status = self.status(pid, task)
                except GONE:
                    continue
                seen += 1
                self.assertEqual(status["Seccomp"], "2", f"thread {task} of {pid}")
                self.assertEqual(status["NoNewPrivs"], "1")
                for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                    self.assertEqual(int(status[kind], 16), 0, kind)
            self.assertGreater(seen, 0)

    def test_nobody_s_user_and_groups(self):
        harness.need_root()
        for pid in self.workers():
            status = self.status(pid)
            self.assertNotIn("0", status["Uid"].split() + status["Gid"].split())
            self.assertEqual(status["Groups"], "")

    def test_no_descriptors_but_its_own(self):
        for pid in self.workers():
            found = {}
            for fd in os.listdir(f"/proc/{pid}/fd"):
                try:
                    found[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
                except GONE:
                    pass
            self.assertEqual(sorted(found), [0, 1, 2, 3], found)
            self.assertEqual(found[0], "/dev/null")
            self.assertTrue(found[1].startswith("pipe:") and found[2].startswith("pipe:"), found)
            self.assertTrue(found[3].startswith("socket:"), found)

    def test_limits(self):
        for pid in self.workers():
            with open(f"/proc/{pid}/limits") as file:
                limits = {line[:25].strip(): line[25:].split()[:2] for line in file}
            self.assertEqual(limits["Max file size"], ["0", "0"])
            self.assertEqual(limits["Max core file size"], ["0", "0"])
            self.assertLessEqual(int(limits["Max open files"][1]), 64)
            self.assertNotEqual(limits["Max cpu time"][1], "unlimited")
            self.assertNotEqual(limits["Max processes"][1], "unlimited")
            if not harness.sanitized():
                self.assertLess(int(limits["Max address space"][1]), 1 << 30)

    def test_namespaces_of_their_own(self):
        harness.need_root()
        for pid in self.workers():
            for kind in ("net", "mnt", "user", "ipc"):
                self.assertNotEqual(os.readlink(f"/proc/{pid}/ns/{kind}"), os.readlink(f"/proc/self/ns/{kind}"), kind)

    def test_environment(self):
        for pid in self.workers():
            with open(f"/proc/{pid}/environ", "rb") as file:
                environment = file.read().split(b"\0")
            for wanted in (b"VIPS_NOVECTOR=1", b"MALLOC_ARENA_MAX=1"):
                self.assertIn(wanted, environment)
            self.assertTrue(any(word.startswith(b"VIPS_DISC_THRESHOLD=") for word in environment))

    def test_workers_end_with_their_zygote(self):
        zygote, workers = self.zygote(), self.workers()
        os.kill(zygote, signal.SIGKILL)
        self.wait_until(lambda: not any(os.path.exists(f"/proc/{pid}/fd/3") for pid in workers))
        for pid in workers:
            self.assertFalse(os.path.exists(f"/proc/{pid}/fd/3"), f"{pid} lives")


class LackTest(unittest.TestCase):
    """Kernels that have less: what is done, and what is said."""

    @classmethod
    def setUpClass(cls):
        cls.tool = Tool(cls)
        cls.files = sample_files(cls.tool.folder)
        cls.message = (b"From: a@example.test\r\nTo: b@example.test\r\nMIME-Version: 1.0\r\n"
                       b"Content-Type: application/x-npy\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                       pictures.base64.b64encode(pictures.npy(numpy.zeros((1, 1), numpy.uint8))) + b"\r\n")

    def pixmilter(self, *words, deny=(), input=None):
        command = [self.tool.path]
        for call, error in deny:
            command += ["--deny", f"{call}={error}"]
        return harness.run(command + ["--exec", os.path.join(self.tool.folder, "pixmilter"), *words], input, check=0)

    def configuration(self, text):
        path = os.path.join(self.tool.folder, "pixmilter.toml")
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_without_seccomp_mail_goes_untouched(self):
        done = self.pixmilter("rewrite", deny=[(SECCOMP, ENOSYS)], input=self.message)
        self.assertEqual(done.stdout, self.message)
        self.assertIn(b"cannot be sealed", done.stderr)
        self.assertIn(b"seccomp", done.stderr)

    def test_best_effort_goes_on_and_says_so(self):
        path = self.configuration('[render]\nsandbox = "best-effort"\n')
        done = self.pixmilter("rewrite", "-c", path, deny=[(SECCOMP, ENOSYS)], input=self.message)
        self.assertIn(b"image/png", done.stdout)
        self.assertEqual(done.stderr.count(b"seal of render workers is not complete"), 1, done.stderr)

    def test_it_is_said_once(self):
        _, log = self.tool.run("--deny", f"{LANDLOCK}={ENOSYS}", *[self.files["tiff"][0]] * 4, self.files["svg"][0])
        self.assertEqual(log.count("no Landlock"), 1, log)

    def test_check_says_it_too(self):
        self.assertEqual(self.pixmilter("check").stderr, b"")
        self.assertIn(b"no Landlock", self.pixmilter("check", deny=[(LANDLOCK, ENOSYS)]).stderr)
        self.assertIn(b"no namespaces", self.pixmilter("check", deny=[(UNSHARE, EPERM)]).stderr)
        self.assertIn(b"cannot be sealed", self.pixmilter("check", deny=[(SECCOMP, ENOSYS)]).stderr)


class CommandLineTest(unittest.TestCase):
    """The render program is no command."""

    def test_a_user_who_starts_it_is_told(self):
        for words in ([], ["--help"], ["picture.png"], ["--zygote-fd"], ["--zygote-fd", "x"], ["--zygote-fd", "99"],
                      ["--zygote-fd", "0", "--sandbox", "none"]):
            done = harness.run([harness.program("pixmilter-render"), *words])
            self.assertEqual(done.returncode, 64, words)
            self.assertTrue(done.stderr)

    def test_version(self):
        done = harness.run([harness.program("pixmilter-render"), "--version"], check=0)
        self.assertRegex(done.stdout, rb"^pixmilter-render \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    harness.main()
