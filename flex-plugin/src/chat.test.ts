import { chatState } from "./chat";
import { chat, PAIRS, parkedChat } from "./testing";

const { conversationSid } = chat().attributes;

test("the TaskChannel decides, whatever the attribute says", () => {
  expect(chatState(chat(), PAIRS)).toBe("active");
  expect(chatState(chat({ attributes: { conversationSid, inactive: 1 } }), PAIRS)).toBe("active");
  expect(chatState(parkedChat(), PAIRS)).toBe("parked");
  expect(chatState(parkedChat({ attributes: { conversationSid, inactive: 0 } }), PAIRS)).toBe("parked");
});

test("on a TaskChannel in no pair the attribute decides", () => {
  const elsewhere = (inactive: unknown) =>
    chatState(chat({ taskChannelUniqueName: "elsewhere", attributes: { conversationSid, inactive } }), PAIRS);
  expect(elsewhere(1)).toBe("parked");
  for (const other of [0, undefined, null, "no", true]) expect(elsewhere(other)).toBeUndefined();
});

test("chats of Programmable Chat are chats too, other tasks are not", () => {
  expect(chatState(chat({ attributes: { channelSid: conversationSid } }), PAIRS)).toBe("active");
  expect(chatState(chat({ attributes: {} }), PAIRS)).toBeUndefined();
});
