"""Plays stories against the translated template's alarms: each goes off when its runbook section says so, and never else."""

import sys

import alarm_stories  # adds its stories
import parking_alarm_stories  # adds its stories
from alarm_world import DAY, PARKS, STORIES, World
from cloudwatch import ALARM, check_rules, play

# How many more periods CloudWatch may read than it was asked for. It does not say.
SPARE = (0, 5)
# Stories that end while it is still so.
STILL = {("a_rotated_auth_token", "NoEvents"), ("a_rotated_auth_token", "EventsMissed")}


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
