import type { ITask } from "@twilio/flex-ui";

import type { Pair } from "./settings";

export const PAIRS: readonly Pair[] = [{ active: "chat", inactive: "inactive_chat" }];

export const TASK_SID = `WT${"1".repeat(32)}`;
export const ACTIVE_SID = `TC${"a".repeat(32)}`;
export const INACTIVE_SID = `TC${"b".repeat(32)}`;

/** The moment at which the chats of the tests began. */
export const CREATED = Date.parse("2026-11-21T08:00:00Z");

/** A chat that the agent has accepted, as Flex shows it to plugins: `sid` is the reservation's. */
export function chat(over: Partial<ITask> = {}): ITask {
  const task: Partial<ITask> = {
    sid: `WR${"2".repeat(32)}`,
    taskSid: TASK_SID,
    status: "accepted",
    dateCreated: new Date(CREATED),
    channelType: "web",
    taskChannelUniqueName: "chat",
    taskChannelSid: ACTIVE_SID,
    attributes: { conversationSid: `CH${"3".repeat(32)}` },
    ...over,
  };
  return task as ITask;
}

/** The same chat after the server has parked it. */
export function parkedChat(over: Partial<ITask> = {}): ITask {
  const attributes = { ...chat().attributes, inactive: 1 };
  return chat({ taskChannelUniqueName: "inactive_chat", taskChannelSid: INACTIVE_SID, attributes, ...over });
}
