import * as Flex from "@twilio/flex-ui";

import { registerTaskChannels } from "./taskChannels";
import { chat, CREATED, PAIRS, parkedChat } from "./testing";

const secondLine = (task: Flex.ITask, where: "TaskListItem" | "TaskCanvasHeader" = "TaskListItem"): string => {
  const { templates } = Flex.TaskChannels.getForTask(task);
  return Flex.TaskChannelHelper.getTemplateForStatus(task, templates?.[where]?.secondLine, () => null);
};

const HOUR = 3_600_000;
const PARKED = "Parked, at least 21 h left";

beforeEach(() => {
  jest.spyOn(Date, "now").mockReturnValue(CREATED + 3 * HOUR);
});

// Flex registers its own when it starts.
beforeAll(() => {
  const { Call, Chat } = Flex.DefaultTaskChannels;
  for (const definition of [Call, Chat]) Flex.TaskChannels.register(definition);
});

test("without the plugin, Flex shows no chat for a task on an inactive TaskChannel", () => {
  expect(Flex.TaskChannels.getForTask(parkedChat()).capabilities).not.toContain("Chat");
});

describe("with the plugin", () => {
  beforeAll(() => registerTaskChannels(Flex, PAIRS));

  test("a parked chat is shown as a chat, with its message input and its wrap-up, and says that it's parked", () => {
    const definition = Flex.TaskChannels.getForTask(parkedChat());
    expect(definition.name).toBe("parked-chat");
    expect([...definition.capabilities].sort()).toEqual(["Chat", "Info", "Wrapup"]);
    expect(secondLine(parkedChat())).toBe(PARKED);
    expect(secondLine(parkedChat(), "TaskCanvasHeader")).toBe(PARKED);
  });

  test("the time left follows the clock, without a change of the task", () => {
    const task = parkedChat();
    jest.spyOn(Date, "now").mockReturnValue(CREATED + 23.5 * HOUR);
    expect(secondLine(task)).toBe("Parked, at least 30 min left");
    expect(secondLine(task, "TaskCanvasHeader")).toBe("Parked, at least 30 min left");
  });

  test.each(["TaskListItem", "TaskCanvasHeader"] as const)(
    "a parked chat that wraps up no longer says that it's parked: its %s has the line that Flex gives a chat",
    (where) => {
      const status = "wrapping";
      const expected = secondLine(chat({ status }), where);
      expect(expected).not.toBe("");
      // Flex's own chats differ in their line while accepted only.
      expect(secondLine(parkedChat({ status }), where)).toBe(expected);
    },
  );

  test.each([
    ["sms", Flex.DefaultTaskChannels.ChatSms],
    ["whatsapp", Flex.DefaultTaskChannels.ChatWhatsApp],
  ])("a parked %s chat keeps the limit, the icons and the colours that Flex gives it", (channelType, own) => {
    const definition = Flex.TaskChannels.getForTask(parkedChat({ channelType }));
    expect(definition.name).toBe(`parked-${channelType}`);
    expect(definition.charLimit).toBe(1600);
    expect(definition.icons).toEqual(own.icons);
    expect(definition.colors).toEqual(own.colors);
    expect(secondLine(parkedChat({ channelType }))).toBe(PARKED);
  });

  test("a chat that is back on its TaskChannel is Flex's own again", () => {
    const attributes = { ...chat().attributes, inactive: 0 };
    expect(Flex.TaskChannels.getForTask(chat({ attributes })).name).toBe("chat");
  });

  test.each([
    ["a call", chat({ taskChannelUniqueName: "voice", attributes: {} }), "call"],
    ["what is on an inactive TaskChannel and is no chat", parkedChat({ attributes: { inactive: 1 } }), "default"],
  ])("%s is left to Flex", (_, task, name) => {
    expect(Flex.TaskChannels.getForTask(task).name).toBe(name);
  });

  test("a chat that was parked by a pair we don't know is still shown as a chat", () => {
    expect(Flex.TaskChannels.getForTask(parkedChat({ taskChannelUniqueName: "elsewhere" })).name).toBe("parked-chat");
  });
});
