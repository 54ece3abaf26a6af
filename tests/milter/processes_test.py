#!/usr/bin/python3
"""Master, front and zygote: who starts, who ends, who is started again, and what a message notices of it."""
# tests/run: timeout=1200

import os
import pty
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from client import ALL_NO_REPLY, ALL_STEPS, Client, Closed, send_message, split_message  # noqa: E402
from running import HTML, PIXELS, PLAIN, Running, alive, harness, served, until  # noqa: E402

SLOW = b"X-Script-Sleep: %d\r\nX-Script-Body: upper\r\n\r\ntext\r\n"


class InThread(threading.Thread):
    """Runs a function beside the test; result() gives its value or raises what it raised."""

    def __init__(self, function, *arguments, **more):
        super().__init__(daemon=True)
        self.call = lambda: function(*arguments, **more)
        self.value = self.error = None
        self.start()

    def run(self):
        try:
            self.value = self.call()
        except BaseException as error:
            self.error = error

    def result(self, timeout=60):
        self.join(timeout)
        if self.is_alive():
            raise AssertionError("still running")
        if self.error:
            raise self.error
        return self.value


def begun(running, client, message):
    """Starts a message in the background and returns when the filter works on its end."""
    sent = InThread(client.send, message, queue_id="4SLOW")
    running.wait_logged("id=4SLOW sleeps")
    return sent


def zygotes(running):
    """The master's own children among the render processes."""
    with open(f"/proc/{running.process.pid}/task/{running.process.pid}/children") as file:
        mine = {int(pid) for pid in file.read().split()}
    return [pid for pid in running.children("pixmilter-render") if pid in mine and alive(pid)]


class Ending(unittest.TestCase):
    def test_sigterm_when_idle(self):
        running = Running(self)
        idle = running.client()
        idle.send(HTML)
        start = time.monotonic()
        self.assertEqual(running.stop(), 0)
        self.assertLess(time.monotonic() - start, 25)  # the deadline of a message is 30 s
        self.assertFalse(os.path.exists(running.socket[5:]))
        with self.assertRaises((Closed, OSError)):
            idle.send(HTML)

    def test_sigint_ends_as_well(self):
        running = Running(self)
        running.signal(signal.SIGINT)
        self.assertEqual(running.process.wait(60), 0)
        self.assertFalse(os.path.exists(running.socket[5:]))

    def test_sigterm_with_a_message_in_hand(self):
        running = Running(self, scripted=True)
        with running.client() as client, running.client() as other, running.client(
                offer_steps=ALL_STEPS & ~ALL_NO_REPLY) as half:
            other.send(PLAIN)
            half.begin()
            half.header(b"Subject", b" half way")
            slow = begun(running, client, SLOW % 4000)
            running.signal(signal.SIGTERM)
            # A new message is deferred, on an old connection and on a new one, as soon as the front has heard of it.
            until("a message is deferred", lambda: not (answer := other.send(PLAIN)).passed and answer.reply == (
                "451 4.3.2 Mail filter is restarting, try again later"))
            with Client(running.socket) as late:
                self.assertEqual(late.connect()[0], b"y")
            # One whose MAIL came before goes on to its end.
            half.eoh()
            half.body(b"text\r\n")
            self.assertEqual(half.eom()[0], b"a")
            self.assertTrue(slow.result().message.endswith(b"TEXT\r\n"))
            self.assertEqual(running.process.wait(60), 0)
        self.assertFalse(os.path.exists(running.socket[5:]))
        self.assertIn("before=", running.line_for("4SLOW"))

    def test_sigterm_waits_no_longer_than_the_deadline(self):
        for _ in range(6):
            running = Running(self, scripted=True, config='[milter]\ndeadline = "1s"\n')
            with running.client(offer_steps=ALL_STEPS & ~ALL_NO_REPLY) as client:
                client.begin()  # and nothing more
                start = time.monotonic()
                self.assertEqual(running.stop(), 0)
                self.assertGreater(time.monotonic() - start, 0.9)
            until("the end of the log", lambda: (
                running.logged("although messages are in hand") or running.logged("ended")))
            if running.logged("although messages are in hand"):
                return
            # A front that the machine holds up for three seconds is killed before it can say so.
            self.assertTrue(running.logged("killing it"), running.log())
        self.fail("the front has been killed every time")

    def test_a_reply_is_written_before_the_end(self):
        # Many at once, ended at a random moment: each whose MAIL was answered is answered.
        def finish(client, message):
            headers, body = split_message(message)
            for name, value in headers:
                client.header(name, value)
            client.eoh()
            client.body(body)
            return client.eom()

        for turn in range(5):
            running = Running(self, scripted=True)
            clients = [running.client(offer_steps=ALL_STEPS & ~ALL_NO_REPLY) for _ in range(20)]
            for client in clients:
                self.assertEqual(client.begin()[0], b"c")
            sent = [InThread(finish, client, SLOW % (200 + 7 * number)) for number, client in enumerate(clients)]
            time.sleep(0.15 + 0.03 * turn)
            self.assertEqual(running.stop(), 0)
            for one in sent:
                decision, _, edits = one.result()
                self.assertEqual((decision, edits), (b"a", [(b"b", b"TEXT\r\n")]))
            for client in clients:
                client.close()

    def test_second_interrupt_ends_at_once(self):
        running = Running(self, scripted=True)
        with running.client() as client:
            slow = begun(running, client, SLOW % 20000)
            running.signal(signal.SIGINT)
            # Two that wait for a busy machine are one.
            running.wait_logged("ending after the messages in hand")
            time.sleep(0.3)
            self.assertIsNone(running.process.poll())
            running.signal(signal.SIGINT)
            self.assertEqual(running.process.wait(15), 0)
            with self.assertRaises(Closed):
                slow.result()

    def test_signals_to_the_front_are_the_masters(self):
        # killall, or systemd's KillMode=control-group: libmilter alone would drop the sessions.
        running = Running(self, scripted=True)
        front = running.front()
        with running.client() as client:
            slow = begun(running, client, SLOW % 1000)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                os.kill(front, number)
            self.assertTrue(slow.result().passed)
            self.assertTrue(client.send(PLAIN).passed)
        self.assertEqual(running.front(), front)

    def test_interrupt_at_a_terminal(self):
        # ^C goes to the whole foreground group: the message in hand is finished all the same.
        folder = harness.temp_dir(self)
        spec = f"unix:{folder}/s"
        master_end, slave_end = pty.openpty()
        program = subprocess.Popen([harness.program("tests/scripted_milter"), "--socket", spec], stdin=slave_end,
                                   stdout=slave_end, stderr=slave_end, start_new_session=True,
                                   preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0))
        os.close(slave_end)
        self.addCleanup(os.close, master_end)
        said = []
        reader = InThread(read_all, master_end, said)
        # The socket's file is there before anybody listens.
        until("that it serves", lambda: b"serving on" in b"".join(said))
        with Client(spec) as client:
            client.connect()
            slow = InThread(client.send, SLOW % 1500, queue_id="4SLOW")
            until("that the filter is at work", lambda: b"id=4SLOW sleeps" in b"".join(said))
            os.write(master_end, b"\x03")
            self.assertTrue(slow.result().message.endswith(b"TEXT\r\n"))
        self.assertEqual(program.wait(60), 0)
        reader.result()
        self.assertIn(b"ending after the messages in hand", b"".join(said))  # a terminal gets the log

    def test_master_killed(self):
        running = Running(self, scripted=True)
        with running.client() as client:
            slow = begun(running, client, SLOW % 1500)
            # Not before somebody has answered: it says that it serves before all are there.
            children = served.descendants(running.process.pid)
            running.process.kill()
            running.process.wait()
            # The message in hand is finished; then nothing is left.
            self.assertTrue(slow.result().message.endswith(b"TEXT\r\n"))
        until("the end of all", lambda: not [pid for pid in children if alive(pid)])
        # A new master finds a stale socket and takes its place.
        again = Running(self, socket=running.socket)
        self.assertTrue(again.wait_logged("nobody listens"))
        self.assertIn(b"multipart/related", again.send(HTML).message)


def read_all(descriptor, into):
    try:
        while data := os.read(descriptor, 4096):
            into.append(data)
    except OSError:
        pass


# Every picture is rendered, the same one too. With no more workers than a picture may meet dead ones in a row.
NOTHING_KEPT = '[cache]\nmemory = "0"\n[render]\nworkers = 2\n'


class StartedAgain(unittest.TestCase):
    def test_front_killed(self):
        running = Running(self)
        front = running.front()
        expected = running.send(HTML).message
        zygotes = running.children("pixmilter-render")
        for _ in range(3):
            os.kill(front, signal.SIGKILL)
            # At once: the connection waits for the new front instead of failing.
            self.assertEqual(running.send(HTML).message, expected)
            new = running.front(other_than=[front])
            self.assertNotEqual(new, front)
            front = new
        self.assertTrue(running.wait_logged("was killed by signal 9"))
        # The old zygotes have gone with their fronts.
        until("the end of the old zygotes", lambda: not [pid for pid in zygotes if alive(pid)])

    def test_front_killed_while_mail_flows(self):
        running = Running(self)
        expected = running.send(HTML).message
        stop = threading.Event()
        done, lost = [], []  # of all senders

        def mail():
            while not stop.is_set():
                try:
                    self.assertEqual(send_message(running.socket, HTML).message, expected)
                    done.append(1)
                except (Closed, ConnectionError, BrokenPipeError):
                    lost.append(1)  # in the middle of a message: the MTA defers it

        senders = [InThread(mail) for _ in range(4)]
        fronts = []
        for _ in range(6):
            time.sleep(0.4)
            fronts.append(running.front(other_than=fronts))
            os.kill(fronts[-1], signal.SIGKILL)
        before = len(done)
        until("mail flows again", lambda: len(done) > before + 4)
        stop.set()
        for one in senders:
            one.result()
        self.assertLessEqual(len(lost), 4 * 6)
        self.assertIsNone(running.process.poll())

    def test_zygote_killed(self):
        running = Running(self, config=NOTHING_KEPT)
        picture = PIXELS
        expected = running.send(picture)
        self.assertIn(b"image/png", expected.message)
        for _ in range(3):
            # A zygote that stands still makes no worker that is not listed, gets the picture and dies with the zygote.
            before = zygotes(running)
            for pid in before:
                os.kill(pid, signal.SIGSTOP)
            until("that they stand", lambda: all(served.state(pid) in "TZX" for pid in before))
            killed = running.children("pixmilter-render")
            served.kill_all(killed)
            until("their end", lambda: not [pid for pid in killed if alive(pid)])
            self.assertEqual(running.send(picture).message, expected.message)
        self.assertEqual(len(running.logged("front")), 1)  # the front did not notice

    def test_zygote_stopped_while_nobody_needs_it(self):
        """It is not the next message that finds out."""
        running = Running(self, config=NOTHING_KEPT)
        picture = PIXELS
        expected = running.send(picture)
        self.assertIn(b"image/png", expected.message)
        before = until("one zygote", lambda: zygotes(running))
        for pid in before:
            os.kill(pid, signal.SIGSTOP)
        until("another zygote", lambda: (now := zygotes(running)) and not set(now) & set(before))
        running.wait_logged("does not answer and is replaced")
        until("the end of the stopped one", lambda: not [pid for pid in before if alive(pid)])
        self.assertEqual(running.send(picture).message, expected.message)
        self.assertEqual(len(running.logged("front")), 1)  # the front did not notice

    def test_zygote_and_front_killed_together(self):
        running = Running(self)
        picture = PIXELS
        expected = running.send(picture).message
        served.kill_all(list(served.descendants(running.process.pid)))
        self.assertEqual(running.send(picture).message, expected)
        self.assertEqual(running.stop(), 0)

    def test_no_render_program(self):
        # What needs no picture rendered is done; the rest stays as it was; nothing spins.
        folder = harness.temp_dir(self)
        alone = os.path.join(folder, "pixmilter")
        with open(harness.program(), "rb") as program, open(alone, "wb") as copy:
            copy.write(program.read())
        os.chmod(alone, 0o755)
        original, harness.program = harness.program, lambda name="pixmilter": alone
        try:
            running = Running(self, config='[milter]\ndeadline = "2s"\n')
        finally:
            harness.program = original
        self.assertIn(b"multipart/related", running.send(HTML).message)
        result = running.send(PIXELS)
        self.assertTrue(result.passed)
        self.assertFalse(result.changed)
        self.assertTrue(running.wait_logged("no picture can be rendered"))
        self.assertLess(len(running.lines), 60)
        self.assertEqual(running.stop(), 0)


class Reloading(unittest.TestCase):
    def test_reload(self):
        running = Running(self, config='[milter]\ndeadline = "7s"\n', scripted=True)
        # Every step answered, so that what was sent is known to have arrived.
        with running.client(offer_steps=ALL_STEPS & ~ALL_NO_REPLY) as client:
            client.send(b"Subject: x\n\nx\n", queue_id="4A")
            self.assertIn("deadline=7000", running.line_for("4A"))
            running.configure('[milter]\ndeadline = "9s"\n')
            client.send(b"Subject: x\n\nx\n", queue_id="4B")
            self.assertIn("deadline=7000", running.line_for("4B"))  # not before SIGHUP
            client.begin(queue_id="4C")  # begun under the old configuration
            client.header(b"Subject", b" x")
            running.signal(signal.SIGHUP)
            running.wait_logged("is in force")
            with running.client() as other:
                until("the new configuration", lambda: (
                    other.send(b"Subject: x\n\nx\n", queue_id="4D"), running.logged("deadline=9000"))[1])
            client.macro(b"N", i="4C")
            client.eoh()
            client.body(b"x\r\n")
            client.macro(b"E", i="4C")
            self.assertEqual(client.eom()[0], b"a")
            self.assertIn("deadline=7000", running.line_for("4C"))
            client.send(b"Subject: x\n\nx\n", queue_id="4E")
            self.assertIn("deadline=9000", running.line_for("4E"))
        self.assertEqual(len(running.logged("front")), 1)  # the same process

    def test_a_bad_file_is_refused(self):
        running = Running(self, config='[milter]\ndeadline = "7s"\n', scripted=True)
        front = running.front()
        for bad, place in (("deadline = 1", ":1:"), ("[milter]\nnonsense = 1\n", ":2:1: "), ("[[[", ":1:")):
            running.configure(bad)
            before = len(running.logged("is refused"))
            running.signal(signal.SIGHUP)
            running.wait_logged("is refused", before + 1)
            self.assertTrue(running.wait_logged(running.config + place), running.log())
            running.send(b"Subject: x\n\nx\n", queue_id=f"4BAD{before}")
            self.assertIn("deadline=7000", running.line_for(f"4BAD{before}"))
        os.unlink(running.config)
        running.signal(signal.SIGHUP)
        running.wait_logged("is refused", 4)
        # A front that is started again has the configuration in force, not the file.
        os.kill(front, signal.SIGKILL)
        running.send(b"Subject: x\n\nx\n", queue_id="4AGAIN")
        self.assertIn("deadline=7000", running.line_for("4AGAIN"))

    def test_a_new_front_has_the_new_configuration(self):
        running = Running(self, config="", scripted=True)
        running.configure('[milter]\ndeadline = "9s"\n')
        running.signal(signal.SIGHUP)
        running.wait_logged("is in force")
        os.kill(running.front(), signal.SIGKILL)
        running.send(b"Subject: x\n\nx\n", queue_id="4NEW")
        self.assertIn("deadline=9000", running.line_for("4NEW"))

    def test_many_reloads_under_load(self):
        running = Running(self, config="")
        expected = running.send(HTML).message
        front = running.front()
        stop = threading.Event()

        done = []  # of all senders

        def mail():
            with running.client() as client:
                while not stop.is_set():
                    self.assertEqual(client.send(HTML).message, expected)
                    done.append(1)

        senders = [InThread(mail) for _ in range(3)]
        for turn in range(30):
            running.configure(f'[render]\nworkers = {1 + turn % 2}\n')
            running.signal(signal.SIGHUP)
            time.sleep(0.05)
        before = len(done)
        until("mail flows", lambda: len(done) > before + 3)
        stop.set()
        for one in senders:
            one.result()
        self.assertEqual(running.front(), front)
        until("one zygote", lambda: len(zygotes(running)) <= 2)
        self.assertEqual(running.stop(), 0)

    def test_socket_changes_wait_for_a_restart(self):
        running = Running(self, config="")
        running.configure('[milter]\nsocket_mode = "0600"\n')
        running.signal(signal.SIGHUP)
        running.wait_logged("take effect at the next start")
        self.assertIn(b"multipart/related", running.send(HTML).message)


if __name__ == "__main__":
    harness.main()
