// The gateway as it runs: a thousand InferenceServices in the table, two pods behind the one that is asked.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [port, dist, grpcPort, ...podPorts] = process.argv.slice(2);
const fromDist = (path) => import(pathToFileURL(resolve(dist, path)).href);
const { compileRoutes, startGateway } = await fromDist("dataplane/index.js");
const { bindLightly } = await fromDist("cmd/bindLightly.js");
bindLightly();

const external = "knative-serving/knative-ingress-gateway";
const local = "knative-serving/knative-local-gateway";
const virtualServices = [];
const services = [];
const endpoints = [];
const revisions = [];
/** As KServe makes it: with the limits that are counted and timed for each request. The pods are its private Endpoints'. */
function revisionOf(name, portName, pods) {
  services.push({
    metadata: { name, namespace: "default" },
    spec: { ports: [{ name: portName, port: 80 }] },
  });
  endpoints.push({
    metadata: { name: `${name}-private`, namespace: "default" },
    subsets: pods.map((port) => ({
      addresses: [{ ip: "127.0.0.1", targetRef: { name: `${name}-${port}` } }],
      ports: [{ name: portName, port: Number(port) }],
    })),
  });
  revisions.push({
    metadata: { name, namespace: "default" },
    spec: { containerConcurrency: 100, timeoutSeconds: 300 },
  });
}
for (let index = 0; index < 1000; index += 1) {
  const name = index === 0 ? "iris" : `model-${index}`;
  const revision = `${name}-predictor-00001`;
  const predictor = `${name}-predictor.default.svc.cluster.local`;
  virtualServices.push(
    {
      metadata: { name, namespace: "default" },
      spec: {
        gateways: [local, "mesh", external],
        hosts: [`${name}.default.svc.cluster.local`, `${name}.default.example.com`],
        http: [
          {
            match: [
              {
                authority: { regex: `^${name}\\.default\\.example\\.com(?::\\d{1,5})?$` },
                gateways: [external],
              },
              {
                authority: { regex: `^${name}\\.default(\\.svc(\\.cluster\\.local)?)?(?::\\d{1,5})?$` },
                gateways: [local, "mesh"],
              },
            ],
            route: [
              {
                destination: {
                  host: "knative-local-gateway.istio-system.svc.cluster.local",
                  port: { number: 80 },
                },
                headers: {
                  request: {
                    set: { Host: predictor, "KServe-Isvc-Name": name, "KServe-Isvc-Namespace": "default" },
                  },
                },
              },
            ],
          },
        ],
      },
    },
    {
      metadata: { name: `${name}-predictor-mesh`, namespace: "default" },
      spec: {
        gateways: ["mesh"],
        hosts: [predictor],
        http: [
          {
            headers: { request: { set: { "K-Network-Hash": "0123456789abcdef" } } },
            route: [
              {
                destination: { host: `${revision}.default.svc.cluster.local`, port: { number: 80 } },
                headers: {
                  request: {
                    set: { "Knative-Serving-Namespace": "default", "Knative-Serving-Revision": revision },
                  },
                },
              },
            ],
            timeout: "600s",
          },
        ],
      },
    },
  );
  revisionOf(revision, "http", podPorts);
}
// One more that speaks gRPC.
virtualServices.push({
  metadata: { name: "grpc", namespace: "default" },
  spec: {
    gateways: [external],
    hosts: ["grpc.default.example.com"],
    http: [{ route: [{ destination: { host: "grpc.default.svc.cluster.local", port: { number: 80 } } }] }],
  },
});
revisionOf("grpc", "h2c", [grpcPort]);
const began = performance.now();
const { table, problems } = compileRoutes({ virtualServices, services, endpoints, revisions });
const tookMs = performance.now() - began;
// What the gateway mostly sees: one revision's pods have changed.
endpoints[5] = { ...endpoints[5], subsets: [] };
const again = performance.now();
compileRoutes({ virtualServices, services, endpoints, revisions }, table);
const againMs = performance.now() - again;
if (problems.length > 0) throw new Error(JSON.stringify(problems[0]));
const clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
await startGateway({
  listeners: [{ name: "external", host: "127.0.0.1", port: Number(port) }],
  random: Math.random,
  clock,
  table,
  // As in service: each second it says what every revision had in flight.
  onStats: () => {},
  http: process.env.DRYDOCK_GATEWAY_HTTP === "node" ? "node" : "net",
});
process.stdout.write(
  `ready compiled 1000 services in ${tookMs.toFixed(1)} ms, after a change in ${againMs.toFixed(1)} ms\n`,
);
