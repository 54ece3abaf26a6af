#!/usr/bin/python3
"""What was fetched is kept as its server says: a real nginx, and a server that counts and remembers what it is asked.

A request that does not come is what a cache is for, so requests are counted, never times.
"""
# tests/run: timeout=1200

import base64
import email.utils
import json
import os
import re
import signal
import sys
import threading
import time
import unittest

_tests = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(_tests, "lib"), os.path.join(_tests, "milter"),
                os.path.dirname(os.path.abspath(__file__))]

import harness  # noqa: E402
import network  # noqa: E402
import served  # noqa: E402
import web  # noqa: E402
from fetching import mail  # noqa: E402
from metrics_test import get, parsed  # noqa: E402
from running import Running, until  # noqa: E402

GIF = network.GIF
OTHER = GIF.replace(b"\xff\xff\xff", b"\xff\x00\xff")  # another picture, as good as the first


class FetchCache(unittest.TestCase):
    def setUp(self):
        self.rude = web.Rude()
        self.addCleanup(self.rude.close)
        self.base = f"http://127.0.0.1:{self.rude.port}"
        self.metrics = served.free_port()

    def text(self, allow=None, cache="", fetch=""):
        # Times so long that a slow machine changes nothing.
        return (f"[milter]\ndeadline = \"300s\"\n[fetch]\ntimeout = \"100s\"\nallow = {json.dumps(allow or [self.base])}\nallow_private = true\n{fetch}\n"
                f"[cache]\n{cache}\n[metrics]\nlisten = \"127.0.0.1:{self.metrics}\"\n")

    def serve(self, *arguments, **more):
        return Running(self, config=self.text(*arguments, **more))

    def page(self, path, *fields, body=GIF, status=b"200 OK"):
        """What the server says from now on. `when` a request has the validator it gets a 304."""
        more = b"".join(field.encode() + b"\r\n" for field in fields)
        tag = next((field[6:].encode() for field in fields if field.startswith("ETag: ")), None)
        since = next((field[15:].encode() for field in fields if field.startswith("Last-Modified: ")), None)

        def answer(server, connection):
            # Serves one request of a connection: the next comes on another.
            header = server.requests[-1]
            known = ((tag and b"If-None-Match: " + tag in header) or
                     (not tag and since and b"If-Modified-Since: " + since in header))
            close = more + b"Connection: close\r\n"
            if known:
                connection.sendall(b"HTTP/1.1 304 Not Modified\r\n" + close + b"\r\n")
            else:
                connection.sendall(web.reply(body, more=close, status=status))
        self.rude.paths[path] = answer

    def asked(self, path):
        return [header for header in self.rude.requests if header.split(b" ")[1].split(b"?")[0] == path.encode()]

    def shows(self, milter, *paths, body=GIF):
        """A message with these; all are in it afterwards, with these bytes, where it matters."""
        message = milter.send(mail(*(self.base + path for path in paths))).message
        shown = len(re.findall(rb"cid:", message))
        return shown == len(paths) and (body is None or base64.b64encode(body) in re.sub(rb"\r?\n", b"", message))

    def counted(self, result):
        values = parsed(get(self.metrics, "/metrics")[1])[0]["pixmilter_cache_lookups_total"]
        return values[(("result", result), ("tier", "fetched"))]

    def test_fresh_is_no_request(self):
        date = email.utils.formatdate(usegmt=True)
        later = email.utils.formatdate(time.time() + 3600, usegmt=True)
        cases = {
            "/max-age": ["Cache-Control: max-age=3600"],
            "/shared": ["Cache-Control: max-age=0, s-maxage=3600"],
            "/expires": ["Date: " + date, "Expires: " + later],
            "/two-fields": ["Cache-Control: public", "Cache-Control: max-age=3600"],
            "/vary": ["Cache-Control: max-age=3600", "Vary: Accept-Encoding, User-Agent"],
            "/age": ["Cache-Control: max-age=7200", "Age: 3600"],
        }
        milter = self.serve()
        for path, fields in cases.items():
            self.page(path, *fields)
            for _ in range(3):
                self.assertTrue(self.shows(milter, path), path)
            self.assertEqual(len(self.asked(path)), 1, path)
        # In any spelling, together, and beside what is not there yet.
        self.assertTrue(self.shows(milter, "/%6dax-age", "/x/../shared", "/vary#1", "/expires?", "/new"))
        self.assertEqual(len(self.rude.requests), len(cases) + 1)
        # Another query is another thing.
        self.assertTrue(self.shows(milter, "/max-age?a"))
        self.assertEqual(len(self.asked("/max-age")), 2)
        self.assertEqual(self.counted("hit"), 2 * len(cases) + 4)
        self.assertEqual(self.counted("miss"), len(cases) + 2)

    def test_not_fresh_is_a_request_each_time(self):
        later = email.utils.formatdate(time.time() + 3600, usegmt=True)
        cases = {
            "/nothing": [],
            "/no-store": ["Cache-Control: no-store, max-age=3600"],
            "/private": ["Cache-Control: private, max-age=3600"],
            "/over": ["Cache-Control: s-maxage=0, max-age=3600"],
            "/star": ["Cache-Control: max-age=3600", "Vary: *"],
            "/aged": ["Cache-Control: max-age=3600", "Age: 3600"],
            "/expired": ["Expires: 0"],
            "/old": ["Date: " + later.replace(later[12:16], "2001"), "Cache-Control: max-age=3600"],
            "/no-store-with-tag": ["Cache-Control: no-store", 'ETag: "1"'],
        }
        milter = self.serve()
        for path, fields in cases.items():
            self.page(path, *fields)
            for body in (GIF, OTHER):
                self.page(path, *fields, body=body)
                self.assertTrue(self.shows(milter, path, body=body), path)
            self.assertEqual(len(self.asked(path)), 2, path)
            self.assertNotIn(b"If-", self.asked(path)[1], path)
        self.assertEqual(self.counted("hit"), 0)

    def test_stale_is_one_conditional_request(self):
        cases = {
            "/tag": (['ETag: "abc, def"', "Cache-Control: max-age=0"], b'If-None-Match: "abc, def"\r\n'),
            "/weak": (['ETag: W/"1"'], b'If-None-Match: W/"1"\r\n'),
            "/no-cache": (['ETag: "1"', "Cache-Control: no-cache, max-age=3600"], b'If-None-Match: "1"\r\n'),
            "/dated": (["Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"],
                       b"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
        }
        milter = self.serve()
        for path, (fields, condition) in cases.items():
            self.page(path, *fields)
            for count in (1, 2, 3):
                self.assertTrue(self.shows(milter, path), path)
                self.assertEqual(len(self.asked(path)), count, path)
            self.assertNotIn(b"If-", self.asked(path)[0])
            self.assertIn(condition, self.asked(path)[1] + b"\r\n")
            # It has changed.
            self.page(path, 'ETag: "new"', body=OTHER)
            self.assertTrue(self.shows(milter, path, body=OTHER), path)
        self.assertEqual(self.counted("revalidated"), 2 * len(cases))
        # Down: nothing stale in its place; there again: what was kept can be confirmed.
        self.page("/tag", 'ETag: "new"', status=b"500 Oh")
        self.assertFalse(self.shows(milter, "/tag"))
        self.page("/tag", 'ETag: "new"', "Cache-Control: max-age=3600", body=OTHER)
        self.assertTrue(self.shows(milter, "/tag", body=OTHER))
        asked = len(self.asked("/tag"))
        self.assertIn(b'If-None-Match: "new"', self.asked("/tag")[-1])
        self.assertTrue(self.shows(milter, "/tag", body=OTHER))
        self.assertEqual(len(self.asked("/tag")), asked, "the confirmation said that it is fresh")

    def test_redirects(self):
        self.page("/from", "Location: /to", "Cache-Control: max-age=3600", status=b"302 Found")
        self.page("/to", "Cache-Control: max-age=3600", 'ETag: "1"')
        milter = self.serve()
        for count in (1, 2):
            self.assertTrue(self.shows(milter, "/from"))
            self.assertEqual((len(self.asked("/from")), len(self.asked("/to"))), (count, count))
        # One that comes to be a redirect: what it leads to is another thing, whose tags are others.
        self.page("/moves", 'ETag: "1"')
        self.assertTrue(self.shows(milter, "/moves"))
        self.page("/moves", "Location: /to", status=b"302 Found")
        self.page("/to", 'ETag: "1"', body=OTHER)
        self.assertTrue(self.shows(milter, "/moves", body=OTHER))
        self.assertIn(b"If-None-Match", self.asked("/moves")[-1])
        self.assertNotIn(b"If-None-Match", self.asked("/to")[-1])

    def test_a_reload_forgets_and_the_list_goes_first(self):
        self.page("/a/1", "Cache-Control: max-age=3600")
        milter = self.serve([self.base + "/a/*"])
        for _ in range(2):
            self.assertTrue(self.shows(milter, "/a/1"))
        self.assertEqual(len(self.asked("/a/1")), 1)
        milter.configure(self.text([self.base + "/b/*"]))
        milter.signal(signal.SIGHUP)
        until("it is not allowed any more", lambda: not self.shows(milter, "/a/1"), 60)
        milter.configure(self.text([self.base + "/*"]))
        milter.signal(signal.SIGHUP)
        until("it is allowed again", lambda: self.shows(milter, "/a/1"), 60)
        self.assertGreaterEqual(len(self.asked("/a/1")), 2)

    def test_tokens(self):
        """What a token has opened is nobody else's but where its server says so, and never survives the token."""
        path = os.path.join(harness.temp_dir(self), "headers")

        def token(value):
            with open(path, "w") as file:
                file.write(f"http://127.0.0.1:{self.rude.port} X-Token: {value}\n")
            os.chmod(path, 0o640)
        token("one")
        self.page("/own", "Cache-Control: max-age=3600")
        self.page("/public", "Cache-Control: public, max-age=3600")
        text = self.text(fetch=f"headers_file = {json.dumps(path)}")
        milter = Running(self, config=text)
        for _ in range(2):
            self.assertTrue(self.shows(milter, "/own", "/public"))
        self.assertEqual((len(self.asked("/own")), len(self.asked("/public"))), (2, 1))
        token("two")
        milter.signal(signal.SIGHUP)
        until("the new token is sent", lambda: self.shows(milter, "/own", "/public") and
              b"X-Token: two" in self.asked("/own")[-1], 60)
        self.assertIn(b"X-Token: two", self.asked("/public")[-1])
        # A fetch process that dies is replaced by one that reads the file anew.
        token("three")
        old = milter.children("pixmilter-fetch")
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        until("another process", lambda: [pid for pid in milter.children("pixmilter-fetch") if pid not in old],
              60)
        until("the third token is sent", lambda: self.shows(milter, "/own") and
              b"X-Token: three" in self.asked("/own")[-1], 60)
        self.assertTrue(self.shows(milter, "/public"))
        self.assertIn(b"X-Token: three", self.asked("/public")[-1])

    def test_many_messages_at_once_are_one_request(self):
        here, on = threading.Event(), threading.Event()

        def held(server, connection):
            here.set()
            on.wait(60)
            connection.sendall(web.reply(GIF, more=b"Cache-Control: max-age=3600\r\n"))
        self.rude.paths["/a"] = held
        milter = self.serve()
        shown = []
        threads = [threading.Thread(target=lambda: shown.append(self.shows(milter, "/a"))) for _ in range(6)]
        for thread in threads:
            thread.start()
        self.assertTrue(here.wait(60))
        until("five wait", lambda: self.counted("join") == 5, 60)
        on.set()
        for thread in threads:
            thread.join()
        self.assertEqual(shown, [True] * 6)
        self.assertEqual(len(self.asked("/a")), 1)

    def test_its_share(self):
        milter = self.serve(cache='fetched = "100K"')
        large = GIF + b"\0" * 30_000
        for number in range(8):
            self.page(f"/{number}", "Cache-Control: max-age=3600", body=large)
            self.assertTrue(self.shows(milter, f"/{number}", body=None))
            samples = parsed(get(self.metrics, "/metrics")[1])[0]
            self.assertLessEqual(samples["pixmilter_cache_bytes"][(("tier", "fetched"),)], 100 << 10)
        self.assertEqual(samples["pixmilter_cache_entries"][(("tier", "fetched"),)], 3)
        self.assertEqual(samples["pixmilter_cache_evictions_total"][(("tier", "fetched"),)], 5)
        self.assertEqual(samples["pixmilter_fetches_total"][(("status", "ok"),)], 8)
        self.assertEqual(samples["pixmilter_fetched_bytes_total"][()], 8 * len(large))

    def test_off(self):
        self.page("/a", "Cache-Control: max-age=3600", 'ETag: "1"')
        milter = self.serve(cache='fetched = "0"')
        for count in (1, 2):
            self.assertTrue(self.shows(milter, "/a"))
            self.assertEqual(len(self.asked("/a")), count)
        self.assertNotIn(b"If-", self.asked("/a")[1])

    def test_nginx(self):
        port = web.free_port()
        nginx = web.Nginx(self, [f"127.0.0.1:{port}"], ["127.0.0.1"])
        self.addCleanup(nginx.close)
        self.base = f"http://127.0.0.1:{port}"
        milter = self.serve()
        for path, statuses in (("/fresh/ok.gif", ["200"]), ("/ok.gif", ["200", "304", "304"]),
                               ("/never/ok.gif", ["200", "200", "200"])):
            before = len(nginx.statuses())
            for _ in range(3):
                self.assertTrue(self.shows(milter, path), path)
            self.assertEqual(nginx.statuses()[before:], statuses, path)


if __name__ == "__main__":
    harness.main()
