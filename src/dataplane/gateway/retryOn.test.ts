// Each reason to try again that a VirtualService may name: one failure of its kind, then a pod that is well.
import { createServer as createHttp, type RequestListener } from "node:http";
import { connect as connectH2, constants, createServer, type ServerHttp2Stream } from "node:http2";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, portOf, tableFor, World } from "../../../test/dataplane/testing.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

const again = (retryOn: string) => ({ rule: { retries: { attempts: 3, retryOn } } });

type Fails = "hangs up" | number;

/** A pod that fails once, and how many requests reached it. */
async function onceBad(fails: Fails): Promise<{ readonly tries: () => number; readonly port: number }> {
  let tries = 0;
  const listener: RequestListener = (request, response) => {
    tries += 1;
    if (tries > 1) response.end("second");
    else if (fails === "hangs up") request.socket.destroy();
    else {
      response.statusCode = fails;
      response.end("first");
    }
  };
  return { tries: () => tries, port: await world.pod(listener) };
}

describe("retryOn over HTTP/1.1", () => {
  it.each<readonly [string, Fails]>([
    ["5xx", 500],
    ["5xx", 503],
    ["5xx", "hangs up"],
    ["gateway-error", 502],
    ["gateway-error", 503],
    ["gateway-error", 504],
    ["gateway-error", "hangs up"],
    ["reset", "hangs up"],
    ["retriable-4xx", 409],
    ["retriable-status-codes", 503],
    ["retriable-status-codes,418", 418],
    ["418", 418],
    ["cancelled, reset ,5xx", 500],
  ])("%s repeats a pod's %s, once", async (retryOn, fails) => {
    const { tries, port: pod } = await onceBad(fails);
    const { port } = await world.start(tableFor([pod], again(retryOn)));
    expect(await ask(port)).toMatchObject({ status: 200, body: "second" });
    expect(tries()).toBe(2);
  });

  it.each<readonly [string, Fails, number]>([
    ["gateway-error", 500, 500],
    ["reset", 503, 503],
    ["reset-before-request", "hangs up", 502],
    ["connect-failure", "hangs up", 502],
    ["connect-failure", 503, 503],
    ["refused-stream", 503, 503],
    ["retriable-4xx", 429, 429],
    ["retriable-status-codes,418", 500, 500],
    ["unavailable", 503, 503],
    ["envoy-ratelimited", 429, 429],
  ])("%s does not repeat a pod's %s", async (retryOn, fails, status) => {
    const { tries, port: pod } = await onceBad(fails);
    const { port } = await world.start(tableFor([pod], again(retryOn)));
    expect((await ask(port)).status).toBe(status);
    expect(tries()).toBe(1);
  });

  it.each(["connect-failure", "reset-before-request", "refused-stream", "reset", "gateway-error", "5xx"])(
    "%s repeats what reached nobody, and the pod that opens meanwhile gets it once",
    async (retryOn) => {
      const dead = await world.deadPort();
      let reached = 0;
      const late = createHttp((_request, response) => {
        reached += 1;
        response.end("at last");
      });
      world.atEnd(() => {
        late.closeAllConnections();
        late.close();
      });
      const rule = { retries: { attempts: 25, retryOn } };
      const { port, gateway } = await world.start(
        tableFor([dead], { rule }),
        {},
        undefined,
        undefined,
        () => 0.5,
      );
      const asked = ask(port, { method: "POST", body: "x" });
      await expect
        .poll(() => gateway.metrics(), { interval: 2 })
        .toMatch(/drydock_gateway_retries_total\{outcome="made"\} [1-9]/);
      late.listen(dead, "127.0.0.1");
      expect(await asked).toMatchObject({ status: 200, body: "at last" });
      expect([portOf(late), reached]).toEqual([dead, 1]);
    },
  );

  it.each(["retriable-4xx", "cancelled,unavailable"])(
    "%s does not repeat what reached nobody",
    async (retryOn) => {
      const { port } = await world.start(tableFor([await world.deadPort()], again(retryOn)));
      const heard = await ask(port);
      expect([heard.status, heard.headers["x-drydock-reason"]]).toEqual([502, "PodRefused"]);
      expect(heard.body).not.toContain("tried");
    },
  );
});

const grpcStatus = {
  cancelled: 1,
  "deadline-exceeded": 4,
  "resource-exhausted": 8,
  internal: 13,
  unavailable: 14,
} as const;

type FailsStream = "refuses" | "resets" | number;

/** A gRPC pod whose first call ends so, and what the client hears at last. */
async function call(retryOn: string, fails: FailsStream) {
  let tries = 0;
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream) => {
    tries += 1;
    stream.on("error", () => {});
    const head = { ":status": 200, "content-type": "application/grpc" };
    if (tries > 1) {
      stream.respond(head, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end("second");
    } else if (fails === "refuses") stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else if (fails === "resets") stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else stream.respond({ ...head, "grpc-status": String(fails) }, { endStream: true });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  world.atEnd(() => server.close());
  const { port } = await world.start(
    tableFor([portOf(server as never)], { portName: "h2c", ...again(retryOn) }),
  );
  const session = connectH2(`http://127.0.0.1:${port}`);
  world.atEnd(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":authority": "model.test",
    ":path": "/pkg.Model/Infer",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.end("request");
  let body = "";
  let status: unknown;
  stream.on("response", (headers) => {
    status = headers["grpc-status"];
  });
  stream.on("trailers", (headers) => {
    status = headers["grpc-status"];
  });
  stream.on("data", (chunk) => {
    body += chunk;
  });
  await new Promise((resolve) => stream.on("error", () => {}).on("close", resolve));
  return { body, status, tries };
}

describe("retryOn over gRPC", () => {
  const second = { body: "second", status: "0", tries: 2 };

  it.each<readonly [string, FailsStream]>([
    ...Object.entries(grpcStatus),
    ["refused-stream", "refuses"],
    ["reset", "refuses"],
    ["5xx", "refuses"],
  ])("%s repeats a call that ends with %s, once", async (retryOn, fails) => {
    expect(await call(retryOn, fails)).toEqual(second);
  });

  it.each<readonly [string, number]>([
    ["cancelled", grpcStatus.unavailable],
    ["unavailable", grpcStatus.cancelled],
    ["internal", grpcStatus["resource-exhausted"]],
    ["deadline-exceeded,resource-exhausted", grpcStatus.internal],
    ["refused-stream", grpcStatus.unavailable],
    ["5xx", grpcStatus.internal],
  ])("%s does not repeat a call that ends with %i", async (retryOn, fails) => {
    expect(await call(retryOn, fails)).toEqual({ body: "", status: String(fails), tries: 1 });
  });

  it("a call the pod may have begun is not repeated for refused-stream, nor a refused one for a status", async () => {
    expect((await call("refused-stream", "resets")).tries).toBe(1);
    expect((await call("reset", "resets")).tries).toBe(1);
    expect((await call("cancelled", "refuses")).tries).toBe(1);
  });
});
