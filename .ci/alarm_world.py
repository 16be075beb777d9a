"""The world that the alarms' stories are played in: what the functions and AWS tell CloudWatch."""

import json
import sys

from cloudwatch import Metrics, Template

with open(sys.argv[1], encoding="utf-8") as file:
    TEMPLATE = json.load(file)
HOUR, DAY = 60, 24 * 60
SATURDAY = 5 * DAY  # the first minute is a Monday's
STORIES = []
PARKS = {"ParkTaskChannels": "TC" + "0" * 31 + "1:TC" + "0" * 31 + "2"}


def story(play):
    """Adds a story. It returns the world, how long it plays, and what goes off: {alarm: [(not before, not after), …]}.

    A third figure says how long it lasts at least.
    """
    STORIES.append(play)
    return play


def is_open(at):
    """From 8 to 18 o'clock, Monday to Friday."""
    return at // DAY % 7 < 5 and 8 * HOUR <= at % DAY < 18 * HOUR


class World:
    """What the functions and AWS tell CloudWatch."""

    def __init__(self, **parameters):
        told = {"AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms", "SweepMode": "act"}
        self.template = Template(TEMPLATE, told | parameters)
        self.metrics = Metrics()

    def tell(self, function, at, known=None, **figures):
        """Figures of our own. The functions leave zeros out."""
        for name, value in figures.items():
            if value:
                self.metrics.add(("ChannelJanitor", name, function), at, value, known or at + 2)

    def aws(self, function, at, **figures):
        for name, value in figures.items():
            self.metrics.add(("AWS/Lambda", name, function), at, value)

    def run(self, function, at, minutes=0, error=False):
        """One run. Lambda counts it at its start and says so at its end."""
        for name, value in (("Invocations", 1), ("Errors", int(error)), ("Duration", max(20, minutes * 60_000))):
            self.metrics.add(("AWS/Lambda", name, function), at, value, at + minutes + 1)

    def events(self, at, count=1, late=0, status=204):
        """An authentic request, with events that happened `late` minutes ago."""
        self.run("Ingest", at)
        self.tell("Ingest", at, Received=count, LagMilliseconds=800 + late * 60_000, Unavailable=int(status == 503))
        self.aws("Ingest", at, Url5xxCount=int(status >= 500), Url4xxCount=0)

    def keyless(self, at):
        """A request that no key was there to check."""
        self.run("Ingest", at)
        self.tell("Ingest", at, Unavailable=1)
        self.aws("Ingest", at, Url5xxCount=1, Url4xxCount=0)

    def refused(self, at, status):
        """A request whose signature no key of ours makes."""
        self.run("Ingest", at)
        self.tell("Ingest", at, BadSignature=1)
        self.aws("Ingest", at, Url5xxCount=int(status >= 500), Url4xxCount=int(status < 500))

    def sweep(self, at, minutes=0, error=False, **figures):
        """One sweep. Its figures are told at its end, with the time of its start.

        One that fails has no end to tell of, unless a guard stopped it.
        """
        self.run("Sweep", at, minutes, error)
        self.tell("Sweep", at, at + minutes + 2, Sweeps=int(not error or "Stopped" in figures), **figures)

    def sweeps(self, start, end, every=5, **figures):
        for at in range(start, end, every):
            self.sweep(at, **figures)

    def reconciles(self, start, end, error=False, every=HOUR, missed=lambda at: 0):
        """Reconciliations. `missed` says how many channels one at this time finds that no event told of."""
        for at in range(start + 2, end, every):
            self.run("Sweep", at, 1, error)
            self.tell("Sweep", at, at + 3, Missed=0 if error else missed(at))

    def checkups(self, start, end):
        for at in range(start + 3, end, DAY):
            self.run("Checkup", at, 1)

    def open_hours(self, start, end):
        """Events while the contact centre is open."""
        for at in range(start, end, 10):
            if is_open(at):
                self.events(at)

    def usual(self, start, end):
        self.open_hours(start, end)
        self.sweeps(start, end)
        self.reconciles(start, end)
        self.checkups(start, end)

    def letters(self, queue, at, until=None):
        """A message that comes, and stays until it is deleted."""
        self.metrics.add(("AWS/SQS", "NumberOfMessagesSent", queue), at, 1)
        for minute in range(at, until or at, 5):
            self.metrics.add(("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue), minute, 1)
