import { CREATED } from "./testing";
import { leastTimeLeft, parkedLine } from "./timeLeft";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const task = { dateCreated: new Date(CREATED) };

test.each([
  ["at its creation", 0, 24 * HOUR],
  ["an hour before its end", 23 * HOUR, HOUR],
  ["at its end", 24 * HOUR, 0],
  ["after its end, because it waited for an agent", 30 * HOUR, 0],
])("the time left, %s", (_, age, left) => {
  expect(leastTimeLeft(task, CREATED + age)).toBe(left);
});

test.each([undefined, null, "yesterday", new Date(Number.NaN)])("no time is made up from the date %p", (dateCreated) => {
  const undated = { dateCreated: dateCreated as Date };
  expect(leastTimeLeft(undated, CREATED)).toBeUndefined();
  expect(parkedLine(undated, CREATED)).toBe("Parked: waiting for the customer");
});

test.each([
  [0, "Parked, at least 24 h left"],
  [1, "Parked, at least 23 h left"],
  [23 * HOUR, "Parked, at least 1 h left"],
  [23 * HOUR + 1, "Parked, at least 59 min left"],
  [24 * HOUR - MINUTE, "Parked, at least 1 min left"],
  [24 * HOUR - MINUTE + 1, "Parked: Twilio may delete this task at any moment"],
  [30 * HOUR, "Parked: Twilio may delete this task at any moment"],
])("the line never says more time than is left: at an age of %d ms", (age, line) => {
  expect(parkedLine(task, CREATED + age)).toBe(line);
});
