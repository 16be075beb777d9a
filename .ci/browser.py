"""Headless Chromium, driven over its debugging pipe: pages at several sizes, and axe on each.

The protocol: https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PATIENCE = 60  # seconds

# Width, height, and the pixels of the device for each of ours.
SIZES = {"phone": (360, 740, 3), "desktop": (1280, 900, 1)}
SCHEMES = ["light", "dark"]


class Browser:
    """A browser with one page in it."""

    def __init__(self, binary):
        # The browser's own processes may write on for a moment after they are killed. A file left in a temporary folder
        # is no fault of the page.
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        their_in, self.out = os.pipe()
        self.source, their_out = os.pipe()

        def wire():
            # Chromium reads commands from 3 and answers on 4.
            first, second = os.dup(their_in), os.dup(their_out)
            os.dup2(first, 3)
            os.dup2(second, 4)

        command = [binary, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                   "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}", "about:blank"]
        self.process = subprocess.Popen(command, preexec_fn=wire, close_fds=False, start_new_session=True,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(their_in)
        os.close(their_out)
        self.number, self.buffer, self.session, self.events = 0, b"", None, []
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ["Page", "Network", "Log", "Runtime"]:
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.out)
        os.close(self.source)
        self.profile.cleanup()

    def call(self, method, **parameters):
        """Sends a command and returns its result. Events that come meanwhile are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        rest = json.dumps(message).encode() + b"\0"
        while rest:
            rest = rest[os.write(self.out, rest):]
        end = time.monotonic() + PATIENCE
        while True:
            answer = self.read_next(end)
            if answer.get("id") != self.number:
                self.events.append(answer)
            elif "error" in answer:
                sys.exit(f"Chromium refuses {method}: {answer['error']}")
            else:
                return answer["result"]

    def read_next(self, end):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.source], [], [], max(0, end - time.monotonic()))
            chunk = os.read(self.source, 1 << 20) if ready else b""
            if not chunk:
                sys.exit("Chromium says nothing more")
            self.buffer += chunk
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def evaluate(self, expression):
        """Evaluates an expression in the page, waits if it is a promise, and returns its value."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            sys.exit(f"the page fails: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def open(self, url, size, scheme, ready="document.readyState === 'complete'"):
        """Opens a page at a size and in a colour scheme, and waits until an expression holds."""
        width, height, scale = SIZES[size]
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=size == "phone")
        self.call("Emulation.setEmulatedMedia", media="screen", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait(ready)

    def wait(self, expression):
        end = time.monotonic() + PATIENCE
        while not self.evaluate(f"location.href !== 'about:blank' && Boolean({expression})"):
            if time.monotonic() > end:
                sys.exit(f"the page never came to: {expression}")
            time.sleep(0.1)

    def requested(self):
        """Returns the URLs that the page asked for since it was opened."""
        sent = (event["params"]["request"]["url"] for event in self.events if event.get("method") == "Network.requestWillBeSent")
        return [url for url in sent if not url.startswith("data:")]

    def complaints(self):
        """Returns what the browser complained about since the page was opened."""
        entries = (event["params"]["entry"]["text"] for event in self.events if event.get("method") == "Log.entryAdded")
        thrown = (event["params"]["exceptionDetails"]["text"] for event in self.events if event.get("method") == "Runtime.exceptionThrown")
        return [*entries, *thrown]

    def axe(self, source):
        """Returns what axe finds, one line for each rule that is broken."""
        self.evaluate(f"{Path(source).read_text(encoding='utf-8')}; true")
        result = self.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [f"{broken['id']}: {broken['help']}: " + "; ".join(str(node["target"]) for node in broken["nodes"][:5]) for broken in result["violations"]]

    def overflows(self):
        """Returns whether the page as a whole is wider than the screen."""
        return self.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")

    def screenshot(self, path):
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        Path(path).write_bytes(base64.b64decode(shot["data"]))


def must_be_clean(browser, url, axe, name, ready="document.readyState === 'complete'", then=None):
    """Opens a page at each size and in each colour scheme, and ends the program on any fault of it."""
    for size in SIZES:
        for scheme in SCHEMES:
            browser.open(url, size, scheme, ready)
            if then:
                then(browser)
            where = f"{name}, {size}, {scheme}"
            for fault in [*browser.axe(axe), *browser.complaints(), *(["it is wider than the screen"] if browser.overflows() else [])]:
                sys.exit(f"{where}: {fault}")
    print(f"{name}: clean on {', '.join(SIZES)}, {' and '.join(SCHEMES)}")
