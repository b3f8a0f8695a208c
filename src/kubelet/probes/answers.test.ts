import { createServer, type RequestListener } from "node:http";
import { createServer as createHttp2, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer as createTcp, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type Answer, askGrpc, askHttp, askTcp } from "./answers.js";

const open = new Set<{ close(): unknown }>();
afterEach(() => {
  for (const server of open) server.close();
  open.clear();
});

async function listening(server: Server): Promise<number> {
  open.add(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createTcp();
  const port = await listening(server);
  open.delete(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const said = (answer: Answer) => (answer.isWell ? "well" : answer.because);

describe("by TCP", () => {
  it("a port that listens is well, one that does not is refused", async () => {
    const port = await listening(createTcp((socket) => socket.end()));
    expect(await askTcp("127.0.0.1", port, 1_000)).toEqual({ isWell: true });
    const closed = await freePort();
    const because = `dial tcp 127.0.0.1:${closed}: connect: connection refused`;
    expect(await askTcp("127.0.0.1", closed, 1_000)).toEqual({ isWell: false, because });
  });
});

describe("by HTTP", () => {
  const ask = async (listener: RequestListener, timeoutMs = 1_000) => {
    const port = await listening(createServer(listener));
    const action = { port, path: "health?x=1", httpHeaders: [{ name: "X-Probe", value: "1" }] };
    return said(await askHttp(action, "127.0.0.1", port, timeoutMs));
  };

  it.each([
    [200, "well"],
    [302, "well"],
    [404, "HTTP probe failed with statuscode: 404"],
    [503, "HTTP probe failed with statuscode: 503"],
  ])("status %i", async (status, expected) => {
    expect(await ask((_request, response) => response.writeHead(status).end())).toBe(expected);
  });

  it("sends path and headers", async () => {
    let seen: unknown[] = [];
    await ask((request, response) => {
      seen = [request.url, request.headers["x-probe"], request.headers["user-agent"]?.slice(0, 11)];
      response.end();
    });
    expect(seen).toEqual(["/health?x=1", "1", "kube-probe/"]);
  });

  it("does not wait for ever", async () => {
    const because = await ask(() => {}, 50);
    expect(because).toMatch(/^Get "http:.*": context deadline exceeded \(Client.Timeout exceeded/);
  });

  it("says when nobody listens", async () => {
    const port = await freePort();
    expect(said(await askHttp({ port }, "127.0.0.1", port, 1_000))).toBe(
      `Get "http://127.0.0.1:${port}/": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
  });
});

describe("by gRPC", () => {
  async function ask(answer: (stream: ServerHttp2Stream, asked: string) => void): Promise<string> {
    const server = createHttp2();
    server.on("stream", (stream, headers) => {
      const body: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => void body.push(chunk));
      stream.on("end", () => answer(stream, `${headers[":path"]} ${Buffer.concat(body).toString("latin1")}`));
    });
    const port = await listening(server as unknown as Server);
    return said(await askGrpc("svc", "127.0.0.1", port, 1_000));
  }

  const status = (value: number) => (stream: ServerHttp2Stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(value === 0 ? Buffer.alloc(5) : Buffer.of(0, 0, 0, 0, 2, 8, value));
  };

  it.each([
    [1, "well"],
    [2, 'service unhealthy (responded with "NOT_SERVING")'],
    [0, 'service unhealthy (responded with "UNKNOWN")'],
  ])("status %i", async (value, expected) => {
    expect(await ask(status(value))).toBe(expected);
  });

  it("names the service", async () => {
    let asked = "";
    await ask((stream, what) => {
      asked = what;
      status(1)(stream);
    });
    expect(asked).toBe("/grpc.health.v1.Health/Check \0\0\0\0\x05\n\x03svc");
  });

  it("says when the server has no health service", async () => {
    const because = await ask((stream) => stream.respond({ "grpc-status": "12" }, { endStream: true }));
    expect(because).toContain("does not implement the grpc health protocol");
  });

  it("does not wait for ever", async () => {
    const port = await listening(createTcp(() => {}));
    expect(said(await askGrpc("", "127.0.0.1", port, 100))).toBe(
      `timeout: failed to connect service "127.0.0.1:${port}" within 0.1s`,
    );
  });
});
