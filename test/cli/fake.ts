// A context for commands without a machine: a terminal that remembers, an API that answers from a table.

import type { Api, ApiRequest, Context, Instance, Terminal } from "../../src/cli/index.js";
import { runCli } from "../../src/cli/index.js";
import { PortError, type PortErrorReason } from "../../src/ports/index.js";
import { fakeClock } from "../world/index.js";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly requests: readonly ApiRequest[];
}

export const instance: Instance = {
  pid: 4711,
  startedAt: "2026-01-01T00:00:00.000Z",
  version: "0.1.0",
  api: { url: "https://127.0.0.1:16443" },
  gateway: { url: "http://127.0.0.1:18080", localUrl: "http://127.0.0.1:18081", pid: 4712 },
  kubeconfig: "/home/ada/.drydock/kubeconfig",
  dataDir: "/home/ada/.drydock",
};

export interface FakeOptions {
  /** By `METHOD path`; a function sees the request. What is not there is refused as NotFound. */
  readonly answers?: Readonly<Record<string, unknown>>;
  readonly stdin?: string;
  readonly running?: boolean;
  readonly context?: Partial<Context>;
}

/** Runs the words as the command line would, and tells what came of it. */
export async function drydock(words: readonly string[], options: FakeOptions = {}): Promise<Ran> {
  let out = "";
  let err = "";
  const requests: ApiRequest[] = [];
  const terminal: Terminal = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    pipe: async (chunk) => {
      out += Buffer.from(chunk).toString("utf8");
    },
    readStdin: async () => options.stdin ?? "",
    outIsTty: false,
    errIsTty: false,
    columns: 100,
    outColors: false,
    errColors: false,
  };
  const answer = (request: ApiRequest): unknown => {
    requests.push(request);
    const found = { ...discovery, ...options.answers }[`${request.method ?? "GET"} ${request.path}`];
    const value = typeof found === "function" ? (found as (asked: ApiRequest) => unknown)(request) : found;
    if (value === undefined) throw refusal("NotFound", `nothing at ${request.path}`);
    if (value instanceof Error) throw value;
    return value;
  };
  const api: Api = {
    server: instance.api.url,
    request: async (request) => answer(request),
    stream: async (request) => answer(request) as AsyncIterable<Uint8Array>,
    close: () => {},
  };
  const never = async (): Promise<never> => {
    throw new Error("this test has no such thing");
  };
  const context: Context = {
    terminal,
    clock: fakeClock(),
    version: "0.1.0",
    env: {},
    cwd: "/",
    userHome: "/home/ada",
    examples: "/examples",
    signal: new AbortController().signal,
    instances: {
      home: instance.dataDir,
      find: async () => (options.running === false ? undefined : instance),
      connect: async () => api,
      kubeconfig: never,
      start: never,
      startDetached: never,
      stop: never,
      startPrivate: never,
    },
    callModel: never,
    runtimes: never,
    tools: never,
    ...options.context,
  };
  const code = await runCli(words, context);
  return { code, out, err, requests };
}

/** A refusal as the server words it. */
export function refusal(reason: PortErrorReason, message: string): PortError {
  return new PortError(reason, message, { status: { kind: "Status", reason, message } });
}

/** A stream of watch events. */
export async function* events(...all: readonly unknown[]): AsyncIterable<Uint8Array> {
  for (const event of all) yield Buffer.from(`${JSON.stringify(event)}\n`);
}

function group(name: string, version: string, resources: readonly object[]) {
  return { metadata: { name }, versions: [{ version, resources }] };
}

function resource(kind: string, plural: string, shortNames: readonly string[], more: object = {}) {
  const singularResource = kind.toLowerCase();
  return {
    resource: plural,
    responseKind: { kind },
    scope: "Namespaced",
    singularResource,
    shortNames,
    ...more,
  };
}

const discovery: Readonly<Record<string, unknown>> = {
  "GET /api": {
    items: [
      group("", "v1", [
        resource("Pod", "pods", ["po"], { categories: ["all"] }),
        resource("Service", "services", ["svc"], { categories: ["all"] }),
        resource("Event", "events", ["ev"]),
        resource("Namespace", "namespaces", ["ns"], { scope: "Cluster" }),
      ]),
    ],
  },
  "GET /apis": {
    items: [
      group("apps", "v1", [resource("Deployment", "deployments", ["deploy"], { categories: ["all"] })]),
      group("serving.knative.dev", "v1", [resource("Service", "services", ["kservice", "ksvc"])]),
      group("serving.kserve.io", "v1beta1", [resource("InferenceService", "inferenceservices", ["isvc"])]),
    ],
  },
};
