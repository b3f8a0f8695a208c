// The string formats a custom resource's schema may ask for. Formats not listed are not checked.

type Check = (text: string) => boolean;

const matches =
  (pattern: RegExp): Check =>
  (text) =>
    pattern.test(text);

const ipv4 = matches(/^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/);

function ipv6(text: string): boolean {
  if (text.length > 45 || !/^[0-9a-fA-F:.]+$/.test(text) || !text.includes(":")) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = (half: string | undefined) => (half === undefined || half === "" ? [] : half.split(":"));
  const all = [...groups(halves[0]), ...groups(halves[1])];
  const last = all.at(-1);
  const embedded = last?.includes(".") === true;
  if (embedded && !ipv4(last)) return false;
  const plain = embedded ? all.slice(0, -1) : all;
  if (!plain.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  const count = plain.length + (embedded ? 2 : 0);
  return halves.length === 2 ? count < 8 : count === 8;
}

function cidr(text: string): boolean {
  const [address, bits, more] = text.split("/");
  if (address === undefined || bits === undefined || more !== undefined || !/^\d{1,3}$/.test(bits))
    return false;
  return ipv4(address) ? Number(bits) <= 32 : ipv6(address) && Number(bits) <= 128;
}

const daysIn = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function date(text: string): boolean {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (parts === null) return false;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  if (month === 2 && day === 29) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month >= 1 && month <= 12 && day >= 1 && day <= (daysIn[month - 1] ?? 0);
}

function dateTime(text: string): boolean {
  const parts = /^(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (parts === null) return false;
  return date(parts[1] ?? "") && Number(parts[2]) < 24 && Number(parts[3]) < 60 && Number(parts[4]) <= 60;
}

function uri(text: string): boolean {
  return /^(?:[A-Za-z][A-Za-z0-9+.-]*:\S+|\/\S*)$/.test(text);
}

const uuid = (version: string) =>
  matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, "i"));

const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";

export const formats: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["date-time", dateTime],
  ["datetime", dateTime],
  ["micro-time", dateTime],
  ["date", date],
  [
    "duration",
    matches(
      /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$|^0$|^\d+ ?(?:nanos?|micros?|millis?|seconds?|minutes?|hours?|days?|d|weeks?|w)$/,
    ),
  ],
  ["uuid", uuid("[0-9a-f]")],
  ["uuid3", uuid("3")],
  ["uuid4", uuid("4")],
  ["uuid5", uuid("5")],
  ["uri", uri],
  ["email", matches(/^[^\s@<>()[\],;:\\"]+@[^\s@<>()[\],;:\\"]+$/)],
  ["hostname", (text) => text.length <= 255 && new RegExp(`^${label}(?:\\.${label})*\\.?$`).test(text)],
  ["ipv4", ipv4],
  ["ipv6", ipv6],
  ["cidr", cidr],
  ["mac", matches(/^[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?:(?:[:-][0-9A-Fa-f]{2}){2})?$/)],
  ["byte", matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/)],
  ["isbn", (text) => /^(?:\d{9}[\dXx]|\d{13})$/.test(text.replace(/[\s-]/g, ""))],
  ["isbn10", (text) => /^\d{9}[\dXx]$/.test(text.replace(/[\s-]/g, ""))],
  ["isbn13", (text) => /^\d{13}$/.test(text.replace(/[\s-]/g, ""))],
  ["creditcard", (text) => /^\d{13,19}$/.test(text.replace(/[\s-]/g, ""))],
  ["ssn", matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/)],
  ["hexcolor", matches(/^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/)],
  ["rgbcolor", matches(/^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$/)],
]);
