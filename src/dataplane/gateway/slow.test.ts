// A slow reader or writer over HTTP/2: what is on the way is bounded by windows and by what may lie unread.
import { connect as connectH2 } from "node:http2";
import { afterEach, beforeEach, expect, it } from "vitest";
import { tableFor, World } from "../../../test/dataplane/testing.js";

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
