import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock } from "../clock/index.js";
import { ensurePki } from "../tls/index.js";
import { makeTransport } from "./transport.js";

const folder = mkdtempSync(join(tmpdir(), "drydock-transport-"));
const pki = ensurePki({ folder, hosts: [], clock: systemClock() });
const server = createServer(pki.server, (request, response) => {
  if (request.url === "/watch") response.write('{"n":1}\n');
  else response.end("{}");
});
const resumed: boolean[] = [];
server.on("secureConnection", (socket: TLSSocket) => resumed.push(socket.isSessionReused()));

beforeAll(() => new Promise<void>((done) => server.listen(0, "127.0.0.1", done)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

it("makes few connections, and one whole handshake for all of them", async () => {
  const { port } = server.address() as AddressInfo;
  const address = { server: `https://127.0.0.1:${port}`, ca: pki.ca, connections: 1 };
  const transport = makeTransport(address, async () => ({}));
  await Promise.all([1, 2, 3].map(() => transport.ask({ method: "GET", path: "/" })));
  expect(resumed).toEqual([false]);

  const stop = new AbortController();
  const watches = [1, 2, 3].map(() => transport.lines("/watch", stop.signal)[Symbol.asyncIterator]());
  expect(await Promise.all(watches.map((watch) => watch.next()))).toEqual(
    [1, 2, 3].map(() => ({ done: false, value: '{"n":1}' })),
  );
  expect(resumed).toEqual([false, true, true, true]);

  // Whoever shows another certificate is somebody else, and resumes nothing.
  const other = makeTransport(address, async () => pki.client);
  await other.ask({ method: "GET", path: "/" });
  expect(resumed.at(-1)).toBe(false);
  stop.abort();
  transport.close();
  other.close();
});
