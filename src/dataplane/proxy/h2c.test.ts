import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { RequestBody } from "./body.js";
import type { Exchange, Forwarded } from "./exchange.js";
import { H2cPool } from "./h2c.js";
import { proxyLimits } from "./limits.js";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function pod(): Promise<string> {
  const server = createServer();
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    stream.respond({ ":status": 200 });
    stream.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function exchange(body?: RequestBody): Exchange {
  const nothing = () => {};
  const reply = {
    onDrain: undefined,
    onGone: undefined,
    gone: false,
    inform: nothing,
    begin: nothing,
    flush: nothing,
    write: () => true,
    end: nothing,
    abort: nothing,
  };
  return {
    method: "POST",
    target: "/",
    lines: "Host: model.test\r\n",
    body,
    expectContinue: false,
    upgrade: undefined,
    protocol: "h2c",
    timeoutMs: 5_000,
    reply,
  };
}

describe("a session that closes while a request gathers its body", () => {
  it("has not had the request: another may take it", async () => {
    const pool = new H2cPool(proxyLimits);
    ends.push(() => pool.close());
    const address = await pod();
    const run = (body?: RequestBody) =>
      new Promise<Forwarded>((resolve) => pool.run(exchange(body), address, resolve));
    expect(await run()).toEqual({ outcome: "answered", status: 200 });
    const source = { start: () => {}, pause: () => {}, resume: () => {}, abandon: () => {} };
    const running = run(new RequestBody(source, undefined, proxyLimits));
    pool.close();
    expect(await running).toMatchObject({ outcome: "refused", how: "connect" });
  });
});
