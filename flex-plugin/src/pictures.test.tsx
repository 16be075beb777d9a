import { act, fireEvent, render, screen } from "@testing-library/react";

import { ParkControl } from "./ParkControl";
import { strings } from "./strings";
import { chat, CREATED, PAIRS, parkedChat } from "./testing";
import { parkedLine } from "./timeLeft";

// Flex's button is drawn by a package that is left out.
jest.mock("@twilio/flex-ui", () => ({
  Button: ({ variant: _, ...rest }: { variant: string }) => <button type="button" {...rest} />,
}));

declare const require: (name: "fs") => { writeFileSync: (file: string, text: string) => void };

const HOUR = 3_600_000;

/** A chat as an agent sees it: its line in the task list, and the header of its canvas with what the plugin adds. */
function Scene({ task, line }: { task: ReturnType<typeof chat>; line: string }): JSX.Element {
  return (
    <section>
      <div className="item">
        <b>Web chat</b>
        <small>{line}</small>
      </div>
      <header>
        <div className="item">
          <b>Web chat</b>
          <small>{line}</small>
        </div>
        <ParkControl task={task} pairs={PAIRS} move={() => new Promise(() => undefined)} onFailure={() => undefined} />
      </header>
    </section>
  );
}

// The script that makes the pictures of the README gives this test a file to write the page to.
test("an active, a moving and a parked chat, as the pictures show them", () => {
  const line = parkedLine(parkedChat(), CREATED + 3 * HOUR);
  const { container } = render(
    <main>
      <Scene task={chat()} line="00:42" />
      <Scene task={chat({ taskSid: `WT${"2".repeat(32)}` })} line="03:17" />
      <Scene task={parkedChat()} line={line} />
    </main>,
  );
  act(() => {
    const [, second] = screen.getAllByRole("button");
    if (second) fireEvent.click(second);
  });
  const shown = [...container.querySelectorAll("button")].map((button) => button.textContent);
  expect(shown).toEqual([strings.park, strings.parking, strings.resume]);
  expect([...container.querySelectorAll("[role=status]")].map((status) => status.textContent)).toEqual(["", "", strings.parked]);
  expect(container.querySelectorAll("section:last-child small")[0]?.textContent).toBe("Parked, at least 21 h left");
  const file = process.env.PICTURES;
  if (file) require("fs").writeFileSync(file, container.innerHTML);
});
