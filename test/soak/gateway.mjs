// The built gateway in a process of its own, two pods behind it, telling what it holds whenever asked.
import { createServer } from "node:http";
import { compileRoutes, startGateway } from "../../dist/dataplane/index.js";

const pods = await Promise.all(
  [0, 1].map(
    () =>
      new Promise((resolve) => {
        const server = createServer((request, response) => request.pipe(response));
        server.keepAliveTimeout = 120_000;
        server.listen(0, "127.0.0.1", () => resolve(server.address().port));
      }),
  ),
);
const metadata = (name) => ({ name, namespace: "default" });
const { table } = compileRoutes({
  virtualServices: [
    {
      metadata: metadata("model"),
      spec: {
        gateways: ["knative-serving/knative-ingress-gateway"],
        hosts: ["model.test"],
        http: [{ route: [{ destination: { host: "model", port: { number: 80 } } }] }],
      },
    },
  ],
  services: [{ metadata: metadata("model"), spec: { ports: [{ name: "http", port: 80 }] } }],
  endpoints: [
    {
      metadata: metadata("model-private"),
      subsets: pods.map((port) => ({
        addresses: [{ ip: "127.0.0.1" }],
        ports: [{ name: "http", port }],
      })),
    },
  ],
  revisions: [{ metadata: metadata("model"), spec: { containerConcurrency: 0, timeoutSeconds: 300 } }],
});
const clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
const gateway = await startGateway({
  listeners: [{ name: "external", host: "127.0.0.1", port: 0 }],
  random: Math.random,
  clock,
  table,
  onStats: () => {},
});

process.on("message", () => {
  globalThis.gc?.();
  const active = {};
  for (const kind of process.getActiveResourcesInfo()) active[kind] = (active[kind] ?? 0) + 1;
  const { rss, heapUsed } = process.memoryUsage();
  process.send({ rss, heapUsed, active, stats: gateway.stats(), inFlight: gateway.inFlight().size });
});
process.on("disconnect", () => process.exit(0));
process.send({ port: gateway.addresses()[0].port });
