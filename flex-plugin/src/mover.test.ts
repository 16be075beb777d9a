import { createMover, type Move } from "./mover";
import type { Failure } from "./strings";
import { ACTIVE_SID, TASK_SID } from "./testing";

const URL = "https://park.example.com";
const PARK: Move = { to: "inactive", taskSid: TASK_SID, taskChannelSid: ACTIVE_SID };

const answers = (status: number, body: unknown): Response =>
  ({ status, ok: status >= 200 && status < 300, json: async () => body }) as Response;

const fetched = jest.fn<Promise<Response>, [string, RequestInit]>();

beforeEach(() => {
  fetched.mockReset().mockImplementation(async () => answers(200, { success: true }));
  globalThis.fetch = fetched as unknown as typeof fetch;
  jest.spyOn(console, "warn").mockImplementation(() => undefined);
});

test.each(["inactive", "active"] as const)("a move to %s is one form with the three fields", async (to) => {
  await expect(createMover(URL, () => "token & more")({ ...PARK, to })).resolves.toEqual({ moved: true });
  expect(fetched).toHaveBeenCalledTimes(1);
  const [url, { method, body, headers }] = fetched.mock.calls[0]!;
  expect(url).toBe(`${URL}/set-chat-to-${to}`);
  expect(method).toBe("POST");
  expect(headers).toBeUndefined();
  expect(String(body)).toBe(`taskSid=${TASK_SID}&taskChannelSid=${ACTIVE_SID}&Token=token+%26+more`);
});

test("the token is asked for each time", async () => {
  const tokens = ["first", "second"];
  const move = createMover(URL, () => tokens.shift());
  await move(PARK);
  await move(PARK);
  expect(fetched.mock.calls.map(([, { body }]) => (body as URLSearchParams).get("Token"))).toEqual(["first", "second"]);
});

test("without a token nothing is sent", async () => {
  await expect(createMover(URL, () => "")(PARK)).resolves.toEqual({ moved: false, failure: "session" });
  expect(fetched).not.toHaveBeenCalled();
});

test("while an answer is awaited, a task is asked for once; other tasks don't wait for it", async () => {
  let release: (response: Response) => void = () => undefined;
  fetched.mockImplementationOnce(() => new Promise((resolve) => (release = resolve)));
  const move = createMover(URL, () => "token");
  const [first, again] = [move(PARK), move(PARK)];
  await move({ ...PARK, taskSid: `WT${"9".repeat(32)}` });
  expect(fetched).toHaveBeenCalledTimes(2);
  release(answers(409, {}));
  await expect(Promise.all([first, again])).resolves.toEqual([
    { moved: false, failure: "conflict" },
    { moved: false, failure: "conflict" },
  ]);
  await expect(move(PARK)).resolves.toEqual({ moved: true });
  expect(fetched).toHaveBeenCalledTimes(3);
});

test.each<[number, Failure]>([
  [400, "refused"],
  [401, "session"],
  [403, "forbidden"],
  [404, "gone"],
  [410, "gone"],
  [408, "unavailable"],
  [409, "conflict"],
  [412, "conflict"],
  [422, "refused"],
  [429, "unavailable"],
  [500, "unavailable"],
  [503, "unavailable"],
])("status %i is told as %s", async (status, failure) => {
  fetched.mockResolvedValue(answers(status, { success: false, error: "why" }));
  await expect(createMover(URL, () => "token")(PARK)).resolves.toEqual({ moved: false, failure });
  expect(console.warn).toHaveBeenCalledWith(expect.stringContaining(String(status)), "why");
});

test.each([[{ success: "yes" }], [{}], [null], ["success"], [[]]])(
  "status 200 with %j is no success",
  async (body) => {
    fetched.mockResolvedValue(answers(200, body));
    await expect(createMover(URL, () => "token")(PARK)).resolves.toEqual({ moved: false, failure: "unavailable" });
  },
);

test("a refusal is no success, whatever its body says", async () => {
  fetched.mockResolvedValue(answers(409, { success: true }));
  await expect(createMover(URL, () => "token")(PARK)).resolves.toEqual({ moved: false, failure: "conflict" });
});

test("an answer that isn't JSON, and none at all, are failures too", async () => {
  const move = createMover(URL, () => "token");
  fetched.mockResolvedValueOnce({ ...answers(502, {}), json: () => Promise.reject(new SyntaxError("<html>")) });
  await expect(move(PARK)).resolves.toEqual({ moved: false, failure: "unavailable" });
  fetched.mockRejectedValueOnce(new TypeError("Failed to fetch"));
  await expect(move(PARK)).resolves.toEqual({ moved: false, failure: "unreachable" });
});
