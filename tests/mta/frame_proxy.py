"""Stands between an MTA and its milter, and does something at a chosen frame of their conversation.

A test that wants a process to die "while the new body is handed back" needs no hook in the program and no luck:
the proxy passes the milter protocol on frame by frame, and at the frame that a Trap names it calls the trap's
action. Where the trap cuts, nothing goes any further after that: what the MTA has seen is then exactly what it
would have seen had the milter died with that frame written and no more.
"""

import os
import select
import socket
import struct
import threading

DECISIONS = b"acdrty4"


class Trap:
    """where a frame is: side "mta" or "milter" (who sends it), commands (any of these bytes), at_end (only after
    the message's end was sent, or only before; None: either), nth of such frames on a connection;
    when: "before" it is passed on, "inside" or "after" it."""

    def __init__(self, side, commands, when="after", at_end=None, nth=1):
        self.side, self.commands, self.when, self.at_end, self.nth = side, commands, when, at_end, nth

    def fits(self, side, command, at_end):
        return side == self.side and command in self.commands and (self.at_end is None or at_end == self.at_end)


class Armed:
    """A trap with what it does; sprung once."""

    def __init__(self, trap, action, cut):
        self.trap, self.action, self.cut = trap, action, cut
        self.sprung = threading.Event()


class FrameProxy:
    """Listens at folder/proxy.sock and leads to the milter at a unix socket's path."""

    def __init__(self, folder, milter_path):
        self.path = os.path.join(folder, "proxy.sock")
        self.milter_path = milter_path
        self.armed = None
        self.for_connection = None  # called for each connection: None or an Armed of its own
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self._listener.listen(256)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def postfix_spec(self):
        return f"unix:{self.path}"

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def arm(self, trap, action, cut):
        """For the next frame that fits, on whatever connection."""
        armed = Armed(trap, action, cut)
        with self._lock:
            self.armed = armed
        return armed

    def _accept(self):
        while True:
            try:
                mta, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(mta,), daemon=True).start()

    def _talk(self, mta):
        with mta, socket.socket(socket.AF_UNIX) as milter:
            try:
                milter.connect(self.milter_path)
                own = self.for_connection() if self.for_connection else None
                Conversation(self, mta, milter, own).run()
            except OSError:
                pass  # either side has gone: closing both is all there is to do

    def take(self, side, command, at_end, counts):
        """The trap that this frame springs, which is disarmed by it."""
        with self._lock:
            armed = self.armed
            if armed and armed.trap.fits(side, command, at_end):
                counts[armed] = counts.get(armed, 0) + 1
                if counts[armed] == armed.trap.nth:
                    self.armed = None
                    return armed
        return None


class Conversation:
    def __init__(self, proxy, mta, milter, own):
        self.proxy, self.own = proxy, own
        self.ends = {mta: ("mta", milter), milter: ("milter", mta)}
        self.buffers = {mta: b"", milter: b""}
        self.at_end = False
        self.counts = {}

    def run(self):
        while True:
            for source in select.select(list(self.ends), [], [])[0]:
                data = source.recv(1 << 18)
                if not data:
                    return
                self.buffers[source] += data
                while (frame := self._next(source)) is not None:
                    if not self._pass_on(source, frame):
                        return

    def _next(self, source):
        buffer = self.buffers[source]
        if len(buffer) < 5:
            return None
        size = 4 + struct.unpack(">I", buffer[:4])[0]
        if len(buffer) < size:
            return None
        self.buffers[source] = buffer[size:]
        return buffer[:size]

    def _pass_on(self, source, frame):
        """False when the conversation is over."""
        side, other = self.ends[source]
        command = frame[4:5]
        armed = self._sprung(side, command)
        if side == "mta":
            self.at_end = command == b"E"
        elif command in DECISIONS:
            self.at_end = False
        if not armed:
            other.sendall(frame)
            return True
        half = {"before": 0, "inside": 4 + (len(frame) - 4) // 2, "after": len(frame)}[armed.trap.when]
        other.sendall(frame[:half])
        armed.action()
        armed.sprung.set()
        if armed.cut:
            return False
        other.sendall(frame[half:])
        return True

    def _sprung(self, side, command):
        own = self.own
        if own and own.trap.fits(side, command, self.at_end):
            self.counts[own] = self.counts.get(own, 0) + 1
            if self.counts[own] == own.trap.nth:
                self.own = None
                return own
        return self.proxy.take(side, command, self.at_end, self.counts)
