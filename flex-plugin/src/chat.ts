import type { ITask } from "@twilio/flex-ui";

import type { Pair } from "./settings";

export type ChatState = "active" | "parked";

/**
 * Whether a task is a chat that is parked, one that can be, or neither.
 *
 * The TaskChannel decides, because it's what TaskRouter counts capacity by. The attribute `inactive` decides where the
 * TaskChannel is in no pair: the server's pairs can be ahead of ours, and a chat that was parked by one of them must
 * still be shown as a chat.
 *
 * What a chat is, is read from the attributes. Flex's `TaskHelper.isChatBasedTask` can be set to look for the task's
 * definition, and our definitions ask this function: it would never come back.
 */
export function chatState(task: ITask, pairs: readonly Pair[]): ChatState | undefined {
  const { conversationSid, channelSid, inactive } = task.attributes;
  if (!conversationSid && !channelSid) return undefined;
  const on = task.taskChannelUniqueName;
  if (pairs.some((pair) => pair.inactive === on)) return "parked";
  if (pairs.some((pair) => pair.active === on)) return "active";
  return inactive === 1 ? "parked" : undefined;
}
