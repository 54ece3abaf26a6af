#!/usr/bin/python3
"""Nobody reads a file through pixmilter that does not lie beneath the asset root.

A hundred and more ways to name something else - in asset: and file: URLs and in message/external-body - go
through `pixmilter rewrite` and through the milter. Three judges: the message, which has to come out with every
such reference as it was; inotify(7), which sees every open of the files outside; and strace(1), which sees what
any process of ours opened at all.
"""
# tests/run: timeout=1200

import ctypes
import html
import json
import os
import re
import socket
import stat
import struct
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "milter")]
import harness
import judge
import pictures
from running import Running

INSIDE, OUTSIDE = pictures.png(8, 6), pictures.png(8, 6, seed=7)
LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, RENAME_EXCHANGE = -100, 2
IN_ACCESS, IN_OPEN = 0x1, 0x20

HEAD = b"""From: a@example.test
To: b@example.test
Subject: escapes
MIME-Version: 1.0
"""

# What stands after asset:, and why it may lead nowhere. {out} is the path of a file outside, {up} enough ../ for /.
SPELLINGS = [
    "../outside/secret.png", "../../outside/secret.png", "sub/../../outside/secret.png", "./../outside/secret.png",
    "sub/./../../outside/secret.png", "..//outside/secret.png", "sub/..//../outside/secret.png", ".//../outside/secret.png",
    "%2e%2e/outside/secret.png", "%2E%2E/outside/secret.png", ".%2e/outside/secret.png", "%2e./outside/secret.png",
    "..%2foutside%2fsecret.png", "..%2Foutside/secret.png", "%2e%2e%2foutside%2fsecret.png", "sub%2f..%2f..%2foutside/secret.png",
    "%252e%252e/outside/secret.png", "%252e%252e%252foutside%252fsecret.png", "..%252foutside/secret.png",
    "%25252e%25252e/outside/secret.png", "..%c0%afoutside/secret.png", "%c0%ae%c0%ae/outside/secret.png",
    "%e0%80%ae%e0%80%ae/outside/secret.png", "..%ef%bc%8foutside/secret.png", "%uff0e%uff0e/outside/secret.png",
    "%u002e%u002e/outside/secret.png", "..\\outside\\secret.png", "..%5coutside%5csecret.png", "..\\/outside/secret.png",
    "sub\\..\\..\\outside\\secret.png", "{out}", "/{out}", "//{out}", "//localhost{out}", "%2f{out}", "%2F%2F{out}",
    "/%2e%2e{out}", "{up}{out}", "{up}etc/passwd", "/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd", "{up}etc/passwd%00.png",
    "logo.png/../../outside/secret.png", "logo.png%00/../../outside/secret.png", "logo.png%00", "%00logo.png",
    "logo.png/", "logo.png/.", "logo.png//", "sub", "sub/", "sub/.", ".", "..", "", "/", "//", "%2e", "%2e%2e", "%2f",
    "../root2/secret.png", "../root-b/secret.png", "../root/logo.png", "../root.png", "2/secret.png", "sub/../logo.png",
    "./logo.png", "sub/%2e%2e/logo.png", "~/secret.png", "~root/.profile", "$HOME/secret.png", "file:{out}", "file://{out}",
    "logo.png?../../outside/secret.png", "logo.png%3f/../../outside/secret.png", "..;/outside/secret.png", "...//outside/secret.png",
    "....//outside/secret.png", "..%09/outside/secret.png", "..%0a/outside/secret.png", "..%0d%0a/outside/secret.png",
    "..%20/outside/secret.png", "..%u2215outside/secret.png", "%%32%65%%32%65/outside/secret.png", "%2/%2e%2e/outside/secret.png",
    "%zz../outside/secret.png", "{up}proc/self/environ", "{up}proc/self/root{out}", "{up}proc/self/cwd/secret.png",
    "{up}dev/zero", "{up}dev/stdin", "{up}dev/fd/0", "{up}sys/kernel/notes", "&#46;&#46;/outside/secret.png",
    "&period;&period;&sol;outside&sol;secret.png", "\\2e\\2e/outside/secret.png",
]

# What lies beneath the root and is no file of the administrator's: see Playground.
OBJECTS = [
    "link-file", "link-absolute", "link-chain", "link-dangling", "link-self", "link-inside", "link-dir/secret.png",
    "link-dir-absolute/secret.png", "link-dir-inside/pic.png", "link-up/outside/secret.png", "link-root{out}", "link-proc",
    "link-proc-root{out}", "link-proc-fd/0", "link-dev", "link-slash/etc/passwd", "sub/link-file", "sub/deep/link-dir/secret.png",
    "fifo", "socket", "folder", "folder/", "hard", "sub/hard", "empty", "huge", "text", "none", "none/secret.png", "logo.png/secret.png",
    "link-fifo", "link-folder", "link-hard", "device", "device-block",
]


class Playground:
    """A root with all that may be in one, and what lies beside it."""

    def __init__(self, test):
        self.top = os.path.realpath(harness.temp_dir(test))
        self.root = os.path.join(self.top, "root")
        for folder in ("root/sub/deep", "root/folder", "root/inside", "root2", "root-b", "outside"):
            os.makedirs(os.path.join(self.top, folder))
        self.secrets = [os.path.join(self.top, name) for name in
                        ("outside/secret.png", "root2/secret.png", "root-b/secret.png", "root.png", "secret.png", "outside/hard.png")]
        for path in self.secrets:
            self.put(path, OUTSIDE)
        self.out = self.secrets[0]
        for name in ("logo.png", "sub/logo.png", "inside/pic.png"):
            self.put(os.path.join(self.root, name), INSIDE)
        links = {"link-file": "../outside/secret.png", "link-absolute": self.out, "link-chain": "link-file", "link-dangling": "gone",
                 "link-self": "link-self", "link-inside": "logo.png", "link-dir": "../outside", "link-dir-absolute": os.path.dirname(self.out),
                 "link-dir-inside": "inside", "link-up": "..", "link-root": "/", "link-proc": "/proc/self/environ",
                 "link-proc-root": "/proc/self/root", "link-proc-fd": "/proc/self/fd", "link-dev": "/dev/zero", "link-slash": "/",
                 "sub/link-file": "../../outside/secret.png", "sub/deep/link-dir": "../../../outside", "link-fifo": "fifo",
                 "link-folder": "folder", "link-hard": "hard"}
        for name, target in links.items():
            os.symlink(target, os.path.join(self.root, name))
        os.mkfifo(os.path.join(self.root, "fifo"))
        listener = socket.socket(socket.AF_UNIX)
        test.addClassCleanup(listener.close)
        listener.bind(os.path.join(self.root, "socket"))
        os.link(self.secrets[5], os.path.join(self.root, "hard"))
        os.link(self.secrets[5], os.path.join(self.root, "sub/hard"))
        self.put(os.path.join(self.root, "empty"), b"")
        self.put(os.path.join(self.root, "text"), b"just words\n")
        with open(os.path.join(self.root, "huge"), "wb") as file:
            file.write(INSIDE)
            file.truncate(1 << 30)
        try:
            os.mknod(os.path.join(self.root, "device"), stat.S_IFCHR | 0o666, os.makedev(1, 5))
            os.mknod(os.path.join(self.root, "device-block"), stat.S_IFBLK | 0o666, os.makedev(7, 0))
        except PermissionError:
            pass  # only root makes devices; the names then lead to nothing

    @staticmethod
    def put(path, data):
        with open(path, "wb") as file:
            file.write(data)

    def config(self, more=""):
        return f'[assets]\nroot = "{self.root}"\n[defaults]\nsources = ["data", "part", "svg", "asset", "file"]\n{more}'

    def names(self):
        """What stands after asset: for each escape."""
        fill = {"out": self.out, "up": "../" * 20}
        return [re.sub(r"\{(out|up)\}", lambda found: fill[found[1]], name) for name in SPELLINGS + OBJECTS]

    def urls(self):
        """Each escape as asset: URL and, beneath and beside the root's path, as file: URL."""
        names = self.names()
        found = ["asset:" + name for name in names]
        found += [f"file://{self.root}/{name}" for name in names if not name.startswith("&")]
        out = self.out
        found += [f"file://{out}", f"file:{out}", f"file://localhost{out}", f"FILE:///{out}", f"file:////{out}", f"file://{self.root}",
                  f"file://{self.root}/", f"file://{self.root}2/secret.png", f"file://{self.root}-b/secret.png", f"file://{self.root}.png",
                  f"file://{self.root}/../outside/secret.png", f"file://{self.top}/root/../outside/secret.png", f"file://{self.top}/./root/logo.png",
                  f"file://{self.top}//root/logo.png", f"file://host{self.root}/logo.png", f"file://127.0.0.1{self.root}/logo.png",
                  f"file://root@localhost{self.root}/logo.png", f"file://localhost:80{self.root}/logo.png",
                  f"file:{self.root[1:]}/logo.png", "file:logo.png", "file:", "file://", "file:///", "file:///etc/passwd",
                  "file:/etc/passwd", "file:///proc/self/environ", "file:///dev/zero", "file:///C:/secret.png", "file:\\\\host\\secret.png",
                  f"file://{self.root.replace('/root', '/%72oot')}%2f..%2foutside/secret.png", f"asset:file:{out}", f"asset://{out}",
                  f"ASSET:{out}"]
        return found


class Watch:
    """Every open of and read from some files, by whatever name (inotify watches inodes)."""

    def __init__(self, test, paths):
        self.fd = LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self.fd >= 0
        test.addCleanup(os.close, self.fd)
        self.paths = {}
        for path in paths:
            wd = LIBC.inotify_add_watch(self.fd, path.encode(), IN_OPEN | IN_ACCESS)
            assert wd >= 0, path
            self.paths[wd] = path

    def seen(self):
        found = set()
        while True:
            try:
                data = os.read(self.fd, 65536)
            except BlockingIOError:
                return found
            while data:
                wd, _, _, length = struct.unpack_from("iIII", data)
                found.add(self.paths[wd])
                data = data[16 + length:]


def quoted(url):
    """As an attribute value; some escapes are written with character references of their own."""
    return url if "&" in url else html.escape(url, quote=True)


def in_html(urls, good="asset:logo.png"):
    """A message with each URL in a line of its own, and one that is fine."""
    lines = "".join(f'<img src="{quoted(url)}" alt="{number}">\n' for number, url in enumerate(urls))
    return HEAD + b"Content-Type: text/html; charset=utf-8\n\n" + f'{lines}<img src="{good}" alt="good">\n'.encode()


def as_external(names, good="logo.png"):
    """A mixed message whose parts name the files that are wanted as attachments."""
    def part(parameters):
        return (f"--mix\nContent-Type: message/external-body; {parameters}\n\n"
                "Content-Type: image/png\nContent-ID: <x@example.test>\n\n\n")

    def value(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    parts = [part(f"access-type=local-file; name={value(name)}") for name in names if name]
    parts += [part(f"access-type=local-file; directory={value(os.path.dirname(name))}; name={value(os.path.basename(name))}")
              for name in names if "/" in name.strip("/")]
    parts += [part(f"access-type=URL; URL={value('asset:' + name)}") for name in names]
    encoded = "".join("%%%02X" % byte for byte in b"../outside/secret.png")
    parts += [part(f"access-type=local-file; name*=utf-8''{encoded}"),
              part("access-type=local-file; name*0=\"../outs\"; name*1=\"ide/secret.png\""),
              part("access-type=local-file; directory=\"..\"; name=\"outside/secret.png\""),
              part("access-type=local-file; directory=\"sub/../..\"; name=\"outside/secret.png\""),
              part("access-type=local-file; name=\"logo.png\"; name=\"../outside/secret.png\"")]
    body = "".join(parts) + "--mix\n" + part(f"access-type=local-file; name={good}")[len("--mix\n"):] + "--mix--\n"
    return HEAD + b'Content-Type: multipart/mixed; boundary="mix"\n\n' + body.encode(), len(parts)


class Escapes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ground = Playground(cls)
        cls.policy = os.path.join(cls.ground.top, "policy.toml")
        cls.ground.put(cls.policy, cls.ground.config("max_images = 1000\n").encode())

    def setUp(self):
        self.watch = Watch(self, self.ground.secrets)

    def rewrite(self, message, *before, command="rewrite", options=()):
        return harness.run([*before, harness.program(), command, "-c", self.policy, *options], input=message, check=0).stdout

    def check_html(self, given, out):
        """Every line of the message as it was but the last, whose picture is inside."""
        self.assertNotIn(OUTSIDE, [image.get_payload(decode=True) for image in judge.images(judge.parse(out))])
        message = judge.parse(out)
        self.assertEqual([image.get_payload(decode=True) for image in judge.images(message)], [INSIDE])
        lines = judge.html_text(judge.html_parts(message)[0]).splitlines()
        before = judge.html_text(judge.html_parts(judge.parse(given))[0]).splitlines()
        self.assertRegex(lines[len(before) - 1], r'^<img src="cid:[^"]+" alt="good">$')
        for was, now in zip(before[:-1], lines):
            with self.subTest(reference=was):
                self.assertEqual(now, was)
        with harness.promise():
            self.assertEqual(self.watch.seen(), set())

    def check_external(self, given, out, count):
        # Python's parser takes the header within a message/external-body for a part without content.
        images = [image.get_payload(decode=True) for image in judge.images(judge.parse(out))]
        self.assertEqual([image for image in images if image], [INSIDE])
        before = given.replace(b"\r\n", b"\n").split(b"--mix")
        after = out.replace(b"\r\n", b"\n").split(b"--mix")
        self.assertEqual(len(after), len(before))
        for was, now in list(zip(before, after))[1:count + 1]:
            with self.subTest(part=was):
                self.assertEqual(now, was)
        with harness.promise():
            self.assertEqual(self.watch.seen(), set())

    def test_watch_sees(self):
        # The judge has eyes: by another name, too.
        for path in (self.ground.out, os.path.join(self.ground.root, "link-file"), os.path.join(self.ground.root, "hard")):
            with open(path, "rb") as file:
                file.read()
            self.assertNotEqual(self.watch.seen(), set(), path)

    def test_in_html(self):
        urls = self.ground.urls()
        self.assertGreater(len(urls), 200)
        given = in_html(urls)
        self.check_html(given, self.rewrite(given))

    def test_in_every_place(self):
        for url in ("asset:../outside/secret.png", "asset:%2e%2e/outside/secret.png", "asset:link-file", "asset:link-dir/secret.png",
                    "asset:hard", f"file://{self.ground.out}", f"file://{self.ground.root}/../outside/secret.png"):
            text = (f'<style>p {{ background: url({url}) }}</style><body background="{url}"><p style="background:url(\'{url}\')">'
                    f'<img src="{url}" srcset="{url} 1x, {url} 2x"><input type="image" src="{url}">'
                    f'<!--[if mso]><v:fill src="{url}" /><![endif]--></body>\n')
            given = HEAD + b"Content-Type: text/html; charset=utf-8\n\n" + text.encode()
            with self.subTest(url=url):
                self.assertEqual(self.rewrite(given), given)
        with harness.promise():
            self.assertEqual(self.watch.seen(), set())

    def test_as_external_body(self):
        given, count = as_external(self.ground.names())
        self.assertGreater(count, 200)
        self.check_external(given, self.rewrite(given), count)

    def test_where_no_rule_allows_it(self):
        # file: is not among the sources, or nothing is.
        good = f"file://{self.ground.root}/logo.png"
        given = in_html([good], good=good)
        for sources in ('sources = ["data", "asset"]', 'sources = ["data"]'):
            self.ground.put(self.policy, f'[assets]\nroot = "{self.ground.root}"\n[defaults]\n{sources}\n'.encode())
            self.addCleanup(self.ground.put, self.policy, self.ground.config("max_images = 1000\n").encode())
            self.assertEqual(self.rewrite(given), given)
        given = in_html(["asset:sub/logo.png"])
        self.assertEqual(self.rewrite(given), given)
        given, _ = as_external(["sub/logo.png"])
        self.assertEqual(self.rewrite(given), given)

    def test_says_why(self):
        urls = ["asset:../outside/secret.png", "asset:link-file", "asset:hard", "asset:fifo", "asset:huge", "asset:none", "asset:folder"]
        said = json.loads(self.rewrite(in_html(urls), command="explain", options=["--json"]))["pictures"]
        for url, picture, words in zip(urls, said, ("..", "symbolic link", "hard link", "no regular file", "max_bytes", "no such asset", "folder")):
            with self.subTest(url=url):
                self.assertEqual((picture["source"], picture["decision"], picture["failed"]), ("asset", "keep", True))
                self.assertIn(words, picture["reason"])
                self.assertIn(url[len("asset:"):], picture["reason"] + picture["label"])

    def test_under_strace(self):
        strace = harness.need_program("strace")
        trace = os.path.join(self.ground.top, "trace")
        given = in_html(self.ground.urls())
        out = self.rewrite(given, strace, "-f", "-qq", "-y", "-s", "4096", "-e", "signal=none", "-e",
                           "trace=open,openat,openat2,creat,open_by_handle_at", "-o", trace)
        self.check_html(given, out)
        with open(trace, errors="replace") as file:
            opened = [(found[1], line) for line in file for found in [re.search(r"= \d+<([^>]*)>$", line.strip())] if found]
        # What is asked of the asset root, the kernel is told to keep there; what is read is what was found so.
        asked = [line for path, line in opened if path.startswith(self.ground.root + "/")]
        self.assertTrue(any("logo.png" in line for line in asked))
        looked_at = {}  # descriptor -> path
        for line in asked:
            number, path = re.search(r"= (\d+)<([^>]*)>$", line.strip()).groups()
            if again := re.search(r'openat\(\S+, "/proc/self/fd/(\d+)", O_RDONLY', line):
                self.assertEqual(looked_at.get(again[1]), path, line)
                continue
            self.assertIn("RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_BENEATH", line)
            self.assertIn("O_PATH", line)
            looked_at[number] = path
        allowed = {self.policy, self.ground.root}
        for path, line in opened:
            if path.startswith(self.ground.top + "/") and path not in allowed and not path.startswith(self.ground.root + "/"):
                self.fail("opened: " + line)
            if re.match(r"/etc/(passwd|shadow)$|/proc/\d+/environ|/dev/zero$|/sys/kernel/notes", path) and "openat2" in line:
                self.fail("opened: " + line)
            if "O_PATH" not in line and path.startswith(self.ground.root + "/"):
                self.assertIn(os.path.relpath(path, self.ground.root), ("logo.png", "sub/logo.png", "inside/pic.png", "text"), line)

    def test_by_the_milter(self):
        milter = Running(self, config=self.ground.config("max_images = 1000\n"))
        given = in_html(self.ground.urls())
        self.check_html(given, milter.send(given).message)
        given, count = as_external(self.ground.names())
        self.check_external(given, milter.send(given).message, count)
        # Another root takes effect with a reload.
        with open(milter.config, "w") as file:
            file.write(f'[assets]\nroot = "{self.ground.root}/sub"\n')
        os.replace(os.path.join(self.ground.root, "inside/pic.png"), os.path.join(self.ground.root, "sub/pic.png"))
        self.addCleanup(os.replace, os.path.join(self.ground.root, "sub/pic.png"), os.path.join(self.ground.root, "inside/pic.png"))
        given = in_html(["asset:inside/pic.png"], good="asset:pic.png")
        self.assertEqual(judge.images(judge.parse(milter.send(given).message)), [])
        milter.signal(1)

        def served():
            return [image.get_payload(decode=True) for image in judge.images(judge.parse(milter.send(given).message))] == [INSIDE]
        deadline = time.monotonic() + 60
        while not served():
            self.assertLess(time.monotonic(), deadline, milter.log())
            time.sleep(0.1)
        self.assertEqual(milter.stop(), 0)


class Races(unittest.TestCase):
    """While a message is looked at, somebody exchanges what lies beneath the root for ways out of it."""
    NAMES = 120

    def setUp(self):
        self.top = os.path.realpath(harness.temp_dir(self))
        self.root = os.path.join(self.top, "root")
        for folder in ("root/swap", "outside"):
            os.makedirs(os.path.join(self.top, folder))
        for number in range(self.NAMES):
            Playground.put(os.path.join(self.root, "swap", f"{number}.png"), INSIDE)
            Playground.put(os.path.join(self.top, "outside", f"{number}.png"), OUTSIDE)
        self.policy = os.path.join(self.top, "policy.toml")
        Playground.put(self.policy, f'[assets]\nroot = "{self.root}"\n'.encode())
        self.watch = Watch(self, [os.path.join(self.top, "outside", f"{number}.png") for number in range(self.NAMES)])

    def race(self, one, other, urls, rounds=12, until=lambda served, kept: True):
        """Rewrites while two names are exchanged as fast as can be, `rounds` times and on until `until` is met; how
        many references were served and kept."""
        done, swaps = threading.Event(), [0]

        def swap():
            while not done.is_set():
                assert LIBC.renameat2(AT_FDCWD, one.encode(), AT_FDCWD, other.encode(), RENAME_EXCHANGE) == 0
                swaps[0] += 1
                # An odd number: where another process gets the processor here, it finds each of the two states in turn.
                if swaps[0] % 63 == 0:
                    time.sleep(0)
        thread = threading.Thread(target=swap)
        thread.start()
        served = kept = done_rounds = 0
        try:
            while done_rounds < rounds or done_rounds < 20 * rounds and not (swaps[0] > 100 and until(served, kept)):
                done_rounds += 1
                given = in_html(urls[:-1], good=urls[-1])
                out = harness.run([harness.program(), "rewrite", "-c", self.policy], input=given, check=0).stdout
                message = judge.parse(out)
                for image in judge.images(message):
                    self.assertEqual(image.get_payload(decode=True), INSIDE)
                text = judge.html_text(judge.html_parts(message)[0])
                served += text.count('src="cid:')
                kept += text.count('src="asset:')
        finally:
            done.set()
            thread.join()
        self.assertEqual(served + kept, done_rounds * len(urls))
        self.assertGreater(swaps[0], 100)
        with harness.promise():
            self.assertEqual(self.watch.seen(), set())
        return served, kept

    def test_folder_for_a_link(self):
        os.symlink("../outside", os.path.join(self.root, "link"))
        served, kept = self.race(os.path.join(self.root, "swap"), os.path.join(self.root, "link"),
                                 [f"asset:swap/{number}.png" for number in range(self.NAMES)],
                                 until=lambda served, kept: served and kept)
        self.assertGreater(served, 0)
        self.assertGreater(kept, 0)

    def test_folder_for_one_outside(self):
        # The folder itself leaves the root while it is looked into: openat2 follows it nowhere with "..".
        os.makedirs(os.path.join(self.top, "parking/swap"))
        self.race(os.path.join(self.root, "swap"), os.path.join(self.top, "parking/swap"),
                  [f"asset:swap/{number}.png" for number in range(self.NAMES)])

    def test_file_for_a_link_and_a_fifo(self):
        Playground.put(os.path.join(self.root, "file.png"), INSIDE)
        urls = [f"asset:file.png#{number}" for number in range(3)]
        for name, make in (("link", lambda path: os.symlink("../outside/0.png", path)), ("fifo", os.mkfifo),
                           ("hard", lambda path: os.link(os.path.join(self.top, "outside/1.png"), path))):
            make(os.path.join(self.root, name))
            self.race(os.path.join(self.root, "file.png"), os.path.join(self.root, name), urls, rounds=8)
            now = os.lstat(os.path.join(self.root, "file.png"))
            if not stat.S_ISREG(now.st_mode) or now.st_nlink != 1:
                os.replace(os.path.join(self.root, name), os.path.join(self.root, "file.png"))


harness.main()
