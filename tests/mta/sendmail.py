"""A private Sendmail: its own configuration and queue, on high loopback ports, made of Debian's packages unpacked.

The packages conflict with Postfix's, so nothing of them is installed: .ci/deps fetches them, and what is needed is
unpacked beside the instance. sendmail.cf is made by m4 as an administrator's is, with conf/sendmail/pixmilter.mc in it
as it stands. Needs root, as Sendmail does.

It runs in a mount and a UTS namespace of its own. So its /run/pixmilter is the test's folder (Sendmail takes no socket
in a path that others may write to, such as /tmp), it writes to the test's /dev/log, and it does not wait for a name
server to know this machine's name.

Mail goes in by SMTP on `port` (through the milter), on `plain_port` (past it: what this Sendmail does to a message by
itself), or by sendmail(1), which hands it on over SMTP as submit.cf says; it comes out at the sink.
"""

import glob
import os
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import threading
import time

import harness
import smtp_client
from served import free_port

FETCHED = "/var/cache/pixmilter-tests"
PACKAGES = ("sendmail-base", "sendmail-bin", "sendmail-cf")
SNIPPET = os.path.join(harness.ROOT, "conf", "sendmail", "pixmilter.mc")
# A Sendmail that has delivered looks again at what is left after this many seconds.
QUEUE_SECONDS = 2
HOST = "mail.example.test"

# $1 is the test's folder, $2 holds what is laid over /etc and /dev; the rest is the command.
ENTER = """\
set -e
folder=$1 at=$2; shift 2
echo mail.example.test >/proc/sys/kernel/hostname
for file in hosts nsswitch.conf; do mount --bind "$at/$file" "/etc/$file"; done
for device in null zero random urandom; do mount --bind "/dev/$device" "$at/dev/$device"; done
mount --rbind "$at/dev" /dev
mount -t tmpfs -o mode=755 none /run
mkdir /run/pixmilter
mount --bind "$folder" /run/pixmilter
# Cyrus SASL looks for its settings beside its modules as well.
modules=$(echo /usr/lib/*/sasl2)
if [ -e "$at/Sendmail.conf" ]; then
  mkdir /run/sasl2
  cp -a "$modules"/. "$at/Sendmail.conf" /run/sasl2
  mount --bind /run/sasl2 "$modules"
fi
exec "$@"
"""
UNSHARE = ["unshare", "--mount", "--uts", "--propagation", "private", "sh", "-c", ENTER, "sh"]


def missing():
    """What keeps Sendmail from running here, in words; empty when nothing does."""
    absent = [name for name in PACKAGES if not glob.glob(f"{FETCHED}/{name}_*.deb")]
    if absent:
        return f"{', '.join(absent)}: no package in {FETCHED} (.ci/deps fetches them)"
    if not os.access("/usr/bin/m4", os.X_OK):
        return "m4 is not installed"
    if subprocess.run(["unshare", "--mount", "--uts", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        return "no namespace can be made"
    return ""


class Syslog:
    """What is written to the socket, as text."""

    def __init__(self, path):
        self._lines = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        os.chmod(path, 0o666)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while line := self._socket.recv(65536):
            self._lines.append(re.sub(r"^<\d+>", "", line.decode(errors="replace")).rstrip("\0\n"))

    def text(self):
        return "\n".join(self._lines)

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def unpack(folder):
    for name in PACKAGES:
        newest = max(glob.glob(f"{FETCHED}/{name}_*.deb"), key=os.path.getmtime)
        subprocess.run(["dpkg-deb", "-x", newest, folder], check=True)


class Sendmail:
    """with Sendmail(folder, sink_port) as sendmail: sendmail.send(…)"""

    def __init__(self, folder, sink_port, socket=None, before="", after="", sasl=""):
        """socket: pixmilter's where it is not the pixmilter.sock of the folder; before, after: lines of sendmail.mc
        on either side of its own; sasl: what Cyrus SASL is told, where clients can log in."""
        self.root = os.path.join(folder, "sendmail")
        self.enter = UNSHARE + [folder, os.path.join(folder, "sendmail-etc")]
        self.etc = os.path.join(folder, "sendmail-etc")
        self.queue = os.path.join(folder, "sendmail-queue")
        self.submit_queue = os.path.join(folder, "sendmail-submit")
        self.port, self.plain_port = free_port(), free_port()
        unpack(self.root)
        self.program = os.path.join(self.root, "usr/libexec/sendmail/sendmail")
        os.mkdir(self.etc, 0o755)
        for path in (self.queue, self.submit_queue):
            os.mkdir(path, 0o700)
        # What hands in for local programs will not run as root.
        shutil.chown(self.submit_queue, "mail", "mail")
        for name, text in (("hosts.switch", "passwd files\nhosts files\naliases files\n"), ("aliases", ""),
                           ("local-host-names", ""), ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
                           ("hosts", f"127.0.0.1 localhost {HOST}\n::1 {HOST}\n")):
            with open(os.path.join(self.etc, name), "w") as file:
                file.write(text)
        if sasl:
            with open(os.path.join(self.etc, "Sendmail.conf"), "w") as file:
                file.write(sasl)
        os.mkdir(os.path.join(self.etc, "dev"))
        for name in ("null", "zero", "random", "urandom"):
            open(os.path.join(self.etc, "dev", name), "w").close()
        self._syslog = Syslog(os.path.join(self.etc, "dev", "log"))
        elsewhere = f"define(`confPIXMILTER_SOCKET', `{socket}')dnl\n" if socket else ""
        self._make("sendmail.cf", self._common(self.queue) + f"""\
define(`RELAY_MAILER_ARGS', `TCP $h {sink_port}')dnl
define(`SMART_HOST', `relay:[127.0.0.1]')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
DAEMON_OPTIONS(`Name=MTA, Family=inet, Addr=127.0.0.1, Port={self.port}')dnl
DAEMON_OPTIONS(`Name=past-the-milter, Family=inet, Addr=127.0.0.1, Port={self.plain_port}, InputMailFilters=')dnl
{before}{elsewhere}include(`{SNIPPET}')dnl
{after}MAILER(`local')dnl
MAILER(`smtp')dnl
""")
        for name, port in (("submit", self.port), ("past-the-milter", self.plain_port)):
            self._make(f"{name}.cf", self._common(self.submit_queue) + f"""\
define(`RELAY_MAILER_ARGS', `TCP $h {port}')dnl
define(`MSP_QUEUE_DIR', `{self.submit_queue}')dnl
define(`confRUN_AS_USER', `mail:mail')dnl
FEATURE(`msp', `[127.0.0.1]')dnl
""")
        # In the foreground, leader of its own session; its children end with that.
        self.daemon = subprocess.Popen(
            self.enter + [self.program, "-C", f"{self.etc}/sendmail.cf", "-bD", f"-q{QUEUE_SECONDS}s"],
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_until_up()

    def _common(self, queue):
        return f"""\
include(`{self.root}/usr/share/sendmail/cf/debian/autoconf.m4')dnl
define(`MAIL_SETTINGS_DIR', `{self.etc}/')dnl
OSTYPE(`debian')dnl
define(`QUEUE_DIR', `{queue}')dnl
define(`STATUS_FILE', `{queue}/status')dnl
define(`confDEAD_LETTER_DROP', `{queue}/dead.letter')dnl
undefine(`confHOST_STATUS_DIRECTORY')dnl
define(`confPID_FILE', `{queue}/pid')dnl
define(`confSERVICE_SWITCH_FILE', `{self.etc}/hosts.switch')dnl
define(`ALIAS_FILE', `{self.etc}/aliases')dnl
define(`confDOMAIN_NAME', `mail.example.test')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe')dnl
define(`confDELIVERY_MODE', `background')dnl
define(`confDOUBLE_BOUNCE_ADDRESS', `')dnl
define(`confTO_IDENT', `0')dnl
define(`confTIME_ZONE', `USE_TZ')dnl
define(`confMIN_QUEUE_AGE', `0')dnl
define(`confMAX_DAEMON_CHILDREN', `0')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confDELAY_LA', `1000')dnl
define(`confDEF_USER_ID', `mail:mail')dnl
define(`RELAY_MAILER_LL', `0')dnl
"""

    def _make(self, name, text):
        """name.mc and, by m4, the file that it makes."""
        source = os.path.join(self.etc, name[:-2] + "mc")
        with open(source, "w") as file:
            file.write("divert(0)dnl\n" + text)
        cf = f"{self.root}/usr/share/sendmail/cf/"
        made = subprocess.run(["m4", f"-D_CF_DIR_={cf}", f"{cf}m4/cf.m4", source], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if made.returncode != 0 or made.stderr:
            raise AssertionError(f"m4 {source}: {made.stderr.decode(errors='replace')}")
        with open(os.path.join(self.etc, name), "wb") as file:
            file.write(made.stdout)

    def _wait_until_up(self, timeout=60):
        deadline = time.monotonic() + timeout
        while True:
            if self.daemon.poll() is not None:
                raise AssertionError(f"the private Sendmail ended with {self.daemon.returncode}:\n{self.log()}")
            try:
                smtplib.SMTP("127.0.0.1", self.plain_port, timeout=20).quit()
                return
            except (OSError, smtplib.SMTPException):
                if time.monotonic() > deadline:
                    self.stop()
                    raise AssertionError(f"the private Sendmail does not answer:\n{self.log()}") from None
            time.sleep(0.05)

    def log(self):
        return self._syslog.text()

    def held(self):
        """Names of the messages that are in quarantine."""
        return [name for name in os.listdir(self.queue) if name.startswith("hf")]

    def try_again(self):
        """Looks at once at what was handed in and waits; the daemon looks every few seconds at what it has itself."""
        subprocess.run(self.enter + [self.program, "-C", f"{self.etc}/submit.cf", "-Ac", "-q"], timeout=240,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def send(self, sender, recipients, message, port=None):
        return smtp_client.send(port or self.port, sender, recipients, message)

    def sendmail(self, sender, recipients, message, submit="submit"):
        """One message by sendmail(1), as a local program hands it in: submit.cf hands it to the daemon by SMTP."""
        command = [self.program, "-C", f"{self.etc}/{submit}.cf", "-Ac", "-i", "-f", sender] + list(recipients)
        done = subprocess.run(self.enter + command, input=message, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=240)
        if done.returncode != 0:
            raise AssertionError(f"sendmail: exit status {done.returncode}: {done.stdout.decode(errors='replace')}")

    def stop(self):
        try:
            self._end()
        finally:
            self._syslog.close()

    def _end(self):
        if self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(10)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
        for number, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                try:
                    os.killpg(self.daemon.pid, number)
                except ProcessLookupError:
                    return
                time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()


def without_additions(data):
    """What was relayed without the times and numbers that Sendmail puts into the fields it adds itself."""
    data = re.sub(rb"(?im)^((?:Resent-)?Message-Id:) <[0-9A-Za-z]+\.[0-9A-Za-z]+@mail\.example\.test>", rb"\1", data)
    return re.sub(rb"(?im)^((?:Resent-)?Date:) \w+, .*$", rb"\1", data)
