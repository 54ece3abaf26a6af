#!/usr/bin/python3
"""Pictures by URL, from servers on this machine: a real nginx with TLS under a private authority, and servers that
misbehave."""
# tests/run: timeout=1200

import gzip
import os
import re
import sys
import time
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "milter"),
                os.path.dirname(os.path.abspath(__file__))]

import harness  # noqa: E402
import web  # noqa: E402
from fetching import config, explain, mail, rewrite  # noqa: E402
from network import GIF  # noqa: E402


def no_chunk(server, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")


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


if __name__ == "__main__":
    harness.main()
