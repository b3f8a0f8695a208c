import { connect as connectH2 } from "node:http2";
import { request as httpsRequest } from "node:https";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { echo, tableFor, World } from "../../../test/dataplane/testing.js";
import { makeAuthority } from "../../adapters/tls/certificates.js";
import type { HostCertificate, RouteTable } from "./table.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

const authority = makeAuthority(Date.now());
const other = makeAuthority(Date.now());

function certificate(hosts: readonly string[], by = authority): HostCertificate {
  return { hosts, ...by.sign({ commonName: hosts[0] ?? "" }, "server", hosts) };
}

function secured(table: RouteTable, ...tls: readonly HostCertificate[]): RouteTable {
  return { ...table, tls };
}

function handshake(port: number, servername: string | undefined, more: object = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      {
        port,
        host: "127.0.0.1",
        rejectUnauthorized: false,
        ca: authority.cert,
        ...(servername !== undefined && { servername }),
        ...more,
      },
      () => resolve(socket),
    );
    socket.on("error", reject);
    world.atEnd(() => socket.destroy());
  });
}

async function nameShown(port: number, servername: string | undefined): Promise<string | undefined> {
  const socket = await handshake(port, servername);
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return Array.isArray(CN) ? CN[0] : CN;
}

function ask(port: number, servername: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: "127.0.0.1",
      servername,
      ca: authority.cert,
      headers: { host: "model.test" },
    };
    httpsRequest(options, (answer) => {
      let body = "";
      answer.on("data", (chunk) => {
        body += chunk;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
    })
      .on("error", reject)
      .end();
  });
}

describe("a listener with TLS", () => {
  it("says so to the pod", async () => {
    const table = secured(tableFor([await world.pod(echo)]), certificate(["model.test"]));
    const { tlsPort } = await world.start(table);
    const { status, body } = await ask(tlsPort, "model.test");
    expect(status).toBe(200);
    expect(JSON.parse(body).headers).toMatchObject({
      "x-forwarded-proto": "https",
      forwarded: "for=127.0.0.1;host=model.test;proto=https",
    });
  });

  it("speaks HTTP/2 to those who ask for it", async () => {
    const table = secured(tableFor([await world.pod(echo)]), certificate(["model.test"]));
    const { tlsPort } = await world.start(table);
    const session = connectH2(`https://127.0.0.1:${tlsPort}`, {
      ca: authority.cert,
      servername: "model.test",
    });
    world.atEnd(() => session.destroy());
    const stream = session.request({ ":authority": "model.test", ":path": "/h2" });
    let body = "";
    for await (const chunk of stream) body += chunk;
    expect(JSON.parse(body)).toMatchObject({ url: "/h2", headers: { "x-forwarded-proto": "https" } });
    expect((await handshake(tlsPort, "model.test", { ALPNProtocols: ["http/1.1"] })).alpnProtocol).toBe(
      "http/1.1",
    );
  });

  it("carries WebSockets", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    world.atEnd(() => server.close());
    server.on("connection", (socket) => socket.on("message", (data) => socket.send(`<${data}>`)));
    await new Promise((resolve) => server.on("listening", resolve));
    const table = tableFor([(server.address() as { port: number }).port]);
    const { tlsPort } = await world.start(secured(table, certificate(["model.test"])));
    const options = {
      ca: authority.cert,
      servername: "model.test",
      headers: { host: "model.test" },
    };
    const socket = new WebSocket(`wss://127.0.0.1:${tlsPort}/`, options);
    world.atEnd(() => socket.terminate());
    await new Promise((resolve) => socket.on("open", resolve));
    const answer = new Promise((resolve) => socket.on("message", (data) => resolve(String(data))));
    socket.send("hello");
    expect(await answer).toBe("<hello>");
  });

  it("shows the certificate of the name that is asked for", async () => {
    const { tlsPort } = await world.start(
      secured(tableFor([]), certificate(["a.test"]), certificate(["*.b.test"]), certificate(["*"])),
    );
    expect(await nameShown(tlsPort, "a.test")).toBe("a.test");
    expect(await nameShown(tlsPort, "A.TEST")).toBe("a.test");
    expect(await nameShown(tlsPort, "x.b.test")).toBe("*.b.test");
    expect(await nameShown(tlsPort, "x.y.b.test")).toBe("*");
    expect(await nameShown(tlsPort, "nobody.test")).toBe("*");
    expect(await nameShown(tlsPort, undefined)).toBe("*");
  });

  it("refuses whom it has no certificate for, and goes on", async () => {
    const { tlsPort, gateway } = await world.start(tableFor([]));
    await expect(handshake(tlsPort, "a.test")).rejects.toThrow();
    gateway.update(secured(tableFor([]), certificate(["a.test"])));
    expect(await nameShown(tlsPort, "a.test")).toBe("a.test");
  });

  it("takes a new certificate without dropping a connection", async () => {
    const pod = await world.pod((_request, response) => response.end("served"));
    const { tlsPort, gateway } = await world.start(secured(tableFor([pod]), certificate(["model.test"])));
    const kept = await handshake(tlsPort, "model.test");
    let got = "";
    kept.on("data", (chunk) => {
      got += chunk;
    });
    const again = async () => {
      got = "";
      kept.write("GET / HTTP/1.1\r\nHost: model.test\r\n\r\n");
      await expect.poll(() => got).toContain("served");
    };
    await again();
    gateway.update(secured(tableFor([pod]), certificate(["model.test"], other)));
    await again();
    const fresh = await handshake(tlsPort, "model.test", { ca: other.cert, rejectUnauthorized: true });
    expect(fresh.authorized).toBe(true);
  });

  it("keeps to the versions a Gateway allows", async () => {
    const { tlsPort, gateway } = await world.start(
      secured(tableFor([]), { ...certificate(["*"]), minVersion: "TLSv1.3" }),
    );
    await expect(handshake(tlsPort, "a.test", { maxVersion: "TLSv1.2" })).rejects.toThrow();
    expect((await handshake(tlsPort, "a.test")).getProtocol()).toBe("TLSv1.3");
    gateway.update(secured(tableFor([]), { ...certificate(["*"]), maxVersion: "TLSv1.2" }));
    expect((await handshake(tlsPort, "a.test")).getProtocol()).toBe("TLSv1.2");
  });

  it("keeps what it had when a new one cannot be used", async () => {
    const { tlsPort, gateway } = await world.start(secured(tableFor([]), certificate(["a.test"])));
    const broken = { ...certificate(["a.test"]), key: certificate(["b.test"]).key };
    gateway.update(secured(tableFor([]), broken));
    expect(await nameShown(tlsPort, "a.test")).toBe("a.test");
    expect(world.told).toEqual([expect.stringContaining("the certificate for a.test cannot be used: ")]);
  });

  it("goes with its certificates", async () => {
    const { tlsPort, gateway } = await world.start(secured(tableFor([]), certificate(["a.test"])));
    gateway.update(tableFor([]));
    await expect(handshake(tlsPort, "a.test")).rejects.toThrow();
  });

  it("lets nobody stay who does not shake hands", async () => {
    const { tlsPort, gateway } = await world.start(tableFor([]), { firstByteMs: 60 });
    const { connect: connectPlain } = await import("node:net");
    const socket = connectPlain(tlsPort, "127.0.0.1");
    await new Promise((resolve) =>
      socket
        .on("error", () => {})
        .on("close", resolve)
        .resume(),
    );
    await expect.poll(() => gateway.stats().connections).toBe(0);
  });
});
