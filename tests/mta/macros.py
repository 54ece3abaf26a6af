"""What an MTA says of who hands a message in, and that rules hear it: {auth_authen}, {client_addr}, {client_name},
{daemon_name}, j and i come with other steps and under other conditions from Postfix than from Sendmail (see through.py).

Clients log in for real: Postfix asks Dovecot's auth service, Sendmail Cyrus SASL, and that a saslauthd; both are
played here.
"""

import base64
import os
import re
import smtplib
import socket
import struct
import threading

import judge
from through import as_bytes, html_message

USER, PASSWORD = "jane", "sesame"
RULES = {
    "authenticated": "authenticated = true",
    "user": f'user = "{USER}*"',
    "ip": 'ip = "127.0.0.2"',
    "net": 'ip = "127.0.0.0/30"',
    "hostname": 'hostname = "localhost*"',
    "daemon": 'daemon_name = "ORIGINATING"',
    "local": "local = true",
}


class Authority:
    """A unix socket whose connections answer() serves, one after the other."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(8)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rwb", 0) as stream:
            try:
                self.answer(stream)
            except OSError:
                pass  # the MTA ends as it likes

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Saslauthd(Authority):
    """Four counted strings (name, password, service, realm) are asked, one is answered."""

    def answer(self, stream):
        words = [stream.read(*struct.unpack(">H", stream.read(2))) for _ in range(4)]
        answer = b"OK" if words[:2] == [USER.encode(), PASSWORD.encode()] else b"NO"
        stream.write(struct.pack(">H", len(answer)) + answer)


class Dovecot(Authority):
    """Version 1 of its authentication protocol, as far as PLAIN needs it."""

    def answer(self, stream):
        stream.write(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0\nDONE\n")
        for line in stream:
            words = line.rstrip(b"\n").split(b"\t")
            if words[0] != b"AUTH":
                continue
            given = next(word[5:] for word in words if word.startswith(b"resp="))
            known = base64.b64decode(given).split(b"\0")[1:] == [USER.encode(), PASSWORD.encode()]
            stream.write(b"%s\t%s\tuser=%s\n" % (b"OK" if known else b"FAIL", words[1], USER.encode()))


def sasl_settings(folder):
    """What Cyrus SASL is told, as the text of its file; the folder holds the socket."""
    return f"pwcheck_method: saslauthd\nmech_list: PLAIN LOGIN\nsaslauthd_path: {folder}/mux\n"


class Macros:
    """Each condition has a rule that leaves its name in a header; the sender's name chooses which one is tried."""

    milter_config = "".join(
        f'[[rule]]\nname = "{name}"\nmatch = {{ from = "{name}@*", {condition} }}\nadd_header = {{ X-Rule = "{name}" }}\n'
        for name, condition in RULES.items())

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(cls.authority.close)

    def rules_of(self, port=None, login=False, source="127.0.0.1"):
        """The rules that hear what they want when a client is like this."""
        heard = set()
        for name in RULES:
            recipient = self.new_recipient()
            with smtplib.SMTP("127.0.0.1", port or self.mta.port, timeout=60, source_address=(source, 0)) as smtp:
                smtp.ehlo("client.example.test")
                if login:
                    try:
                        smtp.login(USER, PASSWORD)
                    except smtplib.SMTPAuthenticationError as error:
                        raise AssertionError(f"{error}\n{self.mta.log()[-3000:]}") from None
                message = as_bytes(html_message("<p>Hello.</p>"))
                smtp.sendmail(f"{name}@example.test", [recipient], message)
            if judge.parse(self.sink.wait(recipient).data)["X-Rule"]:
                heard.add(name)
        return heard

    def test_a_client_on_this_machine(self):
        self.assertEqual(self.rules_of(), {"net", "hostname"})

    def test_a_client_at_another_address(self):
        self.assertEqual(self.rules_of(source="127.0.0.2"), {"net", "ip"})

    def test_one_outside_the_net(self):
        self.assertEqual(self.rules_of(source="127.0.0.9"), set())

    def test_one_who_has_logged_in(self):
        self.assertEqual(self.rules_of(login=True), {"net", "hostname", "authenticated", "user"})

    def test_a_wrong_password_is_no_login(self):
        with smtplib.SMTP("127.0.0.1", self.mta.port, timeout=60) as smtp:
            smtp.ehlo("client.example.test")
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                smtp.login(USER, "open " + PASSWORD)
        self.assertEqual(self.rules_of(), {"net", "hostname"})

    def test_one_at_another_door(self):
        self.assertEqual(self.rules_of(port=self.door), {"net", "hostname", "daemon"})

    def test_a_program_on_this_machine(self):
        heard = set()
        for name in RULES:
            recipient = self.new_recipient()
            self.mta.sendmail(f"{name}@example.test", [recipient], as_bytes(html_message("<p>Hello.</p>")))
            if judge.parse(self.sink.wait(recipient).data)["X-Rule"]:
                heard.add(name)
        self.assertEqual(heard, self.of_a_program)

    def test_the_log_names_the_queue_id_and_the_rule(self):
        """i: an administrator finds the message under the same name in both logs."""
        recipient = self.new_recipient()
        code, text = self.mta.send("net@example.test", [recipient], as_bytes(html_message("<p>Hello.</p>")))
        self.assertEqual(code, 250)
        self.sink.wait(recipient)
        queue_id = re.search(self.queue_id_in, text.decode()).group(1)
        self.wait_logged(f"id={queue_id} .*\n")
        lines = [line for line in self.milter.log().splitlines() if f"id={queue_id} " in line]
        self.assertTrue(any("rule=net" in line or 'rule="net"' in line for line in lines), lines)
