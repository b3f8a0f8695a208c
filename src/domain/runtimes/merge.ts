/** How a runtime's container and the user's become one (kserve.md, section 3.2). */
import type { Container } from "../apis/core/container.types.js";

const byName = (item: { readonly name: string }): string => item.name;

/** The user's members win; lists with keys merge; args follow the runtime's; a command replaces it. */
export function mergeContainer(base: Container, over: Partial<Container>): Container {
  const merged = { ...base, ...defined(over) };
  return {
    ...merged,
    ...list("env", mergeBy(base.env, over.env, byName)),
    ...list(
      "ports",
      mergeBy(base.ports, over.ports, (port) => `${port.containerPort}/${port.protocol ?? "TCP"}`),
    ),
    ...list(
      "volumeMounts",
      mergeBy(base.volumeMounts, over.volumeMounts, (mount) => mount.mountPath),
    ),
    ...list("args", concatenated(base.args, over.args)),
    resources: {
      ...base.resources,
      ...over.resources,
      ...map("limits", { ...base.resources?.limits, ...over.resources?.limits }),
      ...map("requests", { ...base.resources?.requests, ...over.resources?.requests }),
    },
  };
}

/** `{{.Name}}`, `{{.Namespace}}`, `{{.Labels.x}}` and `{{.Annotations.x}}` in any text of the container. */
export function fillPlaceholders(container: Container, metadata: Placeholders): Container {
  const fill = (value: unknown): unknown => {
    if (typeof value === "string")
      return value.replace(
        /\{\{\s*\.([A-Za-z]+)(?:\.([\w./-]+))?\s*\}\}/g,
        (whole, field, key) => lookUp(metadata, field, key) ?? whole,
      );
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fill(member)]));
    }
    return value;
  };
  return fill(container) as Container;
}

export interface Placeholders {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly labels?: { readonly [key: string]: string } | undefined;
  readonly annotations?: { readonly [key: string]: string } | undefined;
}

/** `runtimeVersion` replaces the tag; a digest is left alone. */
export function withTag(image: string, version: string | undefined): string {
  if (!version || image.includes("@")) return image;
  const slash = image.lastIndexOf("/");
  const colon = image.indexOf(":", slash + 1);
  return `${colon < 0 ? image : image.slice(0, colon)}:${version}`;
}

function lookUp(metadata: Placeholders, field: string, key: string | undefined): string | undefined {
  if (field === "Name" && key === undefined) return metadata.name;
  if (field === "Namespace" && key === undefined) return metadata.namespace;
  if (field === "Labels" && key !== undefined) return metadata.labels?.[key] ?? "";
  if (field === "Annotations" && key !== undefined) return metadata.annotations?.[key] ?? "";
  return undefined;
}

function mergeBy<T>(
  base: readonly T[] | undefined,
  over: readonly T[] | undefined,
  keyOf: (item: T) => string,
): readonly T[] {
  const merged = new Map((base ?? []).map((item) => [keyOf(item), item]));
  for (const item of over ?? []) merged.set(keyOf(item), { ...merged.get(keyOf(item)), ...item });
  return [...merged.values()];
}

function concatenated(
  base: readonly string[] | undefined,
  over: readonly string[] | undefined,
): readonly string[] {
  return [...(base ?? []), ...(over ?? [])];
}

function list<K extends string, T>(key: K, items: readonly T[]): { readonly [P in K]?: readonly T[] } {
  return items.length === 0 ? {} : ({ [key]: items } as { readonly [P in K]?: readonly T[] });
}

function map<K extends string, T extends object>(key: K, members: T): { readonly [P in K]?: T } {
  return Object.keys(members).length === 0 ? {} : ({ [key]: members } as { readonly [P in K]?: T });
}

function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
