// Short names for content: equal content has an equal name, in letters that spell no word.
import { createHash } from "node:crypto";

const safe = "bcdfghjklmnpqrstvwxz2456789";
const length = 10;

/** Ten characters that stand for a JSON value; the order of its members does not count. */
export function safeHash(value: unknown): string {
  const digest = createHash("sha256").update(canonical(value)).digest();
  let text = "";
  for (let i = 0; i < length; i += 1) text += safe[digest.readUInt16BE(i * 2) % safe.length];
  return text;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`);
  return `{${members.join()}}`;
}
