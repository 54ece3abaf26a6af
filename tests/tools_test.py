#!/usr/bin/python3
"""The tools that judge everything else are judged here: .ci/floors, tests/run's pieces, the harness.

A check that can no longer fail looks like one that passes; so each is shown something wrong.
"""

import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import harness

FLOORS = os.path.join(harness.ROOT, ".ci", "floors")
SUPERVISE = os.path.join(harness.ROOT, "tests", "lib", "supervise.py")
PYTHON = "/usr/bin/python3"


class Floors(unittest.TestCase):
    def check(self, **files):
        """Runs the check over a tree of these files; gives what it printed."""
        root = harness.temp_dir(self)
        for name, text in files.items():
            path = os.path.join(root, "src", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
        done = harness.run([FLOORS, root])
        self.assertEqual(done.returncode, 1 if done.stdout else 0, done)
        return done.stdout.decode()

    def test_own_and_lower_floors_are_fine(self):
        self.assertEqual(self.check(**{"base/a.h": "", "mail/b.h": '#include "base/a.h"\n#include <gmime/gmime.h>\n',
                                       "mail/b.cc": '#include "mail/b.h"\n'}), "")

    def test_a_higher_floor_is_named_with_its_line(self):
        out = self.check(**{"base/a.cc": '#include <string>\n#include "core/c.h"\n', "core/c.h": ""})
        self.assertIn("src/base/a.cc:2: src/base (floor 0) may not include src/core (floor 4)", out)

    def test_a_neighbour_of_the_same_floor(self):
        self.assertIn("src/html/a.cc:1:", self.check(**{"html/a.cc": '#include "mail/b.h"\n', "mail/b.h": ""}))

    def test_doors(self):
        for header in ("vips/vips.h", "gmime/gmime.h", "libmilter/mfapi.h", "toml++/toml.h", "curl/curl.h",
                       "hiredis/hiredis.h", "CLI/CLI.hpp", "glib.h"):
            with self.subTest(header=header):
                self.assertIn("src/core/a.cc:1:", self.check(**{"core/a.cc": f"#  include <{header}>\n"}))
                self.assertIn("src/core/a.cc:1:", self.check(**{"core/a.cc": f'#include "{header}"\n'}))

    def test_what_render_reaches_through_others(self):
        out = self.check(**{"render/r.cc": '#include "worker/wire.h"\n', "worker/wire.h": '#include "mail/m.h"\n',
                            "mail/m.h": ""})
        self.assertIn("src/worker/wire.h:1:", out)
        out = self.check(**{"render/r.cc": '#include "worker/pool.h"\n', "worker/pool.h": ""})
        self.assertIn("src/render/r.cc:1:", out)
        out = self.check(**{"main/pixmilter_render.cc": '#include "core/c.h"\n', "core/c.h": ""})
        self.assertIn("src/main/pixmilter_render.cc:1:", out)
        out = self.check(**{"main/pixmilter.cc": '#include "render/r.h"\n', "render/r.h": ""})
        self.assertIn("src/main/pixmilter.cc:1:", out)

    def test_ways_round_and_unknown_folders(self):
        self.assertIn("src/mail/a.cc:1:", self.check(**{"mail/a.cc": '#include "../core/c.h"\n', "core/c.h": ""}))
        self.assertIn("src/util/a.cc:1:", self.check(**{"util/a.cc": ""}))

    def test_no_sources_is_no_success(self):
        self.assertNotEqual(harness.run([FLOORS, harness.temp_dir(self)]).returncode, 0)


class Counting(unittest.TestCase):
    def run_file(self, body):
        path = os.path.join(harness.temp_dir(self), "x_test.py")
        with open(path, "w") as file:
            file.write(f"import sys, unittest\nsys.path.insert(0, {os.path.dirname(SUPERVISE)!r})\nimport harness\n"
                       f"{textwrap.dedent(body)}\nharness.main()\n")
        done = harness.run([PYTHON, path])
        return done.returncode, done.stdout.decode().splitlines()

    def test_counts(self):
        status, lines = self.run_file("""
            class T(unittest.TestCase):
                def test_a(self): pass
                def test_b(self): self.fail("no")
                def test_c(self): self.skipTest("no moon tonight")
                def test_d(self): raise ValueError("bad")
                def test_e(self):
                    for i in range(3):
                        with self.subTest(i=i): self.assertEqual(i, 1)
            class U(unittest.TestCase):
                @classmethod
                def setUpClass(cls): raise unittest.SkipTest("no root")
                def test_a(self): pass
                def test_b(self): pass
            """)
        self.assertEqual(lines[-1], "1 passed, 4 failed, 3 skipped")
        self.assertIn("skipped U (2 tests): no root", lines)
        self.assertIn("skipped T.test_c: no moon tonight", lines)
        self.assertEqual(status, 1)

    def test_nothing_is_no_success(self):
        self.assertEqual(self.run_file("")[0], 1)

    def test_success(self):
        self.assertEqual(self.run_file("class T(unittest.TestCase):\n    def test_a(self): pass\n"),
                         (0, ["1 passed, 0 failed, 0 skipped"]))


class Repeating(unittest.TestCase):
    """tests/run over a tree of one suite, whose test passes from its second run on."""

    def run_suite(self, failing, *options):
        root = harness.temp_dir(self)
        tests = os.path.join(root, "tests")
        shutil.copytree(os.path.join(harness.ROOT, "tests", "lib"), os.path.join(tests, "lib"))
        shutil.copy(os.path.join(harness.ROOT, "tests", "run"), tests)
        with open(os.path.join(tests, "some_test.py"), "w") as file:
            file.write(textwrap.dedent(f"""
                import os, sys, unittest
                sys.path.insert(0, os.path.join({tests!r}, "lib"))
                import harness
                class T(unittest.TestCase):
                    def test_a(self): pass
                    def test_b(self):
                        with open({root!r} + "/runs", "a+") as file:
                            file.write("x")
                            file.seek(0)
                            runs = len(file.read())
                        {failing}
                harness.main()
                """))
        done = harness.run([PYTHON, os.path.join(tests, "run"), "some_test", "--build", root, *options])
        return done.returncode, done.stdout.decode()

    def test_a_suite_that_passes_the_second_time(self):
        status, output = self.run_suite("self.assertGreater(runs, 1, 'too early')")
        self.assertEqual((status, output.splitlines()[-1]), (0, "2 passed, 0 failed, 0 skipped"))
        # What it said the first time stands near the end as well.
        self.assertIn("too early", output[output.index("UNSTEADY some_test.py"):])

    def test_a_suite_that_does_not(self):
        status, output = self.run_suite("self.assertGreater(runs, 2)")
        self.assertEqual((status, output.splitlines()[-1]), (1, "1 passed, 1 failed, 0 skipped"))
        self.assertNotIn("UNSTEADY", output)

    def test_none_begins_when_time_is_over(self):
        status, output = self.run_suite("self.fail()", "--until", str(int(time.time()) - 1))
        self.assertEqual((status, output.splitlines()[-1]), (0, "0 passed, 0 failed, 1 skipped"))
        self.assertIn("skipped some_test.py, all of it: no time was left", output)
        self.assertEqual(self.run_suite("self.fail()", "--until", str(int(time.time()) + 600))[0], 1)

    def test_not_where_the_first_run_is_to_count(self):
        self.assertEqual(self.run_suite("self.assertGreater(runs, 1)", "--once")[0], 1)

    def test_not_where_a_promise_was_broken(self):
        status, output = self.run_suite("with harness.promise(): self.assertGreater(runs, 1)")
        self.assertEqual((status, output.splitlines()[-1]), (1, "1 passed, 1 failed, 0 skipped"))
        self.assertIn("PROMISE BROKEN: 1 not greater than 1", output)


class Supervision(unittest.TestCase):
    def supervise(self, seconds, command):
        return harness.run([PYTHON, SUPERVISE, str(seconds), "/bin/sh", "-c", command])

    def test_status_goes_through(self):
        self.assertEqual(self.supervise(60, "exit 7").returncode, 7)
        self.assertEqual(self.supervise(60, "true").returncode, 0)
        self.assertEqual(self.supervise(60, "kill -SEGV $$").returncode, 128 + 11)

    def test_a_hang_ends(self):
        # In which the shell comes as far as its sleep.
        done = self.supervise(5, "echo begun; sleep 1000")
        self.assertEqual(done.returncode, 124)
        self.assertIn(b"begun", done.stdout)
        self.assertIn(b"not done after 5 s", done.stdout)
        self.assertIn(b"sleep 1000", done.stdout)

    def test_a_daemon_that_was_left_is_ended_and_named(self):
        # Until it is what it will be called: on a busy machine its shell may come no further before ours ends.
        file = os.path.join(harness.temp_dir(self), "pid")
        done = self.supervise(60, f"setsid sh -c 'sleep 1234 & echo $! > {file}' &"
                                  f" until grep -qs ^sleep /proc/$(cat {file})/cmdline; do sleep 0.01; done 2>/dev/null")
        self.assertEqual(done.returncode, 124)
        self.assertIn(b"left running", done.stdout)
        pid = int(re.search(rb"(\d+) sleep 1234", done.stdout).group(1))
        self.assertFalse(os.path.exists(f"/proc/{pid}"))


class Programs(unittest.TestCase):
    def test_only_the_render_program_links_libvips(self):
        def libraries(name):
            return subprocess.run(["ldd", harness.program(name)], stdout=subprocess.PIPE, check=True).stdout.decode()

        # With what libvips brings along: no image decoder is mapped into the front.
        self.assertNotRegex(libraries("pixmilter"), r"libvips|libjpeg|libpng|libtiff|libwebp|librsvg|libheif|libgif")
        self.assertIn("libvips", libraries("pixmilter-render"))
        self.assertNotRegex(libraries("pixmilter-render"), "libgmime|libmilter")

    def test_hardening(self):
        if harness.sanitized():
            self.skipTest("a sanitizer build")
        for name in ("pixmilter", "pixmilter-render"):
            with self.subTest(program=name):
                told = subprocess.run(["readelf", "-Whld", harness.program(name)], stdout=subprocess.PIPE,
                                      check=True).stdout.decode()
                for wanted in (r"Type: +DYN", "GNU_RELRO", "BIND_NOW", r"GNU_STACK[^\n]* RW  "):
                    self.assertTrue(re.search(wanted, told), f"readelf says no {wanted}")
                # The ELF note is no measure: Debian's own start files lack it.
                code = subprocess.run(["objdump", "-d", "--disassemble=main", harness.program(name)],
                                      stdout=subprocess.PIPE, check=True).stdout.decode()
                self.assertTrue("endbr64" in code, "main has no landing pad for CET")


class Readme(unittest.TestCase):
    """What can be run without a mail server; its Python examples are run by mta/postfix_test.py."""

    def blocks(self, language):
        with open(os.path.join(harness.ROOT, "README.md")) as file:
            return re.findall(rf"```{language}\n(.*?)```", file.read(), re.S)

    def test_its_configuration_is_valid(self):
        for number, text in enumerate(self.blocks("toml")):
            path = os.path.join(harness.temp_dir(self), f"{number}.toml")
            with open(path, "w") as file:
                file.write(text)
            harness.run([harness.program(), "check", "-c", path], check=0)

    def test_the_files_it_names_are_there(self):
        with open(os.path.join(harness.ROOT, "README.md")) as file:
            names = re.findall(r"\]\(([^)#:]+)\)", file.read())
        self.assertGreater(len(names), 3)
        for name in names:
            self.assertTrue(os.path.exists(os.path.join(harness.ROOT, name)), name)

    def test_before_gives_after(self):
        """The README's before, completed, becomes its after, but for what is cut short there."""
        import pictures

        before, after = self.blocks("")[:2]
        uri = pictures.data_uri(pictures.png())
        message = "From: a@example.test\nMIME-Version: 1.0\n" + re.sub(r"data:[^\"]*", uri, before)
        out = harness.run([harness.program(), "rewrite"], input=message.encode(), check=0).stdout.decode()
        pattern = re.escape(after.strip()).replace("…", r".+?")
        # Folded as the program folds, and the version that it is.
        pattern = re.sub(r"(?:\\ )+", r"\\s+", pattern).replace(r"0\.1\.0", r"[0-9.]+")
        pattern = re.sub(r"iVBORw0KGgo\S*", ".+", pattern)
        self.assertRegex(out, re.compile(pattern, re.S))


harness.main()
