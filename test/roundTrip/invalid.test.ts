// Objects with mistakes in them are stored, or refused in words that say where: never an error of ours, over no road.

import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { systemClock } from "../../src/adapters/clock/index.js";
import { ensurePki } from "../../src/adapters/tls/index.js";
import {
  type ApiServer,
  insideContext,
  type Registry,
  type Status,
  startApiServer,
  statusOf,
} from "../../src/apiserver/index.js";
import { patchObject } from "../../src/apiserver/registry/index.js";
import { apiVersionOf, type Kind, type Resource } from "../../src/domain/apis/kind.js";
import { equalJson, type SchemaNode } from "../../src/domain/apis/schema/index.js";
import { isPortError } from "../../src/ports/index.js";
import { dice } from "../world/index.js";
import { type Draw, draws, objectOf, servedKinds } from "./arbitraries.js";
import { broken } from "./mutations.js";
import { rounds, startRegistry } from "./registry.js";
import { type Bag, maker } from "./values.js";
import { faultsOf } from "./verdict.js";

const catalogue = await startRegistry();
const kinds = servedKinds(catalogue.served);
const each = Math.ceil(rounds / kinds.length);
const write = { ...insideContext({ name: "tester", groups: ["system:masters"] }), manager: "test" };
afterAll(() => catalogue.close());

describe.each(kinds.map((kind) => [`${apiVersionOf(kind)} ${kind.kind}`, kind] as const))(
  "%s",
  (_name, kind) => {
    const logged: string[] = [];
    let registry: Registry;
    beforeAll(async () => {
      registry = await startRegistry(logged);
    });
    afterAll(() => registry.close());

    it("as a patch is stored, or refused with the place", { timeout: 20_000 + each * 100 }, async () => {
      const schemas = schemasOf(registry, kind);
      const { object, status } = await firstAdmitted(registry, kind);
      expect(status).toBeUndefined();
      const served = registry.servedAs(kind);
      const { namespace = "", name } = object["metadata"] as {
        readonly namespace?: string;
        readonly name: string;
      };
      await fc.assert(
        fc.asyncProperty(draws, fc.constantFrom("merge", "json", "apply"), async (draw, type) => {
          const { object: mistaken, where } = brokenOf(kind, draw);
          const body =
            type === "json"
              ? Object.entries(mistaken).map(([member, value]) => ({ op: "add", path: `/${member}`, value }))
              : mistaken;
          const patch = { type: type as "merge", body, subresource: "", force: type === "apply" } as const;
          const refused = await patchObject(registry, served, namespace, name, patch, write).then(
            () => undefined,
            refusalOf,
          );
          expect(refused === undefined ? [] : faultsOf(refused, schemas, where)).toEqual([]);
        }),
        { numRuns: Math.ceil(each / 5) },
      );
      expect(logged).toEqual([]);
    });

    it("is stored, or refused with the place", { timeout: 20_000 + each * 100 }, async () => {
      const schemas = schemasOf(registry, kind);
      await fc.assert(
        fc.asyncProperty(draws, async (draw) => {
          const { object, where } = brokenOf(kind, draw);
          const refused = await createOne(registry, kind, object);
          expect(refused === undefined ? [] : faultsOf(refused, schemas, where)).toEqual([]);
        }),
        { numRuns: each },
      );
      expect(logged).toEqual([]);
      expect(({} as Bag)["polluted"]).toBeUndefined();
    });
  },
);

let made = 0;

function brokenOf(kind: Kind, draw: Draw): { readonly object: Bag; readonly where: readonly string[] } {
  const object = objectOf(kind, draw, `x${made++}`);
  const where = broken(maker(dice(draw.seed + 1), draw.plenty), kind.schema, object);
  return { object: JSON.parse(JSON.stringify(object)), where };
}

function schemasOf(registry: Registry, kind: Kind): readonly SchemaNode[] {
  return [kind.schema, registry.servedAs(kind).storage.schema];
}

/** The refusal, if it was one. What was stored can be read in every version, and is what was answered. */
async function createOne(registry: Registry, kind: Kind, object: Bag): Promise<Status | undefined> {
  const served = registry.servedAs(kind);
  // The parser of bodies sees to these before the registry is asked.
  const metadata = isBag(object["metadata"]) ? object["metadata"] : {};
  for (const name of ["name", "generateName", "namespace", "uid", "resourceVersion"])
    if (metadata[name] !== undefined && typeof metadata[name] !== "string") delete metadata[name];
  try {
    const stored = await registry.create(
      served,
      kind.namespaced ? "default" : "",
      { ...object, metadata } as unknown as Resource,
      write,
    );
    const { namespace = "", name } = stored.object.metadata;
    const read = registry.get(served, namespace, name);
    if (!equalJson(JSON.parse(read?.json ?? "null"), JSON.parse(stored.json)))
      throw new Error(`not what was stored: ${read?.json}`);
    for (const other of registry.served.all())
      if (other.collection === served.collection) registry.get(other, namespace, name);
    return undefined;
  } catch (error) {
    return refusalOf(error);
  }
}

function refusalOf(error: unknown): Status {
  if (!isPortError(error)) throw error;
  return statusOf(error);
}

/** One of them that is there to be patched. */
async function firstAdmitted(registry: Registry, kind: Kind) {
  for (let seed = 1; ; seed++) {
    const object = objectOf(kind, { seed, plenty: 0.3 }, `x${made++}`);
    const status = await createOne(registry, kind, object);
    if (status === undefined || seed === 40) return { object, status };
  }
}

function isBag(value: unknown): value is Bag {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

describe("over HTTP", () => {
  const logged: string[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  let home: string;
  let registry: Registry;
  let server: ApiServer;
  let post: (
    path: string,
    type: string,
    body: string | Buffer,
  ) => Promise<{ readonly code: number; readonly text: string }>;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "drydock-invalid-"));
    const clock = systemClock();
    const pki = await ensurePki({ folder: join(home, "pki"), hosts: [], clock });
    registry = await startRegistry(logged);
    server = await startApiServer({
      registry,
      host: "127.0.0.1",
      port: 0,
      tls: { ca: pki.ca, cert: pki.server.cert, key: pki.server.key },
      auth: { token: pki.token, serviceAccountKey: pki.serviceAccountKey },
      clock,
      log: {
        info: () => {},
        error: (message, fields) => logged.push(`${message} ${JSON.stringify(fields)}`),
      },
    });
    post = (path, type, body) =>
      new Promise((resolve, reject) => {
        const headers = {
          Authorization: `Bearer ${pki.token}`,
          "Content-Type": type,
          "Content-Length": Buffer.byteLength(body),
        };
        const call = request(
          `${server.url}${path}`,
          { method: "POST", agent, ca: pki.ca, headers, timeout: 20_000 },
          (answer) => {
            const chunks: Buffer[] = [];
            answer.on("data", (chunk: Buffer) => chunks.push(chunk));
            answer.on("end", () =>
              resolve({ code: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
            );
          },
        );
        call.on("timeout", () => call.destroy(new Error("no answer")));
        call.on("error", reject);
        call.end(body);
      });
  });
  afterAll(async () => {
    agent.destroy();
    await server.close();
    await registry.close();
    rmSync(home, { recursive: true, force: true });
  });

  const pathOf = (kind: Kind) => {
    const group = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
    return `${group}${kind.namespaced ? "/namespaces/default" : ""}/${kind.plural}`;
  };
  const statusIn = (text: string): Status => {
    const status = JSON.parse(text) as Status;
    expect(status).toMatchObject({ kind: "Status", apiVersion: "v1", status: "Failure" });
    return status;
  };

  it.each([
    ["application/json", 3, (object: Bag) => JSON.stringify(object)],
    // A writer and a reader of YAML take most of the time.
    ["application/yaml", 1, (object: Bag) => yamlOf(object)],
  ])("answers mistakes in %s", { timeout: 60_000 + rounds * 10 }, async (type, share, textOf) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(kinds.length - 1), draws, async (index, draw) => {
        const kind = kinds[index] as Kind;
        const { object, where } = brokenOf(kind, draw);
        const { code, text } = await post(pathOf(kind), type, textOf(object));
        if (code === 201) return;
        const status = statusIn(text);
        expect(status.code).toBe(code);
        expect(faultsOf(status, schemasOf(registry, kind), where)).toEqual([]);
      }),
      { numRuns: Math.ceil((rounds * share) / 20) },
    );
    expect(logged).toEqual([]);
  });

  const deep = (depth: number) => `{"kind":"ConfigMap","data":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  it.each([
    ["endless nesting", "application/json", deep(200_000)],
    [
      "endless nesting of what no schema describes",
      "application/json",
      deep(200_000).replace("data", "metadata"),
    ],
    ["text cut short", "application/json", '{"kind":"ConfigMap","metadata":{"name":"a'],
    ["a list", "application/json", "[]"],
    ["null", "application/json", "null"],
    ["a number past all numbers", "application/json", '{"kind":"ConfigMap","immutable":1e999}'],
    ["nothing", "application/json", ""],
    ["too much", "application/json", JSON.stringify({ data: { a: "x".repeat(3 * 1024 * 1024) } })],
    ["bytes that are no text", "application/json", Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    ["no object", "application/yaml", "just words"],
    ["a cycle", "application/yaml", "kind: ConfigMap\ndata: &a\n  b: *a\n"],
    ["an alias of nothing", "application/yaml", "kind: ConfigMap\ndata: *a\n"],
    ["aliases that multiply", "application/yaml", bomb()],
    ["endless nesting of brackets", "application/yaml", deep(3000)],
    ["two documents", "application/yaml", "kind: ConfigMap\n---\nkind: ConfigMap\n"],
    ["tags", "application/yaml", "kind: ConfigMap\ndata: !!set {a, b}\nmetadata: !!js/function 'x'\n"],
    ["tabs", "application/yaml", "kind: ConfigMap\n\tdata: x\n"],
    ["a map as a key", "application/yaml", "kind: ConfigMap\ndata: {? {a: b} : c}\n"],
    ["rubbish", "application/vnd.kubernetes.protobuf", Buffer.from("k8s\0\xff\xff\xff", "latin1")],
    ["a form", "application/x-www-form-urlencoded", "a=b"],
  ])("refuses %s (%s)", async (_what, type, body) => {
    const { code, text } = await post("/api/v1/namespaces/default/configmaps", type, body);
    expect([code, text, logged.splice(0)]).toEqual([
      expect.toSatisfy((one) => [400, 413, 415, 422].includes(one)),
      text,
      [],
    ]);
    expect(statusIn(text).code).toBe(code);
  });
});

/** What nests too deep for the writer of YAML is sent as JSON, which is YAML too. */
function yamlOf(object: Bag): string {
  try {
    return stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 });
  } catch {
    return JSON.stringify(object);
  }
}

/** Nine times nine times nine: nothing to write, and more than fits in memory to read. */
function bomb(): string {
  const lines = ["a0: &a0 [x]"];
  for (let level = 1; level < 12; level++)
    lines.push(
      `a${level}: &a${level} [${Array<string>(9)
        .fill(`*a${level - 1}`)
        .join(", ")}]`,
    );
  return `kind: ConfigMap\n${lines.join("\n")}\n`;
}
