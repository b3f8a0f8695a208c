/**
 * A real registry (Debian's docker-registry) on the loopback, with a folder of its own: plain or over TLS, open or
 * with names and passwords, or with tokens from a server beside it.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { createServer, type LookupFunction } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";

export interface RegistryServer {
  /** `127.0.0.1:PORT`, or another name of this machine. */
  readonly host: string;
  /** The authority of its certificate, as PEM; empty without TLS. */
  readonly ca: string;
  /** What it wants to see of whoever comes, signed by that authority; empty where it lets in anybody. */
  readonly client: { readonly cert: string; readonly key: string };
  /** Puts content there, as a test's own hand. */
  push(path: string, body: Buffer | string, type?: string): Promise<string>;
  /** Pushes a blob, and gives its digest. */
  blob(repository: string, body: Buffer | string): Promise<string>;
  remove(repository: string, digest: string): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly users?: { readonly [name: string]: string };
  readonly tls?: boolean;
  /** Lets in only those who show a certificate. */
  readonly wantsCertificate?: boolean;
  /** What the registry's certificate is for, and the name it is called by. */
  readonly name?: string;
  readonly token?: { readonly realm: string; readonly service: string; readonly certificate: string };
  /** What this test shows to push, where not everybody may. */
  readonly authorization?: (repository: string) => string;
}

export const registryProgram = ["docker-registry", "--version"] as const;

export async function startRegistry(options: ServerOptions = {}): Promise<RegistryServer> {
  const folder = await mkdtemp(join(tmpdir(), "drydock-registry-"));
  const port = await freePort();
  const name = options.name ?? "127.0.0.1";
  const host = `${name}:${port}`;
  const tls = options.tls === true ? makeCertificate(folder, name) : undefined;
  const config = {
    version: "0.1",
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: join(folder, "data") }, delete: { enabled: true } },
    http: {
      addr: `127.0.0.1:${port}`,
      secret: "test",
      ...(tls === undefined
        ? {}
        : {
            tls: {
              certificate: tls.certificate,
              key: tls.key,
              ...(options.wantsCertificate && { clientcas: [tls.ca] }),
            },
          }),
    },
    auth: await authOf(options, folder),
  };
  await writeFile(join(folder, "config.yml"), stringify(config));
  const process = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: "ignore" });
  const ca = tls === undefined ? "" : await readFile(tls.ca, "utf8");
  const client =
    tls === undefined || !options.wantsCertificate
      ? { cert: "", key: "" }
      : { cert: await readFile(tls.clientCertificate, "utf8"), key: await readFile(tls.clientKey, "utf8") };
  const users = Object.entries(options.users ?? {});
  const authorization = (repository: string) => {
    if (options.authorization !== undefined) return options.authorization(repository);
    const [user] = users;
    return user === undefined ? "" : `Basic ${Buffer.from(user.join(":")).toString("base64")}`;
  };
  const send = (method: string, path: string, headers: object, body: Buffer | string = "") =>
    exchange(`${tls === undefined ? "http" : "https"}://${host}${path}`, method, headers, body, {
      ca,
      ...client,
    });
  await answering(() => send("GET", "/v2/", {}), process);

  const push = async (path: string, body: Buffer | string, type = "application/octet-stream") => {
    const repository = repositoryOf(path);
    const answer = await send(
      "PUT",
      path,
      { "content-type": type, authorization: authorization(repository) },
      body,
    );
    if (answer.status !== 201) throw new Error(`PUT ${path}: ${answer.status} ${answer.body}`);
    return answer.headers["docker-content-digest"] as string;
  };
  return {
    host,
    ca,
    client,
    push,
    async blob(repository, body) {
      const start = await send("POST", `/v2/${repository}/blobs/uploads/`, {
        authorization: authorization(repository),
      });
      const location = new URL(start.headers["location"] as string, `http://${host}`);
      location.searchParams.set("digest", digestOf(body));
      await push(location.pathname + location.search, body);
      return digestOf(body);
    },
    async remove(repository, digest) {
      const path = `/v2/${repository}/manifests/${digest}`;
      const answer = await send("DELETE", path, { authorization: authorization(repository) });
      if (answer.status !== 202) throw new Error(`DELETE ${path}: ${answer.status} ${answer.body}`);
    },
    async stop() {
      process.kill("SIGTERM");
      if (process.exitCode === null) await new Promise((resolve) => process.once("exit", resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function digestOf(body: Buffer | string): string {
  return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}

export const types = {
  config: "application/vnd.oci.image.config.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
};

/** An image of these layers under a tag; gives the manifest's digest. */
export async function pushImage(
  server: RegistryServer,
  repository: string,
  tag: string,
  layers: readonly (Buffer | { readonly body: Buffer; readonly type: string })[] = [],
  more: object = {},
): Promise<string> {
  const config = JSON.stringify({ architecture: "amd64", os: "linux", tag, ...more });
  const parts = await Promise.all(
    layers.map(async (layer) => {
      const { body, type } = Buffer.isBuffer(layer) ? { body: layer, type: types.layer } : layer;
      return { mediaType: type, size: body.length, digest: await server.blob(repository, body) };
    }),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: {
      mediaType: types.config,
      size: Buffer.byteLength(config),
      digest: await server.blob(repository, config),
    },
    layers: parts,
  };
  return server.push(`/v2/${repository}/manifests/${tag}`, JSON.stringify(manifest), types.manifest);
}

async function authOf({ users, token }: ServerOptions, folder: string): Promise<object> {
  if (token !== undefined) {
    const bundle = join(folder, "token.crt");
    await writeFile(bundle, token.certificate);
    const { realm, service } = token;
    return { token: { realm, service, issuer: "test", rootcertbundle: bundle } };
  }
  if (users === undefined) return {};
  const lines = Object.entries(users).map(
    ([name, password]) =>
      spawnSync("htpasswd", ["-Bbn", name, password], { encoding: "utf8" }).stdout.trim() + "\n",
  );
  await writeFile(join(folder, "htpasswd"), lines.join(""));
  return { htpasswd: { realm: "test", path: join(folder, "htpasswd") } };
}

function makeCertificate(folder: string, name: string) {
  const path = (file: string) => join(folder, file);
  const openssl = (...words: readonly string[]) =>
    execFileSync("openssl", words, { stdio: "pipe", cwd: folder });
  const kind = /^[\d.]+$/.test(name) ? "IP" : "DNS";
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...ec,
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
    "-days",
    "2",
    "-subj",
    "/CN=Test Authority",
  );
  openssl("req", ...ec, "-keyout", "tls.key", "-out", "tls.csr", "-subj", `/CN=${name}`);
  execFileSync("sh", ["-c", `printf 'subjectAltName=${kind}:${name}' > ext`], { cwd: folder });
  openssl(
    "x509",
    "-req",
    "-in",
    "tls.csr",
    "-CA",
    "ca.crt",
    "-CAkey",
    "ca.key",
    "-CAcreateserial",
    "-out",
    "tls.crt",
    "-days",
    "2",
    "-extfile",
    "ext",
  );
  openssl("req", ...ec, "-keyout", "client.key", "-out", "client.csr", "-subj", "/CN=drydock");
  const by = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"];
  openssl("x509", "-req", "-in", "client.csr", ...by, "-out", "client.crt");
  return {
    ca: path("ca.crt"),
    certificate: path("tls.crt"),
    key: path("tls.key"),
    clientCertificate: path("client.crt"),
    clientKey: path("client.key"),
  };
}

interface Answer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  readonly body: string;
}

function exchange(
  url: string,
  method: string,
  headers: object,
  body: Buffer | string,
  tls: { readonly ca: string; readonly cert: string; readonly key: string },
): Promise<Answer> {
  const request = url.startsWith("https:") ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        agent: false,
        lookup: toThisMachine,
        headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
        ...Object.fromEntries(Object.entries(tls).filter(([, pem]) => pem !== "")),
      },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => {
          text += chunk;
        });
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
        );
        answer.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Whatever its name, it runs here. */
const toThisMachine: LookupFunction = (_name, options, done) =>
  options.all === true ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);

async function answering(ask: () => Promise<unknown>, process: ChildProcess): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await ask();
      return;
    } catch (error) {
      if (process.exitCode !== null || tries > 500) throw error;
      await pause(20);
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => resolve(port));
    });
  });
}

function repositoryOf(path: string): string {
  return /^\/v2\/(.+?)\/(?:blobs|manifests)\//.exec(path)?.[1] ?? "";
}
