// The Service that a Revision is reached by, and the route to it, must name the same port: the gateway is the judge.
import { describe, expect, it } from "vitest";
import { existing } from "../../../../test/world/index.js";
import { compileRoutes } from "../../../dataplane/gateway/compile.js";
import { findHost, matchRoute } from "../../../dataplane/gateway/match.js";
import { KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import { ServerlessService } from "../../../domain/apis/networking/serverlessService.types.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import { makeVirtualServices } from "../ingress/make.js";
import { portOf } from "../ports.js";
import { makePrivateService, makePublicEndpoints, makePublicService } from "./make.js";

describe("a Revision's public Service", () => {
  it.each([
    ["http1", "http", 80],
    ["h2c", "http2", 81],
  ] as const)("is where routes go for %s", (protocolType, portName, port) => {
    const revision = existing(Revision, {
      metadata: { name: "cat-1" },
      spec: { containers: [{ image: "x", ports: [{ name: protocolType, containerPort: 8080 }] }] },
    } as never);
    const services = existing(ServerlessService, {
      metadata: { name: "cat-1" },
      spec: {
        mode: "Serve",
        protocolType,
        objectRef: { apiVersion: "apps/v1", kind: "Deployment", name: "cat-1-deployment" },
      },
    });
    expect(portOf(revision)).toBe(port);
    // A public Service that leads to the gateway itself must not send it in circles.
    const activator = { host: "127.0.0.1", port: 18081 };
    const behind = {
      metadata: makePrivateService(services, undefined).metadata,
      subsets: [{ addresses: [{ ip: "127.0.0.1" }], ports: [{ name: portName, port: 30001 }] }],
    };
    const split = { serviceName: "cat-1", serviceNamespace: "default", servicePort: portOf(revision) };
    const ingress = existing(KnativeIngress, {
      metadata: { name: "cat" },
      spec: {
        rules: [
          { hosts: ["cat.localhost"], visibility: "ExternalIP", http: { paths: [{ splits: [split] }] } },
        ],
      },
    });
    const { table, problems } = compileRoutes({
      virtualServices: makeVirtualServices(ingress, "hash", { https: false }),
      services: [makePublicService(services), makePrivateService(services, undefined)] as never,
      endpoints: [makePublicEndpoints(services, behind as never, activator), behind] as never,
    });
    expect(problems).toEqual([]);
    const routes = findHost(table.external, "cat.localhost");
    const asked = {
      host: "cat.localhost",
      method: "GET",
      target: "/",
      secure: false,
      header: () => undefined,
    };
    expect(routes && matchRoute(routes, asked, () => 0)).toMatchObject({
      kind: "forward",
      destination: {
        revision: { protocol: protocolType, targets: [{ address: "127.0.0.1:30001" }] },
        hash: "hash",
      },
    });
  });
});
