// What form of answer the client wants.

export interface Accepted {
  readonly format: "json" | "yaml";
  readonly as: "" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList" | "APIGroupDiscoveryList";
  /** The version of `as` that was asked for. */
  readonly version: string;
}

export const acceptedTypes = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

const shapes = [
  "Table",
  "PartialObjectMetadata",
  "PartialObjectMetadataList",
  "APIGroupDiscoveryList",
] as const;
const plain: Accepted = { format: "json", as: "", version: "" };
/** What most clients send; it needs no taking apart. */
const plainly: ReadonlySet<string> = new Set(["", "*/*", "application/json"]);

/**
 * The first entry of the list that can be served. Protobuf is answered in JSON, which every client that asks for
 * it understands, but not for custom kinds: those have no protobuf form upstream either. undefined: 406.
 */
export function negotiate(
  header: string | undefined,
  { custom, shaped }: { readonly custom: boolean; readonly shaped: readonly string[] },
): Accepted | undefined {
  if (header === undefined || plainly.has(header.trim())) return plain;
  let protobuf = false;
  for (const entry of header.split(",")) {
    const [type = "", ...parameters] = entry.split(";").map((part) => part.trim());
    const given = new Map(
      parameters.map((text) => {
        const equals = text.indexOf("=");
        return [text.slice(0, equals).trim(), text.slice(equals + 1).trim()] as const;
      }),
    );
    const as = given.get("as");
    switch (type.toLowerCase()) {
      case "application/json": {
        const shape = shapes.find((one) => one === as);
        if (as === undefined) return plain;
        if (shape !== undefined && shaped.includes(shape)) {
          return { format: "json", as: shape, version: given.get("v") ?? "v1" };
        }
        break;
      }
      case "*/*":
      case "application/*":
        return plain;
      case "application/yaml":
        if (as === undefined) return { ...plain, format: "yaml" };
        break;
      case "application/vnd.kubernetes.protobuf":
        protobuf ||= as === undefined;
        break;
    }
  }
  return protobuf && !custom ? plain : undefined;
}
