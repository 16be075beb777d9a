import { Button, type ITask } from "@twilio/flex-ui";
import { useState } from "react";

import { chatState } from "./chat";
import type { Mover } from "./mover";
import type { Pair } from "./settings";
import { type Failure, strings } from "./strings";

interface Props {
  /** Given by Flex to what is added to the task canvas's header. */
  readonly task?: ITask;
  readonly pairs: readonly Pair[];
  readonly move: Mover;
  readonly onFailure: (failure: Failure) => void;
}

/**
 * The button that parks or resumes the selected chat, and the word that it's parked.
 *
 * What is shown is what the task says. An answer of success changes nothing here: TaskRouter tells Flex of the move, and
 * the task then says something else.
 */
export function ParkControl({ task, pairs, move, onFailure }: Props): JSX.Element | null {
  // By task, because Flex keeps the control when another task is selected.
  const [awaited, setAwaited] = useState<readonly string[]>([]);

  const state = task && chatState(task, pairs);
  // Only the agent who has accepted a chat may move it.
  if (!task || !state || task.status !== "accepted") return null;

  const { taskSid, taskChannelSid } = task;
  const busy = awaited.includes(taskSid);
  const parked = state === "parked";
  const onClick = async (): Promise<void> => {
    if (busy) return;
    setAwaited((sids) => [...sids, taskSid]);
    const outcome = await move({ to: parked ? "active" : "inactive", taskSid, taskChannelSid });
    setAwaited((sids) => sids.filter((sid) => sid !== taskSid));
    if (!outcome.moved) onFailure(outcome.failure);
  };
  const [idle, waiting, label] = parked
    ? [strings.resume, strings.resuming, strings.resumeLabel]
    : [strings.park, strings.parking, strings.parkLabel];

  return (
    <span style={{ display: "inline-flex", alignItems: "center", gap: "8px" }}>
      <span role="status" title={parked ? strings.parkedLabel : undefined}>
        {parked ? strings.parked : ""}
      </span>
      {/* Not `disabled` while it waits: that would take the keyboard's focus away. */}
      <Button variant="secondary" aria-label={busy ? undefined : label} title={label} aria-busy={busy} aria-disabled={busy} onClick={onClick}>
        {busy ? waiting : idle}
      </Button>
    </span>
  );
}
