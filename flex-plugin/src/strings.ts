/** Every word that an agent or an administrator reads, in one place. No sentence holds anything of a customer. */
export const strings = {
  /** Second line of a parked chat in the task list and over its canvas. */
  parkedLine: {
    hours: (hours: number): string => `Parked, at least ${hours} h left`,
    minutes: (minutes: number): string => `Parked, at least ${minutes} min left`,
    noTime: "Parked: Twilio may delete this task at any moment",
    timeUnknown: "Parked: waiting for the customer",
  },
  parked: "Parked",
  parkedLabel:
    "Twilio deletes a task 24 hours after an agent accepted it, parked or not. The time shown counts from the task's creation, so there may be more.",
  park: "Park",
  parkLabel: "Park this chat: it takes none of your capacity until the customer writes again",
  parking: "Parking…",
  resume: "Resume",
  resumeLabel: "Resume this parked chat: it takes capacity again",
  resuming: "Resuming…",

  failures: {
    session: "The chat was not moved: your Flex session is no longer valid. Reload the page, sign in and try again.",
    forbidden: "The chat was not moved: you may only move chats that are assigned to you. Ask your supervisor to do it.",
    gone: "The chat was not moved: its task has ended. Select another task; if it stays in your list, reload the page.",
    conflict: "The chat was not moved: it was changed at the same moment. Look at it again, then repeat if needed.",
    refused: "The chat was not moved: it cannot be. Go on with it as it is, and tell your administrator.",
    unavailable: "The chat was not moved: the service is busy or down. Go on with the chat, and try again in a minute.",
    unreachable:
      "We don't know whether the chat was moved: the service did not answer. Check your connection, look at the chat, and repeat if needed.",
  },

  /** How a fault in the settings is told to whoever opens Flex; `faults` are whole sentences. */
  settings: (faults: readonly string[]): string =>
    `Chats cannot be parked from here: the plugin's settings are wrong. Tell your administrator. ${faults.join(" ")}`,
} as const;

/** Why a chat was not moved, as far as it changes what the agent should do. */
export type Failure = keyof typeof strings.failures;
