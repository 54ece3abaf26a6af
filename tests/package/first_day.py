"""An administrator's first day with the package, in the copy of the machine that copy_of_machine.sh makes.

Postfix stands as Debian sets it up, chrooted, on port 25, and relays to a server of the test's. The README's commands
are run as they stand; mail is sent both ways; the package is purged, and nothing of it is left.
"""

import os
import re
import subprocess
import sys
import time

TREE = "/mnt"
sys.path[:0] = [f"{TREE}/tests/lib", f"{TREE}/tests/mta"]
import judge
import pictures
import smtp_client
from sink import Sink

# A master that is still there would keep the next one from the socket. Nobody may reap it here: a zombie has ended.
END = r"""pid=$(cat /run/pixmilter-test.pid); kill "$pid"; tries=600
while [ $tries -gt 0 ] && grep -qs '^State:.[^ZX]' "/proc/$pid/status"; do sleep 0.1; tries=$((tries - 1)); done
"""

# No systemd runs here: this does what it would do with the unit, and nothing else.
SYSTEMCTL = r"""#!/bin/sh
set -e
end() {
""" + END + r"""}
action=$1; shift
for name in "$@"; do case "$name" in
  pixmilter)
    unit=/lib/systemd/system/pixmilter.service
    if [ -e /run/pixmilter-test.pid ]; then end; fi
    user=$(sed -n 's/^User=//p' $unit)
    install -d -m "$(sed -n 's/^RuntimeDirectoryMode=//p' $unit)" -o "$user" -g "$user" /run/pixmilter
    setpriv --reuid "$user" --regid "$user" --init-groups --no-new-privs --bounding-set -all \
      $(sed -n 's/^ExecStart=//p' $unit | sed 's/--log syslog/--log stderr/') </dev/null >>/tmp/pixmilter.log 2>&1 &
    echo $! >/run/pixmilter-test.pid ;;
  postfix) postfix reload 2>/dev/null || postfix start ;;
  *) echo "systemctl: $name is not known here" >&2; exit 1 ;;
esac; done
"""


def run(command, **more):
    done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "DEBIAN_FRONTEND": "noninteractive",
                               "PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}, **more)
    text = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        sys.exit(f"`{command}` ended with {done.returncode}:\n{text}\n{log()}")
    return text


def log():
    try:
        with open("/tmp/pixmilter.log") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def readme_commands():
    with open(f"{TREE}/README.md") as file:
        text = file.read()
    section = text[text.index("### From the package"):]
    block = re.search(r"(?m)(?:^    .*\n)+", section).group(0)
    commands = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^    ", "", block)).strip().split("\n")
    assert len(commands) == 5, commands
    return commands


def set_up_postfix(port):
    """As Debian's package does with its questions answered: chrooted daemons, port 25."""
    for name in ("main.cf.debian", "master.cf.dist"):
        with open(f"/usr/share/postfix/{name}") as source, open(f"/etc/postfix/{name[:name.index('.cf') + 3]}", "w") as copy:
            copy.write(source.read())
    run("postconf -e myhostname=machine.example.test mydestination= inet_interfaces=loopback-only inet_protocols=ipv4 "
        f"'relayhost=[127.0.0.1]:{port}' smtp_dns_support_level=disabled smtp_host_lookup=native alias_maps= "
        "alias_database= maillog_file=/var/log/postfix.log")
    run("mkdir -p /var/spool/postfix/etc && cp /etc/hosts /etc/nsswitch.conf /etc/resolv.conf /etc/services "
        "/var/spool/postfix/etc/; postfix start")


def html_message():
    return (b"From: a@example.test\r\nTo: b@example.test\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n"
            b'<p><img src="' + pictures.data_uri(pictures.webp()).encode() + b'"></p>\r\n')


def send_until_well(sink):
    """pixmilter and Postfix have just been started: they may need a moment."""
    deadline = time.monotonic() + 60
    while True:
        try:
            if smtp_client.send(25, "a@example.test", ["one@example.test"], html_message())[0] == 250:
                return sink.wait("one@example.test").data
        except OSError:
            pass
        if time.monotonic() > deadline:
            with open("/var/log/postfix.log") as file:
                sys.exit(f"no mail passes:\n{log()}\n{file.read()}")
        time.sleep(0.3)


def left_over():
    found = run("find / -xdev \\( -path /mnt -o -path /tmp -o -path /proc -o -path /dev -o -path /work \\) -prune -o "
                "-name '*pixmilter*' -newer /tmp/before -print; find /run -name 'pixmilter*' -not -name pixmilter-test.pid; "
                "find /var/lib/dpkg /var/lib/systemd -name '*pixmilter*'; grep -h pixmilter /etc/passwd /etc/group || true")
    return found.strip()


def main():
    with open("/usr/local/sbin/systemctl", "w") as file:
        file.write(SYSTEMCTL)
    os.chmod("/usr/local/sbin/systemctl", 0o755)
    open("/tmp/before", "w").close()
    with Sink() as sink:
        set_up_postfix(sink.port)
        for command in readme_commands():
            print("#", command, flush=True)
            run(command, cwd="/tmp")
        for data in (send_until_well(sink), hand_in(sink)):
            complaints = judge.complaints(data)
            if complaints or len(judge.images(judge.parse(data))) != 1:
                sys.exit(f"what arrived is not as promised: {complaints}\n{log()}\n{data[:2000]}")
        print("mail passes Postfix and is rewritten, both ways")
        owner = run("stat -c '%U %G %a' /var/spool/postfix/pixmilter/pixmilter.sock").split()
        if owner != ["pixmilter", "postfix", "660"]:
            sys.exit(f"the socket is {owner}")
        run("man -w pixmilter >/dev/null 2>&1 || test -e /usr/share/man/man8/pixmilter.8.gz")
        # Stop, as systemd would before a removal.
        run(END + "postfix stop")
        run("apt-get purge -y pixmilter")
    left = left_over()
    if left:
        sys.exit(f"after the purge there still is:\n{left}")
    print("purged, nothing left")


def hand_in(sink):
    subprocess.run(["/usr/sbin/sendmail", "-i", "-f", "a@example.test", "two@example.test"], input=html_message(), check=True)
    return sink.wait("two@example.test").data


main()
