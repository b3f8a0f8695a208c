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
/** Timers of the clock's are not among the resources that keep a process alive: they are counted here. */
const timers = new Set();
const clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, ms);
    timer.unref();
    timers.add(timer);
    return () => {
      timers.delete(timer);
      clearTimeout(timer);
    };
  },
};
/** Node tells of an emitter that gathers listeners. */
const warnings = [];
process.on("warning", ({ name, message }) => warnings.push(`${name}: ${message}`));
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
  process.send({
    rss,
    heapUsed,
    active,
    timers: timers.size,
    warnings,
    stats: gateway.stats(),
    inFlight: gateway.inFlight().size,
  });
});
process.on("disconnect", () => process.exit(0));
process.send({ port: gateway.addresses()[0].port });
