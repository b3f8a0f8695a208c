/**
 * Writers with a memory: each has ConfigMaps of its own and one write under way, so what may be found afterwards is
 * exactly what was acknowledged last, or the one write that was not answered yet.
 */
import { apiClient } from "./api.mjs";
import { makeDice } from "./dice.mjs";

const configMaps = "/api/v1/namespaces/default/configmaps";
const mapsEach = 5;
const label = "drydock.dev/crash";
/** What a deleted or never made ConfigMap counts as. */
const gone = "gone";

export function makeLedger() {
  /** name -> { value, version, uid } as acknowledged, and `pending`, the value of a write nobody answered. */
  const entries = new Map();
  let highest = 0;
  return {
    entries,
    entry(name) {
      if (!entries.has(name))
        entries.set(name, { value: gone, version: 0, uid: undefined, pending: undefined });
      return entries.get(name);
    },
    saw(version) {
      highest = Math.max(highest, version);
    },
    highest: () => highest,
  };
}

/** Writes until told to stop or until the connection breaks; gives what was acknowledged and what failed oddly. */
export function startWriters({ kubeconfig, count, ledger, seed, round }) {
  let isStopped = false;
  let acknowledged = 0;
  const problems = [];
  const broken = [];

  async function write(number) {
    const client = apiClient(kubeconfig);
    const dice = makeDice(seed * 100 + number);
    try {
      for (let turn = 0; !isStopped; turn += 1) {
        const name = `crash-${number}-${turn % mapsEach}`;
        const entry = ledger.entry(name);
        const isThere = entry.value !== gone;
        const value = isThere && dice.chance(0.1) ? gone : `${round}.${turn}`;
        entry.pending = value;
        const { status, body } = await sendOne(client, name, isThere, value);
        entry.pending = undefined;
        if (status >= 300) {
          problems.push(
            `${value === gone ? "delete" : "write"} of ${name} answered ${status}: ${body?.message ?? body}`,
          );
          return;
        }
        acknowledged += 1;
        remember(ledger, entry, value, body, problems, name);
      }
    } catch (error) {
      broken.push(error.code ?? error.message);
    } finally {
      client.close();
    }
  }

  const done = Promise.all(Array.from({ length: count }, (_, number) => write(number)));
  return {
    async end() {
      isStopped = true;
      await done;
      return { acknowledged, problems, broken };
    },
  };
}

function sendOne(client, name, isThere, value) {
  if (value === gone) return client.call("DELETE", `${configMaps}/${name}`);
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, labels: { [label]: "yes" } },
    data: { value },
  };
  return isThere
    ? client.call("PUT", `${configMaps}/${name}`, object)
    : client.call("POST", configMaps, object);
}

function remember(ledger, entry, value, body, problems, name) {
  if (value === gone) {
    Object.assign(entry, { value, uid: undefined });
    return;
  }
  const version = Number(body.metadata.resourceVersion);
  if (!(version > entry.version)) problems.push(`${name} went from version ${entry.version} to ${version}`);
  Object.assign(entry, { value, version, uid: body.metadata.uid });
  ledger.saw(version);
}

/** Compares what is there with what was acknowledged, and takes it as the new truth. */
export async function checkWrites(client, ledger) {
  const lost = [];
  const problems = [];
  const { status, body } = await client.call(
    "GET",
    `${configMaps}?labelSelector=${encodeURIComponent(label)}`,
  );
  if (status !== 200)
    return { lost, problems: [`the list of ConfigMaps answered ${status}: ${body?.message ?? body}`] };
  const found = new Map(body.items.map((object) => [object.metadata.name, object]));
  for (const name of new Set([...ledger.entries.keys(), ...found.keys()])) {
    const object = found.get(name);
    const entry = ledger.entry(name);
    const value = object?.data.value ?? gone;
    const version = Number(object?.metadata.resourceVersion ?? entry.version);
    if (value !== entry.value && value !== entry.pending) {
      lost.push(
        `${name} is ${value}; acknowledged was ${entry.value}, under way ${entry.pending ?? "nothing"}`,
      );
    } else if (value === entry.value && value !== gone) {
      if (version !== entry.version)
        problems.push(`${name} has version ${version}, acknowledged was ${entry.version}`);
      if (object.metadata.uid !== entry.uid) problems.push(`${name} has another uid than was acknowledged`);
    } else if (version < entry.version) {
      problems.push(`${name} went from version ${entry.version} back to ${version}`);
    }
    Object.assign(entry, { value, version, uid: object?.metadata.uid, pending: undefined });
  }
  const listed = Number(body.metadata.resourceVersion);
  if (listed < ledger.highest()) problems.push(`versions went from ${ledger.highest()} back to ${listed}`);
  ledger.saw(listed);
  return { lost, problems };
}
