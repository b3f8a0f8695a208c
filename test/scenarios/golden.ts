// Goldens of a world at rest, without what differs from run to run: identities, hashes, dates.
import { stringify } from "yaml";
import type { Resource } from "../../src/domain/apis/kind.js";
import { type RunningWorld, worldStartMs } from "../world/index.js";
import type { Windows } from "./shown.js";
import type { Story } from "./story.js";

export interface Goldens {
  readonly "status.yaml": string;
  readonly "get.txt": string;
  readonly "describe.txt": string;
}

/** From what the user wrote down to what runs. */
const statusOf = [
  "InferenceService",
  "DomainMapping",
  "Service",
  "Configuration",
  "Build",
  "Revision",
  "Route",
  "Ingress",
  "PodAutoscaler",
  "Deployment",
  "Pod",
];

const chain = ["isvc", "ksvc", "configuration", "revision", "route", "pod"];
const described = ["isvc", "ksvc", "configuration", "revision", "route"];

export async function goldensOf(story: Story, world: RunningWorld, windows: Windows): Promise<Goldens> {
  const [get = "", describe = ""] = await windows.open(world, [
    ["get", [...chain, ...story.show].join(",")],
    ["describe", [...described, ...story.show].join(",")],
  ]);
  const names = shortNames(world);
  return {
    "status.yaml": names(statusText(world)),
    "get.txt": names(get),
    "describe.txt": names(toldOnly(describe)),
  };
}

function statusText(world: RunningWorld): string {
  const kinds = statusOf.flatMap(
    (name) => world.kinds.find((kind) => kind.kind === name && isOurs(kind)) ?? [],
  );
  const objects = kinds.flatMap((kind) => [...world.list(kind, "default")].sort(byName));
  const statuses = objects.map((object) => [
    `${object.kind}/${object.metadata.name}`,
    conditionsShort((object as { readonly status?: Status }).status ?? {}),
  ]);
  return dated(stringify(Object.fromEntries(statuses), { lineWidth: 0, aliasDuplicateObjects: false }));
}

interface Status {
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly severity?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly lastTransitionTime?: string;
  }[];
}

/** A condition in one line: `False Reason: message`, and since when. */
function conditionsShort({ conditions, ...rest }: Status): object {
  const lines = (conditions ?? []).map(({ type, status, severity, reason, message, lastTransitionTime }) => {
    const short = [status, reason].filter(Boolean).join(" ");
    const since = lastTransitionTime === undefined ? [] : [lastTransitionTime];
    const aside = [...(severity === undefined ? [] : [severity]), ...since].join(", ");
    return [type, `${message ? `${short}: ${message}` : short}${aside === "" ? "" : ` (${aside})`}`];
  });
  return conditions === undefined ? rest : { conditions: Object.fromEntries(lines), ...rest };
}

function isOurs({ kind, group }: { readonly kind: string; readonly group: string }): boolean {
  return group !== "" || kind === "Pod";
}

function byName(a: Resource, b: Resource): number {
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

/** Moments as time since the story began. */
function dated(text: string): string {
  return text.replace(/"?\b(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"?/g, (_, iso: string) => {
    return `+${(Date.parse(iso) - worldStartMs) / 1000}s`;
  });
}

/** A pod's name ends in a hash of its template and in dice; neither is what a scenario is about. */
function shortNames(world: RunningWorld): (text: string) => string {
  const kinds = world.kinds.filter((kind) => ["Pod", "ReplicaSet"].includes(kind.kind));
  const uids = world.kinds
    .flatMap((kind) => world.list(kind))
    .flatMap(({ kind, metadata }) =>
      metadata.uid ? [[metadata.uid, `UID-OF-${kind}-${metadata.name}`] as const] : [],
    );
  const names = kinds.flatMap((kind) => world.list(kind, "default")).map((object) => object.metadata.name);
  return (text) => {
    // A pod that was refused has a name too.
    let plain = text.replace(/(-deployment-[0-9a-z]{5,10}-)[0-9a-z]{5}\b/g, "$1ppppp");
    for (const [uid, name] of uids) plain = plain.replaceAll(uid, name);
    for (const name of [...names].sort((a, b) => b.length - a.length)) {
      const hidden = name.replace(
        /-([0-9a-z]{5,10})(?:-([0-9a-z]{5}))?$/,
        (_, hash: string, dice?: string) =>
          dice === undefined
            ? `-${"h".repeat(hash.length)}`
            : `-${"h".repeat(hash.length)}-${"p".repeat(dice.length)}`,
      );
      plain = plain.replaceAll(name, hidden);
    }
    return plain;
  };
}

const kept = /^(Name|Kind|Status|Events):/;

/** describe also repeats what the user wrote; a scenario keeps what it says of how things are. */
function toldOnly(text: string): string {
  let keeps = true;
  return text
    .split("\n")
    .filter((line) => {
      if (/^\S/.test(line)) keeps = kept.test(line);
      return keeps || line === "";
    })
    .join("\n");
}
