// The `_example` block of a ConfigMap: what there is to set, where nothing reads it; its checksum tells when it was edited.
import type { SettingsMap } from "./settings.js";

export const exampleKey = "_example";
export const exampleChecksumAnnotation = "knative.dev/example-checksum";

/** Every key with its default, in words. */
export function exampleOf({ name, settings }: SettingsMap<unknown>): string {
  const rows = settings.map(({ key, about, standard }) =>
    standard === undefined
      ? `# ${about}\n# There is no default.\n# ${key}: ""\n`
      : `# ${about}\n${key}: ${valueText(standard)}\n`,
  );
  const none = name === "config-tracing" ? ["# Traces are set up in config-observability.\n"] : [];
  return [
    "# Nothing reads this block: it shows what can be set, each with its default.\n" +
      "# To set something, write its line into data itself, beside this block.\n",
    ...rows,
    ...none,
  ].join("\n");
}

function valueText(standard: string): string {
  if (!standard.includes("\n")) return JSON.stringify(standard);
  return `|\n${standard.trimEnd().replace(/^/gm, "  ")}`;
}

/** CRC-32 (IEEE) of the text without what surrounds it, its line ends written as backslash and n. */
export function exampleChecksum(example: string): string {
  const text = example.trim().replace(/(\r?\n)+/g, "\\n");
  return crc32(utf8(text)).toString(16).padStart(8, "0");
}

/** Bytes of a text, one after the other: the domain knows no encoder. */
function* utf8(text: string): Generator<number> {
  for (const sign of text) {
    const point = sign.codePointAt(0) ?? 0;
    if (point < 0x80) {
      yield point;
      continue;
    }
    const more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    yield ((0xf00 >> more) & 0xff) | (point >> (6 * more));
    for (let at = more - 1; at >= 0; at--) yield 0x80 | ((point >> (6 * at)) & 0x3f);
  }
}

function crc32(bytes: Iterable<number>): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
