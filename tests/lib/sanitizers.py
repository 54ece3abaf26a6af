"""Builds with sanitizers (`make check SANITIZE=thread`, or address,undefined): their options, and their reports.

The programs are the same but for the limits of memory, which no sanitizer can live with (render/seal.cc); the seals
hold. What a sanitizer says of the milter stands in the milter's log, where running.py and served.py look for it.
"""

import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
REPORT = re.compile(r"WARNING: ThreadSanitizer|ERROR: (?:Address|Leak)Sanitizer|: runtime error: |\w+Sanitizer:DEADLYSIGNAL")
LONGEST = 8000


def is_sanitized(build, by=""):
    """by: that sanitizer (address, thread), and not any."""
    name = os.path.basename(build.rstrip("/"))
    return name.startswith("build-") and by in name


def environment(build):
    """Options for a build's programs, where the caller has given none of his own."""
    if not is_sanitized(build):
        return {}
    suppressions = os.path.join(HERE, "..", "sanitizers", "thread.supp")
    # A front ends by _exit() while threads of libmilter run, so that what it holds then is no leak. A stack for
    # signals would be made for each thread, which the seal of workers forbids, as it does to sleep at the end, and
    # to look for the stack when there is a word to say of a segmentation fault.
    options = {"TSAN_OPTIONS": f"suppressions={os.path.abspath(suppressions)}:exitcode=66:allocator_may_return_null=1"
                               ":atexit_sleep_ms=0:handle_segv=0",
               "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return=1"
                               ":use_sigaltstack=0",
               "UBSAN_OPTIONS": "print_stacktrace=1"}
    return {name: value for name, value in options.items() if name not in os.environ}


def check(log):
    """Fails with the report of a sanitizer, where there is one in a program's log."""
    found = REPORT.search(log)
    if found:
        start = log.rfind("\n", 0, found.start()) + 1
        raise AssertionError("a sanitizer has found something:\n" + log[start:start + LONGEST])
