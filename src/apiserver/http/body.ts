// Reads what a request carries: JSON, YAML or protobuf, within bounds.
import type { IncomingMessage } from "node:http";
import { apiVersionOf, type Kind, type Resource } from "../../domain/apis/kind.js";
import type { SchemaNode } from "../../domain/apis/schema/index.js";
import { troubleIn } from "../bounds.js";
import { limits } from "../limits.js";
import { decodeProtobuf } from "../protobuf/index.js";
import { badRequest, refusal, tooLarge } from "../status.js";
import { acceptedTypes } from "./accept.js";
import { mediaTypeOf } from "./call.js";
import { duplicateFields } from "./duplicates.js";
import { readYaml } from "./yaml.js";

export interface Body {
  readonly value: unknown;
  readonly duplicates: readonly string[];
}

type Bag = { readonly [name: string]: unknown };

export async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > limits.bodyBytes) throw tooLarge(limits.bodyBytes);
  // By events: a stream's iterator costs more than all the rest of reading a small body.
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > limits.bodyBytes) {
        request.removeAllListeners("data").pause();
        reject(tooLarge(limits.bodyBytes));
      } else chunks.push(chunk);
    });
    request.on("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.on("error", reject);
  });
}

/** The body as a value; undefined when there is none. `what` is the kind that errors speak of. */
export async function readBody(
  request: IncomingMessage,
  what: string,
  schemaFor: (apiVersion: string, kind: string) => SchemaNode | undefined,
): Promise<Body | undefined> {
  const bytes = await readBytes(request);
  if (bytes.length === 0) return undefined;
  const type = mediaTypeOf(request);
  switch (type) {
    case "":
    case "application/json":
      return parseJson(bytes.toString("utf8"), what);
    case "application/yaml":
      return parseYaml(bytes.toString("utf8"), what);
    case "application/vnd.kubernetes.protobuf": {
      const decoded = decodeProtobuf(bytes, schemaFor);
      if (!decoded.ok) throw badRequest(decoded.message);
      const trouble = troubleIn(decoded.object);
      if (trouble !== undefined) throw badRequest(`unable to decode the protobuf body: ${trouble}`);
      return { value: decoded.object, duplicates: [] };
    }
    default:
      throw refusal(
        "UnsupportedMediaType",
        `the body of the request was in an unknown format - accepted media types include: ${acceptedTypes}`,
        {},
      );
  }
}

function parseJson(text: string, what: string): Body {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw unrecognized(what, "json", `${why} (${text.slice(0, 200)})`);
  }
  const trouble = troubleIn(value);
  if (trouble !== undefined) throw unrecognized(what, "json", trouble);
  return { value, duplicates: duplicateFields(text) };
}

export async function parseYaml(text: string, what: string): Promise<Body> {
  const read = await readYaml(text);
  if (!read.ok) throw unrecognized(what, "yaml", read.because);
  return { value: read.value, duplicates: [] };
}

function unrecognized(what: string, format: "json" | "yaml", why: string): Error {
  return badRequest(
    `the object provided is unrecognized (must be of type ${what}): couldn't get version/kind; ${format} parse error: ${why}`,
  );
}

/** The body as an object of a kind; throws when it is anything else. */
export function asObject(kind: Kind, value: unknown): Resource {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind.kind}): couldn't get version/kind; json parse error: not an object (${JSON.stringify(value)?.slice(0, 200)})`,
    );
  }
  const body = value as Bag;
  for (const field of ["apiVersion", "kind"]) {
    const text = body[field];
    if (text === undefined || text === null || typeof text === "string") continue;
    throw unrecognized(
      kind.kind,
      "json",
      `json: cannot unmarshal ${Array.isArray(text) ? "array" : typeof text} into Go struct field .${field} of type string`,
    );
  }
  if (kind.flavour === "custom" && (body["kind"] ?? "") === "") {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind.kind}): Object 'Kind' is missing in '${JSON.stringify(value).slice(0, 200)}'`,
    );
  }
  refuseWrongKind(kind, body);
  const metadata = body["metadata"] ?? {};
  if (typeof metadata !== "object" || Array.isArray(metadata)) {
    throw badRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: json: cannot unmarshal ${Array.isArray(metadata) ? "array" : typeof metadata} into Go struct field ${kind.kind}.metadata of type v1.ObjectMeta`,
    );
  }
  for (const field of ["name", "namespace", "generateName", "resourceVersion", "uid"]) {
    const text = (metadata as Bag)[field];
    if (text === undefined || text === null || typeof text === "string") continue;
    throw badRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: json: cannot unmarshal ${typeof text} into Go struct field ObjectMeta.${field} of type string`,
    );
  }
  return { ...body, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata } as Resource;
}

function refuseWrongKind(kind: Kind, body: Bag): void {
  const { apiVersion, kind: name } = body as { readonly apiVersion?: string; readonly kind?: string };
  if (apiVersion && apiVersion !== apiVersionOf(kind)) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(kind)})`,
    );
  }
  if (!name || name === kind.kind) return;
  throw badRequest(
    `${name} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: converting (${apiVersionOf(kind)}, Kind=${name}) to (${apiVersionOf(kind)}, Kind=${kind.kind}): unknown conversion`,
  );
}
