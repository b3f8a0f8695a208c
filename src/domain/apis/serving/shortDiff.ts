// What changed between two values that must not, field by field, in the short form Knative shows it:
// `{v1.RevisionSpec}.PodSpec.Containers[0].Image:` and below it the old value and the new.
import { equalJson } from "../schema/index.js";

type Members = { readonly [name: string]: unknown };

/** Empty when nothing differs. `root` is the type's name as upstream's struct has it. */
export function shortDiff(
  root: "{*v1.RevisionTemplateSpec}" | "{v1.RevisionSpec}",
  old: unknown,
  now: unknown,
): string {
  const differences: string[] = [];
  const spec = root === "{v1.RevisionSpec}" ? root : `${root}.Spec`;
  compare({ spec, differences }, root, old, now, "struct");
  return differences.join("");
}

interface Walk {
  /** Where the revision's spec is: most of its fields belong to the pod within. */
  readonly spec: string;
  readonly differences: string[];
}

/** Maps have keys of the user's, structs have fields; lists and plain values speak for themselves. */
type Shape = "struct" | "map";

const maps: ReadonlySet<string> = new Set([
  "labels",
  "annotations",
  "nodeSelector",
  "limits",
  "requests",
  "matchLabels",
  "volumeAttributes",
]);

const knativeFields: ReadonlySet<string> = new Set([
  "buildName",
  "containerConcurrency",
  "timeoutSeconds",
  "responseStartTimeoutSeconds",
  "idleTimeoutSeconds",
]);

/** Scalars that Go keeps behind a pointer; the path says so. */
const pointers: ReadonlySet<string> = new Set([
  "containerConcurrency",
  "timeoutSeconds",
  "responseStartTimeoutSeconds",
  "idleTimeoutSeconds",
  "enableServiceLinks",
  "automountServiceAccountToken",
  "runtimeClassName",
  "shareProcessNamespace",
  "runAsUser",
  "runAsGroup",
  "runAsNonRoot",
  "fsGroup",
  "privileged",
  "allowPrivilegeEscalation",
  "readOnlyRootFilesystem",
  "mountPropagation",
  "optional",
  "defaultMode",
]);

/** Fields of a struct that the named one has within itself. */
const embedded: { readonly [field: string]: string } = {
  httpGet: "ProbeHandler.HTTPGet",
  tcpSocket: "ProbeHandler.TCPSocket",
  exec: "ProbeHandler.Exec",
  grpc: "ProbeHandler.GRPC",
  secret: "VolumeSource.Secret",
  configMap: "VolumeSource.ConfigMap",
  projected: "VolumeSource.Projected",
  emptyDir: "VolumeSource.EmptyDir",
  persistentVolumeClaim: "VolumeSource.PersistentVolumeClaim",
  hostIPC: "HostIPC",
  hostPID: "HostPID",
  dnsConfig: "DNSConfig",
  dnsPolicy: "DNSPolicy",
  tty: "TTY",
};

function compare(walk: Walk, path: string, old: unknown, now: unknown, shape: Shape): void {
  if (equalJson(old, now)) return;
  if (Array.isArray(old) && Array.isArray(now)) {
    for (let index = 0; index < Math.max(old.length, now.length); index++) {
      if (index >= old.length) report(walk, `${path}[?->${index}]`, undefined, now[index]);
      else if (index >= now.length) report(walk, `${path}[${index}->?]`, old[index], undefined);
      else compare(walk, `${path}[${index}]`, old[index], now[index], "struct");
    }
  } else if (isMembers(old) && isMembers(now)) {
    for (const name of new Set([...Object.keys(old), ...Object.keys(now)]))
      compareMember(walk, path, name, old[name], now[name], shape);
  } else report(walk, path, old, now);
}

function compareMember(
  walk: Walk,
  path: string,
  name: string,
  old: unknown,
  now: unknown,
  shape: Shape,
): void {
  if (equalJson(old, now)) return;
  // What a map lacks is not there; what a struct lacks is there and empty.
  if (shape === "map") {
    compare(walk, `${path}[${JSON.stringify(name)}]`, old, now, "struct");
    return;
  }
  const field = `${path}.${fieldName(walk, path, name)}`;
  const inner = maps.has(name) ? "map" : "struct";
  if (pointers.has(name)) report(walk, `*${field}`, old ?? "<nil>", now ?? "<nil>");
  else compare(walk, field, old ?? zero(now), now ?? zero(old), inner);
}

function fieldName(walk: Walk, path: string, name: string): string {
  const own = embedded[name] ?? `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  if (path === walk.spec && !knativeFields.has(name)) return `PodSpec.${own}`;
  if (path !== walk.spec && `${path}.Spec` === walk.spec && name === "metadata") return "ObjectMeta";
  return own;
}

function zero(other: unknown): unknown {
  if (Array.isArray(other)) return [];
  if (isMembers(other)) return {};
  return typeof other === "string" ? "" : typeof other === "boolean" ? false : 0;
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function report(walk: Walk, path: string, old: unknown, now: unknown): void {
  const removed = old === undefined ? "" : `\t-: "${shown(old)}"\n`;
  const added = now === undefined ? "" : `\t+: "${shown(now)}"\n`;
  walk.differences.push(`${path}:\n${removed}${added}`);
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
