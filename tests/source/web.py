"""A web server for the fetch tests: a real nginx, and one in Python that misbehaves as it is told."""

import gzip
import os
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"),
                os.path.dirname(os.path.abspath(__file__))]

import harness  # noqa: E402
from network import GIF  # noqa: E402

CONFIG = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log combined; server_tokens off; default_type application/octet-stream;
  types {{ image/gif gif; image/png png; text/html html; image/svg+xml svg; }}
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  log_format full '$request|$http_authorization|$http_cookie|$http_user_agent|$http_host|$connection';
  access_log {folder}/full.log full;
  gzip on; gzip_types image/svg+xml; gzip_min_length 1;
  server {{
    {listen}
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    root {folder}/www;
    location /to/ {{ return 302 $arg_u; }}
    location /moved/ {{ return 301 /ok.gif; }}
    location /one/ {{ return 302 /two/; }} location /two/ {{ return 307 /three/; }}
    location /three/ {{ return 308 /ok.gif; }} location /four/ {{ return 303 /one/; }}
    location /round/ {{ return 302 /round/; }}
    location /login {{ default_type text/html; return 200 "<html><form>Please log in</form></html>"; }}
    location /denied/ {{ return 403; }}
    location /token/ {{ if ($http_authorization != "Bearer s3cret") {{ return 401; }} try_files /ok.gif =404; }}
    location /fresh/ {{ expires 1h; try_files /ok.gif =404; }}
    location /never/ {{ expires -1; etag off; add_header Cache-Control no-store; try_files /ok.gif =404; }}
    location /settled {{ access_log off; return 204; }}
    location /cookie/ {{ add_header Set-Cookie "session=1; Path=/"; try_files /ok.gif =404; }}
  }}
}}
"""


def certificates(folder, names):
    """A private authority (ca.pem) and a certificate of it for these names and addresses (server.pem, server.key)."""
    def openssl(*arguments):
        harness.run(["openssl", *arguments], check=0, cwd=folder)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=Test Authority", "-keyout", "ca.key", "-out", "ca.pem",
            "-addext", "basicConstraints=critical,CA:TRUE")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=server",
            "-keyout", "server.key", "-out", "server.csr")
    with open(os.path.join(folder, "san"), "w") as file:
        file.write("subjectAltName=" + ",".join(("IP:" if name[0].isdigit() or ":" in name else "DNS:") + name
                                                for name in names) + "\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "san", "-out", "server.pem")


class Nginx:
    """Serves www/ and the places of CONFIG. listen: the `listen` lines, one of them of IPv4 without TLS;
    start(command) starts it, for another network namespace."""

    def __init__(self, test, listen, names, start=subprocess.Popen):
        program = harness.need_program("nginx")
        harness.need_program("openssl")
        self.folder = harness.temp_dir(test)
        self.plain = next(one for one in listen if "ssl" not in one and "[" not in one)
        os.mkdir(f"{self.folder}/www")
        self.file("ok.gif", GIF)
        self.file("render/ok.gif", GIF)
        self.file("admin/secret.gif", GIF)
        self.file("page.gif", b"<!DOCTYPE html><title>A page</title>")
        self.file("big.gif", GIF + b"\0" * 300_000)
        self.file("plain.svg", b"<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'>"
                               b"<rect width='8' height='8' fill='red'/></svg>")
        self.file("bomb.svg", b"<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'>"
                              + b" " * 2_000_000 + b"</svg>")
        for folder, _, _ in os.walk(f"{self.folder}/www"):
            os.chmod(folder, 0o755)
        certificates(self.folder, names)
        with open(f"{self.folder}/nginx.conf", "w") as file:
            file.write(("user root;" if os.geteuid() == 0 else "")
                       + CONFIG.format(folder=self.folder, listen=" ".join(f"listen {one};" for one in listen)))
        self.process = start([program, "-p", self.folder, "-c", f"{self.folder}/nginx.conf"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not (os.path.exists(f"{self.folder}/nginx.pid") and os.path.getsize(f"{self.folder}/nginx.pid")):
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(f"{self.folder}/error.log") as errors:
                    raise AssertionError("nginx does not start: " + errors.read())
            time.sleep(0.02)

    def file(self, name, data):
        path = os.path.join(self.folder, "www", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)

    def settle(self):
        """After this its log is whole. A line is written when its answer has gone out, so whoever has the answer may
        read too early; but the one process does one thing at a time: with this answer all lines before are there."""
        host, port = self.plain.split(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(b"GET /settled HTTP/1.0\r\n\r\n")
            answer = b""
            while more := connection.recv(4096):
                answer += more
        if not answer.startswith(b"HTTP/1.1 204 "):
            raise AssertionError(f"nginx answers {answer!r}")

    def requests(self):
        """What came, a line each: request|authorization|cookie|user agent|host|connection."""
        self.settle()
        with open(f"{self.folder}/full.log") as file:
            return file.read().splitlines()

    def statuses(self):
        """Of the answers, in their order."""
        self.settle()
        with open(f"{self.folder}/access.log") as file:
            return [line.split('"')[2].split()[0] for line in file]

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def reply(body, kind=b"image/gif", more=b"", status=b"200 OK"):
    return (b"HTTP/1.1 " + status + b"\r\nContent-Type: " + kind + b"\r\n" + more
            + b"Content-Length: %d\r\n\r\n" % len(body) + body)


class Rude:
    """A server that does to each path what a table says: bytes to send, or a function of (server, connection)."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.paths = {}
        self.requests = []  # whole headers
        self.connections = 0
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        buffer = b""
        try:
            while True:
                while b"\r\n\r\n" not in buffer:
                    more = connection.recv(65536)
                    if not more:
                        return
                    buffer += more
                header, buffer = buffer.split(b"\r\n\r\n", 1)
                self.requests.append(header)
                path = header.split(b" ", 2)[1].decode()
                what = self.paths.get(path.split("?")[0], reply(GIF))
                if callable(what):
                    what(self, connection)
                    return
                connection.sendall(what)
        except OSError:
            pass
        finally:
            connection.close()

    def close(self):
        # Who still waits at a descriptor that is closed may find another's there, whose connections it would take.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()


def trickle(server, connection):
    """Headers at once, then a byte now and then."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/gif\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(200):
        connection.sendall(b"G")
        time.sleep(0.1)


def silence(server, connection):
    connection.recv(1)


def endless_chunks(server, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/gif\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"%x\r\n" % 65536 + b"G" * 65536 + b"\r\n"
    while True:
        connection.sendall(chunk)


def endless_header(server, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")


def endless_continue(server, connection):
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" * 100)


GZIP_BOMB = reply(gzip.compress(b"GIF89a" + b"\0" * 20_000_000), more=b"Content-Encoding: gzip\r\n")


class TlsServer(Rude):
    """The same behind TLS with the given certificate."""

    def __init__(self, certificate, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        super().__init__()

    def _serve(self, connection):
        try:
            connection = self.context.wrap_socket(connection, server_side=True)
        except (OSError, ssl.SSLError):
            connection.close()
            return
        super()._serve(connection)
