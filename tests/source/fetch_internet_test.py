#!/usr/bin/python3
"""Pictures by URL in a network of its own: everything that has been used to make a server ask another one than it
should. The judges are listeners that must stay silent."""
# tests/run: timeout=1200

import ipaddress
import os
import re
import sys
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
from fetching import config, explain, mail, settings  # noqa: E402


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
