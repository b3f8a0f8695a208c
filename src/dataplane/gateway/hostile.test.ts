import { connect as connectH2, constants, type IncomingHttpHeaders } from "node:http2";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, sendRaw, tableFor, World } from "../../../test/dataplane/testing.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

describe("a request two parsers could read in two ways", () => {
  const post = (headers: string, body = "") =>
    `POST / HTTP/1.1\r\nHost: model.test\r\n${headers}\r\n\r\n${body}`;

  it.each([
    ["both lengths", post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n")],
    [
      "both lengths, the other way about",
      post("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"),
    ],
    ["two lengths", post("Content-Length: 5\r\nContent-Length: 6", "abcdef")],
    ["one length twice", post("Content-Length: 5\r\nContent-Length: 5", "abcde")],
    ["a list of lengths", post("Content-Length: 5, 5", "abcde")],
    ["a signed length", post("Content-Length: +5", "abcde")],
    ["a hexadecimal length", post("Content-Length: 0x5", "abcde")],
    ["a folded header", post("X-A: b\r\n c\r\nContent-Length: 0")],
    ["a folded length", post("Content-Length:\r\n 5", "abcde")],
    ["a space before the colon", post("Content-Length : 5", "abcde")],
    ["a space before the colon of an encoding", post("Transfer-Encoding : chunked", "0\r\n\r\n")],
    ["an encoding by another name", post("Transfer-Encoding: xchunked", "0\r\n\r\n")],
    ["an encoding before chunked", post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n")],
    ["chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n")],
    ["chunked and then identity", post("Transfer-Encoding: chunked, identity", "0\r\n\r\n")],
    ["a bare line feed after a header", "GET / HTTP/1.1\r\nHost: model.test\nX: y\r\n\r\n"],
    ["bare line feeds throughout", "GET / HTTP/1.1\nHost: model.test\n\n"],
    ["a bare carriage return", "GET / HTTP/1.1\r\nHost: model.test\r\nX: a\rb\r\n\r\n"],
    ["a zero byte in a value", "GET / HTTP/1.1\r\nHost: model.test\r\nX: a\0b\r\n\r\n"],
    ["a zero byte in a name", "GET / HTTP/1.1\r\nHost: model.test\r\nX\0: a\r\n\r\n"],
    ["two hosts", "GET / HTTP/1.1\r\nHost: model.test\r\nHost: other.test\r\n\r\n"],
    ["no host", "GET / HTTP/1.1\r\n\r\n"],
    ["a chunk size that is none", post("Transfer-Encoding: chunked", "zz\r\nabc\r\n0\r\n\r\n")],
    ["a chunk size with a sign", post("Transfer-Encoding: chunked", "+3\r\nabc\r\n0\r\n\r\n")],
    ["a chunk longer than its size", post("Transfer-Encoding: chunked", "2\r\nabc\r\n0\r\n\r\n")],
    [
      "a chunk size past all bounds",
      post("Transfer-Encoding: chunked", "fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    ],
    ["a bare line feed after a chunk size", post("Transfer-Encoding: chunked", "3\nabc\r\n0\r\n\r\n")],
    ["another version", "GET / HTTP/3.1\r\nHost: model.test\r\n\r\n"],
    ["no version", "GET /\r\nHost: model.test\r\n\r\n"],
    ["a space in the path", "GET /a b HTTP/1.1\r\nHost: model.test\r\n\r\n"],
    ["a target that is no path", "GET model HTTP/1.1\r\nHost: model.test\r\n\r\n"],
    ["a tunnel to elsewhere", "CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n"],
    ["a preface that is not quite one", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"],
  ])("is refused: %s", async (_, text) => {
    const seen: string[] = [];
    const pod = await world.pod((request, response) => {
      seen.push(request.url ?? "");
      request.resume().on("end", () => response.end("served"));
    });
    const { port, gateway } = await world.start(tableFor([pod]));
    // What would be taken for a second request if the first were read wrongly.
    const got = await sendRaw(port, `${text}GET /smuggled HTTP/1.1\r\nHost: model.test\r\n\r\n`, 150);
    expect(got).not.toContain("served");
    expect(seen).not.toContain("/smuggled");
    if (!text.startsWith("PRI")) expect(got).toMatch(/^HTTP\/1\.1 4\d\d /);
    await expect.poll(() => gateway.stats().inFlight).toBe(0);
  });

  it("is refused when its head is too long", async () => {
    const { port } = await world.start(tableFor([await world.pod((_request, response) => response.end())]));
    const got = await sendRaw(port, `GET / HTTP/1.1\r\nHost: model.test\r\nX: ${"a".repeat(40_000)}\r\n\r\n`);
    expect(got).toMatch(/^HTTP\/1\.1 431 /);
  });

  it.each<[number, string]>([
    [400, "GET / HTTP/1.1\r\n\r\n"],
    [405, "CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n"],
    [417, "POST / HTTP/1.1\r\nHost: model.test\r\nExpect: a-miracle\r\nContent-Length: 1\r\n\r\nx"],
    [431, `GET / HTTP/1.1\r\nHost: model.test\r\nX: ${"a".repeat(40_000)}\r\n\r\n`],
  ])("is told so in a %i that names its reason and says more in words", async (status, text) => {
    let reached = 0;
    const pod = await world.pod((_request, response) => {
      reached += 1;
      response.end();
    });
    const { port } = await world.start(tableFor([pod]));
    const got = await sendRaw(port, text);
    const [head = "", body = ""] = got.split("\r\n\r\n");
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head.toLowerCase()).toContain("\r\nx-drydock-reason: badrequest");
    expect(head.toLowerCase()).toContain("\r\nconnection: close");
    expect(JSON.parse(body).error).toMatch(/\bthe (request|head) /);
    expect(reached).toBe(0);
  });

  it("does not hide header fields by their number", async () => {
    let seen = "";
    const pod = await world.rawPod((socket) =>
      socket.on("data", (chunk) => {
        seen += chunk;
        if (seen.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 204 No Content\r\n\r\n");
      }),
    );
    const { port } = await world.start(tableFor([pod]));
    const many = Array.from({ length: 2500 }, (_, index) => `a${index}: b\r\n`).join("");
    const got = await sendRaw(port, `GET / HTTP/1.1\r\nHost: model.test\r\n${many}X-Last: seen\r\n\r\n`);
    expect(got).toMatch(/^HTTP\/1\.1 204 /);
    expect(seen).toContain("X-Last: seen");
  });

  it("is told apart byte by byte", async () => {
    const { port } = await world.start(
      tableFor([await world.pod((_request, response) => response.end("served"))]),
    );
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    world.atEnd(() => socket.destroy());
    let got = "";
    socket.on("data", (chunk) => {
      got += chunk;
    });
    for (const byte of "PUT / HTTP/1.1\r\nHost: model.test\r\nContent-Length: 1\r\n\r\nx") {
      socket.write(byte);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await expect.poll(() => got).toContain("served");
  });
});

describe("more than may be", () => {
  const limits = { bodyBytes: 1_000 };

  async function startEcho() {
    let reached = 0;
    const pod = await world.pod((request, response) => {
      request.resume().on("end", () => {
        reached += 1;
        response.end("whole");
      });
    });
    return { ...(await world.start(tableFor([pod]), limits)), reached: () => reached };
  }

  it.each([
    ["a length", (bytes: number) => `Content-Length: ${bytes}\r\n\r\n${"x".repeat(bytes)}`],
    [
      "chunks",
      (bytes: number) =>
        `Transfer-Encoding: chunked\r\n\r\n1f4\r\n${"x".repeat(500)}\r\n${(bytes - 500).toString(16)}\r\n${"x".repeat(bytes - 500)}\r\n0\r\n\r\n`,
    ],
  ])("of a body with %s is a 413, and no byte less", async (_, rest) => {
    const { port, gateway, reached } = await startEcho();
    const post = (bytes: number) =>
      sendRaw(port, `POST / HTTP/1.1\r\nHost: model.test\r\nConnection: close\r\n${rest(bytes)}`);
    expect(await post(1_000)).toMatch(/^HTTP\/1\.1 200 /);
    const got = await post(1_001);
    expect(got).toMatch(/^HTTP\/1\.1 413 /);
    expect(got).toMatch(/\r\nx-drydock-reason: BodyTooLarge\r\n/i);
    expect(got).toContain("a body may have 1000 bytes");
    expect(reached()).toBe(1);
    await expect.poll(() => gateway.stats().inFlight).toBe(0);
  });

  it.each([[{ "content-length": "1001" }], [{}]])("of a body over HTTP/2 is a 413: %j", async (length) => {
    const { port, reached } = await startEcho();
    const session = connectH2(`http://127.0.0.1:${port}`);
    world.atEnd(() => session.destroy());
    const stream = session.request({ ":authority": "model.test", ":method": "POST", ...length });
    stream.on("error", () => {});
    stream.end("x".repeat(1_001));
    const headers = await new Promise<IncomingHttpHeaders>((resolve) => stream.on("response", resolve));
    expect([headers[":status"], headers["x-drydock-reason"]]).toEqual([413, "BodyTooLarge"]);
    expect(reached()).toBe(0);
  });

  it("of a head over HTTP/2 costs its own stream only", async () => {
    const { port, reached } = await startEcho();
    const session = connectH2(`http://127.0.0.1:${port}`);
    world.atEnd(() => session.destroy());
    const told = async (more: object) => {
      const stream = session.request({ ":authority": "model.test", ...more });
      let status: unknown;
      stream.on("response", (headers) => {
        status = headers[":status"];
      });
      stream.resume();
      await new Promise((resolve) => stream.on("error", () => {}).on("close", resolve));
      return status ?? stream.rstCode;
    };
    const long = Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`x-${at}`, "a".repeat(8_000)]));
    expect([431, constants.NGHTTP2_ENHANCE_YOUR_CALM]).toContain(await told(long));
    expect(reached()).toBe(0);
    expect(await told({})).toBe(200);
  });
});

describe("an answer that is not clean HTTP", () => {
  it.each([
    ["no status line", "hello\r\n\r\n"],
    ["another version", "HTTP/2.0 200 OK\r\n\r\n"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"],
    ["both lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde"],
    ["a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"],
    ["an unknown encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"],
    ["a folded header", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"],
    ["a space before a colon", "HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n"],
    ["a bare line feed", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"],
    ["a bare carriage return", "HTTP/1.1 200 OK\r\nX: a\rY: b\r\nContent-Length: 0\r\n\r\n"],
    ["a zero byte", "HTTP/1.1 200 OK\r\nX: a\0\r\nContent-Length: 0\r\n\r\n"],
    ["chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["a head without end", `HTTP/1.1 200 OK\r\nX: ${"a".repeat(70_000)}`],
    [
      "a switch nobody asked for",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
  ])("is a 502 that names the pod: %s", async (_, text) => {
    const { port } = await world.start(tableFor([await world.saying(text)]));
    const heard = await ask(port);
    expect([heard.status, heard.headers["x-drydock-reason"]]).toEqual([502, "PodBroken"]);
    expect(JSON.parse(heard.body).error).toContain("pod model-pod-0 at 127.0.0.1:");
  });

  it.each([
    ["a chunk size that is none", "xyz\r\n"],
    ["a chunk longer than its size", "2\r\nabc\r\n0\r\n\r\n"],
    ["a bare line feed after a size", "2\nab\r\n0\r\n\r\n"],
    ["a trailer that is no header", "0\r\nno trailer\r\n\r\n"],
  ])("breaks the client's connection once begun: %s", async (_, body) => {
    const pod = await world.saying(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n${body}`);
    const { port, gateway } = await world.start(tableFor([pod]));
    await expect(ask(port)).rejects.toThrow();
    expect(gateway.stats().upstream.open).toBe(0);
  });

  it("never answers the next request with what was left of it", async () => {
    const pod = await world.saying(
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    );
    const { port } = await world.start(tableFor([pod]));
    for (let count = 0; count < 3; count += 1) expect((await ask(port)).body).toBe("ok");
  });

  it("is not trusted once it speaks unasked", async () => {
    const pod = await world.rawPod((socket) => {
      socket.on("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        setTimeout(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"), 10);
      });
    });
    const { port, gateway } = await world.start(tableFor([pod]));
    expect((await ask(port)).body).toBe("ok");
    await expect.poll(() => gateway.stats().upstream.open).toBe(0);
    expect((await ask(port)).body).toBe("ok");
  });

  it("may hold what Node refuses to repeat, and costs its own request only", async () => {
    const pod = await world.saying(
      "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nTrailer: X\r\nContent-Length: 2\r\n\r\nok",
    );
    const { port, gateway } = await world.start(tableFor([pod]));
    expect((await ask(port)).body).toBe("ok");
    const session = connectH2(`http://127.0.0.1:${port}`);
    world.atEnd(() => session.destroy());
    const stream = session.request({ ":authority": "model.test" });
    await new Promise((resolve) => stream.on("error", () => {}).on("close", resolve));
    await expect.poll(() => gateway.stats().inFlight).toBe(0);
    expect((await ask(port)).body).toBe("ok");
  });

  it("may end with its connection, as in old HTTP", async () => {
    const pod = await world.rawPod((socket) =>
      socket.on("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\nold but whole")),
    );
    const { port } = await world.start(tableFor([pod]));
    expect((await ask(port)).body).toBe("old but whole");
  });

  it("may come in pieces, after hints", async () => {
    const text =
      "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n3;e=x\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-T: u\r\n\r\n";
    const pod = await world.rawPod((socket) => {
      socket.setNoDelay(true);
      socket.on("data", async () => {
        for (let at = 0; at < text.length; at += 7) {
          socket.write(text.slice(at, at + 7));
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      });
    });
    const { port } = await world.start(tableFor([pod]));
    for (let count = 0; count < 2; count += 1) {
      const heard = await ask(port);
      expect([heard.status, heard.body, heard.trailers["x-t"]]).toEqual([200, "abc0123456789", "u"]);
    }
  });
});
