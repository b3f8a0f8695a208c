// Attacks that have a name, kept with the status each must get. None may reach a model as more, or as another, than
// the client's peers before and behind us would take it for.
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sendRaw, tableFor, World } from "../dataplane/testing.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

const host = "Host: model.test\r\n";
const smuggled = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;
const post = (headers: string, body = "") => `POST / HTTP/1.1\r\n${host}${headers}\r\n\r\n${body}`;
const get = (headers: string) => `GET / HTTP/1.1\r\n${host}${headers}\r\n`;

type Row = readonly [status: number, name: string, text: string];

const smuggling: readonly Row[] = [
  [400, "CL.TE", post("Content-Length: 6\r\nTransfer-Encoding: chunked", `0\r\n\r\nG${smuggled}`)],
  [400, "TE.CL", post("Transfer-Encoding: chunked\r\nContent-Length: 4", `5e\r\n${smuggled}\r\n0\r\n\r\n`)],
  [400, "CL.CL", post(`Content-Length: 0\r\nContent-Length: ${smuggled.length}`, smuggled)],
  [400, "CL.CL alike", post("Content-Length: 5\r\nContent-Length: 5", "abcde")],
  [400, "a list of lengths", post("Content-Length: 5, 5", "abcde")],
  [400, "TE.TE", post("Transfer-Encoding: chunked\r\nTransfer-encoding: cow", "0\r\n\r\n")],
  [400, "TE.TE twice chunked", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n")],
  [400, "a vertical tab before chunked", post("Transfer-Encoding: \x0bchunked", "0\r\n\r\n")],
  [400, "a tab after chunked", post("Transfer-Encoding: chunked \t", "0\r\n\r\n")],
  [400, "chunked in quotes", post('Transfer-Encoding: "chunked"', "0\r\n\r\n")],
  [400, "chunked and more", post("Transfer-Encoding: chunked, identity", "0\r\n\r\n")],
  [400, "identity", post("Transfer-Encoding: identity\r\nContent-Length: 0")],
  [400, "a space before the colon of an encoding", post("Transfer-Encoding : chunked", "0\r\n\r\n")],
  [400, "a space before the colon of a length", post("Content-Length : 0")],
  [400, "an encoding behind a bare line feed", post("X: y\nTransfer-Encoding: chunked", "0\r\n\r\n")],
  [400, "an encoding behind a bare carriage return", post("X: y\rTransfer-Encoding: chunked", "0\r\n\r\n")],
  [400, "a folded encoding", post("Transfer-Encoding:\r\n chunked", "0\r\n\r\n")],
  [400, "a fold before the first field", `POST / HTTP/1.1\r\n Transfer-Encoding: chunked\r\n${host}\r\n`],
  [400, "an encoding in HTTP/1.0", `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  [400, "a length that is signed", post("Content-Length: +5", "abcde")],
  [400, "a length in hexadecimal", post("Content-Length: 0x5", "abcde")],
  [400, "a length with a fraction", post("Content-Length: 5.0", "abcde")],
  [400, "a length past all numbers", post("Content-Length: 18446744073709551617", "a")],
  [400, "an empty length", post("Content-Length:")],
  [400, "a length with a tab", post("Content-Length: 5\t", "abcde")],
  [400, "a chunk size in 0x", post("Transfer-Encoding: chunked", "0x5\r\nabcde\r\n0\r\n\r\n")],
  [400, "a chunk size that is signed", post("Transfer-Encoding: chunked", "+5\r\nabcde\r\n0\r\n\r\n")],
  [
    400,
    "a chunk size that wraps around",
    post("Transfer-Encoding: chunked", "10000000000000005\r\nabcde\r\n0\r\n\r\n"),
  ],
  [400, "a chunk size with a space", post("Transfer-Encoding: chunked", "5 \r\nabcde\r\n0\r\n\r\n")],
  [400, "a chunk size ended by a line feed", post("Transfer-Encoding: chunked", "5\nabcde\r\n0\r\n\r\n")],
  [400, "a chunk longer than it says", post("Transfer-Encoding: chunked", "4\r\nabcde\r\n0\r\n\r\n")],
  [400, "a chunk ended by two other bytes", post("Transfer-Encoding: chunked", "5\r\nabcdexx0\r\n\r\n")],
  [400, "a line feed in an extension", post("Transfer-Encoding: chunked", "5;a\nb\r\nabcde\r\n0\r\n\r\n")],
  [
    400,
    "a line feed in a quoted extension",
    post("Transfer-Encoding: chunked", '5;a="\n"\r\nabcde\r\n0\r\n\r\n'),
  ],
  [400, "a length among the trailers", post("Transfer-Encoding: chunked", "0\r\nContent-Length: 5\r\n\r\n")],
  [
    400,
    "an encoding among the trailers",
    post("Transfer-Encoding: chunked", "0\r\nTransfer-Encoding: x\r\n\r\n"),
  ],
  [400, "a folded trailer", post("Transfer-Encoding: chunked", "0\r\nX: y\r\n z\r\n\r\n")],
  [
    400,
    "an upgrade with a body",
    post("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5", "abcde"),
  ],
];

const heads: readonly Row[] = [
  [400, "two hosts", get("Host: other.test\r\n")],
  [400, "no host", "GET / HTTP/1.1\r\n\r\n"],
  [400, "an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"],
  [400, "a host with a path", "GET / HTTP/1.1\r\nHost: a/../b\r\n\r\n"],
  [400, "a host with a user", "GET / HTTP/1.1\r\nHost: a@model.test\r\n\r\n"],
  [400, "a host with a blank", "GET / HTTP/1.1\r\nHost: model.test evil\r\n\r\n"],
  [400, "a NUL in a value", get("X: a\0b\r\n")],
  [400, "a NUL in a name", get("X\0: a\r\n")],
  [400, "a control character in a value", get("X: a\x01\r\n")],
  [400, "a DEL in a value", get("X: a\x7f\r\n")],
  [400, "a name beyond ASCII", get("X\xe9: a\r\n")],
  [400, "a line without a name", get(": a\r\n")],
  [400, "a line without a colon", get("nothing\r\n")],
  [400, "bare line feeds throughout", "GET / HTTP/1.1\nHost: model.test\n\n"],
  [400, "a method nobody knows", `BREW / HTTP/1.1\r\n${host}\r\n`],
  [400, "a method in small letters", `get / HTTP/1.1\r\n${host}\r\n`],
  [400, "two blanks", `GET  / HTTP/1.1\r\n${host}\r\n`],
  [400, "a tab for a blank", `GET\t/ HTTP/1.1\r\n${host}\r\n`],
  [400, "a blank after the version", `GET / HTTP/1.1 \r\n${host}\r\n`],
  [400, "a blank in the path", `GET /a b HTTP/1.1\r\n${host}\r\n`],
  [400, "a fragment", `GET /a#b HTTP/1.1\r\n${host}\r\n`],
  [400, "a path beyond ASCII", `GET /\xe9 HTTP/1.1\r\n${host}\r\n`],
  [400, "HTTP/0.9", "GET /\r\n\r\n"],
  [400, "HTTP/1.2", `GET / HTTP/1.2\r\n${host}\r\n`],
  [400, "another protocol", `GET / ICE/1.0\r\n${host}\r\n`],
  [400, "a TLS handshake", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"],
  [405, "a tunnel", "CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n"],
  [417, "an expectation nobody meets", get("Expect: the-impossible\r\n")],
  [431, "a giant field", get(`X: ${"a".repeat(40_000)}\r\n`)],
  [431, "a giant number of fields", get("x: y\r\n".repeat(8_000))],
  [431, "a giant target", `GET /${"a".repeat(40_000)} HTTP/1.1\r\n${host}\r\n`],
  [431, "a head without an end", `GET / HTTP/1.1\r\n${"X: y\r\n".repeat(8_000)}`],
];

describe.each([
  ["smuggling", smuggling],
  ["heads", heads],
] as const)("%s", (_title, rows) => {
  it.each(rows)("%i: %s", async (status, _name, text) => {
    const seen: string[] = [];
    const pod = await world.pod((request, response) => {
      request.resume().on("error", () => {});
      request.on("end", () => {
        seen.push(request.url ?? "");
        response.end("served");
      });
    });
    const { port, gateway } = await world.start(tableFor([pod]));
    const got = await sendRaw(port, text + smuggled, 150);
    expect(got).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(got.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(got.toLowerCase()).toContain("connection: close");
    expect(got).toContain("x-drydock-reason: BadRequest");
    expect(got).toContain('{"error":"gateway: the request is not clean HTTP: ');
    expect(seen).toEqual([]);
    await expect.poll(() => gateway.stats().inFlight).toBe(0);
  });
});

describe("slowness", () => {
  /** What the client hears until it is cut off, and after how long that was. */
  function drip(
    port: number,
    pieces: readonly string[],
    everyMs: number,
  ): Promise<{ got: string; tookMs: number }> {
    return new Promise((resolve) => {
      const beganMs = performance.now();
      let got = "";
      let at = 0;
      const socket = connect(port, "127.0.0.1");
      const timer = setInterval(() => {
        socket.write(pieces[at % pieces.length] ?? "", "latin1");
        at += 1;
      }, everyMs);
      socket.on("data", (chunk) => {
        got += chunk;
      });
      socket.on("error", () => {});
      socket.on("end", () => socket.end());
      socket.on("close", () => {
        clearInterval(timer);
        resolve({ got, tookMs: performance.now() - beganMs });
      });
      world.atEnd(() => socket.destroy());
    });
  }

  it("408: a head that comes field by field for ever", async () => {
    const { port } = await world.start(tableFor([1]), { headMs: 150 });
    const head = `GET / HTTP/1.1\r\n${host}`;
    const { got, tookMs } = await drip(port, [head, ...Array.from({ length: 400 }, () => "X: y\r\n")], 10);
    expect(got).toMatch(/^HTTP\/1\.1 408 /);
    expect(tookMs).toBeLessThan(3_000);
  });

  it("408: a small body that comes byte by byte", async () => {
    const { port } = await world.start(tableFor([await world.pod(() => {})]), { gatherMs: 100 });
    const { got } = await drip(
      port,
      [post("Content-Length: 1000"), ...Array.from({ length: 400 }, () => "x")],
      10,
    );
    expect(got).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("is cut off without a word where nothing was asked", async () => {
    const { port } = await world.start(tableFor([1]), { firstByteMs: 80, keepAliveMs: 80 });
    expect((await drip(port, [""], 1_000)).got).toBe("");
  });

  it("is allowed between requests, for as long as a connection is kept", async () => {
    const pod = await world.pod((_request, response) => response.end("served"));
    const { port, gateway } = await world.start(tableFor([pod]), { keepAliveMs: 200 });
    const socket = connect(port, "127.0.0.1");
    const closed = new Promise((resolve) => socket.on("close", resolve));
    let got = "";
    socket.on("data", (chunk) => {
      got += chunk;
    });
    socket.write(get(""));
    await expect.poll(() => got).toContain("served");
    await closed;
    await expect.poll(() => gateway.stats()).toMatchObject({ requests: 1, connections: 0 });
  });
});

describe("many connections that do nothing", () => {
  it("cost little, and those who ask are served", async () => {
    const pod = await world.pod((_request, response) => response.end("served"));
    const { port, gateway } = await world.start(tableFor([pod]));
    const idle = Array.from({ length: 500 }, (_, index) => {
      const socket = connect(port, "127.0.0.1").on("error", () => {});
      if (index % 2 === 0) socket.write("GET / HTTP/1.1\r\nX");
      return socket;
    });
    world.atEnd(() => {
      for (const socket of idle) socket.destroy();
    });
    await expect.poll(() => gateway.stats().connections, { timeout: 5_000 }).toBe(500);
    expect(await sendRaw(port, get("Connection: close\r\n"))).toContain("served");
  });
});
