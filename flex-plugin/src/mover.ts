import type { Failure } from "./strings";

/** What the server must know to move a chat. */
export interface Move {
  readonly to: "inactive" | "active";
  /** `WT…`: never the reservation, which Flex calls the `sid` of a task. */
  readonly taskSid: string;
  /** `TC…`: the TaskChannel that the task is on now. The other one of the pair is the server's to know. */
  readonly taskChannelSid: string;
}

export type Outcome = { readonly moved: true } | { readonly moved: false; readonly failure: Failure };

/** Moves one chat. Never rejects. */
export type Mover = (move: Move) => Promise<Outcome>;

/**
 * A mover that asks the server at `url`. `token` is asked for each time, because Flex renews it.
 *
 * While a task's answer is awaited, whoever else wants to move that task gets the same answer and no request is sent:
 * the button can be gone and back in between, so that it can't know.
 */
export function createMover(url: string, token: () => string | undefined): Mover {
  const awaited = new Map<string, Promise<Outcome>>();
  return (move) => {
    const before = awaited.get(move.taskSid);
    if (before) return before;
    const outcome = ask(url, token(), move).finally(() => awaited.delete(move.taskSid));
    awaited.set(move.taskSid, outcome);
    return outcome;
  };
}

async function ask(url: string, token: string | undefined, move: Move): Promise<Outcome> {
  if (!token) return failed("session");
  let response: Response;
  try {
    // A form, not JSON: the browser then needs no preflight.
    response = await fetch(`${url}/set-chat-to-${move.to}`, {
      method: "POST",
      body: new URLSearchParams({ taskSid: move.taskSid, taskChannelSid: move.taskChannelSid, Token: token }),
    });
  } catch {
    return failed("unreachable");
  }
  const answer = await readAnswer(response);
  if (response.ok && answer.success === true) return { moved: true };
  // For whoever looks after the plugin. The server's errors hold nothing of a customer.
  console.warn(`Chat not moved: ${response.status}`, answer.error);
  return failed(failureOf(response.status));
}

/** Reads the answer's body, of which nothing is trusted. What isn't a JSON object is an empty one. */
async function readAnswer(response: Response): Promise<{ success?: unknown; error?: unknown }> {
  try {
    const answer: unknown = await response.json();
    return typeof answer === "object" && answer !== null ? answer : {};
  } catch {
    return {};
  }
}

function failureOf(status: number): Failure {
  switch (status) {
    case 401:
      return "session";
    case 403:
      return "forbidden";
    case 404:
    case 410:
      return "gone";
    case 409:
    case 412:
      return "conflict";
    case 408:
    case 429:
      return "unavailable";
    default:
      return status >= 400 && status < 500 ? "refused" : "unavailable";
  }
}

const failed = (failure: Failure): Outcome => ({ moved: false, failure });
