// ConfigMaps of knative-serving on their way in: a value that means nothing is refused while its author still looks.
import type { ConfigMap } from "../core/config.types.js";
import type { WebhookAnswer } from "../kind.js";
import { exampleChecksum, exampleChecksumAnnotation, exampleKey } from "./example.js";
import { servingConfigMaps } from "./servingConfig.js";
import type { Data, SettingsMap } from "./settings.js";

const webhook = "config.webhook.serving.knative.dev";

/** Upstream asks by label; we ask by place and name, for a bad value is no better for having no label. */
export function judgeServingConfigMap({ metadata, data = {} }: ConfigMap): WebhookAnswer | undefined {
  if (metadata.namespace !== "knative-serving") return undefined;
  const map = servingConfigMaps.find(({ name }) => name === metadata.name);
  if (map === undefined) return undefined;
  const edited = editedExample(data, metadata.annotations);
  if (edited !== undefined) return { webhook, denied: `validation failed: ${edited}` };

  const { faults, doubts } = map.read(data);
  const warnings = [...doubts, ...unknownKeys(map, data)].map((text) => `${map.name}: ${text}`);
  if (faults.length === 0) return { webhook, warnings };
  return {
    webhook,
    denied: `validation failed: ${faults.map(({ message }) => message).join("\n")}`,
    warnings,
  };
}

function editedExample(data: Data, annotations: Data | undefined): string | undefined {
  const example = Object.hasOwn(data, exampleKey) ? data[exampleKey] : undefined;
  const promised = annotations?.[exampleChecksumAnnotation];
  if (example === undefined || promised === undefined || promised === exampleChecksum(example)) {
    return undefined;
  }
  return `the update modifies a key in "_example" which is probably not what you want. Instead, copy the respective setting to the top-level of the ConfigMap, directly below "data"`;
}

/** More are not worth a line each: somebody put something else here. */
const mostWarnings = 20;

function unknownKeys({ known }: SettingsMap<unknown>, data: Data): readonly string[] {
  if (known === undefined) return [];
  const unknown = Object.keys(data).filter((key) => key !== exampleKey && !known.includes(key));
  const told = unknown.slice(0, mostWarnings).map((key) => {
    const near = nearest(key, known);
    const hint = near === undefined ? "" : `; the nearest known key is ${JSON.stringify(near)}`;
    return `unknown key ${JSON.stringify(key)} is ignored${hint}`;
  });
  const more = unknown.length - told.length;
  return more > 0 ? [...told, `${more} more unknown keys are ignored`] : told;
}

/** By edits, of which there may be no more than half the key's letters. */
function nearest(key: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((one) => ({ one, edits: editsBetween(key.toLowerCase(), one.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  return best !== undefined && best.edits <= key.length / 2 ? best.one : undefined;
}

function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const swapped = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(swapped, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
