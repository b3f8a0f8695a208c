// A listener that opens with the first certificate, and what it changes for those who come without TLS.
import { request } from "node:https";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ask,
  endpoints,
  gateway as gatewayObject,
  plain,
  plainServer,
  realClock,
  service,
  tlsServer,
  World,
} from "../../../test/dataplane/testing.js";
import { makeAuthority } from "../../adapters/tls/certificates.js";
import { compileRoutes } from "./compile.js";
import type { CompileInput } from "./inputs.js";
import { startGateway } from "./listen.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

const authority = makeAuthority(Date.now());

function secret() {
  const { cert, key } = authority.sign({ commonName: "model.test" }, "server", ["model.test"]);
  const data = {
    "tls.crt": Buffer.from(cert).toString("base64"),
    "tls.key": Buffer.from(key).toString("base64"),
  };
  return { metadata: { name: "cert", namespace: "knative-serving" }, data };
}

function askSecurely(port: number): Promise<{ readonly status: number; readonly serial: string }> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: "127.0.0.1",
      servername: "model.test",
      ca: authority.cert,
      agent: false as const,
    };
    const asking = request({ ...options, headers: { host: "model.test" } }, (answer) => {
      const { serialNumber } = (answer.socket as import("node:tls").TLSSocket).getPeerCertificate();
      answer.resume().on("end", () => resolve({ status: answer.statusCode ?? 0, serial: serialNumber }));
    });
    asking.on("error", reject);
    asking.end();
  });
}

describe("a listener that waits for a certificate", () => {
  it("opens with it, follows it as it changes, and is where plain requests are sent", async () => {
    const pod = await world.pod((_request, response) => response.end("ok"));
    const input = (more: Partial<CompileInput>): CompileInput => ({
      virtualServices: [plain("model", ["model.test"], { route: [{ destination: { host: "model" } }] })],
      services: [service("model")],
      endpoints: [endpoints("model", [pod])],
      gateways: [
        gatewayObject("knative-ingress-gateway", [
          { ...plainServer, tls: { httpsRedirect: true } },
          tlsServer,
        ]),
      ],
      ...more,
    });
    const bare = compileRoutes(input({})).table;
    let opened: (failure: string | undefined) => void = () => {};
    const opening = new Promise<string | undefined>((resolve) => {
      opened = resolve;
    });
    const gateway = await startGateway({
      listeners: [
        { name: "external", host: "127.0.0.1", port: 0 },
        { name: "external", host: "127.0.0.1", port: 0, tls: true, whenNeeded: true },
      ],
      random: () => 0,
      clock: realClock,
      table: bare,
      onOpened: opened,
    });
    world.atEnd(() => gateway.close({ drainMs: 0 }));
    expect(gateway.addresses()).toHaveLength(1);

    const secured = compileRoutes(input({ secrets: [secret()] }), bare).table;
    gateway.update(secured);
    expect(await opening).toBeUndefined();
    const [port, tlsPort] = gateway.addresses().map((one) => one.port) as [number, number];
    const first = await askSecurely(tlsPort);
    expect(first.status).toBe(200);
    const headers = { host: `model.test:${port}` };
    expect((await ask(port, { path: "/v1?q=1", headers })).headers["location"]).toBe(
      `https://model.test:${tlsPort}/v1?q=1`,
    );

    gateway.update(compileRoutes(input({ secrets: [secret()] }), secured).table);
    const second = await askSecurely(tlsPort);
    expect(second.status).toBe(200);
    expect(second.serial).not.toBe(first.serial);
  });
});
