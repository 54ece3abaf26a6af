"""A private OpenDKIM: a signer for an MTA to ask after pixmilter, and two verifiers for what arrives.

The key is made for the instance. No name server is asked: OpenDKIM's own verifier reads the public key from a file
(TestPublicKeys), dkimpy is handed it.
"""

import os
import signal
import subprocess
import time

import dkim

import harness

PROGRAM = "/usr/sbin/opendkim"
DOMAIN, SELECTOR = "example.test", "here"


def missing():
    """What keeps OpenDKIM from running here, in words; empty when nothing does."""
    for program in (PROGRAM, "/usr/sbin/opendkim-genkey"):
        if not os.access(program, os.X_OK):
            return f"{program} is not installed"
    return ""


class Signer:
    """with Signer(folder) as signer: an OpenDKIM that signs what comes from 127.0.0.1 for example.test."""

    def __init__(self, folder, canonicalization="simple/simple"):
        self.folder = os.path.join(folder, "opendkim")
        os.mkdir(self.folder, 0o755)
        subprocess.run(["/usr/sbin/opendkim-genkey", "-D", self.folder, "-d", DOMAIN, "-s", SELECTOR, "-b", "1024"],
                       check=True, stdin=subprocess.DEVNULL)
        with open(f"{self.folder}/{SELECTOR}.txt") as file:
            self.record = "".join(file.read().split('"')[1::2])
        with open(f"{self.folder}/keys", "w") as file:
            file.write(f"{SELECTOR}._domainkey.{DOMAIN} {self.record}\n")
        self.socket = f"{self.folder}/opendkim.sock"
        self._configure("sign.conf", f"""\
Mode s
Domain {DOMAIN}
Selector {SELECTOR}
KeyFile {self.folder}/{SELECTOR}.private
Canonicalization {canonicalization}
Socket local:{self.socket}
UMask 000
InternalHosts 127.0.0.1
""")
        self._configure("verify.conf", f"Mode v\nTestPublicKeys {self.folder}/keys\n")
        self.process = subprocess.Popen([PROGRAM, "-f", "-x", f"{self.folder}/sign.conf"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 20
        while not os.path.exists(self.socket):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"opendkim does not start: {self.process.communicate()[1].decode()}")
            time.sleep(0.02)

    def _configure(self, name, text):
        with open(f"{self.folder}/{name}", "w") as file:
            file.write("Background no\nSyslog no\nRequireSafeKeys no\nPidFile " + f"{self.folder}/{name}.pid\n" + text)

    def complaints(self, data):
        """What the two verifiers have against the message's one signature; empty when it passes."""
        found = []
        if data.lower().count(b"dkim-signature:") != 1:
            found.append(f"{data.lower().count(b'dkim-signature:')} signatures")
        if not dkim.verify(data, dnsfunc=lambda name, timeout=5: self.record.encode()):
            found.append("dkimpy does not verify it")
        path = f"{self.folder}/arrived.eml"
        with open(path, "wb") as file:
            file.write(data)
        said = harness.run([PROGRAM, "-x", f"{self.folder}/verify.conf", "-t", path])
        text = (said.stdout + said.stderr).decode(errors="replace").strip()
        if said.returncode != 0 or "succeeded" not in text:
            found.append(f"opendkim does not verify it: {said.returncode} {text}")
        return found

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()
