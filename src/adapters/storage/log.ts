// Log lines as the first versions of upstream printed them; the debug guide shows them, and people grep for them.

export type Log = (where: string, text: string, level?: "I" | "W" | "E") => void;

export function seedLog(write: (line: string) => void, now: () => Date = () => new Date()): Log {
  return (where, text, level = "I") => write(`[${level} ${stamp(now())} ${where}] ${text}`);
}

/** 200517 03:56:19 */
function stamp(time: Date): string {
  const iso = time.toISOString();
  return `${iso.slice(2, 10).replaceAll("-", "")} ${iso.slice(11, 19)}`;
}
