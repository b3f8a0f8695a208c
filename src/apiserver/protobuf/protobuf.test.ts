import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DeploymentSchema } from "../../domain/apis/apps/apps.types.js";
import { TokenRequestSchema } from "../../domain/apis/authentication/authentication.types.js";
import { SubjectAccessReviewSchema } from "../../domain/apis/authorization/authorization.types.js";
import { HorizontalPodAutoscalerSchema } from "../../domain/apis/autoscaling/autoscalingV1.types.js";
import { builtinKinds } from "../../domain/apis/kinds.js";
import { DeleteOptionsSchema } from "../../domain/apis/meta/meta.types.js";
import type { SchemaNode } from "../../domain/apis/schema/index.js";
import { decodeProtobuf } from "./index.js";

/** Objects as Go's own client wrote them, with the JSON the same client would have sent. */
const fixtures = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/protobuf/bodies.json", import.meta.url), "utf8"),
) as readonly { readonly name: string; readonly body: string; readonly json: Record<string, unknown> }[];

const others: { readonly [kind: string]: SchemaNode } = {
  TokenRequest: TokenRequestSchema,
  SubjectAccessReview: SubjectAccessReviewSchema,
  HorizontalPodAutoscaler: HorizontalPodAutoscalerSchema,
  DeleteOptions: DeleteOptionsSchema,
};

const schemaFor = (_apiVersion: string, kind: string): SchemaNode | undefined =>
  others[kind] ?? builtinKinds.find((one) => one.kind === kind)?.schema;

/** Go writes null for what is absent, and members of value type even when they are empty. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [name, plain(member)]),
  );
}

/** Statuses are the server's to write; what a client leaves at zero in them is as good as absent. */
function nonZero(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== 0 && member !== "" && member !== false),
  );
}

describe("decodeProtobuf", () => {
  it.each(fixtures)("reads a $name as JSON would have said it", ({ name, body, json }) => {
    const decoded = decodeProtobuf(Buffer.from(body, "base64"), schemaFor);
    if (!decoded.ok) throw new Error(decoded.message);
    const want = plain(json) as Record<string, unknown>;
    if (name !== "pod") want["status"] = nonZero(want["status"]);
    // targetPort 0 means "as port"; these two have no omitempty in Go and are empty.
    if (name === "event") for (const empty of ["reportingComponent", "reportingInstance"]) delete want[empty];
    if (name === "service") {
      for (const port of (want["spec"] as { ports: Record<string, unknown>[] }).ports) {
        if (port["targetPort"] === 0) delete port["targetPort"];
      }
    }
    expect(decoded.object).toEqual(want);
  });

  const bytes = (...parts: readonly (number | string | readonly number[])[]): Uint8Array =>
    Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part)] : part)));
  const field = (number: number, content: Uint8Array) =>
    bytes((number << 3) | 2, content.length, [...content]);
  const envelope = (kind: string, raw: Uint8Array) =>
    bytes(
      "k8s\0",
      [...field(1, bytes([...field(1, bytes("v1"))], [...field(2, bytes(kind))]))],
      [...field(2, raw)],
    );

  it("skips fields it does not know", () => {
    const raw = bytes([...field(1, field(1, bytes("a")))], [...field(15, bytes("zzz"))], [0x68, 1]);
    expect(decodeProtobuf(envelope("ConfigMap", raw), schemaFor)).toEqual({
      ok: true,
      object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } },
    });
  });

  it.each<[string, Uint8Array, string]>([
    [
      "no magic",
      bytes("{}"),
      "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
    ],
    ["unknown kind", envelope("Zap", bytes()), 'no kind "Zap" is registered for version "v1"'],
    [
      "cut short",
      envelope("ConfigMap", bytes([0x0a, 20, 1])),
      "unable to decode the protobuf body: the message ends too early",
    ],
    [
      "endless number",
      envelope("ConfigMap", bytes(Array<number>(12).fill(0xff))),
      "unable to decode the protobuf body: a number does not end",
    ],
  ])("refuses a body with %s", (_name, body, message) => {
    expect(decodeProtobuf(body, schemaFor)).toEqual({ ok: false, message });
  });

  it("has numbers for every member of a Deployment", () => {
    const missing: string[] = [];
    const walk = (node: SchemaNode, path: string) => {
      for (const [name, property] of Object.entries(node.properties ?? {})) {
        if (property["x-drydock-wire"] === undefined) missing.push(`${path}.${name}`);
        walk(property, `${path}.${name}`);
      }
      if (node.items !== undefined) walk(node.items, `${path}[]`);
    };
    walk(DeploymentSchema, "");
    expect(missing).toEqual([".apiVersion", ".kind"]);
  });
});
