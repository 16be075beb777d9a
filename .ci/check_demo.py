"""Reads `demo --json` from standard input and fails unless it is as docs/commands.md says and every claim holds."""

import json
import sys

PARKING = {"capacity", "load_before", "load_parked", "load_after", "parked", "returned", "calls", "restored"}
# What the demo shows of the rule that a conversation is left where an agent or a program means to go on, and of customers
# whom no agent sees.
SHOWN = (
    "its agent left", "paused, task goes on", "paused, task ended", "parked by a program", "agent was removed", "a survey asks",
    "not heard gets an agent", "one agent for one message", "told, not answered",
)

try:
    report = json.load(sys.stdin)
except ValueError as error:
    sys.exit(f"the demo's --json is not JSON: {error}")

if not isinstance(report, dict) or report.get("version") != 1:
    sys.exit("the demo's --json has no version 1")
if set(report) != {"version", "claims", "parking", "summary"} or set(report["parking"]) != PARKING:
    sys.exit("the fields of the demo's --json are not those of docs/commands.md")
claims = report["claims"]
if not isinstance(claims, list) or not claims:
    sys.exit("the demo's --json makes no claims")
broken = [claim for claim in claims if not isinstance(claim, dict) or claim.get("holds") is not True]
if broken:
    sys.exit("claims that do not hold:\n" + "\n".join(json.dumps(claim) for claim in broken))
missing = [words for words in SHOWN if not any(words in claim["name"] and claim["detail"] for claim in claims)]
if missing:
    sys.exit(f"the demo makes no claim about: {', '.join(missing)}")
print(f"{len(claims)} claims hold")
