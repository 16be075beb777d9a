import { act, fireEvent, render, screen } from "@testing-library/react";

import type { Outcome } from "./mover";
import { ParkControl } from "./ParkControl";
import { strings } from "./strings";
import { ACTIVE_SID, chat, INACTIVE_SID, PAIRS, parkedChat, TASK_SID } from "./testing";

// Flex's button is drawn by a package that is left out; what we hand it ends on the same element.
jest.mock("@twilio/flex-ui", () => ({
  Button: ({ variant: _, ...rest }: { variant: string }) => <button type="button" {...rest} />,
}));

const move = jest.fn();
const onFailure = jest.fn();
const control = (task = chat()): JSX.Element => (
  <ParkControl task={task} pairs={PAIRS} move={move} onFailure={onFailure} />
);
const click = async (): Promise<void> => {
  await act(async () => {
    fireEvent.click(screen.getByRole("button"));
  });
};

let answer: (outcome: Outcome) => Promise<void>;

beforeEach(() => {
  onFailure.mockReset();
  move.mockReset().mockImplementation(
    () =>
      new Promise<Outcome>((resolve) => {
        answer = (outcome) => act(async () => resolve(outcome));
      }),
  );
});

test("an active chat can be parked: by the task's SID, not the reservation's", async () => {
  render(control());
  expect(screen.getByRole("button", { name: strings.parkLabel }).textContent).toBe(strings.park);
  expect(screen.getByRole("status").textContent).toBe("");
  expect(screen.getByRole("status").title).toBe("");
  await click();
  expect(move.mock.calls).toEqual([[{ to: "inactive", taskSid: TASK_SID, taskChannelSid: ACTIVE_SID }]]);
});

test("a parked chat says so and can be resumed", async () => {
  render(control(parkedChat()));
  expect(screen.getByRole("button", { name: strings.resumeLabel }).textContent).toBe(strings.resume);
  expect(screen.getByRole("status").textContent).toBe(strings.parked);
  expect(screen.getByRole("status").title).toBe(strings.parkedLabel);
  await click();
  expect(move.mock.calls).toEqual([[{ to: "active", taskSid: TASK_SID, taskChannelSid: INACTIVE_SID }]]);
});

test("a second click while the answer is awaited does nothing, and the button keeps the focus", async () => {
  render(control());
  const button = screen.getByRole("button");
  button.focus();
  await click();
  await click();
  expect(move).toHaveBeenCalledTimes(1);
  expect(screen.getByRole("button", { name: strings.parking })).toBe(button);
  expect(button.getAttribute("aria-disabled")).toBe("true");
  expect(document.activeElement).toBe(button);
  await answer({ moved: true });
  expect(button.getAttribute("aria-disabled")).toBe("false");
});

test("what is shown follows the task and not the answer", async () => {
  const { rerender } = render(control());
  await click();
  await answer({ moved: true });
  expect(screen.getByRole("button").textContent).toBe(strings.park);
  rerender(control(parkedChat()));
  expect(screen.getByRole("button").textContent).toBe(strings.resume);
  // A customer's message brought it back; no one clicked.
  rerender(control(chat()));
  expect(screen.getByRole("button").textContent).toBe(strings.park);
});

test("a failure is told and the chat can be parked again", async () => {
  render(control());
  await click();
  await answer({ moved: false, failure: "conflict" });
  expect(onFailure.mock.calls).toEqual([["conflict"]]);
  await click();
  expect(move).toHaveBeenCalledTimes(2);
});

test("a failure is told even when the agent has gone elsewhere meanwhile", async () => {
  const { unmount } = render(control());
  await click();
  unmount();
  await answer({ moved: false, failure: "gone" });
  expect(onFailure.mock.calls).toEqual([["gone"]]);
});

test("another chat that is selected meanwhile is not held up", async () => {
  const { rerender } = render(control());
  await click();
  rerender(control(chat({ taskSid: `WT${"9".repeat(32)}` })));
  expect(screen.getByRole("button").textContent).toBe(strings.park);
  await click();
  expect(move).toHaveBeenCalledTimes(2);
});

test.each([
  ["an offer that isn't accepted yet", chat({ status: "pending" })],
  ["a chat that wraps up", parkedChat({ status: "wrapping" })],
  ["a chat that ended", chat({ status: "completed" })],
  ["a chat on a TaskChannel in no pair", chat({ taskChannelUniqueName: "elsewhere" })],
  ["a call", chat({ taskChannelUniqueName: "voice", attributes: {} })],
])("%s has no button", (_, task) => {
  render(control(task));
  expect(screen.queryByRole("button")).toBeNull();
});

test("no task selected, no button", () => {
  render(<ParkControl pairs={PAIRS} move={move} onFailure={onFailure} />);
  expect(screen.queryByRole("button")).toBeNull();
});
