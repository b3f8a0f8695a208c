// A slow reader or writer over HTTP/2: what is on the way is bounded by windows and by what may lie unread.
import { createHash } from "node:crypto";
import { get, type IncomingMessage } from "node:http";
import { connect as connectH2 } from "node:http2";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sendRaw, tableFor, World } from "../../../test/dataplane/testing.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

const tooMuch = 256 * 1024 * 1024;
const bounded = 32 * 1024 * 1024;

/** Until nothing moves any more. */
async function atRest(count: () => number): Promise<number> {
  for (let before = -1; before !== count(); await new Promise((resolve) => setTimeout(resolve, 150)))
    before = count();
  return count();
}

it("an HTTP/2 client that does not read holds its pod back", async () => {
  let sent = 0;
  const block = Buffer.alloc(64 * 1024);
  const pod = await world.pod((_request, response) => {
    const more = () => {
      while (sent < tooMuch) {
        sent += block.length;
        if (!response.write(block)) break;
      }
    };
    response.on("drain", more);
    more();
  });
  const { port } = await world.start(tableFor([pod]));
  const session = connectH2(`http://127.0.0.1:${port}`);
  world.atEnd(() => session.destroy());
  const before = process.memoryUsage().rss;
  session
    .request({ ":authority": "model.test" })
    .on("error", () => {})
    .pause();
  await expect.poll(() => sent).toBeGreaterThan(0);
  expect(await atRest(() => sent)).toBeLessThan(bounded);
  expect(process.memoryUsage().rss - before).toBeLessThan(2 * bounded);
});

it("a pod that does not read holds an HTTP/2 client back", async () => {
  const pod = await world.rawPod((socket) => socket.pause());
  const { port } = await world.start(tableFor([pod]));
  const session = connectH2(`http://127.0.0.1:${port}`);
  world.atEnd(() => session.destroy());
  const stream = session.request({ ":authority": "model.test", ":method": "POST" }).on("error", () => {});
  const block = Buffer.alloc(64 * 1024);
  let sent = 0;
  const more = () => {
    while (sent < tooMuch) {
      sent += block.length;
      if (!stream.write(block)) break;
    }
  };
  const before = process.memoryUsage().rss;
  stream.on("drain", more);
  more();
  expect(await atRest(() => sent)).toBeLessThan(bounded);
  expect(process.memoryUsage().rss - before).toBeLessThan(2 * bounded);
});

it("answers that are read late stay themselves while others come", async () => {
  // All pods are read into one buffer: what waits for a slow client must not lie in it.
  const block = (name: string, at: number) => Buffer.alloc(32 * 1024, `${name} ${at}, `);
  const blocks = 400;
  const pod = await world.pod((request, response) => {
    const name = (request.url ?? "").slice(1);
    if (name.startsWith("length")) response.setHeader("content-length", blocks * 32 * 1024);
    let at = 0;
    const more = () => {
      while (at < blocks) {
        at += 1;
        if (!response.write(block(name, at))) break;
      }
      if (at === blocks) response.end();
    };
    response.on("drain", more);
    more();
  });
  const { port } = await world.start(tableFor([pod]));
  const readLate = async (name: string) => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ port, path: `/${name}`, headers: { host: "model.test" } }, resolve).on("error", reject);
    });
    // Longer than the kernel's buffers last.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const whole = createHash("sha1");
    for await (const bytes of response) whole.update(bytes as Buffer);
    return whole.digest("hex");
  };
  const names = ["length", "chunked", "length too", "chunked too"].map((name) => name.replace(" ", "-"));
  const heard = await Promise.all(names.map(readLate));
  for (const [index, name] of names.entries()) {
    const whole = createHash("sha1");
    for (let at = 1; at <= blocks; at += 1) whole.update(block(name, at));
    expect(heard[index], name).toBe(whole.digest("hex"));
  }
});

it("a head that does not come to its end is a 408 that names its reason, and is counted", async () => {
  const { port, gateway } = await world.start(tableFor([]), { headMs: 60 });
  const got = await sendRaw(port, "GET / HTTP/1.1\r\nHost: model.test\r\n", 3_000);
  expect(got).toMatch(/^HTTP\/1\.1 408 (?:.*\r\n)*x-drydock-reason: BadRequest\r\n/);
  expect(got).toContain("did not come within 60 ms");
  expect(gateway.metrics()).toContain('drydock_gateway_own_answers_total{reason="BadRequest"} 1');
});
