"""Makes the pictures of the documentation from the real pages, light and dark, into docs/images.

Usage: screenshots.py JANITOR CHROMIUM PLUGIN

JANITOR is the built command, PLUGIN a copy of flex-plugin with its packages installed. Not part of the gate, since two pictures
of one page differ in their times. The gate checks that the README's pictures are there and small: .ci/check_readme.py.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

IMAGES = Path(__file__).resolve().parent.parent / "docs/images"
# Chromium's own numbers.
SCHEMES = {"dark": 0, "light": 1}
PATIENCE = 400  # seconds
# Flex draws these with packages that are left out in the tests. Plain rules stand in for its look.
PLUGIN_PAGE = """<!doctype html><meta charset="utf-8"><style>
  :root {{ color-scheme: light dark; font: 14px system-ui, sans-serif; }}
  body {{ margin: 16px; background: light-dark(#fff, #121c2d); color: light-dark(#121c2d, #e1e3ea); }}
  main {{ display: grid; gap: 12px; }}
  section {{ display: grid; grid-template-columns: 230px 1fr; gap: 12px; }}
  .item {{ display: grid; gap: 4px; }}
  section > .item, header {{ border: 1px solid light-dark(#cacdd8, #606b85); border-radius: 4px; padding: 10px 12px; }}
  header {{ display: flex; justify-content: space-between; align-items: center; }}
  small {{ color: light-dark(#606b85, #aeb2c1); }}
  button {{ font: inherit; padding: 6px 12px; border-radius: 4px; border: 1px solid light-dark(#8891aa, #8891aa); background: none; color: inherit; }}
  [aria-busy="true"] {{ opacity: .6; }}
</style>{body}"""


def picture(browser, url, name, size):
    for scheme, number in SCHEMES.items():
        path = IMAGES / f"{name}-{scheme}.png"
        command = [
            *(browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=5000"),
            *(f"--blink-settings=preferredColorScheme={number}", f"--window-size={size}", f"--screenshot={path}", url),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
        print(path.name, path.stat().st_size)


def status_page(janitor, browser):
    """A day of a contact centre in minutes, once something of each kind has happened. A faster clock outruns the sweeps."""
    with tempfile.TemporaryDirectory() as folder:
        ports = [argument for option in ("port", "page-port", "aws-port", "twilio-port") for argument in (f"--{option}", "0")]
        command = [janitor, "local", "--simulate", "--data", folder, "--accelerate", "300", *ports]
        local = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            url = next(line.split()[-1] for line in local.stdout if line.startswith("status page"))
            end = time.monotonic() + PATIENCE
            while True:
                with urllib.request.urlopen(url + "status.json", timeout=10) as answer:
                    status = json.load(answer)
                states = status["states"]
                # Customers write again on a channel that was left open now and then only. A machine that is busy falls behind.
                if all(states[state] for state in ("open", "closed", "released")) and status["saved_messages"] > 1 and states["due"] < 3:
                    break
                if time.monotonic() > end:
                    sys.exit(f"the status page shows too little: {states}")
                time.sleep(0.5)
            picture(browser, url, "status", "1100,760")
        finally:
            local.send_signal(signal.SIGINT)
            local.wait(timeout=30)


def plugin(folder, browser):
    with tempfile.TemporaryDirectory() as place:
        drawn, page = Path(place) / "drawn.html", Path(place) / "page.html"
        subprocess.run(["npx", "jest", "--ci", "pictures"], cwd=folder, env=os.environ | {"PICTURES": str(drawn)}, check=True)
        page.write_text(PLUGIN_PAGE.format(body=drawn.read_text(encoding="utf-8")), encoding="utf-8")
        picture(browser, page.as_uri(), "plugin", "760,224")


def main(janitor, browser, copy):
    IMAGES.mkdir(exist_ok=True)
    plugin(copy, browser)
    status_page(janitor, browser)


if __name__ == "__main__":
    main(*sys.argv[1:])
