/**
 * The plugin's settings. The tooling writes each `FLEX_APP_…` variable into the bundle when it's built, so that a fault
 * in them is found by the first who opens Flex; it's told to them rather than hidden.
 */

/** A TaskChannel for chats, and the one that its parked chats wait on; both by unique name. */
export interface Pair {
  readonly active: string;
  readonly inactive: string;
}

export interface Settings {
  /** The server's function URL, without a slash at its end. */
  readonly url: string;
  readonly pairs: readonly Pair[];
}

export type Read = { readonly settings: Settings } | { readonly faults: readonly string[] };

/** The variables that are read. */
export interface Environment {
  readonly FLEX_APP_PARK_URL?: string | undefined;
  readonly FLEX_APP_PARK_TASK_CHANNELS?: string | undefined;
}

/** Reads the settings, or says everything that's wrong with them. */
export function readSettings(environment: Environment): Read {
  const faults: string[] = [];
  const url = readUrl(environment.FLEX_APP_PARK_URL?.trim() ?? "", faults);
  const pairs = readPairs(environment.FLEX_APP_PARK_TASK_CHANNELS?.trim() ?? "", faults);
  return faults.length > 0 ? { faults } : { settings: { url, pairs } };
}

function readUrl(text: string, faults: string[]): string {
  if (text === "") {
    faults.push("FLEX_APP_PARK_URL must be set.");
    return text;
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    faults.push("FLEX_APP_PARK_URL is not a URL.");
    return text;
  }
  const secure = url.protocol === "https:" || (url.protocol === "http:" && url.hostname === "localhost");
  if (!secure) faults.push("FLEX_APP_PARK_URL must begin with https://, because the agent's token is sent there.");
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    faults.push("FLEX_APP_PARK_URL must be a bare URL, without user, query or fragment.");
  }
  return (url.origin + url.pathname).replace(/\/+$/, "");
}

function readPairs(text: string, faults: string[]): Pair[] {
  if (text === "") {
    faults.push("FLEX_APP_PARK_TASK_CHANNELS must be set, like chat:inactive_chat.");
    return [];
  }
  const pairs: Pair[] = [];
  const seen = new Set<string>();
  for (const part of text.split(",")) {
    const names = part.split(":").map((name) => name.trim());
    const [active, inactive] = names;
    if (names.length !== 2 || !active || !inactive) {
      faults.push(`FLEX_APP_PARK_TASK_CHANNELS: "${part.trim()}" is not like chat:inactive_chat.`);
      continue;
    }
    for (const name of [active, inactive]) {
      if (name.includes("-")) {
        faults.push(`FLEX_APP_PARK_TASK_CHANNELS: TaskRouter does not allow the hyphen in "${name}".`);
      }
      // A name in two places would leave it open where a chat comes from, or whether it's parked at all.
      if (seen.has(name)) faults.push(`FLEX_APP_PARK_TASK_CHANNELS names "${name}" twice.`);
      seen.add(name);
    }
    pairs.push({ active, inactive });
  }
  return pairs;
}
