import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
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

it("is made once, readable by its owner only, and used again", () => {
  const folder = place();
  const first = ensurePki({ folder, hosts: ["10.1.2.3"], clock: at(start) });
  const server = new X509Certificate(first.server.cert);
  for (const ip of ["127.0.0.1", "::1", "10.1.2.3"]) expect(server.checkIP(ip), ip).toBeDefined();
  for (const host of ["localhost", "kubernetes", "kubernetes.default.svc"])
    expect(server.checkHost(host)).toBeDefined();
  expect(server.verify(new X509Certificate(first.ca).publicKey)).toBe(true);
  expect(new X509Certificate(first.client.cert).subject).toBe("CN=drydock-admin\nO=system:masters");
  expect(first.token.length).toBeGreaterThan(40);
  for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777, file).toBe(0o600);
  expect(ensurePki({ folder, hosts: ["10.1.2.3"], clock: at(start + days(300)) })).toEqual(first);
});

it("is renewed when it nears its end, under the same authority", () => {
  const folder = place();
  const first = ensurePki({ folder, hosts: [], clock: at(start) });
  const later = ensurePki({ folder, hosts: [], clock: at(start + days(340)) });
  expect(later.ca).toBe(first.ca);
  expect(later.token).toBe(first.token);
  expect(later.server.cert).not.toBe(first.server.cert);
  expect(later.client.cert).not.toBe(first.client.cert);
});

it("names a new address when the server moves", () => {
  const folder = place();
  const first = ensurePki({ folder, hosts: [], clock: at(start) });
  const moved = ensurePki({ folder, hosts: ["192.0.2.7"], clock: at(start) });
  expect(moved.client).toEqual(first.client);
  expect(new X509Certificate(moved.server.cert).checkIP("192.0.2.7")).toBeDefined();
});

it("a key that is not its certificate's is no pair, and both are made anew", () => {
  const folder = place();
  const first = ensurePki({ folder, hosts: [], clock: at(start) });
  writeFileSync(join(folder, "server.key"), first.client.key);
  const second = ensurePki({ folder, hosts: [], clock: at(start) });
  expect(second.ca).toBe(first.ca);
  expect(second.client).toEqual(first.client);
  expect(second.server.cert).not.toBe(first.server.cert);
});

it("under another authority, everything it signs is new", () => {
  const folder = place();
  const first = ensurePki({ folder, hosts: [], clock: at(start) });
  rmSync(join(folder, "ca.key"));
  const second = ensurePki({ folder, hosts: [], clock: at(start) });
  const ca = new X509Certificate(second.ca);
  for (const { cert } of [second.server, second.client])
    expect(new X509Certificate(cert).verify(ca.publicKey)).toBe(true);
  expect(second.client.cert).not.toBe(first.client.cert);
  expect(second.token).toBe(first.token);
});
