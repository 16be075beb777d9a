"""Plays stories against the translated template's alarms: each goes off when its runbook section says so, and never else."""

import json
import sys

from cloudwatch import ALARM, Metrics, Template, check_rules, play

with open(sys.argv[1], encoding="utf-8") as file:
    TEMPLATE = json.load(file)
HOUR, DAY = 60, 24 * 60
SATURDAY = 5 * DAY  # the first minute is a Monday's
# How many more periods CloudWatch may read than it was asked for. It does not say.
SPARE = (0, 5)
PARKS = {"ParkTaskChannels": "TC" + "0" * 31 + "1:TC" + "0" * 31 + "2"}
NO_EVENTS = int(TEMPLATE["Parameters"]["NoEventsHours"]["Default"]) * HOUR
NO_SWEEP = int(TEMPLATE["Parameters"]["NoSweepHours"]["Default"]) * HOUR


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
        self.tell("Ingest", at, Received=count, LagMilliseconds=800 + late * 60_000)
        self.aws("Ingest", at, Url5xxCount=int(status >= 500), Url4xxCount=0)

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

    def reconciles(self, start, end, error=False):
        for at in range(start + 2, end, HOUR):
            self.run("Sweep", at, 1, error)

    def checkups(self, start, end):
        for at in range(start + 3, end, DAY):
            self.run("Checkup", at, 1)

    def open_hours(self, start, end):
        """Events from 8 to 18 o'clock, Monday to Friday."""
        for at in range(start, end, 10):
            if at // DAY % 7 < 5 and 8 * HOUR <= at % DAY < 18 * HOUR:
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


# --- the stories: each returns the world, how long it plays, and what goes off: {alarm: [(not before, not after), …]} ---
# A third figure says how long it lasts at least.


def a_quiet_weekend():
    world = World(**PARKS)
    world.usual(0, 8 * DAY)
    return world, 8 * DAY, {}


def a_first_deployment_before_connect():
    world = World()
    world.sweeps(5, 5 * DAY)
    world.reconciles(HOUR, 5 * DAY)
    world.checkups(DAY, 5 * DAY)
    return world, 5 * DAY, {}


def a_rotated_auth_token():
    world, end = World(), 2 * DAY + NO_EVENTS + 6 * HOUR
    world.open_hours(0, 2 * DAY)
    for at in range(2 * DAY + 8 * HOUR, end, 10):
        world.refused(at, 403)
    world.sweeps(0, end)
    world.checkups(0, end)
    last = DAY + 18 * HOUR
    return world, end, {"NoEvents": [(last + NO_EVENTS - 2 * HOUR, last + NO_EVENTS + HOUR)]}


def events_come_again():
    world, back = World(), DAY + NO_EVENTS + 12 * HOUR
    world.open_hours(0, DAY)
    world.events(back)
    world.sweeps(0, back + 2 * HOUR)
    silent = 18 * HOUR + NO_EVENTS
    return world, back + 2 * HOUR, {"NoEvents": [(silent - 2 * HOUR, silent + HOUR)]}


def strangers_on_a_weekend():
    world = World(**PARKS)
    world.usual(0, 7 * DAY)
    for at in range(SATURDAY, SATURDAY + 12 * HOUR):
        world.aws("Ingest", at, Url4xxCount=70)
        world.tell("Ingest", at, Unsigned=20)
        for status in (403, 503) if at % 120 < 60 else (503, 503):
            world.refused(at, status)
    return world, 7 * DAY, {}


def a_flood_while_nothing_is_late():
    world = World(**PARKS)
    world.usual(0, 6 * DAY)
    for at in range(4 * DAY + 9 * HOUR, SATURDAY + 6 * HOUR):
        world.aws("Ingest", at, Throttles=600, Url4xxCount=600)
        world.aws("Park", at, Throttles=600, Url4xxCount=600)
    return world, 6 * DAY, {}


def a_flood_that_keeps_twilio_out():
    world = World()
    world.usual(0, DAY)
    start, end = 10 * HOUR, 13 * HOUR
    for at in range(start, end):
        world.aws("Ingest", at, Throttles=600, Url4xxCount=600)
        if at >= start + 20 and at % 7 == 0:
            world.events(at, late=20)
    return world, DAY, {"IngestThrottles": [(start + 15, start + 50)]}


def a_burst_that_twilio_repeats():
    world = World()
    world.usual(0, DAY)
    world.aws("Ingest", 10 * HOUR, Throttles=40, Url4xxCount=40)
    world.events(10 * HOUR + 1, count=40, late=1)
    return world, DAY, {}


def sweeps_once_an_hour_that_keep_up():
    world = World(OverdueMinutes="120")
    world.open_hours(0, 2 * DAY)
    world.sweeps(0, 2 * DAY, every=60, OldestOverdueSeconds=59 * 60, Due=4, ClosedEnded=4)
    return world, 2 * DAY, {}


def sweeps_once_an_hour_that_fall_behind():
    world, late = World(OverdueMinutes="120"), 10 * HOUR
    world.open_hours(0, DAY)
    world.sweeps(0, late, every=60)
    for at in range(late, late + 6 * HOUR, 120):
        # A schedule is not exact to the minute.
        world.sweep(at, OldestOverdueSeconds=130 * 60, Due=4)
        world.sweep(at + 64, OldestOverdueSeconds=130 * 60, Due=4)
    world.sweeps(late + 6 * HOUR, 2 * DAY, every=60)
    return world, 2 * DAY, {"OldestDue": [(late, late + 10)]}


def slow_sweeps_over_a_backlog():
    world, late = World(), 10 * HOUR
    world.open_hours(0, DAY)
    world.sweeps(0, late)
    for at in range(late, late + 6 * HOUR, 15):
        world.sweep(at, 14, OldestOverdueSeconds=61 * 60, Due=900, Stopped=1)
    world.sweeps(late + 6 * HOUR, 2 * DAY)
    soon = (late + 14, late + 25)
    return world, 2 * DAY, {"OldestDue": [soon], "SweepStopped": [soon]}


def one_slow_sweep_with_bad_news():
    world, at = World(), 10 * HOUR + 1
    world.usual(0, DAY)
    world.sweep(at, 14, error=True, Stopped=1, Raced=1, GivenUp=1, Unheard=2)
    soon = (at + 14, at + 25)
    bad_news = ("CustomersRaced", "CustomersUnheard", "ChannelsGivenUp", "SweepErrors", "SweepStopped")
    return world, DAY, {name: [soon] for name in bad_news}


def customers_who_are_left_and_customers_who_are_heard():
    world = World()
    world.open_hours(0, DAY)
    # What is left waits for an agent, a program or Twilio: no customer has to be reached.
    world.sweeps(0, DAY, Due=6, Left=6)
    world.sweep(14 * HOUR, Due=7, Left=6, Unheard=1, ClosedEnded=1)
    return world, DAY, {"CustomersUnheard": [(14 * HOUR, 14 * HOUR + 10)]}


def a_wrap_up_that_is_left_overnight():
    world, found, ended = World(), 15 * HOUR, DAY + 10 * HOUR
    world.open_hours(0, 5 * DAY)
    for at in range(0, 5 * DAY, 5):
        # At night nothing is due, and a sweep does not ask TaskRouter.
        awake = 8 * HOUR <= at % DAY < 18 * HOUR
        world.sweep(at, Due=int(awake), StuckWrapUps=int(awake and found <= at < ended))
    return world, 5 * DAY, {"WrapUpsStuck": [(found, found + 10, DAY)]}


def a_backlog_while_observing():
    world = World(SweepMode="observe")
    world.open_hours(0, DAY)
    for at in range(0, DAY, 5):
        world.sweep(at, Due=30, OldestOverdueSeconds=at * 60)
    return world, DAY, {}


def an_outage_of_the_table():
    world, start, end = World(), 10 * HOUR, 11 * HOUR
    world.open_hours(0, start)
    for at in range(start, end, 2):
        world.events(at, status=503)
    world.open_hours(end, DAY)
    world.sweeps(0, start)
    world.sweeps(start, end, error=True)
    world.sweeps(end, DAY)
    return world, DAY, {"IngestUnavailable": [(start + 5, start + 15)], "SweepErrors": [(start, start + 5)]}


def wrong_credentials_for_an_afternoon():
    world, start, end = World(), 12 * HOUR, 17 * HOUR
    world.open_hours(0, DAY)
    world.sweeps(0, start, every=60)
    world.sweeps(start, end, every=60, error=True)
    world.reconciles(start, end, error=True)
    world.sweeps(end, DAY, every=60)
    return world, DAY, {"SweepErrors": [(start, start + 5)], "NoSweep": [(start + NO_SWEEP - HOUR, start + NO_SWEEP + 10)]}


def no_sweep_any_more():
    world, last, back = World(), DAY, 2 * DAY
    world.open_hours(0, 2 * DAY + HOUR)
    world.sweeps(0, last)
    world.sweeps(back, back + HOUR)
    # Reconciling goes on, and closes nothing.
    world.reconciles(0, back + HOUR)
    return world, back + HOUR, {"NoSweep": [(last + NO_SWEEP - 5, last + NO_SWEEP + 10)]}


def a_crash():
    world, at = World(), 10 * HOUR
    world.usual(0, DAY)
    world.run("Ingest", at, error=True)
    return world, DAY, {"IngestErrors": [(at, at + 5)]}


def a_slow_quarter_of_an_hour():
    world, at = World(), 10 * HOUR + 1
    world.usual(0, DAY)
    for minute in range(at, at + 15):
        world.aws("Ingest", minute, Duration=4_600)
    return world, DAY, {"IngestSlow": [(at + 5, at + 15)]}


def letters_that_are_left_and_letters_that_are_read():
    world, first, second = World(), 10 * HOUR, 34 * HOUR
    world.usual(0, 2 * DAY)
    # The first one is left there, and the second one is told all the same.
    world.letters("DeadLetters", first, 2 * DAY)
    world.letters("DeadLetters", second, second + 30)
    return world, 2 * DAY, {"DeadLettersArrived": [(first, first + 10), (second, second + 10)]}


def an_event_that_cannot_be_read():
    world, at = World(), 10 * HOUR
    world.usual(0, DAY)
    world.letters("RejectedEvents", at, at + 3 * HOUR)
    return world, DAY, {"RejectedEventsWaiting": [(at, at + 10, 2 * HOUR)]}


def a_checkup_that_fails_and_one_that_finds_errors():
    world = World()
    world.usual(0, 6 * DAY)
    failed, found = DAY + 3, 3 * DAY + 3
    world.run("Checkup", failed + 1, 5, error=True)
    world.tell("Checkup", found, ErrorsFound=2)
    return world, 6 * DAY, {
        "CheckupErrors": [(failed + 5, failed + 15, DAY - 2 * HOUR)],
        "SetupBroken": [(found, found + 10, DAY)],
    }


def parks(world, start, end, **figures):
    """The parking function's minutes."""
    for at in range(start, end):
        world.run("Park", at, 1)
        world.tell("Park", at, at + 3, **figures)


def chats_that_wait_for_a_moment():
    world = World(**PARKS)
    parks(world, 0, 2 * HOUR)
    parks(world, 2 * HOUR, 2 * HOUR + 10, Refused=1)
    parks(world, 2 * HOUR + 10, 4 * HOUR)
    return world, 4 * HOUR, {}


def chats_that_cannot_be_moved():
    world = World(**PARKS)
    parks(world, 0, 2 * HOUR)
    parks(world, 2 * HOUR, 4 * HOUR)
    for at in range(2 * HOUR, 4 * HOUR, 10):
        world.tell("Park", at, Failed=1)
    parks(world, 4 * HOUR, 7 * HOUR)
    return world, 7 * HOUR, {"ChatsNotMoved": [(2 * HOUR + 30, 2 * HOUR + 50)]}


def parking_that_crashes():
    world = World(**PARKS)
    parks(world, 0, 2 * HOUR)
    world.run("Park", 2 * HOUR, 1, error=True)
    parks(world, 2 * HOUR + 6, 4 * HOUR)
    return world, 4 * HOUR, {"ParkErrors": [(2 * HOUR, 2 * HOUR + 10)]}


def a_flood_that_keeps_parking_from_its_work():
    world = World(**PARKS)
    parks(world, 0, 2 * HOUR)
    for at in range(2 * HOUR, 3 * HOUR):
        world.aws("Park", at, Throttles=500, AsyncEventsDropped=1)
    parks(world, 3 * HOUR, 5 * HOUR)
    return world, 5 * HOUR, {"ParkThrottles": [(2 * HOUR + 5, 2 * HOUR + 15)]}


STORIES = [
    a_quiet_weekend,
    a_first_deployment_before_connect,
    a_rotated_auth_token,
    events_come_again,
    strangers_on_a_weekend,
    a_flood_while_nothing_is_late,
    a_flood_that_keeps_twilio_out,
    a_burst_that_twilio_repeats,
    sweeps_once_an_hour_that_keep_up,
    sweeps_once_an_hour_that_fall_behind,
    slow_sweeps_over_a_backlog,
    one_slow_sweep_with_bad_news,
    customers_who_are_left_and_customers_who_are_heard,
    a_wrap_up_that_is_left_overnight,
    a_backlog_while_observing,
    an_outage_of_the_table,
    wrong_credentials_for_an_afternoon,
    no_sweep_any_more,
    a_crash,
    a_slow_quarter_of_an_hour,
    letters_that_are_left_and_letters_that_are_read,
    an_event_that_cannot_be_read,
    a_checkup_that_fails_and_one_that_finds_errors,
    chats_that_wait_for_a_moment,
    chats_that_cannot_be_moved,
    parking_that_crashes,
    a_flood_that_keeps_parking_from_its_work,
]
# Stories that end while it is still so.
STILL = {("a_rotated_auth_token", "NoEvents")}


def moment(minute):
    return f"day {minute // DAY} {minute % DAY // 60:02}:{minute % 60:02}"


def faults_of(story):
    """Says where a story comes out other than it should."""
    world, until, expected = story()
    for spare in SPARE:
        told, states = play(world.template, world.metrics, until, spare)
        for name in sorted({*expected, *(name for _, name, _ in told)}):
            changes = [(at, state) for at, alarm, state in told if alarm == name] + [(until, None)]
            spells = [(at, after - at) for (at, state), (after, _) in zip(changes, changes[1:]) if state == ALARM]
            windows = expected.get(name, [])
            within = len(spells) == len(windows) and all(
                start <= at <= end and lasted >= sum(least) for (at, lasted), (start, end, *least) in zip(spells, windows)
            )
            if not within:
                went = [f"{moment(at)} for {lasted} minutes" for at, lasted in spells]
                wanted = [f"{moment(window[0])} to {moment(window[1])}" for window in windows]
                yield f"{name} went off at {went}, and should at {wanted}, with {spare} spare periods"
            still = (story.__name__, name) in STILL
            if windows and (states.get(name) == ALARM) != still:
                yield f"{name} {'recovered' if still else 'did not recover'}, with {spare} spare periods"


def main():
    check_rules()
    faults = []
    for story in STORIES:
        faults += [f"{story.__name__}: {fault}" for fault in faults_of(story)]
    everything = World(**PARKS).template
    alarms = everything.of_type("AWS::CloudWatch::Alarm") | everything.of_type("AWS::CloudWatch::CompositeAlarm")
    telling = {name for name, properties in alarms.items() if "AlarmActions" in properties}
    gone_off = {name for story in STORIES for name in story()[2]}
    faults += [f"no story lets {name} go off" for name in sorted(telling - gone_off)]
    if faults:
        sys.exit("alarms that do not tell the truth:\n" + "\n".join(f"- {fault}" for fault in faults))
    print(f"{len(telling)} alarms told the truth in {len(STORIES)} stories")


main()
