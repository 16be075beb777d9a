"""Opens the status page of a running `janitor local` in headless Chromium, and the page of an audit of it. It reads what a
person would see, and lets axe look for barriers on a phone and on a desktop.

Usage: check_page.py JANITOR CHROMIUM AXE FOLDER
"""

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from html.parser import HTMLParser
from pathlib import Path

from browser import Browser, must_be_clean

STATES = ["open", "waiting", "left", "due", "released", "held", "closed", "failed", "unknown"]
PATIENCE = 120  # seconds


class Page(HTMLParser):
    """The texts of the elements with an id, and the rows of the tables."""

    VOID = {"meta", "link", "br", "input"}

    def __init__(self):
        super().__init__()
        self.stack, self.texts, self.rows, self.shown = [], {}, {}, False

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.shown |= attributes.get("data-shown") == "yes"
        if tag in self.VOID:
            return
        self.stack.append(attributes.get("id"))
        if tag == "tr":
            for name in filter(None, self.stack):
                self.rows[name] = self.rows.get(name, 0) + 1

    def handle_endtag(self, tag):
        if tag not in self.VOID and self.stack:
            self.stack.pop()

    def handle_data(self, data):
        for name in filter(None, self.stack):
            self.texts[name] = self.texts.get(name, "") + data + "\n"


def chromium(binary, url, *arguments):
    command = [binary, "--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", *arguments, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode != 0:
        sys.exit(f"Chromium failed:\n{done.stderr[-2000:]}")
    return done.stdout


def status(url):
    with urllib.request.urlopen(url + "status.json", timeout=10) as answer:
        return json.load(answer)


def must(holds, what, page="the status page"):
    if not holds:
        sys.exit(f"{page}: {what}")


def check(url, binary, axe, screenshot):
    end = time.monotonic() + PATIENCE
    while not all(status(url)["states"][state] for state in ("closed", "released")):
        must(time.monotonic() < end, "no channel was ever closed or released")
        time.sleep(0.5)

    page = Page()
    page.feed(chromium(binary, url, "--dump-dom"))
    must(page.shown, "it shows no data")
    must(page.texts.get("trouble", "").strip() == "", f"it says {page.texts.get('trouble')!r}")
    boxes = page.texts["states"].split()
    must(boxes[::2] == STATES, f"it counts {boxes[::2]}")
    counts = dict(zip(boxes[::2], map(int, boxes[1::2])))
    must(counts["closed"] > 0, "no channel is closed on it")
    must(page.rows.get("channels", 0) > 0, "it does not say what is due when")
    must(page.rows.get("sweeps", 0) > 0, "it shows no sweep")
    must(page.rows.get("notices", 0) > 0, "it shows no notice")
    must(re.search(r"\bin \d+", page.texts["channels"]), "it does not say when anything is due")
    must(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", page.texts["clock"].strip()), "it tells no time")
    chromium(binary, url, "--hide-scrollbars", "--window-size=1200,1400", f"--screenshot={screenshot}")
    print(f"the status page shows {sum(counts.values())} channels: {counts}")
    with Browser(binary) as browser:
        must_be_clean(browser, url, axe, "the status page", "document.body?.dataset.shown === 'yes'", explain_one)


def explain_one(browser):
    """Chooses a state that some channel is in, and asks why for one of its channels."""
    browser.evaluate("by('filter').value = 'released'; by('filter').dispatchEvent(new Event('change')); true")
    browser.wait("document.querySelector('#channels tr')")
    shown = browser.evaluate("[...document.querySelectorAll('#channels td:nth-child(2)')].map(td => td.textContent)")
    must(set(shown) == {"released"}, f"the filter shows {shown}")
    browser.evaluate("document.querySelector('#channels button').click(); true")
    browser.wait("document.querySelector('#channels td.why')?.textContent.length > 20")


def check_audit(janitor, folder, binary, axe, out):
    """Audits the system in a data folder and reads the page from a file, as a manager would."""
    file = (out / "audit.html").absolute()
    done = subprocess.run([janitor, "audit", "--data", folder, "--html", file], capture_output=True, text=True, timeout=PATIENCE)
    page = "the audit page"
    must(done.returncode in (0, 3), f"the audit ended with {done.returncode}: {done.stderr}", page)
    url = file.as_uri()
    with Browser(binary) as browser:
        must_be_clean(browser, url, axe, page, then=copy_one)
        browser.open(url, "desktop", "light")
        must(browser.requested() == [url], f"it loads {browser.requested()}", page)
        browser.screenshot(out / "audit.png")
        browser.call("Emulation.setEmulatedMedia", media="print")
        inks = browser.evaluate("[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]")
        must(inks == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"], f"it prints in {inks}", page)


def copy_one(browser):
    """Copies a SID where the page shows one. The script must run under the page's own policy."""
    if browser.evaluate("document.querySelector('button[data-copy]') !== null"):
        browser.evaluate("document.querySelector('button[data-copy]').click(); true")
        browser.wait("/^[A-Z]{2}[0-9a-f]{32} is (copied|selected)/.test(document.getElementById('said').textContent)")


def main(janitor, binary, axe, out):
    out = Path(out)
    with tempfile.TemporaryDirectory() as folder:
        ports = [argument for option in ["port", "page-port", "aws-port", "twilio-port"] for argument in (f"--{option}", "0")]
        command = [janitor, "local", "--simulate", "--data", folder, "--accelerate", "1800", *ports]
        local = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            url = next(line.split()[-1] for line in local.stdout if line.startswith("status page"))
            check(url, binary, axe, out / "page.png")
            check_audit(janitor, folder, binary, axe, out)
        finally:
            local.send_signal(signal.SIGINT)
            ended = local.wait(timeout=30)
        must(ended == 0, f"the system ended with {ended}")


if __name__ == "__main__":
    main(*sys.argv[1:])
