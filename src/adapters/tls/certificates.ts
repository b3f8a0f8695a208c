// Makes certificates (RFC 5280) over P-256 keys: an authority, and what it signs for servers and clients.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { isIPv4 } from "node:net";
import {
  bits,
  inside,
  integer,
  octets,
  oid,
  sequence,
  set,
  tagged,
  taggedWhole,
  time,
  utf8,
  yes,
} from "./der.js";

/** Both as PEM. */
export interface Made {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Made {
  /** `names` are host names and addresses. */
  readonly sign: (subject: Subject, use: "server" | "client", names: readonly string[]) => Made;
}

export interface Subject {
  readonly commonName: string;
  readonly organization?: string;
}

const dayMs = 86_400_000;
const authorityDays = 3650;
const signedDays = 365;
const pointBytes = 65;
const ecdsaWithSha256 = sequence(oid("1.2.840.10045.4.3.2"));
const purpose = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" };
const usage = { signsCertificates: bits(Buffer.of(0b0000_0110), 1), signs: bits(Buffer.of(0b1000_0000), 7) };

export function makeAuthority(nowMs: number): Authority {
  const { privateKey, publicKey } = newKeys();
  const name = nameOf({ commonName: "drydock-ca" });
  const cert = certificate({
    issuer: name,
    subject: name,
    publicKey,
    signingKey: privateKey,
    ...lifetime(nowMs, authorityDays),
    extensions: [
      extension("2.5.29.19", sequence(yes), "critical"),
      extension("2.5.29.15", usage.signsCertificates, "critical"),
      extension("2.5.29.14", octets(keyId(publicKey))),
    ],
  });
  return authority({ cert, key: pemOf(privateKey) }, name, privateKey, nowMs);
}

/** An authority made in an earlier life. */
export function openAuthority(made: Made, nowMs: number): Authority {
  const [signed = Buffer.of()] = inside(new X509Certificate(made.cert).raw);
  const subject = inside(signed)[5];
  // Clients compare names byte by byte, so the issuer is named as the authority spells itself.
  if (subject === undefined) throw new Error("the authority's certificate has no subject");
  return authority(made, subject, createPrivateKey(made.key), nowMs);
}

function authority(made: Made, issuer: Buffer, signingKey: KeyObject, nowMs: number): Authority {
  const authorityKey = keyId(createPublicKey(signingKey));
  return {
    ...made,
    sign(subject, use, names) {
      const { privateKey, publicKey } = newKeys();
      const cert = certificate({
        issuer,
        subject: nameOf(subject),
        publicKey,
        signingKey,
        ...lifetime(nowMs, signedDays),
        extensions: [
          extension("2.5.29.19", sequence(), "critical"),
          extension("2.5.29.15", usage.signs, "critical"),
          extension("2.5.29.37", sequence(oid(purpose[use]))),
          extension("2.5.29.14", octets(keyId(publicKey))),
          extension("2.5.29.35", sequence(tagged(0, authorityKey))),
          ...(names.length === 0 ? [] : [extension("2.5.29.17", sequence(...names.map(alternative)))]),
        ],
      });
      return { cert, key: pemOf(privateKey) };
    },
  };
}

interface Statement {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly extensions: readonly Buffer[];
}

function certificate(says: Statement): string {
  const signed = sequence(
    taggedWhole(0, integer(Buffer.of(2))), // version 3
    integer(serialNumber()),
    ecdsaWithSha256,
    says.issuer,
    sequence(time(says.fromMs), time(says.untilMs)),
    says.subject,
    spkiOf(says.publicKey),
    taggedWhole(3, sequence(...says.extensions)),
  );
  const signature = sign("sha256", signed, says.signingKey);
  const lines =
    sequence(signed, ecdsaWithSha256, bits(signature))
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

/** The first byte is neither zero nor negative: the number is as long as it looks. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes;
}

// A little in the past, since the clocks of two machines never quite agree.
function lifetime(nowMs: number, days: number) {
  return { fromMs: nowMs - 3_600_000, untilMs: nowMs + days * dayMs };
}

function nameOf({ commonName, organization }: Subject): Buffer {
  const part = (type: string, value: string) => set(sequence(oid(type), utf8(value)));
  return sequence(
    part("2.5.4.3", commonName),
    ...(organization === undefined ? [] : [part("2.5.4.10", organization)]),
  );
}

function extension(type: string, value: Buffer, critical?: "critical"): Buffer {
  return sequence(oid(type), ...(critical === undefined ? [] : [yes]), octets(value));
}

function alternative(name: string): Buffer {
  if (!isAddress(name)) return tagged(2, Buffer.from(name, "latin1"));
  return tagged(7, name.includes(":") ? sixteenBytes(name) : Buffer.from(name.split(".").map(Number)));
}

/** Not `isIP`: its pattern for IPv6 takes long to compile, and a colon tells as much. */
export function isAddress(name: string): boolean {
  return name.includes(":") || isIPv4(name);
}

function sixteenBytes(address: string): Buffer {
  // A URL knows every spelling of an address, and gives back hexadecimal groups alone.
  const { hostname } = new URL(`http://[${address}]`);
  const [before = [], after = []] = hostname
    .slice(1, -1)
    .split("::")
    .map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  const groups = [...before, ...zeros, ...after].map((group) => group.padStart(4, "0"));
  return Buffer.from(groups.join(""), "hex");
}

function newKeys() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: "spki", format: "der" });
}

/** The usual one (RFC 5280, section 4.2.1.2): a hash of the key's own bits, which an SPKI ends in. */
function keyId(publicKey: KeyObject): Buffer {
  return createHash("sha1").update(spkiOf(publicKey).subarray(-pointBytes)).digest();
}

function pemOf(privateKey: KeyObject): string {
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}
