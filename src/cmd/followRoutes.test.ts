import { afterEach, expect, it } from "vitest";
import { existing, makeWorld, type World } from "../../test/world/index.js";
import type { RouteTable } from "../dataplane/index.js";
import { Endpoints } from "../domain/apis/core/endpoints.types.js";
import { Service } from "../domain/apis/core/service.types.js";
import { VirtualService } from "../domain/apis/istio/virtualService.types.js";
import { followRoutes } from "./followRoutes.js";

let world: World | undefined;
afterEach(() => world?.close());

const metadata = { name: "model", namespace: "models" };
const subsets = (ip: string) => [{ addresses: [{ ip }], ports: [{ port: 8080 }] }];
const log = { info() {}, error() {} };

it("tells a gateway of pods at once, and has them in the table a moment later", async () => {
  const made = await makeWorld({
    given: [
      existing(Service, { metadata, spec: { selector: { app: "model" }, ports: [{ port: 80 }] } }),
      existing(Endpoints, { metadata, subsets: [] }),
      existing(VirtualService, {
        metadata,
        spec: { hosts: ["model.test"], http: [{ route: [{ destination: { host: "model" } }] }] },
      }),
    ],
  });
  world = made;
  const told: string[] = [];
  const addresses = (revisions: RouteTable["revisions"]) =>
    revisions.flatMap(({ targets }) => targets.map(({ address }) => address)).join();
  const gateway = {
    update: ({ revisions }: RouteTable) => void told.push(`table ${addresses(revisions)}`),
    move: (revisions: RouteTable["revisions"]) => void told.push(`moved ${addresses(revisions)}`),
  };
  const { client, clock, informers } = made;
  await followRoutes(informers, gateway, { client, clock, log });
  told.length = 0;
  const before = await client.get(Endpoints, metadata);
  await client.update(Endpoints, { ...before!, subsets: subsets("10.0.0.1") });
  await expect.poll(() => told).toEqual(["moved 10.0.0.1:8080", "table 10.0.0.1:8080"]);
  const now = await client.get(Endpoints, metadata);
  await client.update(Endpoints, { ...now!, subsets: subsets("10.0.0.2") });
  const service = await client.get(Service, metadata);
  await client.update(Service, { ...service!, spec: { ...service!.spec, ports: [{ port: 81 }] } });
  await expect.poll(() => told.slice(2)).toEqual(["moved 10.0.0.2:8080", "table 10.0.0.2:8080"]);
  await new Promise((later) => setTimeout(later, 60));
  expect(told).toHaveLength(4);
});
