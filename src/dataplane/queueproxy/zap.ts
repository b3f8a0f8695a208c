// SERVING_LOGGING_CONFIG and SERVING_LOGGING_LEVEL: Zap's settings, as far as a line of ours has what they speak of.

export interface LogSettings {
  readonly level: LogLevel;
  /** Names of a line's members; an empty one leaves it out. */
  readonly keys: {
    readonly time: string;
    readonly level: string;
    readonly name: string;
    readonly message: string;
  };
}

const levels = ["debug", "info", "warn", "error", "dpanic", "panic", "fatal"] as const;
export type LogLevel = (typeof levels)[number];

/** Knative's own: what it means where it is silent. */
const usual = { time: "timestamp", level: "severity", name: "logger", message: "message" };
const members = { time: "timeKey", level: "levelKey", name: "nameKey", message: "messageKey" } as const;

export function readLogging(
  config: string | undefined,
  level: string | undefined,
  wrong: string[],
): LogSettings {
  const read = readConfig(config, wrong);
  const encoder = isObject(read["encoderConfig"]) ? read["encoderConfig"] : {};
  const keyOf = (one: keyof typeof usual): string => {
    const said = encoder[members[one]];
    return typeof said === "string" ? said : usual[one];
  };
  // The level of its own wins over the one for all.
  const said: unknown = level || read["level"] || "info";
  const named = typeof said === "string" ? said.toLowerCase() : said;
  const isLevel = (levels as readonly unknown[]).includes(named);
  if (!isLevel)
    wrong.push(
      `${level ? "SERVING_LOGGING_LEVEL" : "SERVING_LOGGING_CONFIG: level"} is ${JSON.stringify(said)}, which is none of ${levels.join(", ")}`,
    );
  return {
    level: isLevel ? (named as LogLevel) : "info",
    keys: { time: keyOf("time"), level: keyOf("level"), name: keyOf("name"), message: keyOf("message") },
  };
}

function readConfig(text: string | undefined, wrong: string[]): Readonly<Record<string, unknown>> {
  if (text === undefined || text === "") return {};
  try {
    const read: unknown = JSON.parse(text);
    if (isObject(read)) return read;
    wrong.push("SERVING_LOGGING_CONFIG is no JSON object");
  } catch (error) {
    wrong.push(`SERVING_LOGGING_CONFIG is not JSON: ${(error as Error).message}`);
  }
  return {};
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export interface QueueLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Lines that carry which Revision and pod they are of, as upstream's do. */
export function queueLog(
  { level, keys }: LogSettings,
  whose: { readonly namespace: string; readonly revision: string; readonly pod: string },
  nowMs: () => number,
  write: (line: string) => void,
): QueueLog {
  const least = levels.indexOf(level);
  const say = (at: LogLevel) => (message: string) => {
    if (levels.indexOf(at) < least) return;
    const line: Record<string, string> = {};
    const put = (key: string, value: string) => {
      if (key !== "") line[key] = value;
    };
    put(keys.level, at.toUpperCase());
    put(keys.time, new Date(nowMs()).toISOString());
    put(keys.name, "queueproxy");
    put(keys.message, message);
    write(
      `${JSON.stringify({ ...line, "knative.dev/key": `${whose.namespace}/${whose.revision}`, "knative.dev/pod": whose.pod })}\n`,
    );
  };
  return { info: say("info"), warn: say("warn"), error: say("error") };
}
