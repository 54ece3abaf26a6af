#!/usr/bin/python3
"""Pictures by URL: a real nginx with TLS under a private authority, servers that misbehave, and everything that
has been used to make a server ask another one than it should.

The judges of the last are listeners that must stay silent.
"""
# tests/run: timeout=1200

import gzip
import ipaddress
import json
import os
import re
import signal
import sys
import threading
import time
import unittest
import urllib.parse

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "milter"),
                os.path.dirname(os.path.abspath(__file__))]

import harness  # noqa: E402
import network  # noqa: E402
import running  # noqa: E402
import web  # noqa: E402
from network import GIF  # noqa: E402

# So long that a slow machine changes nothing. A test whose subject the time is has its own.
DEADLINE, TIMEOUT = "5m", "100s"


def mail(*urls, html=None):
    body = html or "".join(f'<p><img src="{url}"></p>\n' for url in urls)
    return ("From: a@example.test\nTo: b@example.test\nSubject: s\nMIME-Version: 1.0\n"
            "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + body).encode()


def settings(allow, private=False, deadline=DEADLINE, **keys):
    keys.setdefault("timeout", TIMEOUT)
    lines = ["[milter]", f'deadline = "{deadline}"', "[render]", f'timeout = "{TIMEOUT}"', "[fetch]",
             "allow = " + json.dumps(allow), f"allow_private = {'true' if private else 'false'}"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def config(folder, *arguments, **more):
    path = os.path.join(folder, "pixmilter.toml")
    with open(path, "w") as file:
        file.write(settings(*arguments, **more))
    return path


def explain(path, message, env=None, timeout=600):
    """What became of each reference, in the order of the message: (decision, reason, failed)."""
    done = harness.run([harness.program(), "explain", "--json", "-c", path], input=message, check=0, timeout=timeout,
                       env={**os.environ, **(env or {})})
    return [(one["decision"], one["reason"], one["failed"]) for one in json.loads(done.stdout)["pictures"]]


def rewrite(path, message, env=None):
    return harness.run([harness.program(), "rewrite", "-c", path], input=message, check=0, timeout=600,
                       env={**os.environ, **(env or {})})


class Loopback(unittest.TestCase):
    """Everything that needs no network of its own."""

    @classmethod
    def setUpClass(cls):
        cls.folder = harness.temp_dir(cls)
        cls.port, cls.plain = web.free_port(), web.free_port()
        cls.nginx = web.Nginx(cls, [f"127.0.0.1:{cls.port} ssl", f"127.0.0.1:{cls.plain}"], ["localhost", "127.0.0.1"])
        cls.addClassCleanup(cls.nginx.close)
        cls.rude = web.Rude()
        cls.addClassCleanup(cls.rude.close)
        cls.base = f"https://localhost:{cls.port}"
        cls.bad = f"http://127.0.0.1:{cls.rude.port}"

    def config(self, *allow, private=True, **keys):
        keys.setdefault("ca_file", self.nginx.folder + "/ca.pem")
        return config(harness.temp_dir(self), list(allow) or [self.base, self.bad], private, **keys)

    def test_tls_under_a_private_authority(self):
        done = rewrite(self.config(), mail(f"{self.base}/ok.gif", "https://example.com/other.gif"))
        self.assertEqual(done.stderr, b"")
        self.assertIn(b"image/gif", done.stdout)
        self.assertIn(b"cid:", done.stdout)
        self.assertIn(b'src="https://example.com/other.gif"', done.stdout)
        self.assertNotIn(b"/ok.gif", done.stdout.split(b"</p>")[0].split(b"<p>")[-1])
        again = rewrite(self.config(), done.stdout)
        self.assertEqual(again.stdout, done.stdout, "a second pass changes nothing")

    def test_every_place_of_a_reference_and_one_request_for_one_url(self):
        before = len(self.nginx.requests())
        html = ("<style>td { background: url('%(b)s/render/../ok.gif') }</style><table background='%(b)s/ok.gif'>"
                "<img src=%(b)s/ok.gif#x><img srcset='%(b)s/o%%6b.gif 1x, %(b)s/ok.gif 2x' src=' %(b)s/ok.gif '>"
                "<p style=\"background: url(%(b)s/ok.gif)\"><img src='%(b)s/ok.g&#105;f'>"
                "<a href='%(b)s/ok.gif'>kept</a><iframe src='%(b)s/ok.gif'></iframe>") % {"b": self.base}
        done = rewrite(self.config(), mail(html=html))
        self.assertEqual(len(re.findall(rb"cid:", done.stdout)), 8, done.stdout.decode())
        self.assertEqual(done.stdout.count(b"Content-ID:"), 1, "one picture, one part")
        self.assertEqual(done.stdout.count(b"/ok.gif"), 2, "a and iframe stay")
        self.assertEqual(len(self.nginx.requests()) - before, 1, "one request")

    def test_private_by_default(self):
        urls = [f"{self.base}/ok.gif", f"{self.bad}/ok.gif"]
        for decision, reason, failed in explain(self.config(private=False), mail(*urls)):
            self.assertEqual((decision, failed), ("keep", True))
            self.assertRegex(reason, "is loopback, and allow_private is off")

    def test_sources_rule(self):
        path = self.config()
        with open(path, "a") as file:
            file.write('[defaults]\nsources = ["data"]\n')
        [(decision, reason, failed)] = explain(path, mail(f"{self.base}/ok.gif"))
        self.assertEqual((decision, failed), ("keep", False), reason)
        with open(path, "a") as file:
            file.write('[[rule]]\nsources = ["http"]\n')
        self.assertEqual(explain(path, mail(f"{self.base}/ok.gif"))[0][0], "embed")

    def test_what_is_not_listed_is_an_ordinary_link(self):
        message = mail("https://example.com/a.gif", "http://localhost/a.gif", "https://user:pw@localhost/a.gif")
        done = rewrite(self.config(), message)
        self.assertEqual((done.stdout, done.stderr), (message, b""))
        for decision, reason, failed in explain(self.config(), message):
            self.assertEqual((decision, failed), ("keep", False), reason)
        self.assertIn("not in [fetch] allow", explain(self.config(), message)[0][1])

    def test_attachments_by_reference(self):
        # RFC 2017: the URL of a message/external-body may be folded anywhere.
        def external(url, kind="image/gif"):
            return (f"--mix\nContent-Type: message/external-body; access-type=URL;\n URL=\"{url}\"\n\n"
                    f"Content-Type: {kind}\nContent-ID: <x@example.test>\n\n")
        stay = [external("https://example.com/a.gif"), external(f"{self.base}/none.gif"), external(f"{self.base}/ok.gif", "text/plain"),
                external(f"{self.base}/ok.gif").replace("access-type", 'expiration="Fri, 14 Jun 1991 19:13:14 -0400"; access-type')]
        head = ("From: a@example.test\nTo: b@example.test\nSubject: s\nMIME-Version: 1.0\n"
                'Content-Type: multipart/mixed; boundary="mix"\n\n')
        message = (head + external(f"{self.base}/\n  ok.gif?a=1") + "\n" + "\n".join(stay) + "\n--mix--\n").encode()
        before = len(self.nginx.requests())
        out = rewrite(self.config(), message).stdout
        for part in stay:
            self.assertIn(part.encode(), out)
        self.assertIn(b'--mix\nContent-Type: image/gif; name="ok.gif"\nContent-Transfer-Encoding: base64\n'
                      b'Content-Disposition: attachment; filename="ok.gif"\nContent-ID: <x@example.test>\n\nR0lGOD', out)
        self.assertEqual(len(self.nginx.requests()) - before, 2, "none.gif and ok.gif")
        said = explain(self.config(), message)
        self.assertEqual([one[0] for one in said], ["embed", "keep", "keep", "keep", "keep"])
        self.assertEqual([one[2] for one in said], [False, False, True, False, True])
        # Without [fetch] nothing is asked, and every byte stays.
        path = os.path.join(harness.temp_dir(self), "pixmilter.toml")
        with open(path, "w") as file:
            file.write('[defaults]\nsources = ["http"]\n')
        self.assertEqual(rewrite(path, message).stdout, message)

    def test_reasons(self):
        self.rude.paths.update({
            "/empty": web.reply(b""), "/500": web.reply(GIF, status=b"500 Oops"), "/204": b"HTTP/1.1 204 No\r\n\r\n",
            "/206": web.reply(GIF, status=b"206 Part"), "/304": b"HTTP/1.1 304 Same\r\n\r\n",
            "/http09": lambda server, connection: connection.sendall(GIF),
            "/brotli": web.reply(GIF, more=b"Content-Encoding: br\r\n"),
            "/gzip": web.reply(gzip.compress(GIF), more=b"Content-Encoding: gzip\r\n"),
            "/x-gzip": web.reply(gzip.compress(GIF), more=b"Content-Encoding: x-gzip\r\n"),
            "/twice": web.reply(GIF, more=b"Content-Encoding: gzip, gzip\r\n"),
            "/short": lambda server, connection: connection.sendall(web.reply(GIF)[:-5]), "/chunk": no_chunk, "/bomb": web.GZIP_BOMB,
            "/endless": web.endless_chunks, "/header": web.endless_header, "/continue": web.endless_continue,
            "/nothing": lambda server, connection: None,
            "/relative": b"HTTP/1.1 302 Found\r\nLocation: ../a/./b\r\nContent-Length: 0\r\n\r\n",
            "/label": web.reply(GIF, kind=b"text/html"),
            "/long": web.reply(GIF, status=b"302 Found", more=b"Location: http://" + b"a" * 30_000 + b"/\r\n")})
        table = [
            (f"{self.base}/ok.gif", "embed", ""),
            (f"{self.base}/plain.svg", "convert", ""),
            (f"{self.base}/missing.gif", "keep", "the server answers 404"),
            (f"{self.base}/denied/", "keep", "the server answers 403"),
            (f"{self.base}/login", "keep", "text/html"),
            (f"{self.base}/page.gif", "keep", "image/gif"),
            (f"{self.base}/moved/", "embed", ""),
            (f"{self.base}/one/", "embed", ""),
            (f"{self.base}/four/", "keep", "more than max_redirects = 3"),
            (f"{self.base}/round/", "keep", "more than max_redirects = 3"),
            (f"{self.base}/to/?u=https://example.com/x.gif", "keep",
             "redirected to example.com:443: not in .fetch. allow"),
            (f"{self.base}/to/?u=http://localhost:{self.plain}/ok.gif", "keep", "not in .fetch. allow"),
            (f"{self.base}/to/?u=file:///etc/passwd", "keep", "neither http nor https"),
            (f"{self.base}/to/?u=https://user@localhost:{self.port}/ok.gif", "keep", "user name"),
            (f"{self.base}/big.gif", "keep", "larger than .fetch. max_bytes = 200000"),
            (f"{self.base}/bomb.svg", "keep", "larger than .fetch. max_bytes = 200000"),
            (f"{self.bad}/ok", "embed", ""),
            (f"{self.bad}/label", "embed", ""),
            (f"{self.bad}/relative", "embed", ""),
            (f"{self.bad}/empty", "keep", "empty"),
            (f"{self.bad}/500", "keep", "the server answers 500"),
            (f"{self.bad}/204", "keep", "the server answers 204"),
            (f"{self.bad}/206", "keep", "the server answers 206"),
            (f"{self.bad}/304", "keep", "the server answers 304"),
            (f"{self.bad}/http09", "keep", "HTTP/0.9"),
            (f"{self.bad}/brotli", "keep", "Content-Encoding that nobody has asked for: br"),
            (f"{self.bad}/gzip", "embed", ""),
            (f"{self.bad}/x-gzip", "embed", ""),
            (f"{self.bad}/twice", "keep", "Content-Encoding that nobody has asked for"),
            (f"{self.bad}/bomb", "keep", "larger than"),
            (f"{self.bad}/endless", "keep", "larger than"),
            (f"{self.bad}/header", "keep", "its header is endless"),
            (f"{self.bad}/continue", "keep", "header|[Tt]ime|in time"),
            (f"{self.bad}/short", "keep", "transfer closed"),
            (f"{self.bad}/chunk", "keep", "."),
            (f"{self.bad}/nothing", "keep", "[Ee]mpty reply"),
            (f"{self.bad}/long", "keep", "too long"),
            (f"http://127.0.0.1:{web.free_port()}/ok", "keep", "[Cc]onnect")]
        allow = [self.base, self.bad, table[-1][0]]
        results = explain(self.config(*allow, max_bytes="200000"), mail(*(row[0] for row in table)))
        for (url, decision, reason), (got, why, failed) in zip(table, results):
            with self.subTest(url=url):
                self.assertEqual(got, decision, why)
                self.assertRegex(why, reason or "^$")
                self.assertEqual(failed, decision == "keep")

    def test_a_target_that_cannot_be_judged_tells_no_secret(self):
        """A redirect to a URL with a password, or to one that is no URL with a token in it: the reason names the place."""
        here = self.bad.removeprefix("http://")
        targets = {
            f"http://joe:PASSWORD@{here}/ok": f"redirected to http://{here}/ok: a user name in the URL",
            f"http://joe:PASS@WORD@{here}/ok?TOKEN": f"redirected to http://{here}/ok: a user name in the URL",
            f"http://joe:PASS/WORD@{here}/ok": "redirected to http://joe: no port stands after the host",
            f"http://joe:PASS?WORD@{here}/ok": "redirected to http://joe: no port stands after the host",
            f"http://{here}/a%zz?token=TOKEN": f"redirected to http://{here}/a%zz: a % that begins no escape",
            f"http://{here}/a%zz?token=TOKEN@WORD": f"redirected to http://{here.split(':')[0]}: a % that begins no escape",
            "app://back/?token=TOKEN": "redirected to app://back/: neither http nor https",
            "file:///srv/x?TOKEN": "redirected to file: neither http nor https"}
        for number, target in enumerate(targets):
            self.rude.paths[f"/secret{number}"] = web.reply(b"", status=b"302 Found", more=f"Location: {target}\r\n".encode())
        said = explain(self.config(self.bad), mail(*(f"{self.bad}/secret{number}" for number in range(len(targets)))))
        for (target, reason), (decision, why, failed) in zip(targets.items(), said):
            with self.subTest(target=target):
                self.assertEqual((decision, failed, why), ("keep", True, reason))

    def test_slow_servers_cost_their_time_and_no_more(self):
        self.rude.paths.update({"/trickle": web.trickle, "/silence": web.silence})
        urls = [f"{self.bad}/trickle?{i}" for i in range(6)] + [f"{self.bad}/silence?{i}" for i in range(6)]
        start = time.monotonic()
        results = explain(self.config(timeout="10s", max_concurrent=24), mail(f"{self.base}/ok.gif", *urls))
        self.assertEqual(results[0][0], "embed", "passes the slow ones by")
        for decision, reason, failed in results[1:]:
            self.assertEqual((decision, failed), ("keep", True))
            self.assertEqual(reason, "no complete answer in time")
        # Six at a time to one host: two rounds, of ten seconds each. One after another would take twelve times ten.
        self.assertLess(time.monotonic() - start, 100)

    def test_the_messages_deadline(self):
        self.rude.paths["/silence"] = web.silence
        start = time.monotonic()
        [(decision, reason, _)] = explain(self.config(timeout="60s", deadline="10s"), mail(f"{self.bad}/silence"))
        self.assertEqual((decision, reason), ("keep", "no complete answer in time"))
        self.assertLess(time.monotonic() - start, 50)

    def test_wrong_certificates(self):
        folder = harness.temp_dir(self)
        web.certificates(folder, ["elsewhere.test"])
        stranger = web.TlsServer(folder + "/server.pem", folder + "/server.key")
        self.addCleanup(stranger.close)
        urls = [f"https://localhost:{stranger.port}/ok.gif"]
        for name, authority in (("unknown authority", self.nginx.folder), ("wrong name", folder)):
            with self.subTest(name):
                [(decision, reason, failed)] = explain(self.config(*urls, ca_file=authority + "/ca.pem"), mail(*urls))
                self.assertEqual((decision, failed), ("keep", True))
                self.assertRegex(reason, "certificate|SSL")
        self.assertEqual(stranger.requests, [])
        # The system's authorities know nothing of ours.
        [(decision, reason, _)] = explain(self.config(ca_file=""), mail(f"{self.base}/ok.gif"))
        self.assertEqual(decision, "keep")
        self.assertRegex(reason, "certificate|SSL|CA")

    def test_nothing_from_the_environment_and_no_cookies(self):
        home = harness.temp_dir(self)
        for name in (".netrc", ".curlrc"):
            with open(os.path.join(home, name), "w") as file:
                file.write("machine localhost login me password hunter2\n" if name == ".netrc" else "proxy=127.0.0.1:1\n")
        env = {"http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1", "ALL_PROXY": "socks5://127.0.0.1:1",
               "HOME": home, "SSL_CERT_FILE": "/nowhere", "CURL_CA_BUNDLE": "/nowhere"}
        before = len(self.nginx.requests())
        for _ in range(2):
            results = explain(self.config(), mail(f"{self.base}/cookie/?1", f"{self.base}/cookie/?2"), env=env)
            self.assertEqual([one[0] for one in results], ["embed", "embed"], results)
        for line in self.nginx.requests()[before:]:
            request, authorization, cookie, agent, host, _ = line.split("|")
            self.assertEqual((authorization, cookie, host), ("-", "-", f"localhost:{self.port}"), line)
            self.assertRegex(agent, "^pixmilter/[0-9.]+$")

    def test_headers_for_hosts(self):
        folder = harness.temp_dir(self)
        path = os.path.join(folder, "headers")

        def headers(text, mode=0o600):
            with open(path, "w") as file:
                file.write(text)
            os.chmod(path, mode)

        url = f"{self.base}/token/"
        elsewhere = f"{self.base}/to/?u={self.bad}/elsewhere"
        settings = self.config(headers_file=path)
        headers(f"# for the charts\n\nlocalhost:{self.port} Authorization: Bearer s3cret\n"
                f"example.test X-Other: 1\nhttp://localhost:{self.port} X-Plain: 1\n")
        self.rude.requests.clear()
        results = explain(settings, mail(url, elsewhere))
        self.assertEqual([one[0] for one in results], ["embed", "embed"], results)
        self.assertEqual(len(self.rude.requests), 1)
        self.assertNotIn(b"s3cret", self.rude.requests[0], "it follows no redirect to another host")
        for text, mode, reason in (("localhost Authorization: x\n", 0o644, "everybody may get at it"),
                                   ("localhost\n", 0o600, "line 1: HOST NAME: VALUE is expected"),
                                   ("\nlocalhost Host: evil\n", 0o600, "line 2: the header Host"),
                                   ("localhost X: a\rY: s3cret\n", 0o600, "line 1: the value is not printable"),
                                   ("localhost/path X: a\n", 0o600, "without a path"),
                                   ("user@localhost X: a\n", 0o600, "user name")):
            with self.subTest(text=text):
                headers(text, mode)
                done = harness.run([harness.program(), "rewrite", "-c", settings], input=mail(url), check=0)
                self.assertIn(reason, done.stderr.decode())
                self.assertNotIn(b"s3cret", done.stderr)
                self.assertEqual(done.stdout, mail(url))

    def test_check_says_what_would_keep_it_from_working(self):
        for key, text, reason in (("ca_file", "no certificate\n", "ca_file: .*: no certificate in PEM form"),
                                  ("headers_file", "localhost\n", "headers_file: .*: line 1: "),
                                  ("headers_file", None, "headers_file: .*: No such file")):
            path = os.path.join(harness.temp_dir(self), "file")
            if text is not None:
                with open(path, "w") as file:
                    file.write(text)
                os.chmod(path, 0o600)
            done = harness.run([harness.program(), "check", "-c", self.config(**{key: path})], check=0)
            self.assertRegex(done.stderr.decode(), r"pixmilter\.toml:[0-9]+:1: warning: no URL is fetched: .fetch. " + reason)

    def test_no_second_line_in_a_request(self):
        self.rude.requests.clear()
        urls = [f"{self.bad}/a%0d%0aX-Injected:%201", f"{self.bad}/a&#13;&#10;X-Injected: 1", f"{self.bad}/a&#10;b",
                f"{self.bad}/a?b=%0d%0aX-Injected:%201", f"{self.bad}/a b", f"{self.bad}/a HTTP/1.1"]
        explain(self.config(), mail(*urls))
        self.assertEqual(sorted(request.split(b"\r\n")[0] for request in self.rude.requests), [
            b"GET /a%20HTTP/1.1 HTTP/1.1", b"GET /a%20b HTTP/1.1", b"GET /a?b=%0D%0AX-Injected:%201 HTTP/1.1"])
        for request in self.rude.requests:
            self.assertNotIn(b"\r\nX-Injected", request)

    def test_many_urls(self):
        urls = [f"{self.base}/ok.gif?{i}" for i in range(100)]
        before = len(self.nginx.requests())
        results = explain(self.config(), mail(*urls))
        self.assertEqual({one[0] for one in results}, {"embed"}, results)
        came = self.nginx.requests()[before:]
        self.assertEqual(len(came), 100)
        self.assertLessEqual(len({line.split("|")[5] for line in came}), 6, "connections are kept")

    def test_more_than_a_message_may_have(self):
        urls = [f"{self.base}/ok.gif?{i}" for i in range(10)]
        results = explain(self.config(max_total=str(5 * len(GIF) + 1)), mail(*urls))
        self.assertEqual([one[0] for one in results].count("embed"), 5)
        self.assertEqual([one[1] for one in results].count(f"more than [fetch] max_total = {5 * len(GIF) + 1}"), 5)

    def test_a_slow_server_leaves_time_for_the_other_pictures(self):
        self.rude.paths["/silence"] = web.silence
        # A third of it is left.
        path = self.config(timeout="60s", deadline="40s")
        svg = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='8' height='8'/%3E"
        results = explain(path, mail(f"{self.bad}/silence", svg))
        self.assertEqual([one[0] for one in results], ["keep", "convert"], results)

    def test_more_than_max_images(self):
        path = self.config()
        with open(path, "a") as file:
            file.write("[defaults]\nmax_images = 3\n")
        before = len(self.nginx.requests())
        results = explain(path, mail(*(f"{self.base}/ok.gif?{i}" for i in range(10))))
        self.assertLessEqual(len(self.nginx.requests()) - before, 3)
        self.assertEqual([one[1] for one in results[3:]], ["more than max_images = 3"] * 7)


def no_chunk(server, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")


class Served(unittest.TestCase):
    """The milter and its fetch process."""

    @classmethod
    def setUpClass(cls):
        cls.rude = web.Rude()
        cls.addClassCleanup(cls.rude.close)
        cls.bad = f"http://127.0.0.1:{cls.rude.port}"

    def text(self, *allow):
        return settings(allow, private=True)

    def fetcher(self, milter, other_than=()):
        return running.until("a fetch process", lambda: [
            pid for pid in milter.children("pixmilter-fetch") if pid not in other_than])[0]

    def embedded(self, milter, message):
        return b"cid:" in milter.send(message).message

    def test_only_where_something_is_listed(self):
        milter = running.Running(self, config="")
        milter.send(running.HTML)
        self.assertEqual(milter.children("pixmilter-fetch"), [])
        milter.stop()

    def test_a_killed_process_is_replaced(self):
        milter = running.Running(self, config=self.text(self.bad))
        first = self.fetcher(milter)
        self.assertTrue(self.embedded(milter, mail(f"{self.bad}/1.gif")))
        self.assertEqual(self.fetcher(milter), first)
        os.kill(first, signal.SIGKILL)
        self.fetcher(milter, [first])
        self.assertTrue(self.embedded(milter, mail(f"{self.bad}/2.gif")))
        # In the middle of an answer: that picture is lost, the mail is not.
        arrived = threading.Event()

        def slow(server, connection):
            arrived.set()
            connection.recv(1)
        self.rude.paths["/slow"] = slow
        results = []
        thread = threading.Thread(target=lambda: results.append(milter.send(mail(f"{self.bad}/slow"))))
        thread.start()
        self.assertTrue(arrived.wait(60))
        second = self.fetcher(milter)
        os.kill(second, signal.SIGKILL)
        thread.join(60)  # less than the time for a URL
        self.assertFalse(thread.is_alive())
        self.assertFalse(b"cid:" in results[0].message)
        milter.wait_logged("the fetch process has ended")
        self.fetcher(milter, [first, second])
        self.assertTrue(self.embedded(milter, mail(f"{self.bad}/3.gif")))
        self.assertEqual(milter.stop(), 0)

    def test_reload_changes_what_is_allowed(self):
        milter = running.Running(self, config=self.text(self.bad + "/a/*"))
        self.assertTrue(self.embedded(milter, mail(f"{self.bad}/a/1.gif")))
        self.assertFalse(self.embedded(milter, mail(f"{self.bad}/b/1.gif")))
        first = self.fetcher(milter)
        milter.configure(self.text(self.bad + "/b/*"))
        milter.signal(signal.SIGHUP)
        milter.wait_logged("is in force")
        # That is the master's word; the front takes it up a little later, all of it at once.
        running.until("the new list", lambda: self.embedded(milter, mail(f"{self.bad}/b/1.gif")))
        self.assertFalse(self.embedded(milter, mail(f"{self.bad}/a/1.gif")))
        running.until("the end of the first", lambda: first not in milter.children("pixmilter-fetch"))
        milter.configure("")
        milter.signal(signal.SIGHUP)
        milter.wait_logged("is in force", count=2)
        running.until("no list", lambda: not self.embedded(milter, mail(f"{self.bad}/b/1.gif")))
        running.until("the end of all", lambda: not milter.children("pixmilter-fetch"))
        self.assertFalse(self.embedded(milter, mail(f"{self.bad}/b/1.gif")))
        self.assertEqual(milter.stop(), 0)

    def test_connections_are_kept_between_messages(self):
        milter = running.Running(self, config=self.text(self.bad))
        before = self.rude.connections
        for i in range(5):
            self.assertTrue(self.embedded(milter, mail(f"{self.bad}/{i}.gif")))
        self.assertEqual(self.rude.connections - before, 1)
        self.assertEqual(milter.stop(), 0)

    def test_the_process_has_given_up_what_it_does_not_need(self):
        milter = running.Running(self, config=self.text(self.bad))
        self.assertTrue(self.embedded(milter, mail(f"{self.bad}/1.gif")))
        pid = self.fetcher(milter)
        with open(f"/proc/{pid}/status") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(int(status["CapEff"], 16), 0)
        self.assertEqual(int(status["CapPrm"], 16), 0)
        self.assertNotIn("0", status["Uid"].split())
        self.assertEqual(status["Seccomp"], "2")
        open_files = []
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                open_files.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
            except FileNotFoundError:
                pass  # closed since
        self.assertTrue(open_files)
        self.assertFalse([one for one in open_files if "milter.sock" in one], open_files)
        # The front has none of libcurl.
        with open(f"/proc/{milter.front()}/maps") as file:
            self.assertNotIn("libcurl", file.read())
        self.assertEqual(milter.stop(), 0)


class Internet(unittest.TestCase):
    """With a network of its own: who may be asked at all."""

    @classmethod
    def setUpClass(cls):
        harness.need_root()
        harness.need_program("ip", "unshare", "nsenter", "mount")
        cls.folder = harness.temp_dir(cls)
        try:
            cls.net = network.Network(cls.folder)
        except OSError as error:
            raise unittest.SkipTest(f"no network namespaces: {error}") from None
        cls.addClassCleanup(cls.net.close)
        cls.net.names.update({"pictures.test": [network.SERVER], "six.test": [network.SERVER6],
                              "other.test": [network.OTHER], "sub.pictures.test": [network.SERVER]})
        listen = [f"{network.SERVER}:80", f"{network.SERVER}:443 ssl", f"[{network.SERVER6}]:80"]
        cls.nginx = web.Nginx(cls, listen, ["pictures.test"], start=cls.net.far_popen)
        cls.addClassCleanup(cls.nginx.close)
        cls.silent = network.Silent()
        cls.addClassCleanup(cls.silent.close)
        for address in network.SPECIAL + network.SPECIAL6 + [network.OTHER]:
            cls.silent.listen(cls.net.socket(address, 80))
        for port in (22, 81, 8080):
            cls.silent.listen(cls.net.socket(network.SERVER, port))
        for port in (80, 443, 8080):
            cls.silent.listen(cls.net.socket("0.0.0.0", port, far=False))
            cls.silent.listen(cls.net.socket("::", port, far=False))

    def setUp(self):
        self.silent.reached.clear()

    def config(self, *allow, **keys):
        return config(harness.temp_dir(self), list(allow), ca_file=self.nginx.folder + "/ca.pem", **keys)

    def stay_silent(self, path, urls, reason=None):
        results = explain(path, mail(*urls, "http://pictures.test/ok.gif"))
        self.assertEqual(len(results), len(urls) + 1)
        for url, (decision, why, _) in zip(urls, results):
            with self.subTest(url=url):
                self.assertEqual(decision, "keep", why)
                if reason:
                    self.assertRegex(why, reason)
        self.assertEqual(results[-1][0], "embed", results[-1])
        with harness.promise():
            self.assertEqual(self.silent.reached, [])
        return results

    def test_public_addresses_are_served(self):
        path = self.config("http://pictures.test", "https://pictures.test", "http://six.test",
                           f"http://{network.SERVER}", f"http://[{network.SERVER6}]")
        urls = ["http://pictures.test/ok.gif", "https://pictures.test/ok.gif", "http://six.test/ok.gif",
                f"http://{network.SERVER}/ok.gif", f"http://[{network.SERVER6}]/ok.gif", "HTTP://PICTURES.TEST.:80/ok.gif"]
        self.assertEqual([one[0] for one in explain(path, mail(*urls))], ["embed"] * len(urls))
        # The judges do hear what reaches them.
        with_private = self.config("http://127.0.0.1", "http://10.9.9.9", private=True)
        explain(with_private, mail("http://127.0.0.1/", "http://10.9.9.9/"))
        self.assertEqual(sorted(name for name, _ in self.silent.reached), ["10.9.9.9", "127.0.0.1"])

    SPELLINGS = [
        "http://127.0.0.1/", "http://127.1/", "http://127.0.1/", "http://2130706433/", "http://0x7f000001/",
        "http://0x7f.0.0.1/", "http://0x7f.1/", "http://017700000001/", "http://0177.0.0.1/", "http://0177.1/",
        "http://127.0.0.01/", "http://127.000.000.001/", "http://127.0.0.1./", "http://0/", "http://0.0.0.0/",
        "http://0x0/", "http://00.0/", "http://localhost/", "http://LOCALHOST/", "http://localhost./",
        "http://[::1]/", "http://[0:0:0:0:0:0:0:1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/", "http://[0:0:0:0:0:ffff:7f00:0001]/", "http://[::127.0.0.1]/",
        "http://[::1%25lo]/", "http://[::1%lo]/", "http://::1/", f"http://{network.OURS}/", f"http://[{network.OURS6}]/",
        f"http://[::ffff:{network.OURS}]/", "http://169.254.169.254/latest/meta-data/", "http://2852039166/",
        "http://0xa9fea9fe/", "http://0251.0376.0251.0376/", "http://169.254.43518/", "http://[::ffff:a9fe:a9fe]/",
        *(f"http://{address}/" for address in network.SPECIAL), *(f"http://[{address}]/" for address in network.SPECIAL6),
        "http://10.591113/", "http://0xa.9.9.9/", "http://[::ffff:10.9.9.9]/",
        "http://user@127.0.0.1/", "http://pictures.test@127.0.0.1/", "http://pictures.test:80@127.0.0.1/",
        "http://pictures.test%40127.0.0.1/", "http://127.0.0.1:80/", "http://127.0.0.1:443/", "http://127.0.0.1:8080/",
        "http://pictures.test#@127.0.0.1:99999/", "http://127.0.0.1#@pictures.test/", "http://127.0.0.1?@pictures.test/",
        "http://127.0.0.1\\@pictures.test/", "http://pictures.test\\@127.0.0.1/", "http://127.0.0.1%2f@pictures.test/",
        "http:\\\\127.0.0.1\\", "http:/127.0.0.1/", "http:127.0.0.1/", "http:///127.0.0.1/", "//127.0.0.1/",
        "http://127.0.0.1%00.pictures.test/", "http://127.0.0.1%09/", "http://127.0.0.1&#9;/", "http://12&#10;7.0.0.1/",
        "http://%31%32%37.0.0.1/", "http://%6cocalhost/", "http://loc%61lhost/", "http://127%2e0%2e0%2e1/",
        "http://127\u30020\u30020\u30021/", "http://127\uff0e0\uff0e0\uff0e1/", "http://\u2460\u2461\u2466.0.0.1/",
        "http://\uff11\uff12\uff17.0.0.1/", "http://l\u2134calhost/", "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",
        "http://xn--localhost/", "http://127.0.0.1.pictures.test@127.0.0.1/", "https://127.0.0.1/", "https://localhost:443/",
        "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:80/_GET", "dict://127.0.0.1:80/x",
        "jar:http://127.0.0.1!/", "url:http://127.0.0.1/", "view-source:http://127.0.0.1/", "HTTP://127.0.0.1/"]

    def test_spellings_against_a_list_of_one(self):
        self.assertGreaterEqual(len(self.SPELLINGS), 80)
        self.stay_silent(self.config("http://pictures.test"), self.SPELLINGS)

    def test_spellings_against_a_list_of_everything(self):
        # Only the judgement of addresses is left.
        addresses = [url for url in self.SPELLINGS if re.fullmatch(r"https?://[0-9.]+(:\d+)?/.*", url)
                     or re.fullmatch(r"http://\[[0-9a-f:.]+\]/", url)]
        allow = ["http://*", "https://*", "http://pictures.test"]
        for url in addresses:
            host = urllib.parse.urlsplit(url)
            try:
                ipaddress.ip_address(host.netloc.strip("[]") if "[" in host.netloc else host.hostname)
            except ValueError:
                continue  # not a spelling that can be listed
            allow.append(f"{host.scheme}://{host.netloc}")
        self.assertGreater(len(allow), 25)
        self.stay_silent(self.config(*allow), self.SPELLINGS)

    def test_other_hosts_ports_and_paths(self):
        path = self.config("http://pictures.test/render/*", "http://*.pictures.test/*", "http://pictures.test/ok.gif",
                           "http://pictures.test/to/*")
        self.stay_silent(path, [
            "http://other.test/render/", "http://pictures.test.other.test/render/", "http://xpictures.test/render/",
            "http://pictures.test:81/render/", "http://pictures.test:8080/render/", "http://pictures.test:22/render/",
            "https://pictures.test/render/", "http://pictures.test/admin/secret.gif",
            "http://pictures.test/render/../admin/secret.gif", "http://pictures.test/render/%2e%2e/admin/secret.gif",
            "http://pictures.test/render/..%2fadmin/secret.gif", "http://pictures.test/render/%2e%2e%2fadmin/secret.gif",
            "http://pictures.test/render/..%5cadmin/secret.gif", "http://pictures.test/render/..\\admin/secret.gif",
            "http://pictures.test/render/..;/admin/secret.gif", "http://pictures.test/render/%252e%252e/admin/secret.gif",
            "http://pictures.test/admin/secret.gif?/render/", "http://pictures.test/admin/secret.gif#/render/",
            "http://pictures.test//admin/secret.gif", "http://pictures.test/./admin/secret.gif",
            "http://pictures.test/RENDER/ok.gif", "http://pictures.test@other.test/render/",
            "http://other.test\\@pictures.test/ok.gif", "http://other.test#@pictures.test/ok.gif"])
        self.assertFalse([line for line in self.nginx.requests() if "secret" in line])

    def test_redirects_to_each(self):
        path = self.config("http://pictures.test", "http://*", "https://*", "http://127.0.0.1", "http://10.9.9.9",
                           "http://169.254.169.254", "http://[::1]", f"http://{network.OURS}")
        targets = [url for url in self.SPELLINGS if not re.search(r"[\\&\u0080-\uffff#]", url)]
        self.assertGreater(len(targets), 80)
        urls = ["http://pictures.test/to/?u=" + urllib.parse.quote(url, safe=":/@?&=%[]._") for url in targets]
        reasons = [why for _, why, _ in self.stay_silent(path, urls)]
        self.assertGreater(len([why for why in reasons if why.startswith("redirected to")]), 80, reasons)

    def test_redirects_to_what_is_not_listed(self):
        self.stay_silent(self.config("http://pictures.test"), [
            "http://pictures.test/to/?u=http://other.test/", "http://pictures.test/to/?u=HTTP://OTHER.TEST./",
            "http://pictures.test/to/?u=http://pictures.test:81/", "http://pictures.test/to/?u=http://pictures.test@other.test/",
            "http://pictures.test/to/?u=https://pictures.test/ok.gif"], "redirected to .*: (not in|a user name)")

    def test_names_of_addresses_that_are_refused(self):
        names = {}
        for number, address in enumerate(["127.0.0.1", "0.0.0.0", "::1", network.OURS, network.OURS6, "::ffff:127.0.0.1",
                                          "::ffff:10.9.9.9"] + network.SPECIAL + network.SPECIAL6):
            names[f"bad{number}.test"] = [address]
        names["two.test"] = ["10.9.9.9", "127.0.0.1"]
        self.net.names.update(names)
        path = self.config("http://*", "http://pictures.test")
        self.stay_silent(path, [f"http://{name}/" for name in names], "allow_private is off|resolve|[Cc]onnect")

    def test_a_name_with_good_and_bad_addresses(self):
        self.net.names["mixed.test"] = ["10.9.9.9", network.SERVER]
        self.assertEqual(explain(self.config("http://mixed.test"), mail("http://mixed.test/ok.gif"))[0][0], "embed")
        with harness.promise():
            self.assertEqual(self.silent.reached, [])

    def test_rebinding(self):
        # The first answer is good, every other one is not; and the other way round, and every time another.
        for offset in (0, 1):
            asked = [offset]

            def rebind(kind):
                if kind != 1:
                    return []
                asked[0] += 1
                return [network.SERVER] if asked[0] % 2 else ["127.0.0.1"]
            self.net.names["rebind.test"] = rebind
            path = self.config("http://rebind.test", max_concurrent=1)
            for _ in range(3):
                results = explain(path, mail(*(f"http://rebind.test/ok.gif?{i}" for i in range(8))))
                self.assertEqual(len(results), 8)
            self.assertGreaterEqual(asked[0] - offset, 3, "the name was asked for again")
        with harness.promise():
            self.assertEqual(self.silent.reached, [])

    def test_a_name_server_that_does_not_answer_holds_up_its_own_url_alone(self):
        self.net.names["dead.test"] = lambda kind: None
        # The resolver gives up after 150 seconds.
        self.net.configure("resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n")
        self.addCleanup(self.net.configure, "resolv.conf", network.RESOLVER)
        path = self.config("http://dead.test", "http://pictures.test", timeout="10s", max_concurrent=1)
        start = time.monotonic()
        results = explain(path, mail("http://dead.test/a", "http://dead.test/b", "http://pictures.test/ok.gif"))
        self.assertEqual([(one[0], one[1]) for one in results],
                         [("keep", "no complete answer in time")] * 2 + [("embed", "")])
        self.assertLess(time.monotonic() - start, 80)

    def test_a_name_service_that_is_configured_anew(self):
        self.addCleanup(self.net.configure, "hosts", "127.0.0.1 localhost\n::1 localhost\n", anew=True)
        milter = running.Running(self, config=settings(["http://moved.test", "http://pictures.test"]))
        self.assertIn(b"cid:", milter.send(mail("http://pictures.test/ok.gif")).message)
        first = milter.children("pixmilter-fetch")
        self.net.configure("hosts", f"127.0.0.1 localhost\n{network.SERVER} moved.test\n", anew=True)
        self.assertIn(b"cid:", milter.send(mail("http://moved.test/ok.gif")).message)
        milter.wait_logged("the name service is configured anew")
        running.until("the end of the first", lambda: not set(first) & set(milter.children("pixmilter-fetch")))
        self.assertEqual(milter.stop(), 0)

    def test_a_milter_over_a_rebinding_name(self):
        answers = [network.SERVER]
        self.net.names["turns.test"] = lambda kind: answers[-1:] if kind == 1 else []
        milter = running.Running(self, config=settings(["http://turns.test"]))
        good = milter.send(mail("http://turns.test/ok.gif"))
        self.assertIn(b"cid:", good.message)
        answers.append("127.0.0.1")
        for i in range(3):
            milter.send(mail(f"http://turns.test/ok.gif?{i}"))
        with harness.promise():
            self.assertEqual(self.silent.reached, [])
        self.assertEqual(milter.stop(), 0)


if __name__ == "__main__":
    harness.main()
