/**
 * A scenario folder as a value. given.yaml is what the user applied; fault.yaml tells the story:
 *
 *     about:     one sentence
 *     document:  which chapter promises it
 *     top:       Kind/name whose Ready it is about; the topmost that is given unless said
 *     show:      words for `get` beyond the usual chain (optional)
 *     steps:     one after the other, the world at rest after each
 *     after:     the same, once the goldens are taken: how it ends well (optional)
 *
 * A step is one of
 *
 *     apply: given          or a list of manifests
 *     delete: Kind/name
 *     change: { Kind/name: merge patch }
 *     misfortune: { pods, images, gateway, api }    replaces the misfortunes before it, part by part
 *     heal: all             or a list of those parts
 *     traffic: { REVISION: 3 }      so many requests at once from now on; 0 ends it
 *     advance: 2m           time that passes
 *     wants: { Kind/name [Condition]: "False Reason: message" }    as far as it is written; Ready unless said
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import type { Resource } from "../../src/domain/apis/kind.js";
import type { ProbeAnswer } from "../../src/domain/traffic/index.js";
import type { PortErrorReason } from "../../src/ports/index.js";
import { root } from "../sources.js";
import type { Fate, Verb } from "../world/index.js";

/** Which pods: those with all these labels, by their short name (`revision`) or in full. */
export type PodFate = Fate & {
  readonly of?: Readonly<Record<string, string>>;
  /** How many pods meet it; all unless said. */
  readonly times?: number;
};

export interface Refusal {
  readonly verb: Verb;
  readonly kind: string;
  readonly reason: PortErrorReason;
  readonly message: string;
}

export interface Misfortune {
  /** The first that fits a pod; the others are ready. */
  readonly pods?: readonly PodFate[];
  /** By the image's name: why it cannot be had; null is a registry that does not answer. */
  readonly images?: Readonly<Record<string, string | null>>;
  /** What the gateway answers to every probe: `{ status: 403 }`, or `{ error: ... }` when nobody answers. */
  readonly gateway?: ProbeAnswer;
  readonly api?: readonly Refusal[];
}

export type Part = keyof Misfortune;

export type Step =
  | { readonly apply: "given" | readonly Resource[] }
  | { readonly delete: string }
  | { readonly change: Readonly<Record<string, object>> }
  | { readonly misfortune: Misfortune }
  | { readonly heal: "all" | readonly Part[] }
  | { readonly traffic: Readonly<Record<string, number>> }
  | { readonly advance: string }
  | { readonly wants: Readonly<Record<string, string>> };

export interface Story {
  readonly name: string;
  readonly folder: string;
  readonly about: string;
  readonly document: string;
  readonly top: string | undefined;
  readonly show: readonly string[];
  readonly given: readonly Resource[];
  readonly steps: readonly Step[];
  readonly after: readonly Step[];
}

const home = join(root, "test/scenarios");

export function storyNames(): readonly string[] {
  return readdirSync(home, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(home, entry.name, "fault.yaml")))
    .map((entry) => entry.name)
    .sort();
}

export function readStory(name: string): Story {
  const folder = join(home, name);
  const fault = parse(readFileSync(join(folder, "fault.yaml"), "utf8")) as Partial<Story>;
  const { about, document, steps, top, after = [], show = [], ...rest } = fault;
  if (!about || !document || steps === undefined)
    throw new Error(`${name}: about, document and steps are needed`);
  const unknown = [
    ...Object.keys(rest),
    ...[...steps, ...after].flatMap((step) => Object.keys(step)).filter((word) => !words.has(word)),
  ];
  if (unknown.length > 0) throw new Error(`${name}: what is ${unknown.join(", ")}?`);
  const given = parseAllDocuments(readFileSync(join(folder, "given.yaml"), "utf8")).map(
    (one) => one.toJS() as Resource,
  );
  return { name, folder, about, document, top, show, given, steps, after };
}

const words: ReadonlySet<string> = new Set([
  "apply",
  "delete",
  "change",
  "misfortune",
  "heal",
  "traffic",
  "advance",
  "wants",
]);

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

export function durationMs(text: string): number {
  const [, count = "", unit = ""] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  const factor = units[unit];
  if (factor === undefined) throw new Error(`${text} is no duration`);
  return Number(count) * factor;
}
