/**
 * What a ConfigMap of settings is made of: keys with a default, older spellings, a reader and a sentence for the user.
 * From one table come the value, the complaints, the known keys and the `_example` block.
 */
import { canonicalQuantity, quantityRule } from "../quantity/index.js";
import {
  type Parsed,
  parseBool,
  parseDuration,
  parseFloat64,
  parseInt32,
  parseInt64,
  parseInteger,
} from "./goText.js";

export type Data = { readonly [key: string]: string };

/** `ignored` counts as absent, as upstream has it, but the user is told. */
export type Reading<T> = { readonly value: T } | { readonly fault: string } | { readonly ignored: string };

export type Reader<T> = (text: string, key: string) => Reading<T>;

interface Spelling<T> {
  readonly key: string;
  readonly read: Reader<T>;
}

export interface Setting<T> {
  readonly key: string;
  readonly about: string;
  /** The default as a user would write it; undefined where there is none. */
  readonly standard: string | undefined;
  /** The new key first: it wins over the legacy ones behind it. */
  readonly spellings: readonly Spelling<T>[];
  readonly absent: () => T;
}

export function setting<T>(
  key: string,
  standard: string,
  read: Reader<T>,
  about: string,
  ...legacy: readonly (string | Spelling<T>)[]
): Setting<T> {
  const absent = (): T => {
    const reading = read(standard, key);
    if ("value" in reading) return reading.value;
    throw new Error(`the default of ${key} does not parse`);
  };
  return { key, about, standard, spellings: spelled(key, read, legacy), absent };
}

export function optional<T>(
  key: string,
  read: Reader<T>,
  about: string,
  ...legacy: readonly string[]
): Setting<T | undefined> {
  const spellings = spelled<T | undefined>(key, read, legacy);
  return { key, about, standard: undefined, spellings, absent: () => undefined };
}

function spelled<T>(
  key: string,
  read: Reader<T>,
  legacy: readonly (string | Spelling<T>)[],
): readonly Spelling<T>[] {
  return [{ key, read }, ...legacy.map((one) => (typeof one === "string" ? { key: one, read } : one))];
}

/** What is wrong, and the keys that are as if absent because of it. */
export interface Fault {
  readonly keys: readonly string[];
  readonly message: string;
}

export interface MapReading<V> {
  /** Whatever is wrong: keys at fault have their defaults here. */
  readonly value: V;
  readonly faults: readonly Fault[];
  readonly doubts: readonly string[];
}

/** One ConfigMap that we know. */
export interface SettingsMap<V> {
  readonly name: string;
  readonly component: string;
  readonly settings: readonly Pick<Setting<unknown>, "key" | "about" | "standard">[];
  /** Every spelling that means something, for the user who mistyped one; undefined when keys are free. */
  readonly known: readonly string[] | undefined;
  read(data: Data): MapReading<V>;
}

type Settings<R> = { readonly [member in keyof R]: Setting<R[member]> };

export function settingsMap<R extends object, V = R>(map: {
  readonly name: string;
  readonly component: string;
  readonly settings: Settings<R>;
  /** What ties keys to each other, or bounds one; asked only of values that parsed. */
  readonly check?: (read: R) => readonly Fault[];
  readonly shape: (read: R) => V;
}): SettingsMap<V> {
  const { name, component, settings, check, shape } = map;
  const rows: readonly Setting<unknown>[] = Object.values(settings);
  return {
    name,
    component,
    settings: rows,
    known: rows.flatMap((row) => row.spellings.map((one) => one.key)),
    read(data) {
      const first = look(data);
      let pass = first;
      let rest = data;
      // Each round leaves fewer keys, and with none left the defaults hold together.
      while (pass.faults.length > 0) {
        const dropped = new Set(pass.faults.flatMap(({ keys }) => keys).flatMap(spellingsOf));
        const kept = Object.entries(rest).filter(([key]) => !dropped.has(key));
        rest = kept.length < Object.keys(rest).length ? Object.fromEntries(kept) : {};
        pass = look(rest);
      }
      return { value: shape(pass.read), faults: first.faults, doubts: first.doubts };
    },
  };

  function look(data: Data) {
    const members = Object.entries<Setting<unknown>>(settings).map(
      ([member, one]) => [member, readSetting(one, data)] as const,
    );
    const read = Object.fromEntries(members.map(([member, { value }]) => [member, value])) as R;
    const faults = members.flatMap(([, one]) => one.faults);
    const doubts = members.flatMap(([, one]) => one.doubts);
    return { read, faults: faults.length > 0 ? faults : (check?.(read) ?? []), doubts };
  }

  function spellingsOf(key: string): readonly string[] {
    return rows.find((row) => row.key === key)?.spellings.map((one) => one.key) ?? [key];
  }
}

function readSetting<T>({ spellings, absent }: Setting<T>, data: Data): MapReading<T> {
  const faults: Fault[] = [];
  const doubts: string[] = [];
  const values: { readonly said: T }[] = [];
  for (const { key, read } of spellings) {
    if (!Object.hasOwn(data, key)) continue;
    const reading = read(data[key] ?? "", key);
    if ("value" in reading) values.push({ said: reading.value });
    else if ("fault" in reading) faults.push({ keys: [key], message: reading.fault });
    else doubts.push(reading.ignored);
  }
  const [strongest] = values;
  return { value: strongest === undefined ? absent() : strongest.said, faults, doubts };
}

/** Upstream's words around a text that does not parse. */
function parsing<T>(parse: (text: string) => Parsed<T>, prefix = ""): Reader<T> {
  return (text, key) => {
    const parsed = parse(text);
    return "value" in parsed
      ? parsed
      : { fault: `${prefix}failed to parse ${JSON.stringify(key)}: ${parsed.because}` };
  };
}

export const readers = (prefix = "") => ({
  int64: parsing(parseInt64, prefix),
  int32: parsing(parseInt32, prefix),
  integer: parsing(parseInteger, prefix),
  float: parsing(parseFloat64, prefix),
  bool: parsing(parseBool, prefix),
  duration: parsing(parseDuration, prefix),
  quantity: parsing(parseQuantityText, prefix),
  text: ((value) => ({ value })) satisfies Reader<string>,
  /** Between commas; spaces around and empty places do not count. */
  texts: ((text) => ({
    value: text
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one !== ""),
  })) satisfies Reader<readonly string[]>,
});

function parseQuantityText(text: string): Parsed<string> {
  const value = canonicalQuantity(text);
  return value === undefined ? { because: quantityRule } : { value };
}

/** One of a few words, in any case. `strict` says what becomes of others. */
export function oneOf<W extends string>(
  words: readonly W[],
  otherwise: (text: string, key: string) => Reading<W>,
): Reader<W> {
  return (text, key) => {
    const value = words.find((word) => word.toLowerCase() === text.toLowerCase());
    return value === undefined ? otherwise(text, key) : { value };
  };
}

/** Upstream passes over a word it does not know; the user learns it. */
export function passedOver(words: readonly string[]) {
  return (text: string, key: string): { readonly ignored: string } => ({
    ignored: `${key}: ${JSON.stringify(text)} is none of ${words.join(", ")} and is ignored`,
  });
}
