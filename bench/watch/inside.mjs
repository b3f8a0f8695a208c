// The same within one process: watchers that are iterators of the server's own client, objects and no text.
import { fromDist } from "../dist.mjs";
import { observe } from "./observe.mjs";

const job = JSON.parse(process.argv[2]);
const { createRegistry, localClient } = await fromDist("apiserver/index.js");
const { memoryStore } = await fromDist("adapters/store/index.js");
const { systemClock, systemRandom } = await fromDist("adapters/clock/index.js");
const { allKinds } = await fromDist("domain/apis/kinds.js");
const { ConfigMap } = await fromDist("domain/apis/core/config.types.js");

const registry = await createRegistry({
  ...{ store: memoryStore(), clock: systemClock(), random: systemRandom, kinds: allKinds },
});
const client = localClient(registry, { name: "bench", groups: ["system:masters"] });
const metadata = { name: "watched", namespace: "default" };
const text = "x".repeat(900);
const made = await client.create(ConfigMap, { metadata, data: { text, n: "0" } });
const seen = observe(job, (n) =>
  client.update(ConfigMap, { apiVersion: "v1", kind: "ConfigMap", metadata, data: { text, n: `${n}` } }),
);
const stop = new AbortController();
for (let at = 0; at < job.watchers; at += 1) {
  const hear = seen.watcher();
  const within = { namespace: "default", fieldSelector: "metadata.name=watched" };
  void (async () => {
    for await (const _ of client.watch(ConfigMap, made.metadata.resourceVersion, stop.signal, within)) hear();
  })();
}
await seen.run();
setInterval(() => {}, 1000);
