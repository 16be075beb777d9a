"""Stories of parking, each with the alarms that should go off."""

from alarm_world import DAY, HOUR, PARKS, World, story


@story
def parking_that_is_switched_off_too_early():
    world = World()
    world.usual(0, 6 * DAY)
    found = 2 * DAY + 3
    for at in (found, found + DAY):
        # An error that has been there for longer keeps SetupBroken as it is.
        world.tell("Checkup", at, ErrorsFound=3, LeftParked=2)
    soon = (found, found + 10)
    return world, 6 * DAY, {"ChatsLeftParked": [(*soon, DAY)], "SetupBroken": [(*soon, DAY)]}


def parks(world, start, end, **figures):
    """The parking function's minutes."""
    for at in range(start, end):
        world.run("Park", at, 1)
        world.tell("Park", at, at + 3, **figures)


@story
def chats_that_wait_for_a_moment():
    world = World(**PARKS)
    parks(world, 0, 2 * HOUR)
    parks(world, 2 * HOUR, 2 * HOUR + 10, Refused=1)
    parks(world, 2 * HOUR + 10, 4 * HOUR)
    return world, 4 * HOUR, {}


@story
def chats_that_cannot_be_moved():
    world = World(**PARKS)
    parks(world, 0, 2 * HOUR)
    parks(world, 2 * HOUR, 4 * HOUR)
    for at in range(2 * HOUR, 4 * HOUR, 10):
        world.tell("Park", at, Failed=1)
    parks(world, 4 * HOUR, 7 * HOUR)
    return world, 7 * HOUR, {"ChatsNotMoved": [(2 * HOUR + 30, 2 * HOUR + 50)]}


@story
def parking_that_crashes():
    world = World(**PARKS)
    parks(world, 0, 2 * HOUR)
    world.run("Park", 2 * HOUR, 1, error=True)
    parks(world, 2 * HOUR + 6, 4 * HOUR)
    return world, 4 * HOUR, {"ParkErrors": [(2 * HOUR, 2 * HOUR + 10)]}


@story
def requests_from_flex_that_crash():
    world = World(**PARKS)
    parks(world, 0, 4 * HOUR)
    world.run("ParkApi", 2 * HOUR, error=True)
    return world, 4 * HOUR, {"ParkErrors": [(2 * HOUR, 2 * HOUR + 10)]}


@story
def a_flood_of_the_url_that_agents_use():
    world = World(**PARKS)
    parks(world, 0, 4 * HOUR)
    for at in range(2 * HOUR, 3 * HOUR):
        world.run("ParkApi", at)
        world.aws("ParkApi", at, Throttles=9_000, Url4xxCount=12_000)
    return world, 4 * HOUR, {}


@story
def parking_without_room_for_its_work():
    world = World(**PARKS)
    parks(world, 0, 2 * HOUR)
    for at in range(2 * HOUR, 3 * HOUR):
        world.aws("Park", at, Throttles=5, AsyncEventsDropped=1)
    parks(world, 3 * HOUR, 5 * HOUR)
    return world, 5 * HOUR, {"ParkThrottles": [(2 * HOUR + 5, 2 * HOUR + 15)]}
