"""A headless Chromium that shows HTML as pictures, driven over its DevTools pipe.

    with chromium.Browser() as browser:
        page = browser.show(html, 800, "svg, img")  # the whole page, however long
        page.picture                                # a Pillow image
        page.boxes                                  # where the elements lie: [(left, top, right, bottom)]

It reaches no network, keeps its profile in a folder that goes away with it, and is ended by its own pid.
"""

import base64
import io
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from PIL import Image

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
          "--disable-background-networking", "--disable-component-update", "--disable-sync",
          "--disable-extensions", "--disable-default-apps", "--disable-dev-shm-usage", "--no-default-browser-check",
          "--mute-audio", "--hide-scrollbars", "--force-color-profile=srgb", "--font-render-hinting=none",
          "--force-device-scale-factor=1", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
          "--proxy-bypass-list=<-loopback>",
          "--remote-debugging-pipe"]
_BOXES = """Array.from(document.querySelectorAll(%s), element => {
  const box = element.getBoundingClientRect();
  return [Math.floor(box.left + scrollX), Math.floor(box.top + scrollY),
          Math.ceil(box.right + scrollX), Math.ceil(box.bottom + scrollY)];
})"""


def need():
    """Skips the test, with the reason, where there is no Chromium; gives its path."""
    for name in _NAMES:
        path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/bin")
        if path:
            return path
    raise unittest.SkipTest("chromium is not installed")


class Page:
    """What show() saw: picture, a Pillow image; boxes, (left, top, right, bottom) of the elements asked for."""

    def __init__(self, picture, boxes):
        self.picture = picture
        self.boxes = boxes


class Browser:
    """One process and one tab. Calls are answered within timeout seconds, or it is an error.

    proxy: where all goes that pages want from the network; nobody listens at the one of old. scripts: they run, as
    in no mail client."""

    def __init__(self, timeout=60, proxy="127.0.0.1:9", scripts=False):
        path = need()
        self._timeout = timeout
        self._folder = tempfile.TemporaryDirectory(prefix="pix-chromium-", ignore_cleanup_errors=True)
        self._number = 0
        self._buffer = b""
        self._session = None
        read_commands, self._commands = os.pipe()
        self._answers, write_answers = os.pipe()
        # Chromium reads from its descriptor 3 and writes to 4; whatever these are here, a shell moves them (dash knows
        # none beyond 9).
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", f"exec 200<&{read_commands} 201>&{write_answers} 3<&200 4>&201 200<&- 201>&-; exec \"$@\"",
             "bash", path, *_FLAGS,
             f"--user-data-dir={self._folder.name}/profile", f"--proxy-server={proxy}", "about:blank"],
            pass_fds=(read_commands, write_answers), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, env={**os.environ, "HOME": self._folder.name})
        os.close(read_commands)
        os.close(write_answers)
        try:
            targets = self.call("Target.getTargets")["targetInfos"]
            pages = [target["targetId"] for target in targets if target["type"] == "page"]
            page = pages[0] if pages else self.call("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
            self.call("Page.enable")
            self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the browser, its children with it."""
        os.close(self._commands)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self._process.pid, signal.SIGKILL)  # the session that it was started as the head of
        except ProcessLookupError:
            pass
        self._process.wait()
        os.close(self._answers)
        self._folder.cleanup()

    def call(self, method, **params):
        """One DevTools command and its result."""
        self._number += 1
        self._send(method, params)
        while True:
            message = self._receive(method)
            if message.get("id") != self._number:
                continue
            if "error" in message:
                raise AssertionError(f"{method}: {message['error']}")
            return message["result"]

    def show(self, html, width=800, selector=None):
        """Loads a page (text or bytes) in a window of that width; a Page with all of it, and the boxes of
        the elements that fit the selector, in whole pixels, outward."""
        if isinstance(html, str):
            html = html.encode()
        path = os.path.join(self._folder.name, "page.html")
        with open(path, "wb") as file:
            file.write(html)
        self._size(width, 600)
        # Its loading events count, none of the page before.
        self._number += 1
        self._send("Page.navigate", {"url": "file://" + path})
        answered = loaded = False
        while not (answered and loaded):
            message = self._receive("Page.navigate")
            answered = answered or message.get("id") == self._number
            loaded = loaded or (answered and message.get("method") == "Page.loadEventFired")
        height = self.call("Page.getLayoutMetrics")["cssContentSize"]["height"]
        height = min(max(int(height), 1), 16000)
        self._size(width, height)
        data = self.call("Page.captureScreenshot", format="png")["data"]
        boxes = self.evaluate(_BOXES % json.dumps(selector)) if selector else []
        return Page(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), [tuple(box) for box in boxes])

    def evaluate(self, expression):
        """The value of a JavaScript expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def _size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=False)

    def _send(self, method, params):
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data):]

    def _receive(self, method):
        end = time.monotonic() + self._timeout
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(0, end - time.monotonic()))
            data = os.read(self._answers, 1 << 20) if ready else b""
            if not data:
                raise AssertionError(f"chromium: {method}: " + ("it ended" if ready else "no answer"))
            self._buffer += data
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)
