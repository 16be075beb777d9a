"""Stories of good and bad days, each with the alarms that should go off."""

from alarm_world import DAY, HOUR, PARKS, SATURDAY, TEMPLATE, World, is_open, story

NO_EVENTS = int(TEMPLATE["Parameters"]["NoEventsHours"]["Default"]) * HOUR
NO_SWEEP = int(TEMPLATE["Parameters"]["NoSweepHours"]["Default"]) * HOUR


@story
def a_quiet_weekend():
    world = World(**PARKS)
    world.usual(0, 8 * DAY)
    return world, 8 * DAY, {}


@story
def a_first_deployment_before_connect():
    world = World()
    world.sweeps(5, 5 * DAY)
    world.reconciles(HOUR, 5 * DAY)
    world.checkups(DAY, 5 * DAY)
    return world, 5 * DAY, {}


@story
def a_rotated_auth_token():
    world, end = World(), 2 * DAY + NO_EVENTS + 6 * HOUR
    world.open_hours(0, 2 * DAY)
    for at in range(2 * DAY + 8 * HOUR, end, 10):
        world.refused(at, 403)
    world.sweeps(0, end)
    world.checkups(0, end)
    # The chats go on, and TaskRouter's log tells of them.
    world.reconciles(0, end, missed=lambda at: 3 * (at > 2 * DAY and is_open(at)))
    last, first = DAY + 18 * HOUR, 2 * DAY + 8 * HOUR
    return world, end, {
        "EventsMissed": [(first + HOUR, first + 2 * HOUR, DAY)],
        "NoEvents": [(last + NO_EVENTS - 2 * HOUR, last + NO_EVENTS + HOUR)],
    }


@story
def a_type_of_event_that_is_not_subscribed():
    world, upgraded = World(), DAY + 12 * HOUR
    world.usual(0, 6 * DAY)
    repaired = 2 * DAY + 12 * HOUR
    world.reconciles(upgraded, repaired, missed=lambda at: 2 * is_open(at))
    return world, 6 * DAY, {"EventsMissed": [(upgraded + HOUR, upgraded + 2 * HOUR, DAY)]}


@story
def reconciliations_once_a_day_that_find_missed_events():
    world = World(ReconcileSchedule="rate(1 day)")
    world.open_hours(0, 5 * DAY)
    world.sweeps(0, 5 * DAY)
    world.reconciles(0, 5 * DAY, every=DAY, missed=lambda at: 40 * (DAY < at < 3 * DAY))
    return world, 5 * DAY, {"EventsMissed": [(2 * DAY, 2 * DAY + 10, HOUR)]}


@story
def an_event_that_twilio_loses_now_and_then():
    world = World()
    world.usual(0, 8 * DAY)
    lost = {DAY + 10 * HOUR + 2, 3 * DAY + 14 * HOUR + 2}
    world.reconciles(0, 8 * DAY, missed=lambda at: int(at in lost))
    return world, 8 * DAY, {}


@story
def events_come_again():
    world, back = World(), DAY + NO_EVENTS + 12 * HOUR
    world.open_hours(0, DAY)
    world.events(back)
    world.sweeps(0, back + 2 * HOUR)
    silent = 18 * HOUR + NO_EVENTS
    return world, back + 2 * HOUR, {"NoEvents": [(silent - 2 * HOUR, silent + HOUR)]}


@story
def strangers_on_a_weekend():
    world = World(**PARKS)
    world.usual(0, 7 * DAY)
    for at in range(SATURDAY, SATURDAY + 12 * HOUR):
        world.aws("Ingest", at, Url4xxCount=70)
        world.tell("Ingest", at, Unsigned=20)
        for status in (403, 503) if at % 120 < 60 else (503, 503):
            world.refused(at, status)
    return world, 7 * DAY, {}


@story
def a_flood_while_nothing_is_late():
    world = World(**PARKS)
    world.usual(0, 6 * DAY)
    for at in range(4 * DAY + 9 * HOUR, SATURDAY + 6 * HOUR):
        world.aws("Ingest", at, Throttles=600, Url4xxCount=600)
        world.aws("ParkApi", at, Throttles=600, Url4xxCount=600)
    return world, 6 * DAY, {}


@story
def a_flood_that_keeps_twilio_out():
    world = World()
    world.usual(0, DAY)
    start, end = 10 * HOUR, 13 * HOUR
    for at in range(start, end):
        world.aws("Ingest", at, Throttles=600, Url4xxCount=600)
        if at >= start + 20 and at % 7 == 0:
            world.events(at, late=20)
    return world, DAY, {"IngestThrottles": [(start + 15, start + 50)]}


@story
def a_burst_that_twilio_repeats():
    world = World()
    world.usual(0, DAY)
    world.aws("Ingest", 10 * HOUR, Throttles=40, Url4xxCount=40)
    world.events(10 * HOUR + 1, count=40, late=1)
    return world, DAY, {}


@story
def sweeps_once_an_hour_that_keep_up():
    world = World(OverdueMinutes="120")
    world.open_hours(0, 2 * DAY)
    world.sweeps(0, 2 * DAY, every=60, OldestOverdueSeconds=59 * 60, Due=4, ClosedEnded=4)
    return world, 2 * DAY, {}


@story
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


@story
def slow_sweeps_over_a_backlog():
    world, late = World(), 10 * HOUR
    world.open_hours(0, DAY)
    world.sweeps(0, late)
    for at in range(late, late + 6 * HOUR, 15):
        world.sweep(at, 14, OldestOverdueSeconds=61 * 60, Due=900, Stopped=1)
    world.sweeps(late + 6 * HOUR, 2 * DAY)
    soon = (late + 14, late + 25)
    return world, 2 * DAY, {"OldestDue": [soon], "SweepStopped": [soon]}


@story
def one_slow_sweep_with_bad_news():
    world, at = World(), 10 * HOUR + 1
    world.usual(0, DAY)
    world.sweep(at, 14, error=True, Stopped=1, Raced=1, GivenUp=1, Unheard=2)
    soon = (at + 14, at + 25)
    bad_news = ("CustomersRaced", "CustomersUnheard", "ChannelsGivenUp", "SweepErrors", "SweepStopped")
    return world, DAY, {name: [soon] for name in bad_news}


@story
def customers_who_are_left_and_customers_who_are_heard():
    world = World()
    world.open_hours(0, DAY)
    # What is left waits for an agent, a program or Twilio: no customer has to be reached.
    world.sweeps(0, DAY, Due=6, Left=6)
    world.sweep(14 * HOUR, Due=7, Left=6, Unheard=1, ClosedEnded=1)
    return world, DAY, {"CustomersUnheard": [(14 * HOUR, 14 * HOUR + 10)]}


@story
def a_wrap_up_that_is_left_overnight():
    world, found, ended = World(), 15 * HOUR, DAY + 10 * HOUR
    world.open_hours(0, 5 * DAY)
    for at in range(0, 5 * DAY, 5):
        # At night nothing is due, and a sweep does not ask TaskRouter.
        awake = 8 * HOUR <= at % DAY < 18 * HOUR
        world.sweep(at, Due=int(awake), StuckWrapUps=int(awake and found <= at < ended))
    return world, 5 * DAY, {"WrapUpsStuck": [(found, found + 10, DAY)]}


@story
def a_fuse_that_blows_and_a_person_who_resumes():
    world, blown, resumed = World(), 10 * HOUR, 16 * HOUR
    world.open_hours(0, 2 * DAY)
    world.sweeps(0, blown)
    world.sweep(blown, 4, Due=4_000, ClosedEnded=1_000, Stopped=1, Suspended=1)
    world.sweeps(blown + 5, resumed, Suspended=1)
    world.sweeps(resumed, 2 * DAY)
    soon = (blown, blown + 15)
    return world, 2 * DAY, {"SweepsSuspended": [(*soon, resumed - blown)], "SweepStopped": [soon]}


@story
def a_stop_with_one_sweep_an_hour():
    world, stopped = World(), 10 * HOUR
    world.open_hours(0, 2 * DAY)
    world.sweeps(0, stopped, every=60)
    for at in range(stopped, stopped + 12 * HOUR, 120):
        # A schedule is not exact to the minute.
        world.sweep(at, Suspended=1)
        world.sweep(at + 64, Suspended=1)
    world.sweeps(stopped + 12 * HOUR, 2 * DAY, every=60)
    return world, 2 * DAY, {"SweepsSuspended": [(stopped, stopped + 10, 12 * HOUR)]}


@story
def a_backlog_while_observing():
    world = World(SweepMode="observe")
    world.open_hours(0, DAY)
    for at in range(0, DAY, 5):
        world.sweep(at, Due=30, OldestOverdueSeconds=at * 60)
    return world, DAY, {}


@story
def an_outage_of_the_table():
    world, start, end = World(), 10 * HOUR, 11 * HOUR
    world.open_hours(0, start)
    for at in range(start, end, 2):
        world.events(at, status=503)
    world.open_hours(end, DAY)
    # The reconciliation after it takes in what Twilio has not sent again yet.
    world.reconciles(0, DAY, missed=lambda at: 5 * (end <= at < end + HOUR))
    world.sweeps(0, start)
    world.sweeps(start, end, error=True)
    world.sweeps(end, DAY)
    return world, DAY, {"IngestUnavailable": [(start + 5, start + 15)], "SweepErrors": [(start, start + 5)]}


@story
def an_outage_that_strangers_cannot_hide():
    world, start, end = World(), 10 * HOUR, 11 * HOUR
    world.open_hours(0, start)
    for at in range(start, end):
        for status in [503] + 19 * [403]:
            world.refused(at, status)
        if at % 5 == 0:
            world.events(at, status=503)
    world.open_hours(end, DAY)
    world.sweeps(0, DAY)
    return world, DAY, {"IngestUnavailable": [(start + 5, start + 15)]}


@story
def a_secret_that_cannot_be_read():
    world, start, end = World(), 10 * HOUR, 11 * HOUR
    world.open_hours(0, start)
    for at in range(start, end, 2):
        world.keyless(at)
    world.open_hours(end, DAY)
    world.sweeps(0, DAY)
    return world, DAY, {"IngestUnavailable": [(start + 5, start + 15)]}


@story
def wrong_credentials_for_an_afternoon():
    world, start, end = World(), 12 * HOUR, 17 * HOUR
    world.open_hours(0, DAY)
    world.sweeps(0, start, every=60)
    world.sweeps(start, end, every=60, error=True)
    world.reconciles(start, end, error=True)
    world.sweeps(end, DAY, every=60)
    return world, DAY, {"SweepErrors": [(start, start + 5)], "NoSweep": [(start + NO_SWEEP - HOUR, start + NO_SWEEP + 10)]}


@story
def no_sweep_any_more():
    world, last, back = World(), DAY, 2 * DAY
    world.open_hours(0, 2 * DAY + HOUR)
    world.sweeps(0, last)
    world.sweeps(back, back + HOUR)
    # Reconciling goes on, and closes nothing.
    world.reconciles(0, back + HOUR)
    return world, back + HOUR, {"NoSweep": [(last + NO_SWEEP - 5, last + NO_SWEEP + 10)]}


@story
def a_crash():
    world, at = World(), 10 * HOUR
    world.usual(0, DAY)
    world.run("Ingest", at, error=True)
    return world, DAY, {"IngestErrors": [(at, at + 5)]}


@story
def a_slow_quarter_of_an_hour():
    world, at = World(), 10 * HOUR + 1
    world.usual(0, DAY)
    for minute in range(at, at + 15):
        world.aws("Ingest", minute, Duration=4_600)
    return world, DAY, {"IngestSlow": [(at + 5, at + 15)]}


@story
def letters_that_are_left_and_letters_that_are_read():
    world, first, second = World(), 10 * HOUR, 34 * HOUR
    world.usual(0, 2 * DAY)
    # The first one is left there, and the second one is told all the same.
    world.letters("DeadLetters", first, 2 * DAY)
    world.letters("DeadLetters", second, second + 30)
    return world, 2 * DAY, {"DeadLettersArrived": [(first, first + 10), (second, second + 10)]}


@story
def an_event_that_cannot_be_read():
    world, at = World(), 10 * HOUR
    world.usual(0, DAY)
    world.letters("RejectedEvents", at, at + 3 * HOUR)
    return world, DAY, {"RejectedEventsWaiting": [(at, at + 10, 2 * HOUR)]}


@story
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
