"""A private Postfix: its own configuration, queue and data folders, on high loopback ports.

It uses the programs of Debian's package and nothing else of it: /etc/postfix may have no main.cf, and
another Postfix may run on the machine; neither is looked at or changed. Needs root, as Postfix does.

Mail goes in by SMTP on `port` (through the milters), on `plain_port` (past them: what this Postfix does to
a message by itself), or by sendmail(1); it comes out at the sink.
"""

import os
import pwd
import re
import signal
import smtplib
import subprocess
import time

import smtp_client
from served import free_port

PROGRAMS = "/usr/lib/postfix/sbin"
SENDMAIL = "/usr/sbin/sendmail"


def installed():
    """Whether Debian's Postfix programs are here."""
    return os.access(f"{PROGRAMS}/master", os.X_OK) and os.access("/usr/sbin/postfix", os.X_OK)


def without_additions(data):
    """The same without the times and numbers that Postfix puts into the fields it adds itself."""
    data = re.sub(rb"(?im)^((?:Resent-)?Message-Id:) <[0-9A-F.]+@mail\.example\.test>", rb"\1", data)
    return re.sub(rb"(?im)^((?:Resent-)?Date:) \w+, .* \+0000 \(UTC\)", rb"\1", data)


class Postfix:
    """with Postfix(folder, sink_port, "unix:/…") as postfix: postfix.send(…)"""

    def __init__(self, folder, sink_port, milters="", settings=None, more_services=""):
        self.config = os.path.join(folder, "etc")
        self.queue = os.path.join(folder, "spool")
        self.data = os.path.join(folder, "data")
        self.log_path = os.path.join(folder, "maillog")
        self.port, self.plain_port = free_port(), free_port()
        for path in (self.config, self.queue, self.data):
            os.makedirs(path, 0o755, exist_ok=True)  # the queue may be a file system of the test's
        owner = pwd.getpwnam("postfix")
        os.chown(self.data, owner.pw_uid, owner.pw_gid)
        main = {
            "compatibility_level": "3.6",
            "config_directory": self.config,
            "queue_directory": self.queue,
            "data_directory": self.data,
            "daemon_directory": PROGRAMS,
            "command_directory": "/usr/sbin",
            "shlib_directory": "/usr/lib/postfix",
            "meta_directory": "/etc/postfix",
            "sendmail_path": SENDMAIL,
            "mail_owner": "postfix",
            "setgid_group": "postdrop",
            "maillog_file": self.log_path,
            "maillog_file_prefixes": folder,
            "myhostname": "mail.example.test",
            "mydomain": "example.test",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "alias_maps": "",
            "local_recipient_maps": "",
            "smtp_dns_support_level": "disabled",
            "smtp_host_lookup": "native",
            "relayhost": f"[127.0.0.1]:{sink_port}",
            "smtpd_relay_restrictions": "permit_mynetworks, reject",
            "message_size_limit": "209715200",
            "mailbox_size_limit": "0",
            "queue_minfree": "0",
            "notify_classes": "",  # no mail of its own
            # Postfix folds long lines on the way out by default; here its bytes are to be seen as they are.
            "smtp_line_length_limit": "0",
            "smtpd_milters": milters,
            "non_smtpd_milters": milters,
            "milter_default_action": "tempfail",
            "milter_protocol": "6",
            "milter_connect_timeout": "30s",
            "milter_command_timeout": "30s",
            "milter_content_timeout": "120s",
        }
        main.update(settings or {})
        with open(os.path.join(self.config, "main.cf"), "w") as file:
            file.writelines(f"{key} = {value}\n" for key, value in main.items())
        with open(os.path.join(self.config, "master.cf"), "w") as file:
            file.write(f"""\
127.0.0.1:{self.port} inet n - n - - smtpd
127.0.0.1:{self.plain_port} inet n - n - - smtpd
  -o smtpd_milters=
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
{more_services}""")
        # Makes the queue folders, each with its owner.
        check = subprocess.run(["/usr/sbin/postfix", "-c", self.config, "check"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if check.returncode != 0:
            raise AssertionError(f"postfix check: {check.stdout.decode(errors='replace')}\n{self.log()}")
        # In the foreground, leader of its own session: on SIGTERM it ends its whole process group.
        self.master = subprocess.Popen([f"{PROGRAMS}/master", "-c", self.config, "-s"], start_new_session=True,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL,
                                       env={**os.environ, "MAIL_CONFIG": self.config})
        self._wait_until_up()

    def _wait_until_up(self, timeout=60):
        deadline = time.monotonic() + timeout
        while True:
            if self.master.poll() is not None:
                raise AssertionError(f"the private Postfix ended with {self.master.returncode}:\n{self.log()}")
            try:
                smtplib.SMTP("127.0.0.1", self.plain_port, timeout=20).quit()
                return
            except (OSError, smtplib.SMTPException):
                if time.monotonic() > deadline:
                    self.stop()
                    raise AssertionError(f"the private Postfix does not answer:\n{self.log()}") from None
            time.sleep(0.05)

    def log(self):
        try:
            with open(self.log_path, errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def send(self, sender, recipients, message, port=None):
        """One message by SMTP, its bytes as they are; gives (code, text) of the reply to its end."""
        return smtp_client.send(port or self.port, sender, recipients, message)

    def sendmail(self, sender, recipients, message):
        """One message by sendmail(1), as a local program hands it in."""
        done = subprocess.run([SENDMAIL, "-C", self.config, "-i", "-f", sender] + list(recipients), input=message,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240,
                              env={**os.environ, "MAIL_CONFIG": self.config})
        if done.returncode != 0:
            raise AssertionError(f"sendmail: exit status {done.returncode}: {done.stdout.decode(errors='replace')}")

    def held(self):
        """Names of the messages that are on hold."""
        return [name for _, _, names in os.walk(f"{self.queue}/hold") for name in names]

    def queued(self):
        """Names of the messages that have been taken and have not left."""
        folders = ("maildrop", "incoming", "active", "deferred", "hold", "corrupt")
        return [name for folder in folders for _, _, names in os.walk(f"{self.queue}/{folder}") for name in names]

    def try_again(self):
        """Looks at once at what waits: what was handed in, and what could not be delivered."""
        for service in ("pickup", "qmgr"):
            # A service that ends just then is started anew, and looks at what waits by itself.
            done = subprocess.run(["/usr/sbin/postkick", "-c", self.config, "public", service, "WF"[service == "qmgr"]],
                                  stdin=subprocess.DEVNULL)
            if done.returncode not in (0, -signal.SIGPIPE):
                raise AssertionError(f"postkick {service}: exit status {done.returncode}")

    def stop(self):
        if self.master.poll() is None:
            self.master.send_signal(signal.SIGTERM)
            try:
                self.master.wait(10)
            except subprocess.TimeoutExpired:
                self.master.kill()
                self.master.wait()
        # Its children end with it, but not before it.
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                os.killpg(self.master.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.02)
        try:
            os.killpg(self.master.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()
