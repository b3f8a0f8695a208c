// `drydock logs`: what a container wrote; a model's name is enough to find it.
import { type AnyObject, getObject, listObjects, pathOf, pods } from "../api/resources.js";
import type { Api, Context } from "../context.js";
import { CliError, usageError } from "../errors.js";
import { withApi } from "../session.js";
import { defaultNamespace } from "../targets.js";
import { parseDuration } from "../time.js";

export interface LogsOptions {
  readonly namespace?: string;
  readonly container?: string;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly tail?: number;
  readonly since?: string;
  readonly timestamps?: boolean;
}

interface ContainerStatus {
  readonly name: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string };
    readonly running?: unknown;
    readonly terminated?: unknown;
  };
  readonly lastState?: { readonly terminated?: unknown };
}

export async function logs(context: Context, word: string, options: LogsOptions): Promise<void> {
  const since = options.since === undefined ? undefined : parseDuration(options.since);
  if (options.since !== undefined && since === undefined) {
    throw usageError(`invalid --since "${options.since}": write a duration such as 90s, 10m or 1h30m.`);
  }
  const { terminal, signal } = context;
  await withApi(context, async (api) => {
    const namespace = options.namespace ?? defaultNamespace;
    const pod = await findPod(context, api, namespace, word);
    const container = options.container ?? chooseContainer(context, pod);
    const chunks = await api.stream({
      path: `${pathOf(pods, namespace, pod.metadata.name)}/log`,
      query: {
        container,
        follow: options.follow || undefined,
        previous: options.previous || undefined,
        timestamps: options.timestamps || undefined,
        // As upstream, a negative number means all of it.
        tailLines: options.tail === undefined || options.tail < 0 ? undefined : options.tail,
        sinceSeconds: since === undefined ? undefined : Math.max(1, Math.ceil(since / 1000)),
      },
      accept: "*/*",
      signal,
    });
    for await (const chunk of chunks) await terminal.pipe(chunk);
  });
}

const podLabels: Readonly<Record<string, string>> = {
  isvc: "serving.kserve.io/inferenceservice",
  inferenceservice: "serving.kserve.io/inferenceservice",
  inferenceservices: "serving.kserve.io/inferenceservice",
  ksvc: "serving.knative.dev/service",
  revision: "serving.knative.dev/revision",
  rev: "serving.knative.dev/revision",
};

async function findPod(context: Context, api: Api, namespace: string, word: string): Promise<AnyObject> {
  const [kind, name] = word.includes("/") ? word.split("/") : ["pod", word];
  if (!kind || !name) throw usageError(`"${word}" must be POD or KIND/NAME, such as isvc/iris.`);
  if (["pod", "pods", "po"].includes(kind)) return getObject(api, pods, namespace, name);
  const label = podLabels[kind.split(".")[0]?.toLowerCase() ?? ""];
  if (label === undefined) {
    throw usageError(`logs are found by pod, isvc, ksvc or revision, not by "${kind}".`);
  }
  const list = await listObjects(api, pods, namespace, { labelSelector: `${label}=${name}` });
  const newest = [...list.items].sort((a, b) => (created(a) < created(b) ? 1 : -1))[0];
  if (newest === undefined) {
    throw new CliError(
      `${word} has no pods in namespace ${namespace}. See \`drydock describe ${kind} ${name}\`.`,
    );
  }
  if (list.items.length > 1) {
    context.terminal.err(`Found ${list.items.length} pods, using pod/${newest.metadata.name}\n`);
  }
  return newest;
}

function created(object: AnyObject): string {
  return object.metadata.creationTimestamp ?? "";
}

function chooseContainer({ terminal }: Context, pod: AnyObject): string {
  const containers = names(pod.spec?.["containers"]);
  const inits = names(pod.spec?.["initContainers"]);
  const marked = pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"];
  const chosen = marked !== undefined && containers.includes(marked) ? marked : (containers[0] ?? "");
  const init = waitingFor(pod, chosen);
  if (init !== undefined) {
    terminal.err(`Container "${chosen}" has not started yet: showing "${init}"\n`);
    return init;
  }
  const all = [...containers, ...inits.map((name) => `${name} (init)`)];
  if (containers.length > 1) terminal.err(`Defaulted container "${chosen}" out of: ${all.join(", ")}\n`);
  return chosen;
}

/** The init container that stands before a container which never ran: what there is to read is there. */
function waitingFor(pod: AnyObject, container: string): string | undefined {
  const statuses = (pod.status?.["containerStatuses"] ?? []) as readonly ContainerStatus[];
  const own = statuses.find(({ name }) => name === container)?.state;
  if (own?.waiting?.reason !== "PodInitializing") return undefined;
  const inits = (pod.status?.["initContainerStatuses"] ?? []) as readonly ContainerStatus[];
  return inits.findLast(
    ({ state, lastState }) => state?.running ?? state?.terminated ?? lastState?.terminated,
  )?.name;
}

function names(containers: unknown): readonly string[] {
  return ((containers ?? []) as readonly { readonly name: string }[]).map(({ name }) => name);
}
