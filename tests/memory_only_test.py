#!/usr/bin/python3
"""Memory only: while messages are rewritten, no file is opened for writing, made, renamed or removed.

`pixmilter rewrite` and the milter run under strace with all their children, render workers included. What
may be there: memfds (memory, not files), /dev/null, the listening socket, which is made, given its mode and
group, and removed, and the page that `preview -o` is asked for. The suites that drive the program as mail
servers and people do are run again that way, as they are.
"""
# tests/run: timeout=3600

import email.message
import glob
import io
import os
import re
import shlex
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "lib"), os.path.join(HERE, "mta")]
import numpy
from PIL import Image

import harness
import judge
import pictures
import postfix
from served import Served
from sink import Sink

OPENS = ("open", "openat", "openat2", "creat")
CHANGES = ("rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "link", "linkat",
           "symlink", "symlinkat", "truncate", "mknod", "mknodat", "chmod", "fchmodat", "chown", "lchown", "fchownat",
           "utimensat", "setxattr", "bind", "mount", "swapon")
# Of ThreadSanitizer's runtime, which maps a page of zeros from it before main() and has removed it by then.
RUNTIME = re.compile(r".*/tsan\.rodata\.\d+")
# What is looked at here is files, whatever strace makes of a picture's time; Postfix waits for two minutes.
PATIENT = '[milter]\ndeadline = "110s"\n[render]\ntimeout = "100s"\n'
WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE|O_TRUNC|O_APPEND")


def strace(folder):
    """The command before the one to be watched, one file for each process; and the folder of those."""
    strace_path = harness.need_program("strace")
    # -D: the watched program is the child that the caller started, strace hangs beside it. Not --seccomp-bpf: of
    # one who is killed while it stands at a call, it shows calls that it has not made.
    return [strace_path, "-D", "-f", "-ff", "-qq", "-s", "256", "-e", "signal=none", "-e",
            "trace=execve," + ",".join("?" + name for name in OPENS + CHANGES), "-o", os.path.join(folder, "trace")]


def traces(folder):
    return glob.glob(os.path.join(folder, "trace.*"))


# No system call has a negative number: where a process ends while strace looks, it may take the result of a call, an
# error, for the number of another.
NO_CALL = re.compile(r"syscall_0x[89a-f][0-9a-f]{15}")


def sockets(folder):
    """The paths that were bound to sockets."""
    paths = set()
    for path in traces(folder):
        with open(path, errors="replace") as file:
            paths.update(re.findall(r'^bind\(.*sun_path="([^"@]+)".*= 0$', file.read(), re.M))
    return paths


def pages(folder):
    """A pattern for what `preview -o` was asked to write, and for that page while it is being written."""
    asked = set()
    for path in traces(folder):
        with open(path, errors="replace") as file:
            asked.update(re.findall(r'^execve\(.*"preview".*"-o", "([^"]+)"', file.read(), re.M))
    return re.compile("|".join(re.escape(page) + r"(\.\w{6})?" for page in sorted(asked)) or "(?!)")


def violations(folder):
    """What the traces show that must not be; and the programs that they show."""
    found, programs, ours, asked = [], set(), sockets(folder), pages(folder)
    runtime = RUNTIME if harness.sanitized(by="thread") else re.compile("(?!)")
    for path in traces(folder):
        with open(path, errors="replace") as file:
            for line in file:
                call = re.match(r"(\w+)\((.*)", line)
                if not call:
                    continue
                name, rest = call.groups()
                if NO_CALL.fullmatch(name):
                    continue
                paths = re.findall(r'"((?:[^"\\]|\\.)*)"', rest)
                if name in ("open", "unlink") and paths and runtime.fullmatch(paths[0]):
                    continue
                if name == "execve":
                    # Of one who was killed in the middle the path is not shown.
                    programs.update(map(os.path.basename, paths[:1]))
                elif name in OPENS:
                    if (name == "creat" or WRITING.search(rest)) and paths[:1] != ["/dev/null"]:
                        if not paths or not asked.fullmatch(paths[0]):
                            found.append(line.strip())
                elif name == "bind" and "AF_UNIX" not in rest:
                    pass  # a port is no file
                elif name == "bind" and "sun_path=@" in rest:
                    pass  # nor is an abstract name
                elif not paths or not all(path in ours or asked.fullmatch(path) for path in paths):
                    found.append(line.strip())
    return found, programs


def message_with(*uris, attachments=()):
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.test", "b@example.test", "memory"
    message["Message-ID"], message["Date"] = "<memory@example.test>", "Mon, 01 Jan 2024 00:00:00 +0000"
    message.set_content("".join(f'<p><img src="{uri}"></p>\n' for uri in uris) or "<p>none</p>\n", subtype="html")
    for data in attachments:
        message.add_attachment(data, "application", "x-npy", filename="frame.npy")
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def messages():
    """(name, message, how many pictures come out)"""
    png, webp, tiff = (pictures.data_uri(data, kind) for data, kind in (
        (pictures.png(), "image/png"), (pictures.webp(), "image/webp"), (pictures.tiff(), "image/tiff")))
    yield "embedding", message_with(png), 1
    yield "rendering", message_with(png, webp, tiff, attachments=[pictures.npy(pictures.array(640, 480))]), 4
    # Decoded it is over 100 MB, which libvips would by itself put into a file in /tmp.
    buffer = io.BytesIO()
    Image.new("RGB", (6200, 6000), (1, 2, 3)).save(buffer, "TIFF", compression="tiff_deflate")
    yield "a picture of 110 MB", message_with(pictures.data_uri(buffer.getvalue(), "image/tiff")), 1
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' width='90' height='30'><text x='5' y='20' font-size='14'>text</text></svg>"
    yield "svg with text", message_with(pictures.data_uri(svg, "image/svg+xml")), 1
    yield "unreadable", message_with("data:image/tiff;base64,SUkqAAgAAAAAAA=="), 0
    yield "25 MB", message_with(pictures.data_uri(pictures.encode(
        numpy.random.RandomState(3).randint(0, 256, (2048, 3010, 3)).astype(numpy.uint8), "PNG", compress_level=0))), 1


class MemoryOnly(unittest.TestCase):
    def judge(self, folder, rendered=True):
        found, programs = violations(folder)
        self.assertEqual(found, [])
        self.assertIn("pixmilter", programs)
        if rendered:
            self.assertIn("pixmilter-render", programs, "the workers were not watched")

    def patient(self):
        path = os.path.join(harness.temp_dir(self), "pixmilter.toml")
        with open(path, "w") as file:
            file.write(PATIENT)
        return path

    def test_the_watch_sees_files(self):
        """The test's own eyes: a program that writes is caught."""
        folder = harness.temp_dir(self)
        command = f"echo x > {folder}/made; mv {folder}/made {folder}/moved; rm {folder}/moved; : > /dev/null"
        harness.run(strace(folder) + ["/bin/sh", "-c", command], check=0)
        found, _ = violations(folder)
        self.assertEqual(len(found), 3, found)

    def test_rewrite(self):
        for name, message, count in messages():
            with self.subTest(message=name):
                folder, home = harness.temp_dir(self), harness.temp_dir(self)
                done = harness.run(strace(folder) + [harness.program(), "rewrite", "-c", self.patient()], input=message,
                                   timeout=600, check=0, env={**os.environ, "HOME": home, "TMPDIR": home})
                self.assertEqual(len(judge.images(judge.parse(done.stdout))), count, done.stderr)
                self.judge(folder, rendered=name not in ("embedding", "25 MB"))
                self.assertEqual(os.listdir(home), [])

    def test_no_worker_where_nothing_is_rendered(self):
        """Said in the issue of `rewrite`: it starts a worker only when something must be rendered."""
        folder = harness.temp_dir(self)
        harness.run(strace(folder) + [harness.program(), "rewrite"], input=message_with(pictures.data_uri(pictures.png())), check=0)
        self.assertNotIn("pixmilter-render", violations(folder)[1])

    def test_milter(self):
        harness.need_root()
        if not postfix.installed():
            self.skipTest("postfix is not installed")
        folder, traces, home = harness.temp_dir(self), harness.temp_dir(self), harness.temp_dir(self)
        with Sink() as sink:
            wrapper = ["/usr/bin/env", f"HOME={home}", f"TMPDIR={home}"] + strace(traces)
            with Served(folder, config=PATIENT, wrapper=wrapper) as milter:
                with postfix.Postfix(folder, sink.port, milter.postfix_spec) as mta:
                    for number, (name, message, count) in enumerate(messages()):
                        with self.subTest(message=name):
                            recipient = f"{number}@example.test"
                            code, text = mta.send("a@example.test", [recipient], message)
                            self.assertEqual(code, 250, text)
                            images = judge.images(judge.parse(sink.wait(recipient, 600).data))
                            self.assertEqual(len(images), count)
        self.judge(traces)
        self.assertEqual(sockets(traces), {milter.socket.split(":", 1)[1]})
        self.assertEqual(os.listdir(home), [])

    def test_commands(self):
        """Each of the commands that look at a message."""
        folder = harness.temp_dir(self)
        message = next(text for name, text, _ in messages() if name == "rendering")
        for words in (["explain"], ["explain", "--json"], ["check"]):
            with self.subTest(" ".join(words)):
                given = message if words != ["check"] else None
                harness.run(strace(folder) + [harness.program(), *words], input=given, timeout=600, check=0)
        self.judge(folder)


class Suites(unittest.TestCase):
    """Other suites, with every pixmilter that they start watched."""

    @classmethod
    def setUpClass(cls):
        if harness.sanitized():
            raise unittest.SkipTest("which files are opened other builds show; for sanitizers these run by themselves")

    def watched(self, suite, *patterns):
        if not os.path.exists(os.path.join(HERE, suite)):
            self.skipTest(f"{suite} is not there")
        folder, programs = harness.temp_dir(self), harness.temp_dir(self)
        wrapper = os.path.join(programs, "pixmilter")
        with open(wrapper, "w") as file:
            file.write("#!/bin/sh\nexec " + shlex.join([*strace(folder), harness.program()]) + ' "$@"\n')
        os.chmod(wrapper, 0o755)
        # Whoever the tests become writes traces as well.
        os.chmod(folder, 0o777)
        chosen = [word for pattern in patterns for word in ("-k", pattern)]
        done = harness.run([sys.executable, os.path.join(HERE, suite), "--build", harness.build_dir(), *chosen],
                           timeout=3000, env={**os.environ, "PIXMILTER_WATCHED": programs})
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr).decode(errors="replace")[-4000:])
        if done.stdout.startswith(b"skipped") and not traces(folder):
            self.skipTest(f"{suite} was skipped")
        found, seen = violations(folder)
        self.assertEqual(found, [])
        self.assertLessEqual({"pixmilter", "pixmilter-render"}, seen, "the workers were not watched")

    def test_postfix(self):
        self.watched("mta/postfix_test.py")

    def test_sendmail(self):
        self.watched("mta/sendmail_test.py")

    def test_every_array_and_format(self):
        self.watched("render/mailed_test.py")

    def test_protocol(self):
        self.watched("milter/protocol_test.py")

    def test_preview(self):
        """Its page is the one file that anybody asks for by name."""
        self.watched("preview/preview_test.py")

    def test_fetched(self):
        self.watched("source/fetch_test.py")

    def test_fetched_by_the_milter(self):
        self.watched("source/fetch_served_test.py")

    def test_fetched_from_other_machines(self):
        self.watched("source/fetch_internet_test.py")

    def test_processes(self):
        """Reloads, crashes and ends, among them."""
        self.watched("milter/processes_test.py", "reload", "killed", "sigterm", "configuration", "mode")

    def test_starting(self):
        self.watched("milter/starting_test.py", "configuration", "mode")


harness.main()
