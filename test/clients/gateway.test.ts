// Clients that nobody here wrote, through the gateway: curl, Python's requests and httpx, Go's net/http and gRPC, wrk,
// and a browser.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { makeAuthority } from "../../src/adapters/tls/certificates.js";
import { compileRoutes } from "../../src/dataplane/gateway/compile.js";
import type { RouteTable } from "../../src/dataplane/gateway/table.js";
import { endpoints, plain, service, tableFor, World } from "../dataplane/testing.js";
import { describeWith } from "../needs.js";
import { root } from "../sources.js";

const run = promisify(execFile);
const python = process.env["DRYDOCK_TEST_PYTHON"] ?? "python3";
const withinMs = 60_000;

const world = new World();
let folder: string;
let port: number;
let tlsPort: number;
let ca: string;

const model: RequestListener = (request, response) => {
  switch (request.url) {
    case "/echo":
      request.pipe(response);
      return;
    case "/events": {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const count of [0, 1, 2]) setTimeout(() => response.write(`data: ${count}\n\n`), count * 20);
      setTimeout(() => response.end(), 60);
      return;
    }
    case "/never":
      return;
    default:
      response.end(`${request.method} ${request.url}`);
  }
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "drydock-gateway-clients-"));
  ca = join(folder, "ca.crt");
  const authority = makeAuthority(Date.now());
  writeFileSync(ca, authority.cert);
  const hosts = ["model.test"];
  const tls = [{ hosts, ...authority.sign({ commonName: "model.test" }, "server", hosts) }];
  ({ port, tlsPort } = await world.start({ ...tableFor([await world.pod(model)]), tls }));
});

afterAll(async () => {
  await world.dispose();
  rmSync(folder, { recursive: true, force: true });
});

describeWith(["curl", "--version"], "curl", () => {
  const curl = async (...args: readonly string[]) => {
    const format = ["-sS", "--max-time", "20", "-w", " %{http_code} %{http_version}"];
    return (await run("curl", [...format, ...args], { maxBuffer: 2 ** 25 })).stdout;
  };
  const at = (path: string) => [
    "--connect-to",
    `model.test:80:127.0.0.1:${port}`,
    `http://model.test${path}`,
  ];

  it.each([
    ["HTTP/1.1", [], "1.1"],
    ["HTTP/1.0", ["--http1.0"], "1.1"],
    ["HTTP/2 with prior knowledge", ["--http2-prior-knowledge"], "2"],
    ["an offer of HTTP/2, which is declined", ["--http2"], "1.1"],
  ])("speaks %s", async (_, args, version) => {
    expect(await curl(...args, ...at("/a?b=c"))).toBe(`GET /a?b=c 200 ${version}`);
    expect(await curl(...args, "-d", '{"a":1}', ...at("/echo"))).toBe(`{"a":1} 200 ${version}`);
  });

  it("waits for 100-continue, and sends bodies without a length", async () => {
    const file = join(folder, "body");
    const body = "0123456789".repeat(200_000);
    writeFileSync(file, body);
    expect(await curl("-H", "Expect: 100-continue", "--data-binary", `@${file}`, ...at("/echo"))).toBe(
      `${body} 200 1.1`,
    );
    expect(await curl("-H", "Transfer-Encoding: chunked", "--data-binary", `@${file}`, ...at("/echo"))).toBe(
      `${body} 200 1.1`,
    );
  });

  it("keeps a connection over many requests", async () => {
    const { stdout } = await run("curl", [
      "-sS",
      "-w",
      "%{num_connects} ",
      ...at("/[1-9]"),
      "-o",
      "/dev/null",
    ]);
    expect(stdout.trim()).toBe("1 0 0 0 0 0 0 0 0");
  });

  it("agrees on HTTP/2 or HTTP/1.1 over TLS", async () => {
    const secure = [
      "--cacert",
      ca,
      "--connect-to",
      `model.test:443:127.0.0.1:${tlsPort}`,
      "https://model.test/s",
    ];
    expect(await curl(...secure)).toBe("GET /s 200 2");
    expect(await curl("--http1.1", ...secure)).toBe("GET /s 200 1.1");
  });
});

describeWith([python, "-c", "import requests, httpx, h2"], "Python's requests and httpx", () => {
  it("send and stream, over HTTP/1.1, HTTP/2 and TLS", { timeout: withinMs }, async () => {
    const script = join(root, "test/clients/gateway_client.py");
    const { stdout } = await run(python, [script, String(port), String(tlsPort), ca], { timeout: withinMs });
    expect(stdout.trim().split("\n")).toEqual([
      "ok requests",
      "ok httpx HTTP/1.1",
      "ok httpx HTTP/2",
      "ok httpx TLS",
    ]);
  });
});

describeWith(["go", "version"], "Go", () => {
  const cwd = join(root, "test/clients/grpc");
  let program: string;

  beforeAll(async () => {
    program = join(folder, "go-client");
    await run("go", ["build", "-o", program, "."], { cwd, timeout: 600_000 });
  }, 600_000);

  it("net/http asks, keeps connections and hangs up", { timeout: withinMs }, async () => {
    const { stdout } = await run(program, ["ask", `127.0.0.1:${port}`, "model.test"], { timeout: withinMs });
    expect(stdout).toBe("ok net/http\n");
  });

  it("grpc-go passes its own interoperability tests", { timeout: withinMs }, async () => {
    const server = spawn(program, ["serve"], { stdio: ["ignore", "pipe", "ignore"] });
    world.atEnd(() => server.kill("SIGKILL"));
    const podPort = await new Promise<number>((resolve) =>
      server.stdout.once("data", (line) => resolve(Number(line))),
    );
    const { port: grpcPort } = await world.start(tableFor([podPort], { portName: "h2c" }));
    const { stdout } = await run(program, ["call", `127.0.0.1:${grpcPort}`, "model.test"], {
      timeout: withinMs,
    });
    expect(stdout.trim().split("\n")).toHaveLength(13);
  });
});

describeWith(["sh", "-c", "command -v wrk"], "wrk", () => {
  it("sees no error under load", { timeout: withinMs }, async () => {
    const args = ["-t1", "-c32", "-d1s", "-H", "Host: model.test", `http://127.0.0.1:${port}/load`];
    const { stdout } = await run("wrk", args, { timeout: withinMs });
    expect(stdout).toMatch(/\d+ requests in/);
    expect(stdout).not.toMatch(/Socket errors|Non-2xx/);
  });
});

describeWith(["chromium", "--version"], "a browser", () => {
  const page = `<!doctype html><script>
    const report = {};
    const one = (socket, event) => new Promise((resolve) => (socket["on" + event] = (e) => resolve(e.data)));
    (async () => {
      report.fetch = await (await fetch("/echo", { method: "POST", body: "from a page" })).text();
      const socket = new WebSocket("ws://" + location.host + "/socket");
      await one(socket, "open");
      socket.send("hello");
      report.socket = await one(socket, "message");
      const events = new EventSource("/events");
      report.event = await one(events, "message");
      events.close();
    })()
      .catch((error) => (report.error = String(error)))
      .then(() => fetch("/report", { method: "POST", body: JSON.stringify(report) }));
  </script>`;

  it("fetches, opens a WebSocket and listens to events", { timeout: withinMs }, async () => {
    let reported: string | undefined;
    const pod = await world.pod((request, response) => {
      if (request.url === "/page") response.setHeader("content-type", "text/html").end(page);
      else if (request.url === "/report") {
        request.on("data", (chunk) => {
          reported = (reported ?? "") + chunk;
        });
        request.on("end", () => response.end());
      } else model(request, response);
    });
    const { port: pagePort } = await world.start(await withSockets(pod));
    const browser = spawn(
      "chromium",
      [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        `--user-data-dir=${join(folder, "browser")}`,
        "--host-resolver-rules=MAP model.test 127.0.0.1",
        "--no-proxy-server",
        `http://model.test:${pagePort}/page`,
      ],
      { stdio: "ignore", detached: true },
    );
    const gone = new Promise((resolve) => browser.once("exit", resolve));
    try {
      await expect.poll(() => reported, { timeout: 50_000 }).toBeDefined();
    } finally {
      if (browser.pid !== undefined) process.kill(-browser.pid, "SIGKILL");
      await gone;
    }
    expect(JSON.parse(reported ?? "")).toEqual({ fetch: "from a page", socket: "<hello>", event: "0" });
  });

  /** The page's own pod, and another that answers WebSockets. */
  async function withSockets(pod: number): Promise<RouteTable> {
    const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(`<${data}>`)));
    await new Promise((resolve) => sockets.on("listening", resolve));
    world.atEnd(() => sockets.close());
    const to = (name: string) => [{ destination: { host: name, port: { number: 80 } } }];
    const all = plain("browsed", ["model.test"], {});
    const http = [{ match: [{ uri: { exact: "/socket" } }], route: to("sockets") }, { route: to("page") }];
    return compileRoutes({
      virtualServices: [{ ...all, spec: { ...all.spec, http } }],
      services: [service("page"), service("sockets")],
      endpoints: [
        endpoints("page", [pod]),
        endpoints("sockets", [(sockets.address() as { port: number }).port]),
      ],
    }).table;
  }
});
