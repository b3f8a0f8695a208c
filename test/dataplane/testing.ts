// The gateway's tests: the literal objects of the debug guide, small ones to vary, and a world of real sockets.
import {
  type Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
} from "node:http";
import {
  type AddressInfo,
  connect,
  createServer as createTcp,
  type Socket,
  type Server as TcpServer,
} from "node:net";
import { compileRoutes } from "../../src/dataplane/gateway/compile.js";
import type {
  EndpointsInput,
  GatewayInput,
  ServiceInput,
  VirtualServiceInput,
} from "../../src/dataplane/gateway/inputs.js";
import type { FrontLimits } from "../../src/dataplane/gateway/limits.js";
import { type Gateway, type StartGateway, startGateway } from "../../src/dataplane/gateway/listen.js";
import type { RouteTable } from "../../src/dataplane/gateway/table.js";
import type { ProxyLimits } from "../../src/dataplane/proxy/index.js";
import type { Clock } from "../../src/ports/index.js";

export const external = "knative-serving/knative-ingress-gateway";
export const local = "knative-serving/knative-local-gateway";

/** The InferenceService's VirtualService exactly as the debug guide prints it. */
export const seedTop: VirtualServiceInput = {
  metadata: { name: "sklearn-iris", namespace: "default" },
  spec: {
    gateways: ["knative-ingress-gateway.knative-serving", "knative-serving/cluster-local-gateway"],
    hosts: ["sklearn-iris.default.example.com", "sklearn-iris.default.svc.cluster.local"],
    http: [
      {
        match: [
          {
            authority: { regex: "^sklearn-iris.default\\.default\\.example\\.com(?::\\d{1,5})?$" },
            gateways: ["knative-ingress-gateway.knative-serving"],
            uri: { prefix: "/v1/models/sklearn-iris:predict" },
          },
          {
            authority: { regex: "^sklearn-iris\\.default(\\.svc(\\.cluster\\.local)?)?(?::\\d{1,5})?$" },
            gateways: ["knative-serving/cluster-local-gateway"],
            uri: { prefix: "/v1/models/sklearn-iris:predict" },
          },
        ],
        retries: { attempts: 3, perTryTimeout: "600s" },
        route: [
          {
            destination: {
              host: "cluster-local-gateway.istio-system.svc.cluster.local",
              port: { number: 80 },
            },
            headers: {
              request: { set: { Host: "sklearn-iris-predictor-default.default.svc.cluster.local" } },
            },
            weight: 100,
          },
        ],
      } as never,
    ],
  },
};

/** The Knative route's, as printed there. */
export const seedMesh: VirtualServiceInput = {
  metadata: { name: "sklearn-iris-predictor-default-mesh", namespace: "default" },
  spec: {
    gateways: ["mesh"],
    hosts: [
      "sklearn-iris-predictor-default.default",
      "sklearn-iris-predictor-default.default.svc",
      "sklearn-iris-predictor-default.default.svc.cluster.local",
    ],
    http: [
      {
        headers: { request: { set: { "K-Network-Hash": "dee002f4a2db24e3827d8088b7ddacf3" } } },
        match: [{ authority: { prefix: "sklearn-iris-predictor-default.default" }, gateways: ["mesh"] }],
        retries: { attempts: 3, perTryTimeout: "600s", retryOn: "5xx,connect-failure,refused-stream" },
        route: [
          {
            destination: {
              host: "sklearn-iris-predictor-default-fhmjk.default.svc.cluster.local",
              port: { number: 80 },
            },
            headers: {
              request: {
                set: {
                  "Knative-Serving-Namespace": "default",
                  "Knative-Serving-Revision": "sklearn-iris-predictor-default-fhmjk",
                },
              },
            },
            weight: 100,
          },
        ],
        timeout: "600s",
        websocketUpgrade: true,
      } as never,
    ],
  },
};

export function service(name: string, port = 80, portName = "http", extra: object = {}): ServiceInput {
  return {
    metadata: { name, namespace: "default" },
    spec: { type: "ClusterIP", ports: [{ name: portName, port, ...extra }] },
  };
}

/** One subset per pod, as each has its own port. */
export function endpoints(
  name: string,
  ports: readonly number[],
  portName = "http",
  notReady = 0,
): EndpointsInput {
  return {
    metadata: { name, namespace: "default" },
    subsets: [
      ...ports.map((port, index) => ({
        addresses: [{ ip: "127.0.0.1", targetRef: { name: `${name}-pod-${index}` } }],
        ports: [{ name: portName, port }],
      })),
      ...(notReady === 0
        ? []
        : [
            {
              notReadyAddresses: Array.from({ length: notReady }, () => ({ ip: "127.0.0.1" })),
              ports: [{ name: portName, port: 1 }],
            },
          ]),
    ],
  };
}

/** Today's shape of the InferenceService's VirtualService. */
export function isvc(name: string): VirtualServiceInput {
  const set = {
    Host: `${name}-predictor.default.svc.cluster.local`,
    "KServe-Isvc-Name": name,
    "KServe-Isvc-Namespace": "default",
  };
  return {
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
              weight: 100,
              headers: { request: { set } },
            },
          ],
        },
      ],
    },
  };
}

/** A Knative route's, split over revisions. */
export function route(
  name: string,
  revisions: Readonly<Record<string, number>>,
  hash = "hash-1",
): VirtualServiceInput {
  return {
    metadata: { name: `${name}-mesh`, namespace: "default" },
    spec: {
      gateways: ["mesh"],
      hosts: [`${name}.default`, `${name}.default.svc`, `${name}.default.svc.cluster.local`],
      http: [
        {
          headers: { request: { set: { "K-Network-Hash": hash } } },
          match: [{ authority: { prefix: `${name}.default` }, gateways: ["mesh"] }],
          route: Object.entries(revisions).map(([revision, weight]) => ({
            destination: { host: `${revision}.default.svc.cluster.local`, port: { number: 80 } },
            headers: {
              request: {
                set: { "Knative-Serving-Namespace": "default", "Knative-Serving-Revision": revision },
              },
            },
            weight,
          })),
          timeout: "600s",
        },
      ],
    },
  };
}

/** A VirtualService of one rule on both gateways, to vary. */
export function plain(name: string, hosts: readonly string[], rule: object): VirtualServiceInput {
  return {
    metadata: { name, namespace: "default" },
    spec: { gateways: [external, "mesh"], hosts, http: [rule] },
  };
}

/** A Gateway of the external gateway's pods, beside those that Knative brings. */
export function gateway(
  name: string,
  servers: readonly object[],
  labels = { istio: "ingressgateway" },
): GatewayInput {
  return { metadata: { name, namespace: "knative-serving" }, spec: { selector: labels, servers } };
}

export const plainServer = { hosts: ["*"], port: { name: "http", number: 80, protocol: "HTTP" } };

export const tlsServer = {
  hosts: ["*"],
  port: { name: "https", number: 443, protocol: "HTTPS" },
  tls: { mode: "SIMPLE", credentialName: "cert" },
};

/** A gateway, pods and clients on real sockets; everything it opened is closed with it. */
export class World {
  /** What the gateway said about certificates. */
  readonly told: string[] = [];
  private readonly closing: (() => unknown)[] = [];
  private deadPorts = 0;

  async dispose(): Promise<void> {
    for (const close of this.closing.splice(0).reverse()) await close();
  }

  atEnd(close: () => unknown): void {
    this.closing.push(close);
  }

  async pod(answer: RequestListener): Promise<number> {
    const server = createServer(answer);
    await listening(server);
    this.atEnd(() => {
      server.closeAllConnections();
      server.close();
    });
    return portOf(server);
  }

  /** A pod that misbehaves below HTTP. */
  async rawPod(serve: (socket: Socket) => void): Promise<number> {
    const open = new Set<Socket>();
    const server = createTcp((socket) => {
      open.add(socket);
      socket.on("error", () => {});
      serve(socket);
    });
    await listening(server);
    this.atEnd(() => {
      for (const socket of open) socket.destroy();
      server.close();
    });
    return portOf(server);
  }

  /** Says the same bytes to whoever asks. */
  saying(text: string): Promise<number> {
    return this.rawPod((socket) => socket.on("data", () => socket.write(text, "latin1")));
  }

  /** A port that refuses. */
  /** One where nobody listens, nor will: a port that was free a moment ago is soon another test's. */
  deadPort(): number {
    this.deadPorts += 1;
    return this.deadPorts;
  }

  async start(
    table: RouteTable,
    limits: Partial<ProxyLimits & FrontLimits> = {},
    onStats?: StartGateway["onStats"],
    throttlerLimits?: StartGateway["throttlerLimits"],
    random: StartGateway["random"] = () => 0,
  ): Promise<{
    readonly gateway: Gateway;
    readonly port: number;
    readonly localPort: number;
    readonly tlsPort: number;
  }> {
    const gateway = await startGateway({
      listeners: [
        { name: "external", host: "127.0.0.1", port: 0 },
        { name: "local", host: "127.0.0.1", port: 0 },
        { name: "external", host: "127.0.0.1", port: 0, tls: true },
      ],
      random,
      clock: realClock,
      table,
      limits,
      http: process.env["DRYDOCK_GATEWAY_HTTP"] === "node" ? "node" : "net",
      ...(onStats && { onStats }),
      ...(throttlerLimits && { throttlerLimits }),
      onBadCertificate: (message) => this.told.push(message),
    });
    this.atEnd(() => gateway.close({ drainMs: 0 }));
    const [external, local, secure] = gateway.addresses();
    return { gateway, port: external!.port, localPort: local!.port, tlsPort: secure!.port };
  }
}

function listening(server: TcpServer): Promise<void> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
}

export function portOf(server: TcpServer): number {
  return (server.address() as AddressInfo).port;
}

export const realClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** One host, `model.test`, and the pods behind it. */
export function tableFor(
  ports: readonly number[],
  { notReady = 0, portName = "http", rule = {} } = {},
): RouteTable {
  return compileRoutes({
    virtualServices: [
      plain("model", ["model.test"], {
        route: [{ destination: { host: "model", port: { number: 80 } } }],
        ...rule,
      }),
    ],
    services: [service("model", 80, portName)],
    endpoints: [endpoints("model", ports, portName, notReady)],
  }).table;
}

export interface Heard {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly trailers: NodeJS.Dict<string>;
}

export interface Asking {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

export function ask(port: number, options: Asking = {}): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const { method = "GET", path = "/", agent } = options;
    const headers = { host: "model.test", ...options.headers };
    const request = httpRequest(
      { port, host: "127.0.0.1", method, path, headers, ...(agent && { agent }) },
      (message) => {
        const chunks: Buffer[] = [];
        message.on("data", (chunk: Buffer) => chunks.push(chunk));
        message.on("error", reject);
        message.on("aborted", () => reject(new Error("cut off")));
        message.on("end", () => {
          const body = Buffer.concat(chunks).toString();
          resolve({
            status: message.statusCode ?? 0,
            headers: message.headers,
            body,
            trailers: message.trailers,
          });
        });
      },
    );
    request.on("error", reject);
    request.end(options.body);
  });
}

/** Sends bytes as they are and gives back everything until the gateway closes or falls silent. */
export function sendRaw(port: number, text: string, silenceMs = 400): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text, "latin1"));
    let got = "";
    socket.on("data", (chunk) => {
      got += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(got));
    socket.setTimeout(silenceMs, () => socket.destroy());
  });
}

/** Answers with what it saw of the request. */
export const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { method, url, headers, rawTrailers } = request;
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({ method, url, headers, trailers: rawTrailers, body: Buffer.concat(chunks).toString() }),
    );
  });
};
