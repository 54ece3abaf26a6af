"""Messages that name pictures by URL, the configuration that lets them be fetched, and what became of them."""

import json
import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib")]

import harness  # noqa: E402

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
