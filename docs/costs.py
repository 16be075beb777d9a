#!/usr/bin/env python3
"""What Channel Janitor costs per month at AWS, by list prices and by counting what it does.

    python3 docs/costs.py --channels 100000 --events 5 --batch 3
    python3 docs/costs.py --prices my-region.json      # other prices, by the names below

Free tiers are left out. Twilio charges nothing for Event Streams' webhooks, nor for the API calls made here.
"""

import argparse
import json
import re
import sys
from pathlib import Path

# US East (N. Virginia), in dollars, as AWS lists them.
PRICES = {
    "lambda_million_requests": 0.20,
    "lambda_gigabyte_second": 0.0000133334,  # arm64
    "dynamodb_million_writes": 0.625,  # on demand; a write unit is 1 KB
    "dynamodb_million_reads": 0.125,  # on demand; a read unit is 4 KB, read consistently
    "dynamodb_gigabyte_month": 0.25,
    "dynamodb_recovery_gigabyte_month": 0.20,
    "logs_gigabyte": 0.50,
    "metric_month": 0.30,
    "alarm_month": 0.10,  # for each metric that it watches
    "composite_alarm_month": 0.50,
    "dashboard_month": 3.00,
    "secret_month": 0.40,
    "secrets_million_calls": 5.00,
    "bus_million_events": 1.00,
    "schedule_million_invocations": 1.00,
}

MEMORY_GB = 0.25
HOURS = 730
# Measured against the embedded engine, with the time of a request to DynamoDB (4 ms) added.
INGEST_SECONDS = 0.010
# Requests to Twilio of 150 ms each, ten channels at once. A Conversation takes five at most, a Chat channel three, or four
# where its webhooks decide.
REQUESTS_PER_CHANNEL = 5
SWEEP_SECONDS_PER_CHANNEL = REQUESTS_PER_CHANNEL * 0.150 / 10
SWEEP_SECONDS_WITH_NOTHING_DUE = 0.02
# A reply to a parked chat wakes the parking function by the bus: the task is read and written, and so is the record.
REPLY_SECONDS = 2 * 0.150 + 0.02
# What an observing sweep would close is written down, moves in the index, and is looked at again a day later.
OBSERVED_UNITS = 1 + 2
INGEST_LOG_BYTES = 900  # the line in words and the line of figures
SWEEP_LOG_BYTES = 1_400
RECORD_BYTES = 700
PARTITIONS_OF_SWEEP = 6 * 4  # index partitions that a sweep asks, queues times parts; half a read unit each
PARTITIONS_OF_PARK = 3 * 4  # the same for each poll of the parking function
SWEEP_NOTE_READS = 2  # the stop and the fuse
NOTE_WRITES = 2  # the settings and the counts of a run: one item above 1 KB


def units(events, long_lived, parks):
    """Write units of one channel's life: each write of the record is one, each change of its queue one or two more."""
    # created: the record. The last event: the record and its entry in the queue. Others change nothing, but where chats
    # are parked: two for a word that begins or ends a wait, one for an agent who accepts or wraps up, none for the rest.
    told = 1 + 2 + 1.25 * parks * max(0, events - 2)
    # marked: the record and the end of its entry; a release moves the entry first.
    marked = 2 + 3 * long_lived
    return told + marked


def parking(poll_seconds, prices):
    """The parking function is awake all the time, unless it polls once a minute."""
    minutes = HOURS * 60
    polls = minutes * 60 / poll_seconds
    awake = minutes * 60 if poll_seconds < 60 else polls * 0.1
    reads = polls * PARTITIONS_OF_PARK / 2
    writes = minutes  # the note of each run: below 1 KB
    dollars = (
        awake * MEMORY_GB * prices["lambda_gigabyte_second"]
        + minutes / 1e6 * (prices["lambda_million_requests"] + prices["schedule_million_invocations"])
        + reads / 1e6 * prices["dynamodb_million_reads"]
        + writes / 1e6 * prices["dynamodb_million_writes"]
    )
    return ("Parking", dollars, f"{awake:,.0f} s awake, {polls:,.0f} polls")


def observing(channels, days, prices):
    """What observing adds for the first days of a month, by the looks that are taken again each day, in dollars.

    A first look costs what the look before a close costs.
    """
    again = channels / 30 * days * (days - 1) / 2
    seconds = again * SWEEP_SECONDS_PER_CHANNEL
    return (
        seconds * MEMORY_GB * prices["lambda_gigabyte_second"]
        + again * OBSERVED_UNITS / 1e6 * prices["dynamodb_million_writes"]
        + again / 1e6 * prices["dynamodb_million_reads"]
    )


def bill(channels, events, batch, sweeps_per_hour, long_lived, poll_seconds, replies, prices):
    """The lines of a month's bill, as (what, dollars, what it is made of)."""
    total_events = channels * events
    requests = total_events / batch
    sweeps = sweeps_per_hour * HOURS
    million = 1_000_000
    seconds = (
        requests * INGEST_SECONDS * max(1.0, batch ** 0.5)
        + sweeps * SWEEP_SECONDS_WITH_NOTHING_DUE
        + channels * (1 + long_lived) * SWEEP_SECONDS_PER_CHANNEL
        + channels * replies * REPLY_SECONDS
    )
    runs = requests + sweeps + channels * replies
    notes = sweeps * NOTE_WRITES + min(requests, HOURS * 60)  # the last event, once a minute at most
    writes = channels * units(events, long_lived, poll_seconds > 0) + notes
    reads = total_events + channels * (1 + long_lived) + sweeps * (PARTITIONS_OF_SWEEP / 2 + SWEEP_NOTE_READS)
    gigabytes = channels * RECORD_BYTES / 1e9
    logs = (requests * INGEST_LOG_BYTES + sweeps * SWEEP_LOG_BYTES + channels * 300) / 1e9
    figures, watched, composite = inventory(parks=poll_seconds > 0)
    alarms = watched * prices["alarm_month"] + composite * prices["composite_alarm_month"]
    parked = [parking(poll_seconds, prices)] if poll_seconds else []
    return [
        ("Lambda", runs / million * prices["lambda_million_requests"] + seconds * MEMORY_GB * prices["lambda_gigabyte_second"],
         f"{runs:,.0f} runs, {seconds:,.0f} s"),
        ("DynamoDB, writes", writes / million * prices["dynamodb_million_writes"], f"{writes:,.0f} units"),
        ("DynamoDB, reads", reads / million * prices["dynamodb_million_reads"], f"{reads:,.0f} units"),
        ("DynamoDB, storage", gigabytes * (prices["dynamodb_gigabyte_month"] + prices["dynamodb_recovery_gigabyte_month"]), f"{gigabytes:.2f} GB for 30 days"),
        ("Logs", logs * prices["logs_gigabyte"], f"{logs:.2f} GB"),
        ("Notices", channels * (1 + long_lived + replies) / million * prices["bus_million_events"],
         "one per step" + (", one per reply to a parked chat" if replies else "")),
        ("Schedules", sweeps / million * prices["schedule_million_invocations"], f"{sweeps:,.0f} starts"),
        ("Secret", prices["secret_month"] + 3 * 12 * HOURS / million * prices["secrets_million_calls"], "read every five minutes by three processes"),
        ("Figures and alarms", figures * prices["metric_month"] + alarms + prices["dashboard_month"],
         f"{figures} figures, alarms on {watched}, {composite} composite alarms, a dashboard"),
        *parked,
    ]


def inventory(parks):
    """Counts in the template: figures of our own on the dashboard, metrics that alarms watch, and composite alarms."""
    text = (Path(__file__).parent.parent / "template.yaml").read_text(encoding="utf-8")
    figures = set(re.findall(r'"ChannelJanitor", "(\w+)", "FunctionName", "\$\{(\w+)\}"', text))
    alarms = re.findall(r"Type: AWS::CloudWatch::Alarm\n(    Condition: Parks\n)?(.*?)\n\n", text, flags=re.DOTALL)
    return (
        sum(parks or function != "Park" for _, function in figures),
        sum(alarm.count("MetricName:") for only_parking, alarm in alarms if parks or not only_parking),
        text.count("Type: AWS::CloudWatch::CompositeAlarm\n"),
    )


def table(channels, prices, events, **rest):
    lines = bill(channels, events=events, prices=prices, **rest)
    total = sum(dollars for _, dollars, _ in lines)
    rows = ["| a month | $ | of |", "|---|---:|---|"]
    rows += [f"| {what} | {dollars:.2f} | {of} |" for what, dollars, of in lines]
    rows.append(f"| **together** | **{total:.2f}** | ${million(lines, channels * events):.2f} per million events, ${million(lines, channels):.2f} per million channels |")
    return "\n".join(rows)


FIXED = {"Secret", "Figures and alarms", "Schedules", "Parking"}


def million(lines, of):
    """What a million more would cost: the fixed lines don't grow."""
    return sum(dollars for what, dollars, _ in lines if what not in FIXED) / of * 1e6


# The examples of costs.md.
EXAMPLES = {
    "small": dict(channels=10_000, events=5, batch=1, sweeps_per_hour=12, long_lived=0.0, poll_seconds=0, replies=0),
    "large": dict(channels=1_000_000, events=5, batch=5, sweeps_per_hour=12, long_lived=0.2, poll_seconds=10, replies=1),
}


def check(page):
    """The page shows what this program says, and the counts are those of the design."""
    assert units(2, 0, False) == 5, "created, completed, swept: five units"
    assert units(5, 0, False) / 5 == 1, "a whole life"
    small = bill(**EXAMPLES["small"], prices=PRICES)
    double = bill(**{**EXAMPLES["small"], "channels": 20_000}, prices=PRICES)
    fixed = {what: dollars for what, dollars, _ in small if what in FIXED}
    assert fixed == {what: dollars for what, dollars, _ in double if what in FIXED}, "what is fixed is fixed"
    text = page.read_text(encoding="utf-8")
    week = [f"${observing(channels, 7, PRICES):.2f}" for channels in (10_000, 1_000_000)]
    if f"adds {week[0]} at ten thousand channels a month and {week[1]} at a million" not in " ".join(text.split()):
        sys.exit(f"{page}: a week of observing adds {' and '.join(week)}")
    for name, example in EXAMPLES.items():
        if table(**example, prices=PRICES) not in text:
            sys.exit(f"{page}: the example {name} should be\n{table(**example, prices=PRICES)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, default=10_000, help="channels that are closed in a month")
    parser.add_argument("--events", type=float, default=5, help="events per channel")
    parser.add_argument("--batch", type=float, default=1, help="events per request, on average")
    parser.add_argument("--sweeps-per-hour", type=float, default=12)
    parser.add_argument("--long-lived", type=float, default=0, help="share of long-lived channels, 0 to 1")
    parser.add_argument("--park", type=int, choices=[10, 20, 30, 60], default=0, metavar="SECONDS", help="chats are parked, polled each 10, 20, 30 or 60 s")
    parser.add_argument("--replies", type=float, default=0, help="customers' replies to parked chats, per channel")
    parser.add_argument("--prices", type=Path, help="a JSON object with prices to use instead")
    parser.add_argument("--check", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.check:
        return check(options.check)
    if min(options.channels, options.events, options.batch, options.sweeps_per_hour) <= 0 or not 0 <= options.long_lived <= 1:
        parser.error("all numbers must be above 0, and the share between 0 and 1")
    prices = dict(PRICES)
    if options.prices:
        given = json.loads(options.prices.read_text(encoding="utf-8"))
        if unknown := sorted(set(given) - set(PRICES)):
            parser.error(f"no such price: {', '.join(unknown)}; there are {', '.join(PRICES)}")
        prices.update(given)
    chosen = {name: getattr(options, name) for name in ("channels", "events", "batch", "sweeps_per_hour", "long_lived", "replies")}
    print(table(**chosen, poll_seconds=options.park, prices=prices))


if __name__ == "__main__":
    main()
