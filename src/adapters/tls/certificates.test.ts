import { spawnSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeAuthority, openAuthority } from "./certificates.js";

const start = Date.parse("2026-01-01T00:00:00Z");
const days = (n: number) => n * 86_400_000;
const names = [
  "localhost",
  "kubernetes.default.svc",
  "127.0.0.1",
  "::1",
  "fd00:12::a:0:1",
  "::ffff:192.0.2.1",
];
const parse = ({ cert }: { readonly cert: string }) => new X509Certificate(cert);

it("an authority signs itself, for ten years, and nothing but certificates", () => {
  const made = makeAuthority(start);
  const ca = parse(made);
  expect(ca.ca).toBe(true);
  expect(ca.subject).toBe("CN=drydock-ca");
  expect(ca.issuer).toBe(ca.subject);
  expect(ca.checkIssued(ca)).toBe(true);
  expect(ca.verify(ca.publicKey)).toBe(true);
  expect(ca.checkPrivateKey(createPrivateKey(made.key))).toBe(true);
  expect([Date.parse(ca.validFrom), Date.parse(ca.validTo)]).toEqual([start - 3_600_000, start + days(3650)]);
});

it("a server's certificate names every host and address, and is its authority's", () => {
  const authority = makeAuthority(start);
  const made = authority.sign({ commonName: "drydock-apiserver" }, "server", names);
  const [ca, server] = [parse(authority), parse(made)];
  expect(server.ca).toBe(false);
  expect(server.checkIssued(ca)).toBe(true);
  expect(server.verify(ca.publicKey)).toBe(true);
  expect(server.verify(parse(makeAuthority(start)).publicKey)).toBe(false);
  expect(server.checkPrivateKey(createPrivateKey(made.key))).toBe(true);
  for (const host of names.slice(0, 2)) expect(server.checkHost(host), host).toBe(host);
  for (const ip of names.slice(2)) expect(server.checkIP(ip), ip).toBe(ip);
  expect(server.checkHost("elsewhere")).toBeUndefined();
  expect(server.checkIP("::2")).toBeUndefined();
  expect(server.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(Date.parse(server.validTo)).toBe(start + days(365));
});

it("a client's says who, in the order common name, organization", () => {
  const client = parse(
    makeAuthority(start).sign({ commonName: "jörg", organization: "system:masters" }, "client", []),
  );
  expect(client.subject).toBe("CN=jörg\nO=system:masters");
  expect(client.subjectAltName).toBeUndefined();
  expect(client.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
});

it("an authority from an earlier life signs on", () => {
  const first = makeAuthority(start);
  const later = openAuthority({ cert: first.cert, key: first.key }, start + days(100));
  const server = parse(later.sign({ commonName: "drydock-apiserver" }, "server", names));
  expect(server.checkIssued(parse(first))).toBe(true);
  expect(server.verify(parse(first).publicKey)).toBe(true);
});

it("an authority whose name is another type of string is named as it spells itself", () => {
  const made = makeAuthority(start);
  const [utf8, printable] = ["\x0c\x0adrydock-ca", "\x13\x0adrydock-ca"];
  const raw = Buffer.from(parse(made).raw.toString("latin1").replaceAll(utf8, printable), "latin1");
  const cert = `-----BEGIN CERTIFICATE-----\n${raw.toString("base64")}\n-----END CERTIFICATE-----\n`;
  const ours = parse(openAuthority({ cert, key: made.key }, start).sign({ commonName: "me" }, "client", []));
  expect(ours.raw.includes(Buffer.from(printable, "latin1"))).toBe(true);
  expect(ours.raw.includes(Buffer.from(utf8, "latin1"))).toBe(false);
  expect(ours.checkIssued(new X509Certificate(cert))).toBe(true);
});

it("serial numbers are positive, sixteen bytes long, and never the same", () => {
  const authority = makeAuthority(start);
  const made = Array.from({ length: 50 }, () => authority.sign({ commonName: "one" }, "client", []));
  const serials = made.map((one) => parse(one).serialNumber);
  expect(new Set(serials).size).toBe(serials.length);
  for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
});

it.each([
  ["2049-12-31T23:59:59Z", "the short form of a year"],
  ["2050-01-01T00:00:00Z", "the long form of a year"],
])("ends at %s: %s", (end) => {
  const endMs = Date.parse(end);
  const cert = parse(makeAuthority(endMs - days(3650)));
  expect(Date.parse(cert.validTo)).toBe(endMs);
});

it("both ends of a TLS connection accept them", async () => {
  const authority = makeAuthority(Date.now());
  const server = authority.sign({ commonName: "drydock-apiserver" }, "server", names);
  const client = authority.sign({ commonName: "me", organization: "us" }, "client", []);
  const listener = createServer(
    { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
    (_asked, answer) => answer.end("hello"),
  );
  await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
  const { port } = listener.address() as AddressInfo;
  const status = await new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, ca: authority.cert, ...client, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on("error", reject)
      .end();
  });
  listener.close();
  expect(status).toBe(200);
});

it.skipIf(spawnSync("openssl", ["version"]).status !== 0)("OpenSSL reads and verifies them", () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-x509-"));
  const openssl = (...args: readonly string[]) => {
    const done = spawnSync("openssl", args, { cwd: folder, encoding: "utf8" });
    return `${done.stdout}${done.stderr}`;
  };
  try {
    const authority = makeAuthority(start);
    writeFileSync(join(folder, "ca.crt"), authority.cert);
    const server = authority.sign({ commonName: "drydock-apiserver" }, "server", names);
    writeFileSync(join(folder, "server.crt"), server.cert);
    const client = authority.sign({ commonName: "me" }, "client", []);
    writeFileSync(join(folder, "client.crt"), client.cert);
    const at = ["-attime", String((start + days(1)) / 1000), "-x509_strict", "-CAfile", "ca.crt"];

    expect(openssl("verify", ...at, "ca.crt")).toBe("ca.crt: OK\n");
    expect(openssl("verify", ...at, "-purpose", "sslserver", "server.crt")).toBe("server.crt: OK\n");
    expect(openssl("verify", ...at, "-purpose", "sslclient", "client.crt")).toBe("client.crt: OK\n");
    expect(openssl("verify", ...at, "-purpose", "sslclient", "server.crt")).toMatch(
      /[Uu]nsuitable|unsupported/,
    );
    expect(openssl("verify", ...at, "-verify_ip", "::1", "server.crt")).toBe("server.crt: OK\n");

    const shown = openssl("x509", "-in", "server.crt", "-noout", "-text").replace(/\s+/g, " ");
    expect(shown).toContain("Version: 3 (0x2)");
    expect(shown).toContain("X509v3 Basic Constraints: critical CA:FALSE");
    expect(shown).toContain("X509v3 Key Usage: critical Digital Signature");
    expect(shown).toContain("X509v3 Extended Key Usage: TLS Web Server Authentication");
    expect(shown).toContain("DNS:localhost, DNS:kubernetes.default.svc, IP Address:127.0.0.1");
    const authorityShown = openssl("x509", "-in", "ca.crt", "-noout", "-text").replace(/\s+/g, " ");
    expect(authorityShown).toContain("X509v3 Basic Constraints: critical CA:TRUE");
    expect(authorityShown).toContain("X509v3 Key Usage: critical Certificate Sign, CRL Sign");
    const keyId = /Subject Key Identifier: ([0-9A-F:]+)/.exec(authorityShown)?.[1] ?? "none";
    expect(shown).toMatch(new RegExp(`Authority Key Identifier: (keyid:)?${keyId}`));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
