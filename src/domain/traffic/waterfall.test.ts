import { expect, it } from "vitest";
import { waterfall } from "./index.js";

it("lists every limit in the order a request meets it, and where it is set", () => {
  const steps = waterfall(
    [
      {
        from: "VirtualService default/cat-ingress",
        timeout: "600s",
        perTryTimeout: "10s",
        attempts: 3,
        delay: "2s",
      },
    ],
    [
      {
        name: "cat-00001",
        containerConcurrency: 1,
        timeoutSeconds: 300,
        responseStartTimeoutSeconds: undefined,
        idleTimeoutSeconds: 20,
      },
    ],
  );
  expect(steps.map(({ limit, value, from }) => `${limit} | ${value} | ${from}`)).toEqual([
    "client: first byte of a connection | 60s | gateway",
    "client: head of a request | 60s, 32 KiB | gateway",
    "client: body of a request | 4 GiB | gateway",
    "client: a body gathered before it is sent on | 60s | gateway",
    "client: idle connection | 75s | gateway",
    "route: a fault's delay | 2s | VirtualService default/cat-ingress",
    "route: whole request | 600s | VirtualService default/cat-ingress",
    "route: each of 3 tries | 10s | VirtualService default/cat-ingress",
    "caller: its own deadline | grpc-timeout, where it is sooner | the request",
    "hold: all requests in line for any pod | 20000, 256 MiB | gateway",
    "hold: requests in line for a pod | 10000 | gateway",
    "pod: requests at once | 1 | Revision cat-00001 containerConcurrency",
    "hold: while ready pods refuse | 10s | gateway",
    "hold: while its pods fail | 5s | gateway",
    "pod: connections | 8192 | gateway",
    "pod: connection | 3s | gateway",
    "answer: first byte, from arrival | none | Revision cat-00001 responseStartTimeoutSeconds",
    "answer: from byte to byte | 20s | Revision cat-00001 idleTimeoutSeconds",
    "answer: last byte, from arrival, holding included | 300s | Revision cat-00001 timeoutSeconds",
    "pod leaves: told to end after | 0.4s | kubelet",
    "pod leaves: killed after | 300s | Revision cat-00001 timeoutSeconds",
    "WebSocket: silent | 3600s | gateway",
  ]);
});
