"""An administrator who has neither a package nor systemd, in the copy of the machine that copy_of_machine.sh makes: the
README's commands as they stand, in the tree, a message through what they start, and its end."""

import os
import re
import socket
import subprocess
import sys
import time

TREE = "/mnt"
sys.path[:0] = [f"{TREE}/tests/lib", f"{TREE}/tests/milter"]
import client
import judge
import pictures

SOCKET = "/run/pixmilter/pixmilter.sock"
LOG = "/tmp/pixmilter.log"


def run(command):
    with open(LOG, "ab") as log:
        # What goes on in the background keeps the log, not a pipe that somebody waits for.
        done = subprocess.run(command, shell=True, cwd=TREE, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                              env={**os.environ, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})
    if done.returncode != 0:
        give_up(f"`{command}` ended with {done.returncode}")


def give_up(what):
    with open(LOG) as log:
        sys.exit(f"{what}:\n{log.read()}")


def commands():
    with open(f"{TREE}/README.md") as file:
        text = file.read()
    section = text[text.index("### Without a package, without systemd"):]
    return re.sub(r"(?m)^    ", "", re.search(r"(?m)(?:^    .*\n)+", section).group(0)).strip().split("\n")


def wait(what, condition):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            give_up(what)
        time.sleep(0.1)


def listens():
    """The socket's file is there a moment before anybody listens on it."""
    with socket.socket(socket.AF_UNIX) as one:
        try:
            one.connect(SOCKET)
        except OSError:
            return False
    return True


def main():
    subprocess.run("userdel pixmilter; groupdel pixmilter; rm -rf /etc/pixmilter /run/pixmilter", shell=True, stderr=subprocess.DEVNULL)
    for command in commands():
        print("#", command, flush=True)
        run(command)
    wait("it does not serve", listens)
    message = (b"From: a@example.test\r\nTo: b@example.test\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n"
               b'<p><img src="' + pictures.data_uri(pictures.webp()).encode() + b'"></p>\r\n')
    result = client.send_message(f"unix:{SOCKET}", message)
    if len(judge.images(judge.parse(result.message))) != 1:
        give_up("what arrives is not as promised")
    with open("/run/pixmilter.pid") as file:
        master = int(file.read())
    owner = os.stat(f"/proc/{master}").st_uid, os.stat(SOCKET).st_uid
    if 0 in owner:
        give_up(f"it runs as {owner}")
    os.kill(master, 15)
    wait("it does not end", lambda: not os.path.exists(SOCKET))
    print("served, and ended")


main()
