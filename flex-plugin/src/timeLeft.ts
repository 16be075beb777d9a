import type { ITask } from "@twilio/flex-ui";

import { strings } from "./strings";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** TaskRouter deletes a task that has been assigned for 24 hours: https://www.twilio.com/docs/taskrouter/limits */
const LONGEST_ASSIGNMENT = 24 * HOUR;

/**
 * Returns the least time that a task has left before TaskRouter deletes it, in milliseconds; 0 if it may be deleted at any
 * moment, and nothing if the task does not say when it was created.
 *
 * The 24 hours run from the moment an agent accepts the task. Flex does not know that moment for a task that was
 * transferred, so they are counted from the task's creation, which is earlier: the task never has less time than this.
 */
export function leastTimeLeft({ dateCreated }: Pick<ITask, "dateCreated">, now: number): number | undefined {
  const created = dateCreated instanceof Date ? dateCreated.getTime() : Number.NaN;
  return Number.isNaN(created) ? undefined : Math.max(created + LONGEST_ASSIGNMENT - now, 0);
}

/** Returns the line that a parked task shows: that it is parked, and the time it has left, rounded down. */
export function parkedLine(task: Pick<ITask, "dateCreated">, now: number): string {
  const left = leastTimeLeft(task, now);
  if (left === undefined) return strings.parkedLine.timeUnknown;
  if (left < MINUTE) return strings.parkedLine.noTime;
  if (left < HOUR) return strings.parkedLine.minutes(Math.floor(left / MINUTE));
  return strings.parkedLine.hours(Math.floor(left / HOUR));
}
