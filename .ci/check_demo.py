"""Reads `demo --json` from standard input and fails unless it makes claims and every one holds."""

import json
import sys

try:
    report = json.load(sys.stdin)
except ValueError as error:
    sys.exit(f"the demo's --json is not JSON: {error}")

claims = report.get("claims") if isinstance(report, dict) else None
if not isinstance(claims, list) or not claims:
    sys.exit("the demo's --json makes no claims")
broken = [claim for claim in claims if not isinstance(claim, dict) or claim.get("holds") is not True]
if broken:
    sys.exit("claims that do not hold:\n" + "\n".join(json.dumps(claim) for claim in broken))
print(f"{len(claims)} claims hold")
