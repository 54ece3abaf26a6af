#!/usr/bin/python3
"""Many messages with the same picture, several at a time, through the real milter: it is rendered once.

What is counted is renders, hits and waits; how long any of it takes says nothing here (tests/bench/cache_bench.cc
measures).
"""
# tests/run: timeout=1200

import base64
import os
import random
import sys
import threading
import unittest

_tests = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(_tests, "lib"), os.path.join(_tests, "milter")]

import harness  # noqa: E402
import served  # noqa: E402
from metrics_test import get, parsed  # noqa: E402
from running import Running  # noqa: E402

CLIENTS, EACH = 4, 3


def message(seed, width=1920, height=1080):
    """A raw picture: rows of one pattern, each shifted, so that it is quickly made and not quickly encoded."""
    row = random.Random(seed).randbytes(width * 3)
    pixels = b"".join(row[line % 997:] + row[:line % 997] for line in range(height))
    return (b"From: a@example.test\r\nTo: b@example.test\r\nSubject: pixels\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: image/x-raw-pixels; width=%d; height=%d; bands=3; format=uchar\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" % (width, height)
            + base64.encodebytes(pixels).replace(b"\n", b"\r\n"))


class OneRender(unittest.TestCase):
    def test_the_same_1080p_raw_picture(self):
        port = served.free_port()
        milter = Running(self, config='[milter]\ndeadline = "300s"\n[render]\ntimeout = "200s"\n'
                                      f'[metrics]\nlisten = "127.0.0.1:{port}"\n')
        text = message(1)
        sent, errors = set(), []

        def client():
            try:
                for _ in range(EACH):
                    with milter.client(timeout=300) as connection:
                        sent.add(connection.send(text).message)
                        connection.quit()
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        self.assertEqual(len(sent), 1, "all messages are the same")
        self.assertIn(b"Content-Type: image/png", sent.pop())
        samples = parsed(get(port, "/metrics")[1])[0]
        self.assertEqual(samples["pixmilter_renders_total"][(("status", "ok"),)], 1)
        self.assertEqual(sum(samples["pixmilter_renders_total"].values()), 1)
        lookups = {dict(labels)["result"]: count for labels, count in samples["pixmilter_cache_lookups_total"].items()
                   if ("tier", "memory") in labels}
        self.assertEqual(lookups["hit"] + lookups["miss"], CLIENTS * EACH)
        self.assertGreaterEqual(lookups["miss"], 1)
        self.assertLessEqual(lookups["miss"], CLIENTS, "one a client at most: then it is there")
        self.assertLess(lookups["join"], lookups["miss"])
        self.assertEqual(samples["pixmilter_cache_entries"][(("tier", "memory"),)], 1)


if __name__ == "__main__":
    harness.main()
