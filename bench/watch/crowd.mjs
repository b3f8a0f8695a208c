// The watchers and the writer of the watch benchmark, over HTTPS, in one process with one clock.
import { apiClient } from "../client.mjs";
import { observe } from "./observe.mjs";

const { port, ca, token, ...job } = JSON.parse(process.argv[2]);
const api = apiClient({ port, ca, token });
const maps = "/api/v1/namespaces/default/configmaps";
const name = `watched-${process.pid}`;
const text = "x".repeat(900);
const { metadata } = await api.call("POST", maps, { metadata: { name }, data: { text, n: "0" } });

const from = `watch=true&resourceVersion=${metadata.resourceVersion}&fieldSelector=metadata.name%3D${name}`;
const seen = observe(job, (n) =>
  api.call("PUT", `${maps}/${name}`, {
    ...{ apiVersion: "v1", kind: "ConfigMap" },
    metadata: { name },
    data: { text, n: `${n}` },
  }),
);
// Some at a time: the handshakes of a thousand at once would only wait for each other.
for (let opened = 0; opened < job.watchers; opened += 25) {
  const some = Array.from({ length: Math.min(25, job.watchers - opened) }, () => {
    const hear = seen.watcher();
    // An event is a line, so counting the ends of lines counts events.
    return api.stream(`${maps}?${from}`, (bytes) => {
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) hear();
    });
  });
  await Promise.all(some);
}
await seen.run();
setInterval(() => {}, 1000);
