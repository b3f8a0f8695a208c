import type { IncomingMessage } from "node:http";
import {
  type ClientHttp2Session,
  connect as connectH2,
  createServer as createH2,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { ask, echo, portOf, sendRaw, tableFor, World } from "../../../test/dataplane/testing.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

async function h2Pod(
  serve: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): Promise<number> {
  const server = createH2();
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    serve(stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  world.atEnd(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return portOf(server);
}

function client(port: number): ClientHttp2Session {
  const session = connectH2(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  world.atEnd(() => session.destroy());
  return session;
}

interface Got {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders | undefined;
}

function askH2(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const stream = session.request(
      { ":authority": "model.test", ":path": "/", ...headers },
      { endStream: body === undefined },
    );
    let answer: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders | undefined;
    const chunks: Buffer[] = [];
    stream.on("response", (got) => {
      answer = got;
    });
    stream.on("trailers", (got) => {
      trailers = got;
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on(
      "end",
      () =>
        stream.rstCode === 0 &&
        resolve({ headers: answer, body: Buffer.concat(chunks).toString(), trailers }),
    );
    stream.on("error", reject);
    stream.on("close", () => reject(new Error(`closed with ${stream.rstCode}`)));
    if (body !== undefined) stream.end(body);
  });
}

describe("HTTP/2 clients", () => {
  it("are served on the same port, and the pod sees HTTP/1.1", async () => {
    const { port } = await world.start(tableFor([await world.pod(echo)]));
    const session = client(port);
    const many = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        askH2(session, { ":method": "POST", ":path": `/p${index}`, "x-a": "b" }, `body ${index}`),
      ),
    );
    for (const [index, got] of many.entries()) {
      expect(got.headers[":status"]).toBe(200);
      const seen = JSON.parse(got.body);
      expect(seen).toMatchObject({ url: `/p${index}`, body: `body ${index}` });
      expect(seen.headers).toMatchObject({ host: "model.test", "x-a": "b", "x-forwarded-for": "127.0.0.1" });
    }
    expect((await ask(port)).status).toBe(200);
  });

  it("send and get large bodies whole", async () => {
    const { port } = await world.start(
      tableFor([await world.pod((request, response) => request.pipe(response))]),
    );
    const body = "0123456789".repeat(200_000);
    expect((await askH2(client(port), { ":method": "POST" }, body)).body === body).toBe(true);
  });

  it("get answers without bodies, and the gateway's own", async () => {
    const { port } = await world.start(
      tableFor([await world.pod((_request, response) => response.writeHead(204).end())]),
    );
    const session = client(port);
    expect((await askH2(session, {})).headers[":status"]).toBe(204);
    expect((await askH2(session, { ":method": "HEAD" })).headers[":status"]).toBe(204);
    const lost = await askH2(session, { ":authority": "nowhere" });
    expect([lost.headers[":status"], lost.headers["x-drydock-reason"]]).toEqual([404, "NoRoute"]);
  });

  it("speak gRPC to a pod that does, trailers and all, both ways", async () => {
    const pod = await h2Pod((stream, headers) => {
      let sent: IncomingHttpHeaders = {};
      stream.on("trailers", (got) => {
        sent = got;
      });
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () =>
          stream.sendTrailers({ "grpc-status": "0", "x-sent": String(sent["x-client"]) }),
        );
        stream.end(`${headers[":authority"]} ${headers["te"]} ${Buffer.concat(chunks)}`);
      });
    });
    const { port } = await world.start(tableFor([pod], { portName: "h2c" }));
    const session = client(port);
    const got = await new Promise<Got>((resolve) => {
      const stream = session.request(
        {
          ":authority": "model.test",
          ":method": "POST",
          ":path": "/inference.GRPCInferenceService/ModelInfer",
          te: "trailers",
          "content-type": "application/grpc",
        },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-client": "yes" }));
      let body = "";
      let answer: IncomingHttpHeaders = {};
      let trailers: IncomingHttpHeaders | undefined;
      stream.on("response", (headers) => {
        answer = headers;
      });
      stream.on("trailers", (headers) => {
        trailers = headers;
      });
      stream.on("data", (chunk) => {
        body += chunk;
      });
      stream.on("end", () => resolve({ headers: answer, body, trailers }));
      stream.end("message");
    });
    expect(got.headers["content-type"]).toBe("application/grpc");
    expect(got.body).toBe("model.test trailers message");
    expect(got.trailers).toMatchObject({ "grpc-status": "0", "x-sent": "yes" });
  });

  it("stream both ways at once", async () => {
    const pod = await h2Pod((stream) => {
      stream.respond({ ":status": 200 });
      stream.on("data", (chunk) => stream.write(`<${chunk}>`));
      stream.on("end", () => stream.end());
    });
    const { port } = await world.start(tableFor([pod], { portName: "h2c" }));
    const stream = client(port).request({ ":authority": "model.test", ":method": "POST", ":path": "/" });
    let got = "";
    stream.on("data", (chunk) => {
      got += chunk;
    });
    for (const word of ["one", "two"]) {
      stream.write(word);
      await expect.poll(() => got).toContain(`<${word}>`);
    }
    stream.end();
  });

  it("hear of a pod in gRPC's own words when it cannot be reached", async () => {
    const { port } = await world.start(tableFor([world.deadPort()], { portName: "h2c" }));
    const got = await askH2(client(port), { ":method": "POST", "content-type": "application/grpc" }, "x");
    expect(got.headers).toMatchObject({
      ":status": 200,
      "grpc-status": "14",
      "x-drydock-reason": "PodRefused",
    });
  });

  it("are served by another pod when one refuses", async () => {
    const good = await h2Pod((stream) => {
      stream.respond({ ":status": 200 });
      stream.end("good");
    });
    const { port } = await world.start(tableFor([world.deadPort(), good], { portName: "h2c" }));
    expect((await askH2(client(port), { ":method": "POST" }, "x")).body).toBe("good");
  });

  it("cancel at the pod when they cancel here", async () => {
    const codes: number[] = [];
    let came = false;
    const pod = await h2Pod((stream) => {
      came = true;
      stream.on("close", () => codes.push(stream.rstCode ?? -1));
    });
    const { port, gateway } = await world.start(tableFor([pod], { portName: "h2c" }));
    const stream = client(port).request({ ":authority": "model.test", ":method": "POST", ":path": "/" });
    stream.on("error", () => {});
    stream.write("x");
    await expect.poll(() => came).toBe(true);
    stream.close(8);
    await expect.poll(() => codes).toEqual([8]);
    expect(gateway.stats().inFlight).toBe(0);
  });

  it("see a stream die with the pod's", async () => {
    const pod = await world.rawPod((socket) =>
      socket.on("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
        setTimeout(() => socket.destroy(), 10);
      }),
    );
    const { port } = await world.start(tableFor([pod]));
    await expect(askH2(client(port), {})).rejects.toThrow();
  });

  it("cannot break the lines of HTTP/1.1", async () => {
    const seen: string[] = [];
    const pod = await world.pod((request, response) => {
      seen.push(request.url ?? "");
      response.end();
    });
    const { port } = await world.start(tableFor([pod]));
    for (const path of ["/a b", "/a HTTP/1.1\r\nx: y", "nopath"]) {
      await askH2(client(port), { ":path": path }).then(
        (got) => expect(got.headers[":status"]).toBe(400),
        () => {},
      );
    }
    expect(seen).toEqual([]);
  });

  it("finish their streams when the gateway closes", async () => {
    let answer: (() => void) | undefined;
    const pod = await world.pod((_request, response) => {
      answer = () => response.end("done");
    });
    const { port, gateway } = await world.start(tableFor([pod]));
    const running = askH2(client(port), {});
    await expect.poll(() => answer !== undefined).toBe(true);
    const closed = gateway.close({ drainMs: 5000 });
    answer?.();
    expect((await running).body).toBe("done");
    await closed;
  });
});

describe("HTTP/1.1 clients of an HTTP/2 pod", () => {
  it("are served, with the trailers chunked", async () => {
    const pod = await h2Pod((stream, headers) => {
      let body = "";
      stream.on("data", (chunk) => {
        body += chunk;
      });
      stream.on("end", () => {
        stream.respond({ ":status": 200, "set-cookie": ["a=1", "b=2"] }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "3" }));
        stream.end(`${headers[":path"]} ${body}`);
      });
    });
    const { port } = await world.start(tableFor([pod], { portName: "h2c" }));
    const heard = await ask(port, { method: "POST", path: "/p", body: "hi" });
    expect([heard.status, heard.body, heard.trailers["x-sum"]]).toEqual([200, "/p hi", "3"]);
    expect(heard.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
  });
});

describe("an answer of HTTP/2 that is a head alone", () => {
  it("is one too to gRPC, and has no length to HTTP/1.1", async () => {
    const pod = await h2Pod((stream) => {
      stream.resume();
      stream.respond({ ":status": 200, "grpc-status": "5" }, { endStream: true });
    });
    const { port } = await world.start(tableFor([pod], { portName: "h2c" }));
    const flags = await new Promise<number>((resolve) => {
      const stream = client(port).request({ ":authority": "model.test", ":method": "POST", ":path": "/" });
      stream.on("response", (_headers, flags) => resolve(flags));
      stream.end();
    });
    expect(flags & 1).toBe(1);
    const heard = await ask(port, { method: "POST", body: "x" });
    expect([heard.status, heard.body, heard.headers["grpc-status"]]).toEqual([200, "", "5"]);
  });
});

describe("WebSockets", () => {
  async function socketPod(): Promise<number> {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    server.on("connection", (socket, request) => {
      socket.on("message", (data, binary) => socket.send(data, { binary }));
      socket.send(`hello ${request.url} ${request.headers["x-forwarded-for"]}`);
    });
    await new Promise((resolve) => server.on("listening", resolve));
    world.atEnd(() => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    });
    return (server.address() as { port: number }).port;
  }

  it("carry messages both ways, and close with either side", async () => {
    const { port, gateway } = await world.start(tableFor([await socketPod()]));
    const socket = new WebSocket(`ws://127.0.0.1:${port}/chat?x=1`, { headers: { host: "model.test" } });
    const got: string[] = [];
    socket.on("message", (data) => got.push(String(data)));
    await expect.poll(() => got).toEqual(["hello /chat?x=1 127.0.0.1"]);
    socket.send("one");
    const large = "x".repeat(1_000_000);
    socket.send(large);
    await expect.poll(() => got.length).toBe(3);
    expect([got[1], got[2] === large]).toEqual(["one", true]);
    expect(gateway.stats().inFlight).toBe(1);
    socket.close();
    await expect.poll(() => gateway.stats().inFlight).toBe(0);
    expect(gateway.stats().byClass[1]).toBe(1);
  });

  it("are refused in the pod's words, and in ours", async () => {
    const pod = await world.pod((_request, response) =>
      response.writeHead(403, { "x-why": "no" }).end("forbidden"),
    );
    const { port } = await world.start(tableFor([pod]));
    for (const [host, status, reason] of [
      ["model.test", 403, "x-why"],
      ["nowhere.test", 404, "x-drydock-reason"],
    ] as const) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host } });
      const answer = await new Promise<IncomingMessage>((resolve) => {
        socket.on("unexpected-response", (_request, response) => resolve(response));
        socket.on("error", () => {});
      });
      expect(answer.statusCode).toBe(status);
      expect(Object.keys(answer.headers)).toContain(reason);
    }
  });

  it("leave the pod when the client does", async () => {
    const { port, gateway } = await world.start(tableFor([await socketPod()]));
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: "model.test" } });
    socket.on("error", () => {});
    await new Promise((resolve) => socket.on("open", resolve));
    socket.terminate();
    await expect.poll(() => gateway.stats().inFlight).toBe(0);
    await expect.poll(() => gateway.stats().upstream.open).toBe(0);
  });

  it("are the only upgrade; any other offer is ignored and the request served", async () => {
    const { port } = await world.start(tableFor([await world.pod(echo)]));
    const got = await sendRaw(
      port,
      "GET /plain HTTP/1.1\r\nHost: model.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    );
    expect(got).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(got).toContain('"url":"/plain"');
  });

  it("die half open with the other half", async () => {
    const pod = await world.rawPod((socket) =>
      socket.once("data", () => {
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst",
        );
        setTimeout(() => socket.destroy(), 30);
      }),
    );
    const { port } = await world.start(tableFor([pod]));
    const socket = connect(port, "127.0.0.1");
    let got = "";
    socket.on("data", (chunk) => {
      got += chunk;
    });
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.write("GET / HTTP/1.1\r\nHost: model.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    await closed;
    expect(got).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n.*first$/s);
  });
});
