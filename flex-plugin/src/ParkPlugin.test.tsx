import * as Flex from "@twilio/flex-ui";
import type { ReactElement } from "react";

import type { Outcome } from "./mover";
import { ParkPlugin } from "./ParkPlugin";
import { type Failure, strings } from "./strings";
import { ACTIVE_SID, parkedChat, TASK_SID } from "./testing";

const manager = { user: { token: "first" } };
const registered = jest.fn<void, [Flex.Notification]>();
const shown = jest.fn<null, [string]>();
const defined = jest.fn<void, [Flex.TaskChannelDefinition]>();
const added = jest.fn<void, [ReactElement]>();

/** Flex, as far as it tells the agent something; its definitions are its own. */
const flex = {
  ...Flex,
  Notifications: { registerNotification: registered, showNotification: shown, dismissNotificationById: jest.fn() },
  TaskChannels: { register: defined },
  TaskCanvasHeader: { Content: { add: added } },
} as unknown as typeof Flex;

/** Whether a definition of ours takes a parked chat. */
const shownAsChat = (): boolean => defined.mock.calls.some(([definition]) => definition.isApplicable(parkedChat()));

/** What stands on the agent's screen, by the notifications' texts. */
const texts = (): unknown[] =>
  shown.mock.calls.map(([id]) => registered.mock.calls.map(([one]) => one).find((one) => one.id === id)?.content);

const init = (environment: Record<string, string>): void => {
  Object.assign(process.env, environment);
  new ParkPlugin().init(flex, manager as Flex.Manager);
};

interface Control {
  readonly move: (move: object) => Promise<Outcome>;
  readonly onFailure: (failure: Failure) => void;
}
const control = (): Control => (added.mock.calls[0]![0] as ReactElement<Control>).props;

beforeEach(() => {
  delete (process.env as Record<string, string>).FLEX_APP_PARK_URL;
  delete (process.env as Record<string, string>).FLEX_APP_PARK_TASK_CHANNELS;
  for (const mock of [registered, shown, defined, added]) mock.mockReset();
  jest.spyOn(console, "error").mockImplementation(() => undefined);
  defined.mockReset().mockImplementation(() => undefined);
});

const GOOD = {
  FLEX_APP_PARK_URL: "https://park.example.com",
  FLEX_APP_PARK_TASK_CHANNELS: "chat:inactive_chat",
};

test("with good settings the definition and the control are there and nothing is said", () => {
  init(GOOD);
  expect(shownAsChat()).toBe(true);
  expect(added).toHaveBeenCalledTimes(1);
  expect(shown).not.toHaveBeenCalled();
});

test("with wrong settings the fault is shown and named, no control is offered, and parked chats are still chats", () => {
  init({ ...GOOD, FLEX_APP_PARK_URL: "nonsense" });
  expect(texts()).toEqual([expect.stringContaining("FLEX_APP_PARK_URL is not a URL.")]);
  expect(added).not.toHaveBeenCalled();
  expect(shownAsChat()).toBe(true);
});

test("every failure has a notification that stays and says what to do", () => {
  init(GOOD);
  for (const [failure, text] of Object.entries(strings.failures)) {
    shown.mockClear();
    control().onFailure(failure as Failure);
    expect(texts()).toEqual([text]);
  }
  for (const [{ type, timeout, closeButton }] of registered.mock.calls) {
    expect({ type, timeout, closeButton }).toEqual({ type: "error", timeout: 0, closeButton: true });
  }
});

test("a move goes to the URL of the settings with the token that Flex has by then", async () => {
  init(GOOD);
  manager.user.token = "renewed";
  const fetched = jest.fn(async (_url: string, _init: RequestInit) => ({
    ok: true,
    status: 200,
    json: async () => ({ success: true }),
  }));
  globalThis.fetch = fetched as unknown as typeof fetch;
  await control().move({ to: "inactive", taskSid: TASK_SID, taskChannelSid: ACTIVE_SID });
  const [url, { body }] = fetched.mock.calls[0]!;
  expect(url).toBe("https://park.example.com/set-chat-to-inactive");
  expect((body as URLSearchParams).get("Token")).toBe("renewed");
});
