import { readSettings } from "./settings";

const URL = "https://park.example.com";
const good = { FLEX_APP_PARK_URL: URL, FLEX_APP_PARK_TASK_CHANNELS: "chat:inactive_chat" };

const faultsOf = (over: Parameters<typeof readSettings>[0]): readonly string[] => {
  const read = readSettings({ ...good, ...over });
  return "faults" in read ? read.faults : [];
};

test("pairs are read in order, blanks and a slash at the URL's end don't matter", () => {
  expect(
    readSettings({ FLEX_APP_PARK_URL: ` ${URL}/v1/ `, FLEX_APP_PARK_TASK_CHANNELS: "chat : inactive_chat, sms:quiet" }),
  ).toEqual({
    settings: {
      url: `${URL}/v1`,
      pairs: [
        { active: "chat", inactive: "inactive_chat" },
        { active: "sms", inactive: "quiet" },
      ],
    },
  });
});

test("everything that is missing is said at once", () => {
  expect(readSettings({})).toEqual({
    faults: ["FLEX_APP_PARK_URL must be set.", "FLEX_APP_PARK_TASK_CHANNELS must be set, like chat:inactive_chat."],
  });
});

test.each([
  ["park.example.com", "is not a URL"],
  ["http://park.example.com", "https://"],
  ["javascript:alert(1)", "https://"],
  ["https://me:secret@park.example.com", "bare URL"],
  ["https://me@park.example.com", "bare URL"],
  [`${URL}?stage=1`, "bare URL"],
  [`${URL}#here`, "bare URL"],
])("the URL %s is refused", (url, why) => {
  const faults = faultsOf({ FLEX_APP_PARK_URL: url });
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(why);
});

test("a server on the developer's own machine needs no https", () => {
  expect(faultsOf({ FLEX_APP_PARK_URL: "http://localhost:9000" })).toEqual([]);
});

test.each([
  ["chat", '"chat" is not like'],
  ["chat:", '"chat:" is not like'],
  [":inactive_chat", '":inactive_chat" is not like'],
  ["chat:a:b", '"chat:a:b" is not like'],
  ["chat:inactive_chat,", '"" is not like'],
  ["chat:inactive-chat", 'the hyphen in "inactive-chat"'],
  ["chat:chat", 'names "chat" twice'],
  ["chat:quiet,sms:quiet", 'names "quiet" twice'],
  ["chat:quiet,chat:still", 'names "chat" twice'],
])("the pairs %s are refused", (pairs, why) => {
  const faults = faultsOf({ FLEX_APP_PARK_TASK_CHANNELS: pairs });
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(why);
});
