import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { ensurePki } from "./index.js";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
const place = () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-pki-"));
  folders.push(folder);
  return join(folder, "pki");
};
const start = Date.parse("2026-01-01T00:00:00Z");
const at = (ms: number) => ({ now: () => ms, after: () => () => {} });
const days = (n: number) => n * 86_400_000;

it("is made once, readable by its owner only, and used again", async () => {
  const folder = place();
  const first = await ensurePki({ folder, hosts: ["10.1.2.3"], clock: at(start) });
  const server = new X509Certificate(first.server.cert);
  for (const ip of ["127.0.0.1", "::1", "10.1.2.3"]) expect(server.checkIP(ip), ip).toBeDefined();
  for (const host of ["localhost", "kubernetes", "kubernetes.default.svc"])
    expect(server.checkHost(host)).toBeDefined();
  expect(server.verify(new X509Certificate(first.ca).publicKey)).toBe(true);
  expect(new X509Certificate(first.client.cert).subject).toBe("CN=drydock-admin\nO=system:masters");
  expect(first.token.length).toBeGreaterThan(40);
  for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777, file).toBe(0o600);
  expect(await ensurePki({ folder, hosts: ["10.1.2.3"], clock: at(start + days(300)) })).toEqual(first);
});

it("is renewed when it nears its end, under the same authority", async () => {
  const folder = place();
  const first = await ensurePki({ folder, hosts: [], clock: at(start) });
  const later = await ensurePki({ folder, hosts: [], clock: at(start + days(340)) });
  expect(later.ca).toBe(first.ca);
  expect(later.token).toBe(first.token);
  expect(later.server.cert).not.toBe(first.server.cert);
  expect(later.client.cert).not.toBe(first.client.cert);
});

it("names a new address when the server moves", async () => {
  const folder = place();
  const first = await ensurePki({ folder, hosts: [], clock: at(start) });
  const moved = await ensurePki({ folder, hosts: ["192.0.2.7"], clock: at(start) });
  expect(moved.client).toEqual(first.client);
  expect(new X509Certificate(moved.server.cert).checkIP("192.0.2.7")).toBeDefined();
});
