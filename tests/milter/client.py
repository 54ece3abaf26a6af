#!/usr/bin/python3
"""A milter client: the MTA's side of the protocol (version 6), as a library and as a command.

    client.py --socket unix:PATH [--from A] [--rcpt B]... [FILE]      the resulting message on stdout

Client speaks the protocol step by step, with whatever offer a test wants to make, and can break every rule
of it. send() gives a message through and applies the edits that come back in the way Postfix does
(cleanup_milter.c, milter8.c): see Edited. A Client is for one connection, which may carry many messages.
"""

import argparse
import re
import socket
import struct
import sys

# Actions (SMFIF_*).
ADDHDRS, CHGBODY, ADDRCPT, DELRCPT, CHGHDRS, QUARANTINE, CHGFROM, ADDRCPT_PAR, SETSYMLIST = (
    1 << bit for bit in range(9))
ALL_ACTIONS = 0x1FF
# Steps (SMFIP_*).
NOCONNECT, NOHELO, NOMAIL, NORCPT, NOBODY, NOHDRS, NOEOH, NR_HDR, NOUNKNOWN, NODATA, SKIP, RCPT_REJ = (
    1 << bit for bit in range(12))
NR_CONN, NR_HELO, NR_MAIL, NR_RCPT, NR_DATA, NR_UNKN, NR_EOH, NR_BODY, HDR_LEADSPC = (
    1 << bit for bit in range(12, 21))
ALL_STEPS = 0x1FFFFF
ALL_NO_REPLY = NR_HDR | NR_CONN | NR_HELO | NR_MAIL | NR_RCPT | NR_DATA | NR_UNKN | NR_EOH | NR_BODY

CHUNK = 65535
DECISIONS = b"acdrstyf4"

# What suppresses a step, and what suppresses its reply.
STEPS = {b"C": (NOCONNECT, NR_CONN), b"H": (NOHELO, NR_HELO), b"M": (NOMAIL, NR_MAIL), b"R": (NORCPT, NR_RCPT),
         b"T": (NODATA, NR_DATA), b"L": (NOHDRS, NR_HDR), b"N": (NOEOH, NR_EOH), b"B": (NOBODY, NR_BODY),
         b"U": (NOUNKNOWN, NR_UNKN), b"E": (0, 0)}


class Closed(Exception):
    """The filter has closed the connection."""


class Refused(Exception):
    """The filter answered with a decision other than "continue" before the end of the message."""


def parse_spec(spec):
    kind, _, rest = spec.partition(":")
    if kind in ("unix", "local"):
        return socket.AF_UNIX, rest
    port, _, host = rest.partition("@")
    return (socket.AF_INET6 if kind == "inet6" else socket.AF_INET), (host.strip("[]"), int(port))


def split_message(message):
    """([(name, value)], body) of a message with LF or CRLF: values are the bytes after the colon, folded with
    LF; the body has CRLF."""
    message = re.sub(rb"\r?\n", b"\r\n", message)
    head, blank, body = message.partition(b"\r\n\r\n")
    if message.startswith(b"\r\n"):
        head, blank, body = b"", b"\r\n\r\n", message[2:]
    if not blank and head.endswith(b"\r\n"):
        head = head[:-2]
    headers = []
    for line in head.split(b"\r\n") if head else []:
        if line[:1] in (b" ", b"\t") and headers:
            headers[-1] = (headers[-1][0], headers[-1][1] + b"\n" + line)
        else:
            name, _, value = line.partition(b":")
            headers.append((name, value))
    return headers, body


def join_message(headers, body):
    """The message that headers and body make, with CRLF."""
    head = b"".join(name + b":" + value.replace(b"\n", b"\r\n") + b"\r\n" for name, value in headers)
    return head + b"\r\n" + body


class Edited:
    """A message under edits.

    As Postfix does it: a removed header is not counted any more, a change of a header that is not there adds
    one, an empty value removes; the new body is cut into lines at LF, and the last one gets an end; a body
    chunk after another edit is an error of the filter. counting="sendmail" counts the removed ones on.
    """

    def __init__(self, headers, body, leading_space, counting="postfix"):
        self.headers = [[name, value, False] for name, value in headers]  # and whether removed
        self.body = body
        self.leading_space = leading_space
        self.counting = counting
        self.new_body = None
        self.body_closed = False
        self.quarantined = None

    def value(self, value):
        return value if self.leading_space else b" " + value

    def find(self, name, index):
        count = 0
        for header in self.headers:
            if header[0].rstrip().lower() != name.lower() or (header[2] and self.counting == "postfix"):
                continue
            count += 1
            if count == max(index, 1):
                return header
        return None

    def apply(self, command, data):
        if command != b"b" and self.new_body is not None:
            self.body_closed = True
        if command == b"b":
            if self.body_closed:
                raise AssertionError("a body chunk after another edit")
            self.new_body = (self.new_body or []) + [data]
        elif command == b"h":
            name, value = self.strings(data, 2)
            self.headers.append([name, self.value(value), False])
        elif command == b"i":
            name, value = self.strings(data[4:], 2)
            self.headers.insert(struct.unpack(">I", data[:4])[0], [name, self.value(value), False])
        elif command == b"m":
            index = struct.unpack(">I", data[:4])[0]
            name, value = self.strings(data[4:], 2)
            header = self.find(name, index)
            if value == b"":
                if header:
                    header[2] = True
            elif header:
                header[0], header[1], header[2] = name, self.value(value), False
            else:
                self.headers.append([name, self.value(value), False])
        elif command == b"q":
            self.quarantined = self.strings(data, 1)[0]
        else:
            raise AssertionError(f"an edit that was never agreed on: {command!r}")

    @staticmethod
    def strings(data, count):
        parts = data.split(b"\0")
        if len(parts) != count + 1 or parts[-1] != b"":
            raise AssertionError(f"malformed edit: {data[:80]!r}")
        return parts[:-1]

    def message(self):
        body = self.body
        if self.new_body is not None:
            body = re.sub(rb"\r?\n", b"\r\n", b"".join(self.new_body))
            if body and not body.endswith(b"\r\n"):
                body += b"\r\n"
        return join_message([(name, value) for name, value, removed in self.headers if not removed], body)


class Result:
    """What became of a message.

    verdict: accept, continue, reject, tempfail, discard or reply (with .reply, "451 4.3.2 ...");
    step: the command that it answered (b"E" at the end of the message); message: the bytes that an MTA would
    queue, with CRLF; edits: the commands in the order they came; quarantined: the reason or None.
    """

    NAMES = {b"a": "accept", b"c": "continue", b"r": "reject", b"t": "tempfail", b"d": "discard", b"y": "reply",
             b"s": "skip"}

    def __init__(self, decision, data, step, edited, edits):
        self.verdict = self.NAMES[decision]
        self.reply = data.rstrip(b"\0").decode() if decision == b"y" else None
        self.step = step
        self.edits = edits
        self.edited = edited
        self.quarantined = edited.quarantined if edited else None

    @property
    def passed(self):
        return self.verdict in ("accept", "continue")

    @property
    def changed(self):
        return bool(self.edits)

    @property
    def message(self):
        return self.edited.message()

    @property
    def kind(self):
        """"2", "4" or "5", as the SMTP client would see it."""
        if self.passed:
            return "2"
        return {"tempfail": "4", "reject": "5"}.get(self.verdict) or self.reply[0]


class Client:
    def __init__(self, spec, timeout=60, offer_actions=ALL_ACTIONS, offer_steps=ALL_STEPS, version=6,
                 negotiate=True):
        family, address = parse_spec(spec)
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        self.actions = self.steps = 0
        self.version = None
        self.macro_lists = {}  # by stage number, what the filter asked for
        if negotiate:
            self.negotiate(version, offer_actions, offer_steps)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    # ---- frames ----

    def send_frame(self, command, data=b""):
        self.socket.sendall(struct.pack(">I", len(data) + 1) + command + data)

    def send_raw(self, data):
        self.socket.sendall(data)

    def _read(self, count):
        data = bytearray(count)
        view, have = memoryview(data), 0
        while have < count:
            try:
                got = self.socket.recv_into(view[have:])
            except ConnectionResetError:
                got = 0
            if not got:
                raise Closed()
            have += got
        return bytes(data)

    def read_frame(self):
        size = struct.unpack(">I", self._read(4))[0]
        frame = self._read(size)
        return frame[:1], frame[1:]

    def read_decision(self, edits=None):
        """The next decision; edits before it go to the list."""
        while True:
            command, data = self.read_frame()
            if command == b"p":
                continue
            if command in DECISIONS and command:
                return command, data
            if edits is None:
                raise AssertionError(f"an edit before the end of the message: {command!r}")
            edits.append((command, data))

    # ---- steps ----

    def negotiate(self, version=6, actions=ALL_ACTIONS, steps=ALL_STEPS):
        self.send_frame(b"O", struct.pack(">III", version, actions, steps))
        command, data = self.read_frame()
        if command != b"O":
            raise AssertionError(f"the offer was answered with {command!r}")
        self.version, self.actions, self.steps = struct.unpack(">III", data[:12])
        if self.actions & ~actions or self.steps & ~steps:
            raise AssertionError(f"more was asked for than offered: {self.actions:x} {self.steps:x}")
        rest = data[12:]
        while rest:
            stage = struct.unpack(">I", rest[:4])[0]
            macros, _, rest = rest[4:].partition(b"\0")
            self.macro_lists[stage] = macros.decode()

    def macro(self, command, **values):
        """Macros for the command that follows; i="..." or auth_authen="..." (braces are added)."""
        data = command
        for name, value in values.items():
            long = name if len(name) == 1 else "{" + name + "}"
            data += long.encode() + b"\0" + str(value).encode() + b"\0"
        self.send_frame(b"D", data)

    def step(self, command, data=b"", edits=None):
        """Sends a command unless it was agreed not to, and waits for its reply if there is one to come."""
        skip, silent = STEPS[command]
        if self.steps & skip:
            return b"c", b""
        self.send_frame(command, data)
        if self.steps & silent:
            return b"c", b""
        return self.read_decision(edits)

    def connect(self, name="localhost", address="127.0.0.1", port=40000, family=None):
        if address is None:
            return self.step(b"C", name.encode() + b"\0U")
        family = family or (b"6" if ":" in address else b"4")
        return self.step(b"C", name.encode() + b"\0" + family + struct.pack(">H", port) + address.encode() + b"\0")

    def mail(self, sender, *parameters):
        return self.step(b"M", b"".join(word.encode() + b"\0" for word in (f"<{sender}>",) + parameters))

    def rcpt(self, recipient):
        return self.step(b"R", f"<{recipient}>".encode() + b"\0")

    def header(self, name, value):
        """value: the bytes after the colon."""
        if not self.steps & HDR_LEADSPC and value[:1] == b" ":
            value = value[1:]
        return self.step(b"L", name + b"\0" + value + b"\0")

    def eoh(self):
        return self.step(b"N")

    def body(self, chunk):
        return self.step(b"B", chunk)

    def eom(self, data=b""):
        edits = []
        decision = self.step(b"E", data, edits)
        return decision + (edits,)

    def abort(self):
        self.send_frame(b"A")

    def quit(self):
        self.send_frame(b"Q")

    def quit_and_go_on(self):
        self.send_frame(b"K")

    # ---- a message ----

    def begin(self, sender="sender@example.test", recipients=("recipient@example.test",), queue_id="4TestQueueId",
              macros=None, parameters=()):
        self.macro(b"M", **(macros or {}))
        for answer in [self.mail(sender, *parameters)] + [self.rcpt(one) for one in recipients]:
            if answer[0] != b"c":
                return answer
        self.queue_id = queue_id
        return b"c", b""

    def send(self, message, sender="sender@example.test", recipients=("recipient@example.test",),
             queue_id="4TestQueueId", macros=None, parameters=(), chunk=CHUNK, counting="postfix",
             last_with_end=False):
        """One message on the connection, which must have been connected: a Result."""
        headers, body = split_message(message)
        decision = self.begin(sender, recipients, queue_id, macros, parameters)
        if decision[0] != b"c":
            return Result(*decision, b"M", Edited(headers, body, True), [])
        for name, value in headers:
            decision = self.header(name, value)
            if decision[0] != b"c":
                return Result(*decision, b"L", Edited(headers, body, True), [])
        self.macro(b"N", i=queue_id)
        decision = self.eoh()
        if decision[0] != b"c":
            return Result(*decision, b"N", Edited(headers, body, True), [])
        chunks = [body[at:at + chunk] for at in range(0, len(body), chunk)]
        last = chunks.pop() if last_with_end and chunks else b""
        for piece in chunks:
            decision = self.body(piece)
            if decision[0] != b"c":
                return Result(*decision, b"B", Edited(headers, body, True), [])
        self.macro(b"E", i=queue_id)
        decision, data, edits = self.eom(last)
        edited = Edited(headers, body, bool(self.steps & HDR_LEADSPC), counting)
        for edit in edits:
            self.check_agreed(edit[0])
            edited.apply(*edit)
        return Result(decision, data, b"E", edited, edits)

    def check_agreed(self, command):
        needed = {b"b": CHGBODY, b"h": ADDHDRS, b"i": ADDHDRS, b"m": CHGHDRS, b"q": QUARANTINE}.get(command)
        if needed is None or not self.actions & needed:
            raise AssertionError(f"an edit that was never agreed on: {command!r}")


def send_message(spec, message, client_address="127.0.0.1", **options):
    """One connection, one message."""
    with Client(spec) as client:
        answer = client.connect(address=client_address)
        if answer[0] != b"c":
            headers, body = split_message(message)
            return Result(*answer, b"C", Edited(headers, body, True), [])
        result = client.send(message, **options)
        client.quit()
        return result


def main():
    parser = argparse.ArgumentParser(description="Sends a message through a milter and writes what comes out.")
    parser.add_argument("--socket", required=True, metavar="SPEC", help="unix:PATH or inet:PORT@HOST")
    parser.add_argument("--from", dest="sender", default="sender@example.test", metavar="ADDRESS")
    parser.add_argument("--rcpt", action="append", metavar="ADDRESS")
    parser.add_argument("file", nargs="?", metavar="FILE", help="the message; standard input without it")
    options = parser.parse_args()
    message = open(options.file, "rb").read() if options.file else sys.stdin.buffer.read()
    result = send_message(options.socket, message, sender=options.sender,
                          recipients=options.rcpt or ["recipient@example.test"])
    if not result.passed:
        print(result.reply or result.verdict, file=sys.stderr)
        sys.exit(75 if result.kind == "4" else 69)
    sys.stdout.buffer.write(result.message.replace(b"\r\n", b"\n"))


if __name__ == "__main__":
    main()
