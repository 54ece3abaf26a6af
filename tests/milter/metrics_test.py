#!/usr/bin/python3
"""What pixmilter tells those who watch: Prometheus' format, health, the dashboard, and a server that holds out."""
# tests/run: timeout=1200

import http.client
import json
import os
import re
import shutil
import signal
import socket
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from running import HTML, PLAIN, Running, harness, served, threads, until  # noqa: E402

BROKEN = HTML.replace(b"R0lGODlhAQABAIAAAAAA", b"R0lGODlhAQABAIAA")
SVG = HTML.replace(b"<img", b'<svg width="9" height="9"><rect width="9" height="9"/></svg><img')
SAMPLE = re.compile(r'^([a-z_:]+)(?:\{(.*)\})? (\S+)$')


def get(port, path, method="GET", host="127.0.0.1"):
    connection = http.client.HTTPConnection(host, port, timeout=60)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def parsed(text):
    """{name: {labels: value}} and {name: type}, and a complaint about each line that is neither."""
    samples, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types, f"{name} twice"
            types[name] = kind
        elif not line.startswith("# HELP "):
            found = SAMPLE.match(line)
            assert found, line
            labels = tuple(sorted(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', found.group(2) or "")))
            values = samples.setdefault(found.group(1), {})
            assert labels not in values, f"{line} twice"
            values[labels] = float(found.group(3))
    return samples, types


def config(port, more="", host="127.0.0.1"):
    return f'{more}\n[metrics]\nlisten = "{host}:{port}"\n'


class Watched(unittest.TestCase):
    def setUp(self):
        self.port = served.free_port()

    def metrics(self, port=None):
        status, text, headers = get(port or self.port, "/metrics")
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        return parsed(text)[0]

    def value(self, name, **labels):
        return self.metrics().get("pixmilter_" + name, {}).get(tuple(sorted(labels.items())), 0)


class Metrics(Watched):
    def test_counts(self):
        running = Running(self, config=config(self.port))
        self.assertEqual(self.value("messages_total", outcome="rewritten", rule="defaults"), 0)
        until("ready", lambda: get(self.port, "/ready")[0] == 200)
        for message in (HTML, HTML, PLAIN, BROKEN, SVG):
            running.send(message)
        self.assertEqual(self.value("messages_total", outcome="rewritten", rule="defaults"), 3)
        self.assertEqual(self.value("messages_total", outcome="untouched", rule="defaults"), 2)
        self.assertEqual(self.value("images_total", source="data", type="gif", outcome="embed"), 3)
        self.assertEqual(self.value("images_total", source="svg", type="svg", outcome="convert"), 1)
        failed = [labels for labels in self.metrics()["pixmilter_images_total"] if ("outcome", "failed") in labels]
        self.assertEqual(len(failed), 1)
        self.assertEqual(self.value("renders_total", status="ok"), 1)
        self.assertEqual(self.value("render_seconds_count"), 1)
        self.assertEqual(self.value("render_wait_seconds_count"), 1)
        self.assertEqual(self.value("message_seconds_count"), 5)
        self.assertEqual(self.value("renders_waiting"), 0)
        self.assertEqual(self.value("renders_running"), 0)
        until("nothing in hand", lambda: self.value("messages_in_hand") == 0)
        until("the SVG worker has been used", lambda: self.value("worker_ends_total", cause="used") == 1)
        self.assertGreaterEqual(self.value("worker_starts_total"), 1)
        before = self.value("message_bytes_total", direction="in")
        self.assertGreater(self.value("message_bytes_total", direction="out"), before)

    def test_the_cache_counts(self):
        running = Running(self, config=config(self.port))
        self.assertEqual(self.value("cache_lookups_total", tier="memory", result="miss"), 0)
        for _ in range(3):
            running.send(SVG)
        self.assertEqual(self.value("cache_lookups_total", tier="memory", result="miss"), 1)
        self.assertEqual(self.value("cache_lookups_total", tier="memory", result="hit"), 2)
        self.assertEqual(self.value("cache_entries", tier="memory"), 1)
        self.assertGreater(self.value("cache_bytes", tier="memory"), 100)
        self.assertEqual(self.value("renders_total", status="ok"), 1)
        # Counters go on over a reload that empties the cache.
        running.configure(config(self.port, '[cache]\nmemory = "1M"'))
        running.signal(signal.SIGHUP)
        running.wait_logged("is in force")
        until("the cache is another one", lambda: running.send(SVG) and
              self.value("cache_lookups_total", tier="memory", result="miss") == 2)
        self.assertGreaterEqual(self.value("cache_lookups_total", tier="memory", result="hit"), 2)
        until("the one before has gone", lambda: self.value("cache_entries", tier="memory") == 1)

    def test_rules_are_labels(self):
        rules = ('[[rule]]\nname = "to \\"friends\\"\\n"\nmatch = { rcpt = ["b@*"] }\n'
                 '[[rule]]\nname = "the rest"\naction = "reject"\n')
        running = Running(self, config=config(self.port) + rules)
        running.send(HTML, recipients=("b@example.test",))
        running.send(HTML, recipients=("c@example.test",))
        running.send(HTML, recipients=("b@example.test", "c@example.test"))
        self.assertEqual(self.value("messages_total", outcome="rejected", rule="the rest"), 1)
        self.assertEqual(self.value("messages_total", outcome="rewritten", rule='to \\"friends\\"\\n'), 1)
        self.assertEqual(self.value("messages_total", outcome="rejected", rule="several"), 1)

    def test_form(self):
        Running(self, config=config(self.port))
        samples, types = parsed(get(self.port, "/metrics")[1])
        for name, kind in types.items():
            self.assertRegex(name, "^pixmilter_[a-z_]+$")
            self.assertEqual(name.endswith("_total"), kind == "counter", name)
        for name in samples:
            base = re.sub("_(bucket|sum|count)$", "", name)
            self.assertTrue(name in types or types.get(base) == "histogram", name)
        for name, kind in types.items():
            if kind == "histogram":
                counts = [value for _, value in sorted(samples[name + "_bucket"].items(),
                                                       key=lambda one: float(dict(one[0])["le"]))]
                self.assertEqual(counts, sorted(counts))
                self.assertEqual(counts[-1], samples[name + "_count"][()])

    def test_dashboard_uses_what_there_is(self):
        with open(os.path.join(harness.ROOT, "conf/grafana/pixmilter.json")) as file:
            dashboard = json.load(file)
        Running(self, config=config(self.port))
        known = {name: [dict(labels) for labels in values] for name, values in self.metrics().items()}
        expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        expressions += [note["expr"] for note in dashboard["annotations"]["list"]]
        expressions += [one["query"]["query"] for one in dashboard["templating"]["list"] if one["type"] == "query"]
        used = set()
        for expression in expressions:
            names = re.findall(r"pixmilter_[a-z_]+", expression)
            self.assertTrue(names, expression)
            for name in names:
                self.assertIn(name, known)
                used.add(name)
                for labels in re.findall(r"by \(([a-z_, ]+)\)", expression):
                    for label in set(labels.split(", ")) - {"le", "instance"}:
                        self.assertIn(label, known[name][0], expression)
            for label in re.findall(r'[{,]([a-z_]+)[!=]', expression):
                self.assertTrue(label in ("job", "instance") or label in known[names[0]][0], expression)
        shown = {re.sub("_(bucket|sum|count)$", "", name) for name in used}
        exposed = {re.sub("_(bucket|sum|count)$", "", name) for name in known}
        self.assertEqual(exposed - shown, {"pixmilter_start_timestamp_seconds",
                                           "pixmilter_config_in_force_timestamp_seconds"})
        boxes = [panel["gridPos"] for panel in dashboard["panels"]]
        for i, a in enumerate(boxes):
            self.assertLessEqual(a["x"] + a["w"], 24)
            for b in boxes[:i]:
                self.assertFalse(a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and
                                 a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"], "panels overlap")

    def test_reload(self):
        running = Running(self, config=config(self.port))
        self.assertEqual(self.value("config_generation"), 1)
        running.configure("x = 1\n")
        running.signal(signal.SIGHUP)
        running.wait_logged("is refused")
        # It is said first, then counted, and noted last.
        until("it is noted", lambda: self.value("config_last_reload_successful") == 0)
        self.assertEqual(self.value("config_reloads_refused_total"), 1)
        # Elsewhere, then nowhere, then to where somebody else is.
        other = served.free_port()
        running.configure(config(other, "log_level = \"debug\""))
        running.signal(signal.SIGHUP)
        until("it is there", lambda: self.listens(other))
        until("and here no more", lambda: not self.listens(self.port))
        # The front is told before the master counts.
        until("the second one counts", lambda: self.metrics(other)["pixmilter_config_generation"][()] == 2)
        running.configure("")
        running.signal(signal.SIGHUP)
        until("nobody listens", lambda: not self.listens(other))
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen(1)
            port = taken.getsockname()[1]
            running.configure(config(port))
            running.signal(signal.SIGHUP)
            running.wait_logged(f'[metrics] listen = "127.0.0.1:{port}": ')
            running.wait_logged("is refused", 2)
        self.assertIn(b"multipart/related", running.send(HTML).message)

    def listens(self, port):
        try:
            return get(port, "/healthy")[0] == 200
        except OSError:
            return False

    def test_the_front_dies(self):
        running = Running(self, config=config(self.port))
        front = running.front()
        os.kill(front, signal.SIGKILL)
        self.assertEqual(self.value("front_restarts_total"), 1)  # whoever asks in between waits
        self.assertNotEqual(running.front(), front)
        self.assertLessEqual(threads(running.process.pid), 1)

    def test_a_new_render_section_sets_nothing_back(self):
        running = Running(self, config=config(self.port))
        running.send(SVG)
        running.configure(config(self.port, "[render]\nmax_frames = 3"))
        running.signal(signal.SIGHUP)
        running.wait_logged("is in force")
        # The master says so first; until the front follows, the picture comes out of the cache.
        until("both are counted", lambda: running.send(SVG) and self.value("renders_total", status="ok") == 2)

    def test_address_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.port))
            taken.listen(1)
            running = Running(self, config=config(self.port), wait=False)
            self.assertEqual(running.process.wait(60), 75)
            running.reader.join(60)
            self.assertIn(f'{running.config}: [metrics] listen = "127.0.0.1:{self.port}": ', running.log())
            self.assertIn("Address already in use", running.log())

    def test_addresses(self):
        for host in ("[::1]", "localhost"):
            with self.subTest(host=host):
                if host == "[::1]" and not os.path.exists("/proc/net/if_inet6"):
                    self.skipTest("no IPv6 here")
                port = served.free_port()
                running = Running(self, config=config(port, host=host))
                self.assertEqual(get(port, "/healthy", host=host.strip("[]"))[0], 200)
                running.stop()
        for wrong in ("9144", ":9144", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:9144", "http://x:1", "a b:1"):
            with self.subTest(wrong=wrong):
                path = os.path.join(harness.temp_dir(self), "wrong.toml")
                with open(path, "w") as file:
                    file.write(f'[metrics]\nlisten = "{wrong}"\n')
                done = harness.run([harness.program(), "check", "-c", path], check=78)
                self.assertIn(f"{path}:2:", done.stderr.decode())
                self.assertIn("metrics.listen", done.stderr.decode())


class Health(Watched):
    def test_pages(self):
        running = Running(self, config=config(self.port))
        self.assertEqual(get(self.port, "/healthy")[:2], (200, "healthy\n"))
        until("ready", lambda: get(self.port, "/ready")[:2] == (200, "ready\n"))
        self.assertEqual(get(self.port, "/")[0], 200)
        self.assertEqual(get(self.port, "/healthy?x=1")[0], 200)
        self.assertEqual(get(self.port, "/nothing")[0], 404)
        self.assertEqual(get(self.port, "/../metrics")[0], 404)
        status, text, headers = get(self.port, "/metrics", "HEAD")
        self.assertEqual((status, text), (200, ""))
        self.assertGreater(int(headers["Content-Length"]), 1000)
        self.assertEqual(get(self.port, "/metrics", "POST")[0], 405)
        with running.client() as client:
            client.begin()
            until("it is in hand", lambda: self.value("messages_in_hand") == 1)
            running.signal(signal.SIGTERM)
            until("not ready any more", lambda: get(self.port, "/ready")[:2] == (503, "ending\n"))
            self.assertEqual(get(self.port, "/healthy")[0], 200)

    def test_no_workers(self):
        # The render program is looked for beside the binary: there is none.
        alone = shutil.copy(harness.program(), harness.temp_dir(self))
        running = Running(self, config=config(self.port), program=alone)
        self.assertEqual(get(self.port, "/ready")[0], 503)
        self.assertIn("no render worker", get(self.port, "/ready")[1])
        until("and it is known", lambda: self.value("workers_available") == 0, 40)
        self.assertEqual(get(self.port, "/ready")[0], 503)
        self.assertEqual(get(self.port, "/healthy")[0], 200)
        self.assertIn(b"multipart/related", running.send(HTML).message)

    def test_hostile_clients(self):
        running = Running(self, config=config(self.port))
        front = running.front()
        address = ("127.0.0.1", self.port)
        silent = [socket.create_connection(address) for _ in range(60)]
        try:
            silent[0].sendall(b"GET /metrics HT")
            begun = time.monotonic()
            self.assertEqual(get(self.port, "/healthy")[0], 200)  # when the first of them have been given up
            self.assertLess(time.monotonic() - begun, 30)
        finally:
            for one in silent:
                one.close()
        for request in (b"GET / HTTP/1.1\r\nX: " + b"x" * 9000, b"\r\n\r\n", b"GET\r\n\r\n", b"\x00" * 4000 + b"\n\n",
                        b"GET /metrics SPDY/9\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n"):
            with socket.create_connection(address, timeout=60) as client:
                client.sendall(request)
                self.assertRegex(client.recv(100), rb"^HTTP/1.1 4\d\d ")
        with socket.create_connection(address) as client:  # asks and goes
            client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        with socket.create_connection(address, timeout=60) as client:  # in pieces
            for byte in b"GET /healthy HTTP/1.0\r\n\r\n":
                client.sendall(bytes([byte]))
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200 "))
        self.assertEqual(get(self.port, "/healthy")[0], 200)
        self.assertEqual(running.front(), front)

    def test_nowhere_by_default(self):
        running = Running(self, config="")
        before = threads(running.front())
        with open(f"/proc/{running.front()}/net/tcp") as table:
            self.assertIsNotNone(before)
            self.assertNotIn(f":{9144:04X} 00000000:0000 0A", table.read())


if __name__ == "__main__":
    harness.main()
