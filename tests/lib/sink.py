"""A small SMTP server that keeps what it is given, byte for byte: where a test's MTA relays to.

Threads, not asyncio, so that a test can simply wait for a message. 8BITMIME and SMTPUTF8 are offered, so an
MTA has no reason to convert anything.
"""

import socketserver
import threading
import time


class Delivered:
    """One transaction: envelope and data as they came over the wire, dot-stuffing undone, CRLF kept."""

    def __init__(self, sender, recipients, data):
        self.sender, self.recipients, self.data = sender, recipients, data


class Sink:
    """with Sink() as sink: ... sink.port, sink.wait("someone@example.test")"""

    def __init__(self, host="127.0.0.1"):
        self.messages = []
        self._arrived = threading.Condition()
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                sink._talk(self.rfile, self.wfile)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # a client that went away is no concern of a sink

        self._server = Server((host, 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05},
                                        daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def wait(self, recipient, timeout=90):
        """The first message for this recipient, waited for; AssertionError when it does not come."""
        deadline = time.monotonic() + timeout
        with self._arrived:
            while True:
                for message in self.messages:
                    if recipient in message.recipients:
                        return message
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"nothing for {recipient} arrived in {timeout} s")
                self._arrived.wait(left)

    def has(self, recipient):
        with self._arrived:
            return any(recipient in message.recipients for message in self.messages)

    def take(self):
        """All messages that have arrived since; they are the caller's."""
        with self._arrived:
            taken, self.messages = self.messages, []
            return taken

    def _talk(self, reader, writer):
        def say(line):
            writer.write(line.encode() + b"\r\n")

        sender, recipients = "", []
        say("220 sink.test ESMTP")
        while True:
            line = reader.readline()
            if not line:
                return
            text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
            verb = text[:4].upper()
            if verb == "EHLO":
                for part in ("250-sink.test", "250-8BITMIME", "250-SMTPUTF8", "250-PIPELINING", "250 SIZE 0"):
                    say(part)
            elif verb == "MAIL":
                sender, recipients = text[text.index("<") + 1:text.index(">")], []
                say("250 2.1.0 ok")
            elif verb == "RCPT":
                recipients.append(text[text.index("<") + 1:text.index(">")])
                say("250 2.1.5 ok")
            elif verb == "DATA":
                say("354 go on")
                data = []
                while True:
                    line = reader.readline()
                    if not line:
                        return  # cut off: not accepted, so not kept
                    if line == b".\r\n":
                        break
                    data.append(line[1:] if line.startswith(b".") else line)
                with self._arrived:
                    self.messages.append(Delivered(sender, list(recipients), b"".join(data)))
                    self._arrived.notify_all()
                say("250 2.0.0 kept")
            elif verb == "QUIT":
                say("221 2.0.0 bye")
                return
            else:
                say("250 2.0.0 ok")
