"""What must hold when processes of pixmilter's are killed under an MTA, whichever it is (see through.py)."""

import threading
import time

import numpy

import judge
import pictures
import served
import smtp_client
from through import array_message, as_bytes, new_message


def long_work(number):
    """An array over which a worker sits for a while: smooth, so that its PNG is searched for repetitions. Another for
    each number: a picture that has killed workers before may be refused."""
    y, x, band = numpy.ogrid[0:1600, 0:2400, 0:3]
    array = (128 + 90 * numpy.sin(x / 37 + y / 91 + band)).astype(numpy.uint8)
    array[0, 0] = number
    return array


def workers_at_work(before):
    """Those of {pid: seconds worked} that have worked since."""
    return [pid for pid, seconds in before.items() if served.processor_time(pid) - seconds >= 0.05]


class Killed:
    # As long as a slow machine may need for long_work, and less than Postfix waits for the end of a message.
    milter_config = '[milter]\ndeadline = "110s"\n[render]\nworkers = 2\ntimeout = "100s"\n'

    def relay_while(self, message, disturb):
        """Relays a message while disturb(over) runs beside it; over is set when the message is through."""
        over = threading.Event()
        disturber = threading.Thread(target=disturb, args=(over,))
        disturber.start()
        try:
            return self.relay(message, timeout=240)
        finally:
            over.set()
            disturber.join()

    def wait_until_well(self):
        deadline = time.monotonic() + 120
        while not judge.images(judge.parse(self.relay(as_bytes(array_message(pictures.array(64, 48)))))):
            self.assertLess(time.monotonic(), deadline, "no worker came back")
            time.sleep(0.2)

    def idle_workers(self):
        """{pid: seconds it has worked} of both workers, once they wait for work: one that only starts works as well."""
        last, deadline = {}, time.monotonic() + 120
        while True:
            now = {pid: served.processor_time(pid) for pid in self.milter.workers()}
            if len(now) >= 2 and now == last and all(served.state(pid) == "S" for pid in now):
                return now
            self.assertLess(time.monotonic(), deadline, "no two workers that wait for work")
            last = now
            time.sleep(0.5)

    def test_kill_9_of_a_worker_in_the_middle_of_a_message(self):
        """The message is delivered, its picture converted or as it was, and the next one is as ever."""
        as_it_was = 0
        for attempt in range(12):
            array = long_work(attempt)
            message = as_bytes(array_message(array))
            before = self.idle_workers()

            def kill_whoever_works(over):
                # The worker that has used time since is the one at work.
                while not over.is_set():
                    if at_work := workers_at_work(before):
                        served.kill_all(at_work)
                        return
                    time.sleep(0.005)

            data = self.relay_while(message, kill_whoever_works)
            kinds = [part.get_content_type() for part in judge.leaves(judge.parse(data))]
            if kinds == ["text/plain", "application/x-npy"]:
                as_it_was += 1
                self.assertEqual(smtp_client.without_received(data), message)
                if as_it_was == 2:
                    break
            else:
                self.assertEqual(kinds, ["text/plain", "image/png"])
                image = judge.images(judge.parse(data))[0]
                numpy.testing.assert_array_equal(pictures.pixels(image.get_payload(decode=True)), array)
        self.assertGreater(as_it_was, 0, "no kill hit a worker at work")
        self.wait_until_well()

    def test_what_needs_no_worker_is_done_whatever_happens_to_them(self):
        """Workers and zygote are killed all the time: the PNG is embedded, the array stays as it was."""
        for attempt in range(12):
            both = new_message("both")
            both.set_content(f'<img src="{pictures.data_uri(pictures.png())}">', subtype="html")
            both.add_attachment(pictures.npy(long_work(50 + attempt)), "application", "x-npy", filename="frame.npy")
            pauses = [0]

            def kill_all(over):
                # Who starts right after the look around is killed after the next one.
                looked = time.monotonic()
                while not over.is_set():
                    before, looked = looked, time.monotonic()
                    served.kill_all(self.milter.render_processes())
                    pauses.append(time.monotonic() - before)
                    time.sleep(0.002)
                pauses.append(time.monotonic() - looked)

            data = self.relay_while(as_bytes(both), kill_all)
            self.assertEqual(judge.complaints(data), [])
            kinds = [part.get_content_type() for part in judge.leaves(judge.parse(data))]
            # Whoever is not shot at for so long may well start and render.
            if kinds[-1] == "application/x-npy" or max(pauses) < 0.5:
                break
        html = ("multipart/related", ("text/html",), ("image/png",))
        self.assertEqual(judge.tree(judge.parse(data)), ("multipart/mixed", html, ("application/x-npy",)),
                         f"the longest pause was {max(pauses):.2f} s")
        self.wait_until_well()

    def test_kill_9_of_the_front(self):
        """The master keeps the listening socket: what comes next is done by the front that it starts again."""
        fronts = [pid for pid, name in served.descendants(self.milter.process.pid).items() if name == "pixmilter-front"]
        self.assertTrue(fronts)
        served.kill_all(fronts)
        data = self.relay(as_bytes(array_message(pictures.array(64, 48))))
        self.assertEqual(len(judge.images(judge.parse(data))), 1)

    def fronts(self):
        return [pid for pid, name in served.descendants(self.milter.process.pid).items() if name == "pixmilter-front"]

    def kill_the_front_at_work(self, before, over):
        """As soon as a worker has a picture in hand, and so the front has all of the message."""
        while not over.is_set():
            if workers_at_work(before):
                served.kill_all(self.fronts())
                return
            time.sleep(0.005)

    def test_kill_9_of_the_front_in_the_middle_of_a_message(self):
        """The client is told 4xx and nothing is delivered; when it tries again all is well, once."""
        for attempt in range(8):
            message, recipient = as_bytes(array_message(long_work(30 + attempt))), self.new_recipient()
            over = threading.Event()
            killer = threading.Thread(target=self.kill_the_front_at_work, args=(self.idle_workers(), over))
            killer.start()
            code, text = self.mta.send("a@example.test", [recipient], message)
            over.set()
            killer.join()
            if code != 250:
                break
            self.sink.wait(recipient)  # the kill came too late
        self.assertEqual(code // 100, 4, text)
        self.assertFalse(self.sink.has(recipient))
        self.assertEqual(self.mta.send("a@example.test", [recipient], message)[0], 250)
        data = self.sink.wait(recipient).data
        self.assertEqual(len(judge.images(judge.parse(data))), 1)
        self.assertEqual(sum(recipient in delivered.recipients for delivered in self.sink.messages), 1)

    def test_kill_9_of_the_front_while_a_local_program_hands_in(self):
        """The program is told nothing of it; its message waits, and is delivered once."""
        recipient, over = self.new_recipient(), threading.Event()
        killer = threading.Thread(target=self.kill_the_front_at_work, args=(self.idle_workers(), over))
        killer.start()
        self.mta.sendmail("a@example.test", [recipient], as_bytes(array_message(long_work(40))))
        try:
            deadline = time.monotonic() + 240
            while not self.sink.has(recipient):
                self.assertLess(time.monotonic(), deadline, self.mta.log()[-2000:])
                time.sleep(0.5)
                self.mta.try_again()
        finally:
            over.set()
            killer.join()
        time.sleep(0.5)
        arrived = [delivered for delivered in self.sink.messages if recipient in delivered.recipients]
        self.assertEqual(len(arrived), 1)
        kinds = [part.get_content_type() for part in judge.leaves(judge.parse(arrived[0].data))]
        self.assertEqual(kinds, ["text/plain", "image/png"])


class Gone:
    """No pixmilter at all: mail waits at the client's, and none passes unseen."""

    def test_mail_is_deferred_until_it_is_there_again(self):
        message, recipient = as_bytes(array_message(pictures.array())), self.new_recipient()
        self.milter.stop()
        code, text = self.mta.send("a@example.test", [recipient], message)
        self.assertEqual(code // 100, 4, text)
        self.assertFalse(self.sink.has(recipient))
        with served.Served(self.milter.folder):
            self.assertEqual(len(judge.images(judge.parse(self.relay(message)))), 1)
        self.assertFalse(self.sink.has(recipient))
