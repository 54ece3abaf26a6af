"""Runs one suite so that nothing of it outlives it: supervise.py SECONDS COMMAND...

Everything that the command starts stays beneath this process, daemons too (they fall to the nearest
subreaper). When the command has ended, or its time is up, what is still there is killed and named, and the
suite has failed: a test that leaves a process behind is a test with a bug.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
PR_SET_PDEATHSIG = 1


def descendants():
    children = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as stat:
                fields = stat.read().rsplit(b")", 1)[1].split()
        except OSError:
            continue
        if fields[0] not in (b"Z", b"X"):
            children.setdefault(int(fields[1]), []).append(int(entry))
    found, queue = [], [os.getpid()]
    while queue:
        for child in children.get(queue.pop(), []):
            found.append(child)
            queue.append(child)
    return found


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "?"


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def main():
    limit, command = float(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

    def stop(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    problem = None
    status = 1
    try:
        child = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
        try:
            status = child.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            problem = f"not done after {limit:.0f} s; still running:"
            # A Python test says where it hangs.
            if "_test.py" in " ".join(command):
                child.send_signal(signal.SIGINT)
                try:
                    child.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    pass
    except KeyboardInterrupt:
        problem = "stopped; was running:"
    # What ends by itself in a moment is not left behind, however long a busy machine makes of that moment: this costs
    # time only where something is left.
    until = time.monotonic() + 30
    while problem is None and time.monotonic() < until:
        reap()
        if not descendants():
            break
        time.sleep(0.05)
    left = descendants()
    if left:
        print(problem or "left running:", flush=True)
        for pid in left:
            print(f"    {pid} {command_line(pid)}", flush=True)
        problem = problem or "left running"
        while left:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)
            reap()
            left = descendants()
        reap()  # what died after the last time, and was not listed any more
    elif problem:
        print(problem.split(";")[0], flush=True)
    if problem:
        sys.exit(124)
    sys.exit(status if status >= 0 else 128 - status)


main()
