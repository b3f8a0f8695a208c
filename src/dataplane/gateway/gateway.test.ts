import { Agent } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ask,
  echo,
  endpoints,
  isvc,
  plain,
  route,
  sendRaw,
  service,
  tableFor,
  World,
} from "../../../test/dataplane/testing.js";
import { compileRoutes } from "./compile.js";
import { emptyTable } from "./table.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

describe("a straight request", () => {
  it("reaches the pod with its body, its Host and the way it came", async () => {
    const { port } = await world.start(tableFor([await world.pod(echo)]));
    const headers = { "x-a": "b", "x-request-id": "mine", connection: "close, x-secret", "x-secret": "hop" };
    const heard = await ask(port, { method: "POST", path: "/v1/models/m:predict?x=1", body: "{}", headers });
    expect(heard.status).toBe(200);
    const seen = JSON.parse(heard.body);
    expect(seen).toMatchObject({ method: "POST", url: "/v1/models/m:predict?x=1", body: "{}" });
    expect(seen.headers).toMatchObject({
      host: "model.test",
      "x-a": "b",
      "x-request-id": "mine",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "model.test",
      forwarded: "for=127.0.0.1;host=model.test;proto=http",
    });
    expect(seen.headers).not.toHaveProperty("x-secret");
  });

  it("gets an id when it has none, and each a different one", async () => {
    const { port } = await world.start(tableFor([await world.pod(echo)]));
    const ids = [await ask(port), await ask(port)].map(
      (heard) => JSON.parse(heard.body).headers["x-request-id"],
    );
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it("follows the chain of VirtualServices, which the pod sees as Host and headers", async () => {
    const { table } = compileRoutes({
      virtualServices: [isvc("iris"), route("iris-predictor", { r1: 100 })],
      services: [service("r1")],
      endpoints: [endpoints("r1", [await world.pod(echo)])],
    });
    const { port } = await world.start(table);
    const headers = {
      host: "iris.default.example.com:8080",
      "knative-serving-revision": "forged",
      "kserve-isvc-name": "forged",
    };
    const seen = JSON.parse((await ask(port, { headers })).body);
    expect(seen.headers).toMatchObject({
      host: "iris-predictor.default.svc.cluster.local",
      "kserve-isvc-name": "iris",
    });
    expect(seen.headers).not.toHaveProperty("knative-serving-revision");
    expect(seen.headers).not.toHaveProperty("k-network-hash");
  });

  it("needs no DNS: the path names the service, and the pod sees the rest", async () => {
    const { table } = compileRoutes({
      virtualServices: [isvc("iris"), route("iris-predictor", { r1: 100 })],
      services: [service("r1")],
      endpoints: [endpoints("r1", [await world.pod(echo)])],
    });
    const { port } = await world.start(table);
    const headers = { host: `localhost:${port}` };
    const seen = JSON.parse(
      (await ask(port, { path: "/serving/default/iris/v1/models/iris:predict?a=b", headers })).body,
    );
    expect(seen.url).toBe("/v1/models/iris:predict?a=b");
    expect(JSON.parse((await ask(port, { path: "/serving/default/iris", headers })).body).url).toBe("/");
    expect((await ask(port, { path: "/serving/default/iris-predictor/", headers })).status).toBe(404);
    expect((await ask(port, { path: "/serving/default/iris/../../other", headers })).status).toBe(404);
  });

  it("reuses connections on both sides", async () => {
    let connections = 0;
    const pod = await world.rawPod((socket) => {
      connections += 1;
      socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    });
    const { port, gateway } = await world.start(tableFor([pod]));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    world.atEnd(() => agent.destroy());
    for (let count = 0; count < 20; count += 1) expect((await ask(port, { agent })).body).toBe("ok");
    expect(connections).toBe(1);
    expect(gateway.stats()).toMatchObject({ requests: 20, connections: 1, upstream: { open: 1, idle: 1 } });
  });

  it("answers pipelined requests in order", async () => {
    const { port } = await world.start(
      tableFor([await world.pod((request, response) => response.end(request.url))]),
    );
    const one = (path: string) => `GET ${path} HTTP/1.1\r\nHost: model.test\r\n\r\n`;
    const got = await sendRaw(port, one("/p1") + one("/p2") + one("/p3"));
    expect(got.match(/\/p\d/g)).toEqual(["/p1", "/p2", "/p3"]);
  });

  it("takes HTTP/1.0 and absolute targets", async () => {
    const { port } = await world.start(
      tableFor([await world.pod((request, response) => response.end(request.url))]),
    );
    expect(await sendRaw(port, "GET /old HTTP/1.0\r\nHost: model.test\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 200 .*\/old$/s,
    );
    expect(await sendRaw(port, "GET http://model.test/abs?x HTTP/1.1\r\nHost: other\r\n\r\n")).toContain(
      "/abs?x",
    );
  });

  it("tells the time of each hop when asked", async () => {
    const { port } = await world.start(tableFor([await world.pod(echo)]));
    const heard = await ask(port, { headers: { "x-drydock-timing": "1" } });
    expect(heard.headers["server-timing"]).toMatch(/^gateway;dur=\d+\.\d{3}, pod;dur=\d+\.\d{3}$/);
    expect((await ask(port)).headers).not.toHaveProperty("server-timing");
  });

  it("rewrites dot segments before a rule sees the path", async () => {
    const pod = await world.pod((request, response) => response.end(request.url));
    const { port } = await world.start(tableFor([pod], { rule: { match: [{ uri: { prefix: "/v1/" } }] } }));
    expect((await sendRaw(port, "GET /v1/../admin HTTP/1.1\r\nHost: model.test\r\n\r\n")).split(" ")[1]).toBe(
      "404",
    );
    expect(
      (await sendRaw(port, "GET /v1/%2e%2e/admin HTTP/1.1\r\nHost: model.test\r\n\r\n")).split(" ")[1],
    ).toBe("404");
    expect(await sendRaw(port, "GET /x/..%2Fy/../../v1/./a HTTP/1.1\r\nHost: model.test\r\n\r\n")).toMatch(
      /\r\n\/v1\/a$/,
    );
  });
});

describe("bodies", () => {
  it("go chunked both ways, with trailers", async () => {
    const pod = await world.pod((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        response.writeHead(200, { Trailer: "X-Sum" });
        response.write("got ");
        response.write(`${Buffer.concat(chunks)} ${request.trailers["x-check"]}`);
        response.addTrailers({ "X-Sum": "42" });
        response.end();
      });
    });
    const { port } = await world.start(tableFor([pod]));
    const got = await sendRaw(
      port,
      "POST / HTTP/1.1\r\nHost: model.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Check: 7\r\n\r\n",
    );
    expect(got).toContain("got ");
    expect(got).toContain("abcde 7");
    expect(got).toContain("X-Sum: 42");
  });

  it("of every size arrive whole", async () => {
    const pod = await world.pod((request, response) => request.pipe(response));
    const { port } = await world.start(tableFor([pod]));
    for (const size of [0, 1, 4095, 4096, 8192, 8193, 65_536, 65_537, 3_000_000]) {
      const body = Buffer.alloc(size, "0123456789");
      const heard = await ask(port, { method: "POST", body });
      expect(heard.body.length).toBe(size);
      expect(heard.body === body.toString()).toBe(true);
      const chunked = await ask(port, { method: "POST", body, headers: { "transfer-encoding": "chunked" } });
      expect(chunked.body === body.toString()).toBe(true);
    }
  });

  it("are absent from HEAD, 204 and 304, whose lengths pass", async () => {
    const pod = await world.pod((request, response) => {
      response.statusCode = Number(request.url?.slice(1));
      if (response.statusCode !== 204) response.setHeader("content-length", "5");
      response.end(request.method === "HEAD" || response.statusCode !== 200 ? undefined : "hello");
    });
    const { port } = await world.start(tableFor([pod]));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    world.atEnd(() => agent.destroy());
    for (const [method, path, length] of [
      ["HEAD", "/200", "5"],
      ["GET", "/204", undefined],
      ["GET", "/304", "5"],
      ["GET", "/200", "5"],
    ] as const) {
      const heard = await ask(port, { method, path, agent });
      expect(heard.headers["content-length"]).toBe(length);
      expect(heard.body).toBe(method === "GET" && path === "/200" ? "hello" : "");
    }
  });

  it("wait for 100-continue, whether the pod says it or not", async () => {
    const polite = await world.pod(echo);
    const rude = await world.rawPod((socket) => {
      let seen = "";
      socket.on("data", (chunk) => {
        seen += chunk;
        if (seen.endsWith("hello")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrude");
      });
    });
    for (const [pod, body] of [
      [polite, '"body":"hello"'],
      [rude, "rude"],
    ] as const) {
      const { port } = await world.start(tableFor([pod]), { continueMs: 50 });
      const got = await new Promise<string>((resolve) => {
        const socket = connect(port, "127.0.0.1");
        let text = "";
        socket.write(
          "POST / HTTP/1.1\r\nHost: model.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
        );
        socket.on("data", (chunk) => {
          const before = text;
          text += chunk;
          if (before === "") socket.write("hello");
          else if (text.includes(body)) socket.end();
        });
        socket.on("close", () => resolve(text));
      });
      expect(got.startsWith("HTTP/1.1 100 Continue\r\n\r\n")).toBe(true);
      expect(got).toContain(body);
    }
  });

  it("may be refused before they are sent", async () => {
    const pod = await world.saying("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    const { port } = await world.start(tableFor([pod]));
    const got = await sendRaw(
      port,
      "POST / HTTP/1.1\r\nHost: model.test\r\nContent-Length: 9000000\r\nExpect: 100-continue\r\n\r\n",
    );
    expect(got).toMatch(/^HTTP\/1\.1 413 Too Large\r\n/);
    expect(got.toLowerCase()).toContain("connection: close");
  });

  it("stream as they come, in both directions at once", async () => {
    const pod = await world.pod((request, response) =>
      request.on("data", (chunk: Buffer) => response.write(`<${chunk}>`)).on("end", () => response.end()),
    );
    const { port } = await world.start(tableFor([pod]));
    const socket = connect(port, "127.0.0.1");
    world.atEnd(() => socket.destroy());
    socket.write("POST / HTTP/1.1\r\nHost: model.test\r\nTransfer-Encoding: chunked\r\n\r\n");
    let got = "";
    socket.on("data", (chunk) => {
      got += chunk;
    });
    for (const word of ["one", "two", "three"]) {
      socket.write(`${word.length.toString(16)}\r\n${word}\r\n`);
      await expect.poll(() => got).toContain(`<${word}>`);
    }
  });

  it("are held back by a slow reader, so that memory stays bounded", async () => {
    let sent = 0;
    const pod = await world.pod((_request, response) => {
      const block = Buffer.alloc(64 * 1024);
      const more = () => {
        while (sent < 512 * 1024 * 1024) {
          sent += block.length;
          if (!response.write(block)) break;
        }
      };
      response.on("drain", more);
      more();
    });
    const { port } = await world.start(tableFor([pod]));
    const socket = connect(port, "127.0.0.1");
    world.atEnd(() => socket.destroy());
    socket.write("GET / HTTP/1.1\r\nHost: model.test\r\n\r\n");
    socket.pause();
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // What the kernel's buffers on both hops hold, and not what the pod would send.
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  it("are held back by a slow pod, so that memory stays bounded", async () => {
    const pod = await world.rawPod((socket) => socket.pause());
    const { port } = await world.start(tableFor([pod]));
    const socket = connect(port, "127.0.0.1");
    world.atEnd(() => socket.destroy());
    socket.write("POST / HTTP/1.1\r\nHost: model.test\r\nContent-Length: 1000000000\r\n\r\n");
    let sent = 0;
    const block = Buffer.alloc(64 * 1024);
    const more = () => {
      while (sent < 512 * 1024 * 1024) {
        sent += block.length;
        if (!socket.write(block)) break;
      }
    };
    socket.on("drain", more);
    more();
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });
});

describe("bad news", () => {
  it("is a 404 that names what was looked for and what there is", async () => {
    const { port } = await world.start(tableFor([1]));
    const heard = await ask(port, { path: "/v1/x", headers: { host: "modle.test" } });
    expect(heard.status).toBe(404);
    expect(heard.headers["x-drydock-reason"]).toBe("NoRoute");
    expect(JSON.parse(heard.body).error).toBe(
      'no route for GET /v1/x for host "modle.test" on the external listener; hosts here: model.test',
    );
  });

  it("shows at most ten hosts, the likely ones first", async () => {
    const rule = { route: [{ destination: { host: "a" } }] };
    const objects = Array.from({ length: 30 }, (_, index) => plain(`v${index}`, [`m${index}.test`], rule));
    const { port } = await world.start(
      compileRoutes({ virtualServices: objects, services: [], endpoints: [] }).table,
    );
    const { error } = JSON.parse((await ask(port, { headers: { host: "m29.tset" } })).body);
    expect(error).toMatch(/hosts here: m2\.test, m29\.test, .* and 20 more$/);
  });

  it("is a 503 that names the revision when no pod is ready", async () => {
    const { port } = await world.start(tableFor([], { notReady: 2 }));
    const heard = await ask(port, { method: "POST", body: "x" });
    expect(heard.status).toBe(503);
    expect(heard.headers).toMatchObject({ "x-drydock-reason": "NoReadyPod", "retry-after": "1" });
    expect(JSON.parse(heard.body).error).toBe(
      "gateway: no pod of revision default/model is ready: 2 pods are not ready yet",
    );
  });

  it("is avoided by another pod when one refuses", async () => {
    const { port, gateway } = await world.start(tableFor([world.deadPort(), await world.pod(echo)]));
    for (let count = 0; count < 5; count += 1) {
      const heard = await ask(port, { method: "POST", body: "again" });
      expect(heard.status).toBe(200);
      expect(JSON.parse(heard.body).body).toBe("again");
    }
    const big = "x".repeat(200_000);
    expect(JSON.parse((await ask(port, { method: "POST", body: big })).body).body).toBe(big);
    expect(gateway.inFlight().size).toBe(0);
  });

  it("names pod and address when all of them refuse", async () => {
    const dead = world.deadPort();
    const { port } = await world.start(tableFor([dead]));
    const heard = await ask(port);
    expect(heard.status).toBe(502);
    expect(heard.headers["x-drydock-reason"]).toBe("PodRefused");
    expect(JSON.parse(heard.body).error).toBe(
      `pod model-pod-0 at 127.0.0.1:${dead} of revision default/model refused the connection: ECONNREFUSED`,
    );
  });

  it("is a 504 when the route's time is over", async () => {
    const { port } = await world.start(tableFor([await world.pod(() => {})], { rule: { timeout: "50ms" } }));
    const heard = await ask(port);
    expect([heard.status, heard.headers["x-drydock-reason"]]).toEqual([504, "PodTimeout"]);
  });

  it("is a 504 when nothing moves for long", async () => {
    const { port } = await world.start(tableFor([await world.pod(() => {})]), { stallMs: 60 });
    expect((await ask(port)).status).toBe(504);
  });

  it("is a 408 when a small body does not come", async () => {
    const { port } = await world.start(tableFor([await world.pod(echo)]), { gatherMs: 40 });
    const got = await sendRaw(port, "POST / HTTP/1.1\r\nHost: model.test\r\nContent-Length: 5\r\n\r\nab");
    expect(got).toMatch(/^HTTP\/1\.1 408 /);
    expect(got.toLowerCase()).toContain("connection: close");
  });

  it("reaches a client in the middle of an answer as a broken connection", async () => {
    for (const head of ["Content-Length: 100", "Transfer-Encoding: chunked"]) {
      const pod = await world.rawPod((socket) =>
        socket.on("data", () => {
          socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n5\r\nabcde\r\n`);
          setTimeout(() => socket.destroy(), 20);
        }),
      );
      const { port, gateway } = await world.start(tableFor([pod]));
      await expect(ask(port)).rejects.toThrow();
      expect(gateway.stats().inFlight).toBe(0);
    }
  });

  it("reaches the pod when the client leaves", async () => {
    let left = false;
    let came = false;
    const pod = await world.pod((_request, response) => {
      came = true;
      response.on("close", () => {
        left = true;
      });
    });
    const { port, gateway } = await world.start(tableFor([pod]));
    const socket = connect(port, "127.0.0.1");
    socket.write("POST / HTTP/1.1\r\nHost: model.test\r\nContent-Length: 2\r\n\r\nok");
    await expect.poll(() => came).toBe(true);
    socket.destroy();
    await expect.poll(() => left).toBe(true);
    expect(gateway.stats()).toMatchObject({ inFlight: 0 });
    expect(gateway.inFlight().size).toBe(0);
  });

  it("is a 508 that names the chain", async () => {
    const back = plain("a", ["a.test"], {
      route: [{ destination: { host: "knative-local-gateway.istio-system.svc.cluster.local" } }],
    });
    const { localPort } = await world.start(
      compileRoutes({ virtualServices: [back], services: [], endpoints: [] }).table,
    );
    const heard = await ask(localPort, { headers: { host: "a.test" } });
    expect(heard.status).toBe(508);
    expect(JSON.parse(heard.body).error).toBe("the chain of routes comes back to itself: a.test -> a.test");
  });
});

describe("a stale connection", () => {
  it("costs no request, small or streamed", async () => {
    let first = true;
    const pod = await world.rawPod((socket) => {
      let served = 0;
      let seen = "";
      socket.on("data", (chunk) => {
        seen += chunk;
        if (!seen.endsWith("!") && !seen.endsWith("0\r\n\r\n")) return;
        seen = "";
        served += 1;
        // The first connection serves once, then closes on its second request: the race every keep-alive pool has.
        if (first && served === 2) {
          first = false;
          socket.destroy();
        } else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    });
    for (const headers of [{}, { "transfer-encoding": "chunked" }]) {
      first = true;
      const { port } = await world.start(tableFor([pod]));
      for (let count = 0; count < 3; count += 1) {
        expect((await ask(port, { method: "POST", body: "hi!", headers })).body).toBe("ok");
      }
      expect(first).toBe(false);
    }
  });

  it("on its first request is the pod's failure and is not repeated", async () => {
    let requests = 0;
    const pod = await world.rawPod((socket) =>
      socket.on("data", () => {
        requests += 1;
        socket.destroy();
      }),
    );
    const { port } = await world.start(tableFor([pod]));
    const heard = await ask(port);
    expect([heard.status, heard.headers["x-drydock-reason"], requests]).toEqual([502, "PodBroken", 1]);
  });
});

describe("the prober", () => {
  it("hears the hash of the configuration in force, and 404 where there is none", async () => {
    const { table } = compileRoutes({
      virtualServices: [isvc("iris"), route("iris-predictor", { r1: 100 }, "abc")],
      services: [],
      endpoints: [],
    });
    const { port, gateway } = await world.start(table);
    const probe = {
      path: "/healthz",
      headers: { host: "iris.default.example.com", "K-Network-Probe": "probe", "K-Network-Hash": "override" },
    };
    expect((await ask(port, probe)).status).toBe(200);
    const services = [service("r1")];
    gateway.update(
      compileRoutes({
        virtualServices: [isvc("iris"), route("iris-predictor", { r1: 100 }, "abc")],
        services,
        endpoints: [],
      }).table,
    );
    expect((await ask(port, probe)).headers["k-network-hash"]).toBe("abc");
    gateway.update(emptyTable);
    expect((await ask(port, probe)).status).toBe(404);
  });
});

describe("the table", () => {
  it("is swapped under load without a failed request", async () => {
    const ports = await Promise.all(
      [1, 2, 3].map((name) => world.pod((_request, response) => response.end(`${name}`))),
    );
    const { port, gateway } = await world.start(tableFor(ports.slice(0, 1)));
    const agent = new Agent({ keepAlive: true, maxSockets: 32 });
    world.atEnd(() => agent.destroy());
    const seen = new Set<string>();
    let running = true;
    let asked = 0;
    const client = async () => {
      while (running) {
        const heard = await ask(port, { agent, method: "POST", body: "x" });
        expect(heard.status).toBe(200);
        seen.add(heard.body);
        asked += 1;
      }
    };
    const clients = Array.from({ length: 16 }, client);
    for (let swap = 1; swap <= 60; swap += 1) {
      gateway.update(tableFor([ports[swap % 3]!]));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    running = false;
    await Promise.all(clients);
    expect(asked).toBeGreaterThan(100);
    expect([...seen].sort()).toEqual(["1", "2", "3"]);
  });

  it("sends requests to the least loaded pod", async () => {
    const held: (() => void)[] = [];
    const slow = await world.pod((_request, response) => held.push(() => response.end("slow")));
    const quick = await world.pod((_request, response) => response.end("quick"));
    const { port, gateway } = await world.start(tableFor([slow, quick]));
    const first = ask(port);
    await expect.poll(() => held.length).toBe(1);
    expect(gateway.inFlight().get(`127.0.0.1:${slow}`)).toBe(1);
    for (let count = 0; count < 5; count += 1) expect((await ask(port)).body).toBe("quick");
    held[0]?.();
    expect((await first).body).toBe("slow");
  });
});

describe("closing", () => {
  it("lets what runs finish and takes nothing new", async () => {
    let answer: (() => void) | undefined;
    const pod = await world.pod((_request, response) => {
      answer = () => response.end("done");
    });
    const { port, gateway } = await world.start(tableFor([pod]));
    const running = ask(port, { agent: new Agent({ keepAlive: true }) });
    await expect.poll(() => answer !== undefined).toBe(true);
    const closed = gateway.close({ drainMs: 5000 });
    await expect(ask(port)).rejects.toThrow("ECONNREFUSED");
    answer?.();
    const heard = await running;
    expect([heard.body, heard.headers.connection]).toEqual(["done", "close"]);
    await closed;
  });

  it("cuts off what outlasts its time", async () => {
    const { port, gateway } = await world.start(tableFor([await world.pod(() => {})]));
    const running = ask(port);
    await expect.poll(() => gateway.stats().inFlight).toBe(1);
    const cut = expect(running).rejects.toThrow();
    await gateway.close({ drainMs: 30 });
    await cut;
  });
});

describe("metrics", () => {
  it("count requests by class, and time them", async () => {
    const { port, gateway } = await world.start(tableFor([await world.pod(echo)]));
    await ask(port);
    await ask(port, { headers: { host: "nope" } });
    const text = gateway.metrics();
    expect(text).toContain('drydock_gateway_requests_total{code_class="2xx"} 1');
    expect(text).toContain('drydock_gateway_requests_total{code_class="4xx"} 1');
    expect(text).toContain('drydock_gateway_own_answers_total{reason="NoRoute"} 1');
    expect(text).toContain("drydock_gateway_request_seconds_count 2");
    expect(text).toContain('drydock_gateway_request_seconds_bucket{le="+Inf"} 2');
  });
});
