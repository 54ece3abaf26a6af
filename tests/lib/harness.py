"""What every Python test file shares: the command line, the counting, the way to the programs.

A test file is a unittest module that ends with `harness.main()`. It can be run alone,
    tests/mail/judge_test.py --build build [-v] [-k PATTERN]
and prints a line for each skipped test with its reason, the details of each failure, and as its last line
    N passed, N failed, N skipped
which tests/run adds up. A comment line in the file tells tests/run how to treat it:
    # tests/run: timeout=1200 alone
(seconds; `alone`: nothing else runs at the same time, for what measures time).
"""

import argparse
import contextlib
import fnmatch
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

import sanitizers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_build = os.path.join(ROOT, "build")
_verbose = False


def build_dir():
    """The absolute path of the build tree under test."""
    return _build


def use_build(folder):
    """From here on that build tree is under test."""
    global _build
    _build = os.path.abspath(folder)
    os.environ.update(sanitizers.environment(_build))


def program(name="pixmilter"):
    """The absolute path of one of the programs; a test that needs it fails when it is not there.

    Where PIXMILTER_WATCHED names a folder (memory_only_test.py), the one of that name in it is taken first.
    """
    path = os.path.join(_build, name)
    if not os.access(path, os.X_OK):
        raise AssertionError(f"{path} is not built")
    watched = os.path.join(os.environ.get("PIXMILTER_WATCHED", "/nonexistent"), name)
    return watched if os.access(watched, os.X_OK) else path


def sanitized(by=""):
    """True when the build tree is one with sanitizers (their memory and time are no measure), or with that one."""
    return sanitizers.is_sanitized(_build, by)


def temp_dir(test):
    """A fresh folder that goes away with the test (a TestCase or a TestCase class)."""
    holder = tempfile.TemporaryDirectory(prefix="pix-")
    cleanup = test.addClassCleanup if isinstance(test, type) else test.addCleanup
    cleanup(holder.cleanup)
    # Postfix's daemons give up root and still have to get through.
    os.chmod(holder.name, 0o755)
    return holder.name


def run(arguments, input=None, timeout=180, check=None, **more):
    """Runs a program with bytes in and bytes out; check: the exit status that it must end with."""
    done = subprocess.run(arguments, input=input, stdin=None if input is not None else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, **more)
    if check is not None and done.returncode != check:
        raise AssertionError(f"{' '.join(map(str, arguments))}: exit status {done.returncode}, not {check}\n"
                             f"{done.stderr[-4000:].decode(errors='replace')}")
    return done


def need_root():
    """For a test or setUpClass: skips, with the reason, when not root."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root")


def need_program(*names):
    """Skips when a program is not on the machine; gives the path of the first."""
    import shutil
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin"
    found = [shutil.which(name, path=path) for name in names]
    for name, where in zip(names, found):
        if not where:
            raise unittest.SkipTest(f"{name} is not installed")
    return found[0]


@contextlib.contextmanager
def promise():
    """What is asserted in it no machine can excuse (a mail lost, a file opened, a host reached): where it fails, the
    suite is not run again (tests/run)."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"PROMISE BROKEN: {error}") from None


class _Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.passed = 0
        self.failed = 0
        self.skips = 0
        self.tests_of = {}  # how many tests a class has
        self._before = 0
        self._start = 0.0

    def startTest(self, test):
        super().startTest(test)
        self._before = self.failed + self.skips
        self._start = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        if self.failed + self.skips == self._before:
            self.passed += 1
            if _verbose:
                print(f"ok      {_name(test)} ({time.monotonic() - self._start:.2f} s)", flush=True)

    def _fail(self, test, error):
        self.failed += 1
        print(f"FAILED  {_name(test)}\n{_indent(self._exc_info_to_string(error, test))}", flush=True)

    def addError(self, test, err):
        self._fail(test, err)

    def addFailure(self, test, err):
        self._fail(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._fail(subtest, err)

    def addSkip(self, test, reason):
        name, count = _name(test), 1
        if not isinstance(test, unittest.TestCase):
            # A whole class, skipped in its setUpClass: each of its tests counts.
            found = re.search(r"\((?:.*\.)?(\w+)\)", name)
            count = self.tests_of.get(found.group(1), 1) if found else 1
            name = f"{found.group(1)} ({count} tests)" if found else name
        self.skips += count
        print(f"skipped {name}: {' '.join(reason.split())}", flush=True)

    def addExpectedFailure(self, test, err):
        # Not used here: what is known to fail is a failure or does not exist.
        self._fail(test, err)

    def addUnexpectedSuccess(self, test):
        self.failed += 1
        print(f"FAILED  {_name(test)}: passed although it was expected to fail", flush=True)


def _name(test):
    name = str(test)
    if isinstance(test, unittest.TestCase):
        name = test.id().replace("__main__.", "")
    elif hasattr(test, "test_case"):  # a subtest
        name = f"{test.test_case.id().replace('__main__.', '')} {test._subDescription()}"
    elif hasattr(test, "description"):  # setUpClass and its kin
        name = test.description.replace("__main__.", "")
    return name


def _indent(text):
    return "\n".join("    " + line for line in text.rstrip().splitlines())


def _flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _flatten(test)
        else:
            yield test


def main(module="__main__"):
    """Runs the tests of the calling file and ends the program."""
    global _verbose
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=_build, metavar="DIR", help="the build tree to test")
    parser.add_argument("-v", action="store_true", help="a line for each test")
    parser.add_argument("-k", action="append", metavar="PATTERN", help="only tests whose name holds this")
    options = parser.parse_args()
    use_build(options.build)
    _verbose = options.v
    tests = list(_flatten(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[module])))
    if options.k:
        tests = [test for test in tests
                 if any(fnmatch.fnmatchcase(test.id(), f"*{pattern}*") for pattern in options.k)]
    result = _Result()
    for test in tests:
        result.tests_of[type(test).__name__] = result.tests_of.get(type(test).__name__, 0) + 1
    unittest.TestSuite(tests).run(result)
    print(f"{result.passed} passed, {result.failed} failed, {result.skips} skipped", flush=True)
    sys.exit(0 if result.failed == 0 and result.passed + result.skips > 0 else 1)
