import * as Flex from "@twilio/flex-ui";

import { strings } from "./strings";
import { registerTaskChannels } from "./taskChannels";
import { chat, PAIRS, parkedChat } from "./testing";

const secondLine = (task: Flex.ITask, where: "TaskListItem" | "TaskCanvasHeader" = "TaskListItem"): string => {
  const { templates } = Flex.TaskChannels.getForTask(task);
  return Flex.TaskChannelHelper.getTemplateForStatus(task, templates?.[where]?.secondLine, () => null);
};

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
    expect(secondLine(parkedChat())).toBe(strings.parkedLine);
    expect(secondLine(parkedChat(), "TaskCanvasHeader")).toBe(strings.parkedLine);
  });

  test("a parked chat that wraps up no longer says that it's parked", () => {
    expect(secondLine(parkedChat({ status: "wrapping" }))).not.toBe(strings.parkedLine);
  });

  test.each([
    ["sms", Flex.DefaultTaskChannels.ChatSms],
    ["whatsapp", Flex.DefaultTaskChannels.ChatWhatsApp],
  ])("a parked %s chat keeps the limit, the icons and the colours that Flex gives it", (channelType, own) => {
    const definition = Flex.TaskChannels.getForTask(parkedChat({ channelType }));
    expect(definition.name).toBe(`parked-${channelType}`);
    expect(definition.charLimit).toBe(1600);
    expect(definition.icons).toEqual(own.icons);
    expect(definition.colors).toEqual(own.colors);
    expect(secondLine(parkedChat({ channelType }))).toBe(strings.parkedLine);
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
