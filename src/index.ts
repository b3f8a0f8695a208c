/**
 * Drydock as a library: a private instance in memory, for a test or a script. Several live side by side.
 *
 *     const drydock = await start();
 *     await drydock.apply(readFileSync("model.yaml", "utf8"));
 *     const service = await drydock.ready("inferenceservice/iris");
 *     const answer = await fetch(`${drydock.gatewayUrl}/serving/default/iris/v1/models/iris:predict`, { ... });
 *     await drydock.dispose();
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { silentLog } from "./adapters/log/index.js";
import { startEmbedded } from "./cmd/embedded.js";
import { kubeconfigText } from "./cmd/kubeconfigText.js";
import { apiVersionOf, type Kind, type Resource } from "./domain/apis/kind.js";
import { allKinds } from "./domain/apis/kinds.js";
import { conditionOf } from "./domain/apis/meta/judgement.js";
import type { Condition } from "./domain/apis/meta/meta.types.js";
import { type Client, type Log, PortError } from "./ports/index.js";

export type { Resource } from "./domain/apis/kind.js";
export { type Client, type Log, PortError } from "./ports/index.js";

export interface StartOptions {
  /** Kept here and found again at the next start; without it nothing outlives `dispose`. */
  readonly home?: string;
  /** Where model runtimes are installed and found; `~/.drydock` unless told. */
  readonly runtimesHome?: string;
  readonly log?: Log;
}

export interface Drydock {
  /** The Kubernetes API, for kubectl and other clients. */
  readonly apiUrl: string;
  /** Where requests to models go: by Host, or by path below /serving/NAMESPACE/NAME. */
  readonly gatewayUrl: string;
  readonly client: Client;
  /** Where its files are. */
  readonly home: string;
  /** As text: works with kubectl, client-go and Python. */
  readonly kubeconfig: string;
  /** Server-side apply of YAML, JSON text or objects; gives them back as stored. */
  apply(manifests: string | object | readonly object[]): Promise<readonly Resource[]>;
  /** Waits for `kind/name` to be Ready. Rejects with the condition's own words when it fails or takes too long. */
  ready(
    reference: string,
    options?: { readonly namespace?: string; readonly timeoutMs?: number },
  ): Promise<Resource>;
  /** Ends every process and removes every file of a private instance. */
  dispose(): Promise<void>;
}

const fieldManager = "drydock";
const readyWithinMs = 60_000;

export async function start(options: StartOptions = {}): Promise<Drydock> {
  const embedded = await startEmbedded({
    ...(options.home === undefined ? {} : { home: options.home }),
    runtimesHome: options.runtimesHome ?? process.env["DRYDOCK_HOME"] ?? join(homedir(), ".drydock"),
    gateway: "inside",
    log: options.log ?? silentLog,
  });
  const { client } = embedded;
  return {
    apiUrl: embedded.api.url,
    gatewayUrl: embedded.gateway().url,
    home: embedded.home,
    kubeconfig: kubeconfigText({ server: embedded.api.url, ...embedded.api }),
    client,
    apply: (manifests) => Promise.all(parsed(manifests).map((manifest) => applyOne(client, manifest))),
    ready: (reference, { namespace = "default", timeoutMs = readyWithinMs } = {}) =>
      waitReady(client, reference, namespace, timeoutMs),
    dispose: () => embedded.close(),
  };
}

function parsed(manifests: string | object | readonly object[]): readonly Resource[] {
  if (typeof manifests !== "string")
    return (Array.isArray(manifests) ? manifests : [manifests]) as readonly Resource[];
  return parseAllDocuments(manifests).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new PortError("BadRequest", `the manifest is not YAML: ${error.message}`);
    const value: unknown = document.toJS();
    return value === null ? [] : [value as Resource];
  });
}

async function applyOne(client: Client, manifest: Resource): Promise<Resource> {
  const kind = allKinds.find(
    (one) => one.kind === manifest.kind && versionsOf(one).includes(manifest.apiVersion),
  );
  if (kind === undefined) {
    throw new PortError(
      "NotFound",
      `no matches for kind "${manifest.kind}" in version "${manifest.apiVersion}"`,
    );
  }
  const namespace = kind.namespaced ? (manifest.metadata.namespace ?? "default") : "";
  const key = { namespace, name: manifest.metadata.name };
  return client.patch(
    kind,
    key,
    { ...manifest, apiVersion: apiVersionOf(kind) },
    { type: "apply", fieldManager, force: true },
  );
}

function versionsOf(kind: Kind): readonly string[] {
  return [kind.version, ...kind.alsoServedAs].map((version) => apiVersionOf({ group: kind.group, version }));
}

async function waitReady(
  client: Client,
  reference: string,
  namespace: string,
  timeoutMs: number,
): Promise<Resource> {
  const [word = "", name = ""] = reference.split("/");
  const kind = allKinds.find((one) =>
    [one.singular, one.plural, ...one.shortNames].includes(word.toLowerCase()),
  );
  if (kind === undefined)
    throw new PortError("NotFound", `the server doesn't have a resource type "${word}"`);
  const stop = AbortSignal.timeout(timeoutMs);
  const page = await client.list(kind, { namespace, fieldSelector: `metadata.name=${name}` });
  let last = page.items[0];
  if (last !== undefined && verdictOf(last)?.status === "True") return last;
  for await (const event of client.watch(kind, page.resourceVersion, stop, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
  })) {
    if (event.type !== "ADDED" && event.type !== "MODIFIED") continue;
    last = event.object;
    const ready = verdictOf(last);
    if (ready?.status === "True") return last;
    if (ready?.status === "False")
      throw new PortError("Invalid", `${reference} is not ready: ${ready.reason}: ${ready.message}`);
  }
  const ready = last === undefined ? undefined : verdictOf(last);
  const known =
    ready === undefined
      ? "it does not exist"
      : `${ready.status} ${ready.reason ?? ""} ${ready.message ?? ""}`.trim();
  throw new PortError("Timeout", `${reference} was not ready within ${timeoutMs / 1000} s: ${known}`);
}

function verdictOf(object: Resource): Condition | undefined {
  const { status, metadata } = object as Resource & {
    readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] };
  };
  return status?.observedGeneration === metadata.generation ? conditionOf({ status }, "Ready") : undefined;
}
