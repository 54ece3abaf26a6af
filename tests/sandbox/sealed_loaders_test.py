#!/usr/bin/python3
"""Each loader within the seal, whoever starts it and whatever the kernel has; and which pictures share a worker."""
# tests/run: timeout=3600

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), HERE]
import numpy
from PIL import Image

import harness
from sealed import EPERM, ENOSYS, LANDLOCK, NOBODY, UNSHARE, Tool, sample_files


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


if __name__ == "__main__":
    harness.main()
