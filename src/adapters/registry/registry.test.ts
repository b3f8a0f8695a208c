/**
 * What tags mean, asked of a real registry: open, with names and passwords, with tokens, over TLS. Misbehaviour that no
 * real registry shows on demand (429, a lying digest, silence) comes from a server that only does that.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeWith } from "../../../test/needs.js";
import {
  digestOf,
  pushImage,
  type RegistryServer,
  registryProgram,
  startRegistry,
  types,
} from "../../../test/registry/server.js";
import { startTokenServer, type TokenServer } from "../../../test/registry/tokenServer.js";
import type { RegistriesConfig } from "../../domain/apis/config/index.js";
import type { DigestAnswer, DigestQuestion, RegistryCredentials } from "../../ports/index.js";
import { openRegistry, type RegistryOptions } from "./index.js";

const plain: RegistriesConfig = { mirrors: {}, plainHttp: [], skipTlsVerify: [], caCertificates: "" };
const stops: (() => Promise<unknown>)[] = [];
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "drydock-login-"));
});

afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await rm(home, { recursive: true, force: true });
});

function ask(
  image: string,
  more: Partial<Omit<DigestQuestion, "registries">> & {
    readonly registries?: Partial<RegistriesConfig>;
  } = {},
  options: Partial<RegistryOptions> = {},
): Promise<DigestAnswer> {
  const { registries, ...question } = more;
  return openRegistry({ version: "1.2.3", env: { HOME: home }, ...options }).digestOf({
    image,
    credentials: [],
    timeoutMs: 5_000,
    ...question,
    registries: { ...plain, ...registries },
  });
}

function because(answer: DigestAnswer): string {
  return answer.outcome === "missing" ? answer.because : `resolved ${answer.digest}`;
}

async function registry(options: Parameters<typeof startRegistry>[0] = {}): Promise<RegistryServer> {
  const server = await startRegistry(options);
  stops.push(() => server.stop());
  return server;
}

const as = (host: string, username: string, password: string): RegistryCredentials => ({
  registry: host,
  username,
  password,
});

/** A proxy as they are in offices. It alone knows where *.test is: on this machine. */
async function startProxy(who?: string) {
  const asked: string[] = [];
  const expected = who && `Basic ${Buffer.from(who).toString("base64")}`;
  const isLetIn = ({ headers }: IncomingMessage) => !expected || headers["proxy-authorization"] === expected;
  const server = createServer((request, response) => {
    const to = new URL(request.url ?? "");
    asked.push(to.host);
    const { method, headers } = request;
    const onward = httpRequest(
      { host: "127.0.0.1", port: to.port, method, path: to.pathname, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(onward);
  });
  server.on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    if (!isLetIn(request)) return socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    const onward = connect(Number(request.url?.split(":")[1]), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
    for (const one of [socket, onward]) one.on("error", () => one.destroy());
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => new Promise((resolve) => server.close(resolve)));
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describeWith(registryProgram, "a real registry", () => {
  describe("that is open", () => {
    let open: RegistryServer;
    let v1: string;

    beforeAll(async () => {
      open = await registry();
      v1 = await pushImage(open, "team/model", "v1");
    });

    it("says what a tag means, and the answer names everything", async () => {
      expect(await ask(`${open.host}/team/model:v1`)).toEqual({
        outcome: "resolved",
        digest: `${open.host}/team/model@${v1}`,
      });
    });

    it("is asked for latest when no tag is written", async () => {
      const latest = await pushImage(open, "team/model", "latest");
      expect(because(await ask(`${open.host}/team/model`))).toBe(
        `resolved ${open.host}/team/model@${latest}`,
      );
    });

    it("follows a tag that moves, at the next question", async () => {
      const before = await pushImage(open, "team/moving", "v1", [], { n: 1 });
      expect(because(await ask(`${open.host}/team/moving:v1`))).toContain(before);
      const after = await pushImage(open, "team/moving", "v1", [], { n: 2 });
      expect(after).not.toBe(before);
      expect(because(await ask(`${open.host}/team/moving:v1`))).toContain(after);
    });

    it("keeps the digest of an index, whatever machines it is for", async () => {
      const manifests = await Promise.all(
        ["amd64", "arm64"].map(async (architecture) => ({
          mediaType: types.manifest,
          digest: await pushImage(open, "team/many", architecture, [], { architecture }),
          size: 1,
          platform: { os: "linux", architecture },
        })),
      );
      const index = JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests });
      await open.push("/v2/team/many/manifests/v1", index, types.index);
      expect(because(await ask(`${open.host}/team/many:v1`))).toContain(digestOf(index));
    });

    it("serves Docker's own types too", async () => {
      const config = "{}";
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: types.dockerManifest,
        config: { mediaType: types.dockerConfig, size: 2, digest: await open.blob("team/docker", config) },
        layers: [],
      });
      await open.push("/v2/team/docker/manifests/v1", manifest, types.dockerManifest);
      expect(because(await ask(`${open.host}/team/docker:v1`))).toContain(digestOf(manifest));
    });

    it("is not asked about what has a digest already", async () => {
      const image = `nowhere.invalid/x@sha256:${"a".repeat(64)}`;
      expect(await ask(image)).toEqual({ outcome: "resolved", digest: image });
    });

    it("says that there is no such tag, or no such image", async () => {
      expect(because(await ask(`${open.host}/team/model:gone`))).toMatch(
        /^failed to fetch image information: unsupported status code 404; body: .*MANIFEST_UNKNOWN.*manifest unknown.* \(.*team\/model has no gone: correct the tag, or push it\)$/,
      );
      expect(because(await ask(`${open.host}/no/such:v1`))).toContain("unsupported status code 404");
    });

    it("is found through a mirror, and a mirror that is gone is passed over", async () => {
      const registries = { mirrors: { "registry.example.com": ["127.0.0.1:1", open.host] } };
      expect(await ask("registry.example.com/team/model:v1", { registries })).toEqual({
        outcome: "resolved",
        digest: `registry.example.com/team/model@${v1}`,
      });
      const digest = await pushImage(open, "library/nginx", "1");
      expect(await ask("nginx:1", { registries: { mirrors: { "index.docker.io": [open.host] } } })).toEqual({
        outcome: "resolved",
        digest: `index.docker.io/library/nginx@${digest}`,
      });
    });
  });

  describe("that asks for a name and a password", () => {
    let closed: RegistryServer;
    let digest: string;

    beforeAll(async () => {
      closed = await registry({ users: { ann: "secret", bob: "other" } });
      digest = await pushImage(closed, "team/private", "v1");
    });

    it("says so in its own words, and what would help", async () => {
      const answer = await ask(`${closed.host}/team/private:v1`);
      expect(because(answer)).toMatch(
        /^failed to fetch image information: unsupported status code 401; body: .*"UNAUTHORIZED".*authentication required.* \(no credentials for 127\.0\.0\.1:\d+: add an imagePullSecret .*registries-skipping-tag-resolving/,
      );
      expect(answer).toMatchObject({ wantsCredentials: true });
    });

    it("answers those it knows", async () => {
      const credentials = [as(closed.host, "ann", "secret")];
      expect(because(await ask(`${closed.host}/team/private:v1`, { credentials }))).toContain(digest);
    });

    it("is shown one after the other, the closest first", async () => {
      const credentials = [
        as(closed.host, "ann", "wrong"),
        as(`${closed.host}/team`, "bob", "other"),
        as("elsewhere.example.com", "ann", "secret"),
      ];
      expect(because(await ask(`${closed.host}/team/private:v1`, { credentials }))).toContain(digest);
    });

    it("does not accept a wrong password, and we say whose fault that is", async () => {
      const credentials = [as(closed.host, "ann", "wrong")];
      expect(because(await ask(`${closed.host}/team/private:v1`, { credentials }))).toMatch(
        /401; body: .* \(127\.0\.0\.1:\d+ does not accept the credentials it was given: correct the imagePullSecret/,
      );
    });

    it("knows those of `docker login`", async () => {
      const folder = await loginsIn({
        auths: { [`http://${closed.host}/v1/`]: { auth: Buffer.from("ann:secret").toString("base64") } },
      });
      const answer = await ask(`${closed.host}/team/private:v1`, {}, { env: { HOME: folder } });
      expect(because(answer)).toContain(digest);
    });

    it("knows those of a credential helper, and of a store of credentials", async () => {
      const said = JSON.stringify({ ServerURL: closed.host, Username: "bob", Secret: "other" });
      const bin = await helperIn(`read host; [ "$1 $host" = "get ${closed.host}" ] && echo '${said}'`);
      const PATH = `${bin}:${process.env["PATH"]}`;
      for (const config of [{ credHelpers: { [closed.host]: "test" } }, { credsStore: "test" }]) {
        const HOME = await loginsIn(config);
        const answer = await ask(`${closed.host}/team/private:v1`, {}, { env: { HOME, PATH } });
        expect(because(answer), JSON.stringify(config)).toContain(digest);
      }
    });

    it("says what became of a helper that fails, is not there, or falls silent", async () => {
      const PATH = `${await helperIn("echo no keychain here >&2; exit 1")}:${process.env["PATH"]}`;
      const HOME = await loginsIn({ credHelpers: { [closed.host]: "test" } });
      const failed = await ask(`${closed.host}/team/private:v1`, {}, { env: { HOME, PATH } });
      expect(because(failed)).toMatch(/; docker-credential-test failed: no keychain here\)$/);
      const lost = await ask(`${closed.host}/team/private:v1`, {}, { env: { HOME, PATH: "/nowhere" } });
      expect(because(lost)).toMatch(/; docker-credential-test does not run: .*ENOENT\)$/);
    });

    it("never gets credentials that were meant for another", async () => {
      const seen: string[] = [];
      const spy = await misbehaving((request, response) => {
        seen.push(request.headers.authorization ?? "");
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end("Not Authorized");
      });
      const credentials = [as(closed.host, "ann", "secret")];
      expect(because(await ask(`${spy}/team/private:v1`, { credentials }))).toContain(
        "failed to fetch image information: unsupported status code 401; body: Not Authorized",
      );
      expect(new Set(seen)).toEqual(new Set([""]));
    });
  });

  describe("that asks for a token", () => {
    let tokens: TokenServer;
    let bearer: RegistryServer;
    let digest: string;

    beforeAll(async () => {
      tokens = await startTokenServer(
        (who, scope) =>
          who === "ann:secret" || who === "refresh:long-lived" || (who === "" && scope.includes(":open/")),
      );
      stops.push(() => tokens.stop());
      const authorization = (repository: string) =>
        `Bearer ${tokens.token(`repository:${repository}:pull,push`)}`;
      bearer = await registry({ token: tokens, authorization });
      digest = await pushImage(bearer, "team/private", "v1");
    });

    it("is shown one, for this repository and no more", async () => {
      const credentials = [as(bearer.host, "ann", "secret")];
      expect(because(await ask(`${bearer.host}/team/private:v1`, { credentials }))).toContain(digest);
      expect(tokens.asked.at(-1)).toEqual({ scope: "repository:team/private:pull", who: "ann:secret" });
    });

    it("is shown the same one until it ends", async () => {
      let nowMs = 1_000_000;
      const client = openRegistry({ version: "1", env: { HOME: home }, now: () => nowMs });
      const question = {
        image: `${bearer.host}/team/private:v1`,
        credentials: [as(bearer.host, "ann", "secret")],
        registries: plain,
        timeoutMs: 5_000,
      };
      const before = tokens.asked.length;
      for (let times = 0; times < 3; times += 1) {
        expect(because(await client.digestOf(question))).toContain(digest);
      }
      expect(tokens.asked.length).toBe(before + 1);
      nowMs += 299_000;
      expect(because(await client.digestOf(question))).toContain(digest);
      expect(tokens.asked.length).toBe(before + 2);
    });

    it("gives nobody in particular what is open to all", async () => {
      const open = await pushImage(bearer, "open/model", "v1");
      expect(because(await ask(`${bearer.host}/open/model:v1`))).toContain(open);
    });

    it("takes a token for a token", async () => {
      const credentials = [{ registry: bearer.host, identityToken: "long-lived" }];
      expect(because(await ask(`${bearer.host}/team/private:v1`, { credentials }))).toContain(digest);
      expect(tokens.asked.at(-1)?.who).toBe("refresh:long-lived");
    });

    it("tells the token server's words when it refuses", async () => {
      const credentials = [as(bearer.host, "ann", "wrong")];
      expect(because(await ask(`${bearer.host}/team/private:v1`, { credentials }))).toMatch(
        /unsupported status code 401; body: \{"details":"incorrect username or password"\} \(.*does not accept the credentials/,
      );
    });
  });

  describe("over TLS", () => {
    const name = "registry.test";
    // What a name server would say.
    const lookup: RegistryOptions["lookup"] = (_name, options, done) =>
      typeof options === "object" && options.all === true
        ? done(null, [{ address: "127.0.0.1", family: 4 }] as never)
        : done(null, "127.0.0.1", 4);
    let secure: RegistryServer;
    let image: string;
    let digest: string;

    beforeAll(async () => {
      secure = await registry({ tls: true });
      digest = await pushImage(secure, "team/model", "v1");
      image = `${secure.host}/team/model:v1`;
    });

    it("is not believed when nobody knows its authority", async () => {
      expect(because(await ask(image))).toMatch(
        /https:\/\/127\.0\.0\.1:\d+\/v2\/: x509: certificate signed by unknown authority .*put the authority's certificate into ca-certificates of config-registries, or 127\.0\.0\.1:\d+ into skip-tls-verify/,
      );
    });

    it("is believed with its authority, or when told not to look", async () => {
      expect(because(await ask(image, { registries: { caCertificates: secure.ca } }))).toContain(digest);
      expect(because(await ask(image, { registries: { skipTlsVerify: [secure.host] } }))).toContain(digest);
      const file = join(home, "authority.crt");
      await writeFile(file, secure.ca);
      expect(because(await ask(image, {}, { env: { HOME: home, SSL_CERT_FILE: file } }))).toContain(digest);
    });

    it("is believed with what docker and podman know of it: certs.d", async () => {
      const folder = join(home, ".config/containers/certs.d", secure.host);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "ca.crt"), secure.ca);
      expect(because(await ask(image))).toContain(digest);
      await rm(folder, { recursive: true });
      expect(because(await ask(image))).toContain("certificate signed by unknown authority");
    });

    it("may want to see a certificate, which certs.d has beside the authority's", async () => {
      const strict = await registry({ tls: true, wantsCertificate: true });
      const there = await pushImage(strict, "team/model", "v1");
      const asked = `${strict.host}/team/model:v1`;
      const folder = join(home, ".config/containers/certs.d", strict.host);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "ca.crt"), strict.ca);
      expect(because(await ask(asked))).toMatch(
        /^failed to fetch image information: https:\/\/127\.0\.0\.1:\d+\/v2\/: remote error: tls: (bad certificate|certificate required) \(it wants to see a certificate that it knows: put one as client\.cert and client\.key into \/etc\/docker\/certs\.d\/127\.0\.0\.1:\d+ or /,
      );
      await writeFile(join(folder, "client.cert"), strict.client.cert);
      expect(because(await ask(asked))).toMatch(/client\.key: ENOENT/);
      await writeFile(join(folder, "client.key"), strict.client.key);
      expect(because(await ask(asked))).toContain(there);
      const { client: another } = await registry({ tls: true, wantsCertificate: true });
      await writeFile(join(folder, "client.key"), another.key);
      expect(because(await ask(asked))).toMatch(
        /client\.cert: .*\(it must be a certificate, and its \.key the key of that certificate/,
      );
      await writeFile(join(folder, "client.cert"), another.cert);
      expect(because(await ask(asked))).toMatch(/remote error: tls: .*certificate/);
    });

    it("is reached through the proxy that is set, but for those that need none", async () => {
      const named = await registry({ tls: true, name });
      const there = await pushImage(named, "team/model", "v1");
      const asked = `${named.host}/team/model:v1`;
      const registries = { caCertificates: named.ca };
      const proxy = await startProxy("ann:secret");
      const withProxy = (more: object) => ask(asked, { registries }, { env: { HOME: home, ...more } });

      const url = `http://ann:secret@${proxy.host}`;
      expect(because(await withProxy({ HTTPS_PROXY: url }))).toContain(there);
      expect(proxy.asked).toContain(named.host);
      expect(because(await withProxy({ https_proxy: `http://${proxy.host}` }))).toMatch(
        /the proxy 127\.0\.0\.1:\d+ refused CONNECT to registry\.test:\d+: 407 .*\(ask who runs the proxy/,
      );
      expect(because(await withProxy({ HTTPS_PROXY: "127.0.0.1:1" }))).toMatch(
        /the proxy 127\.0\.0\.1:1: connect ECONNREFUSED .*\(check HTTPS_PROXY/,
      );
      expect(because(await withProxy({ HTTPS_PROXY: "socks5://u:secret@x" }))).toMatch(
        /^the proxy "socks5:\/\/x" is no HTTP address/,
      );

      const before = proxy.asked.length;
      const direct = await ask(
        asked,
        { registries },
        { lookup, env: { HOME: home, HTTPS_PROXY: url, NO_PROXY: ".test" } },
      );
      expect(because(direct)).toContain(there);
      expect(because(await ask(image, {}, { env: { HOME: home, HTTPS_PROXY: url } }))).toContain(
        "unknown authority",
      );
      expect(proxy.asked).toHaveLength(before);
    });

    it("without TLS, is asked by the proxy itself", async () => {
      const open = await registry();
      const there = await pushImage(open, "team/model", "v1");
      const host = `${name}:${open.host.split(":")[1]}`;
      const proxy = await startProxy();
      const env = { HOME: home, HTTP_PROXY: `http://${proxy.host}` };
      const answer = await ask(`${host}/team/model:v1`, { registries: { plainHttp: [host] } }, { env });
      expect(because(answer)).toContain(there);
      expect(proxy.asked).toContain(host);
    });

    it("is not taken for another host", async () => {
      const port = secure.host.split(":")[1];
      const answer = await ask(
        `${name}:${port}/team/model:v1`,
        { registries: { caCertificates: secure.ca } },
        { lookup },
      );
      expect(because(answer)).toMatch(/x509: .*altnames.*\(the certificate is for another host/);
    });

    it("is told from one without, and either is named", async () => {
      const open = await registry();
      const port = open.host.split(":")[1];
      const there = await pushImage(open, "team/model", "v1");
      const asked = `${name}:${port}/team/model:v1`;
      expect(because(await ask(asked, {}, { lookup }))).toBe(
        `failed to fetch image information: https://${name}:${port}/v2/: http: server gave HTTP response to HTTPS client ` +
          `(if ${name}:${port} has no TLS, put it into plain-http of config-registries)`,
      );
      const registries = { plainHttp: [`${name}:${port}`] };
      expect(because(await ask(asked, { registries }, { lookup }))).toContain(there);
    });
  });
});

describe("a registry that is not there", () => {
  it("has no name, or nobody listens", async () => {
    expect(because(await ask("no-such-registry.invalid/x:v1"))).toMatch(
      /https:\/\/no-such-registry\.invalid\/v2\/: getaddrinfo (ENOTFOUND|EAI_AGAIN) no-such-registry\.invalid \(.+\)$/,
    );
    expect(because(await ask("127.0.0.1:1/x:v1"))).toMatch(
      /https:\/\/127\.0\.0\.1:1\/v2\/: connect ECONNREFUSED 127\.0\.0\.1:1 \(nothing listens at 127\.0\.0\.1:1: is the registry running\?\)$/,
    );
  });
});

describe("a registry that misbehaves", () => {
  it("and says nothing is given up after the time that was set", async () => {
    const silent = await misbehaving(() => undefined);
    const startMs = performance.now();
    expect(because(await ask(`${silent}/x:v1`, { timeoutMs: 200 }))).toBe(
      `failed to fetch image information: ${silent}: context deadline exceeded ` +
        "(no answer within 0.2 s: check the network, or raise digest-resolution-timeout in config-deployment)",
    );
    expect(performance.now() - startMs).toBeLessThan(3_000);
  });

  it("and wants to be asked less is asked once, and its wish is passed on", async () => {
    const seen: string[] = [];
    const busy = await misbehaving((request, response) => {
      seen.push(request.method ?? "");
      response
        .writeHead(429, { "retry-after": "120" })
        .end("toomanyrequests: You have reached your pull rate limit.");
    });
    const answer = await ask(`${busy}/x:v1`);
    expect(because(answer)).toMatch(
      /unsupported status code 429; body: .*limits how often it is asked; it is asked again in 120 s/,
    );
    expect(answer).toMatchObject({ retryAfterMs: 120_000 });
    expect(seen).toEqual(["HEAD"]);
  });

  it.each([
    [
      401,
      "Not Authorized",
      "failed to fetch image information: unsupported status code 401; body: Not Authorized",
    ],
    [
      403,
      '{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}',
      "have expired",
    ],
    [503, "down for repairs", "is in trouble itself"],
    [200, "<html>Log in</html>", "answered with what is no manifest"],
  ])("and answers %i tells its words: %s", async (status, body, words) => {
    const host = await misbehaving((_request, response) => response.writeHead(status).end(body));
    expect(because(await ask(`${host}/x:v1`))).toContain(words);
  });

  it("and lies about a digest is not believed", async () => {
    const host = await misbehaving((request, response) => {
      const lie = { "docker-content-digest": `sha256:${"0".repeat(64)}` };
      if (request.method === "HEAD") response.writeHead(405).end();
      else response.writeHead(200, lie).end("{}");
    });
    expect(because(await ask(`${host}/x:v1`))).toContain("does not match requested digest");
  });

  it("and forgets the digest is asked for the manifest itself", async () => {
    const body = JSON.stringify({ schemaVersion: 2, mediaType: types.manifest });
    const seen: IncomingMessage["headers"][] = [];
    const host = await misbehaving((request, response) => {
      seen.push(request.headers);
      response.writeHead(200, { "content-type": types.manifest }).end(request.method === "HEAD" ? "" : body);
    });
    expect(because(await ask(`${host}/x:v1`))).toContain(digestOf(body));
    expect(seen.map((headers) => headers["user-agent"])).toEqual([
      "knative/1.2.3 (serving)",
      "knative/1.2.3 (serving)",
    ]);
  });

  it("and sends us round in circles, to plain text, or endless bytes, is left", async () => {
    const circle = await misbehaving((request, response) =>
      response.writeHead(307, { location: request.url ?? "" }).end(),
    );
    expect(because(await ask(`${circle}/x:v1`))).toContain("redirected more than 5 times");
    const endless = await misbehaving((request, response) => {
      response.writeHead(200, { "content-type": types.manifest });
      if (request.method === "HEAD") response.end();
      else response.end(Buffer.alloc(5 * 1024 ** 2, 32));
    });
    expect(because(await ask(`${endless}/x:v1`))).toContain("larger than 4194304 bytes");
  });

  it("and has its tokens from where there is no TLS gets no password there", async () => {
    const host = await misbehaving((_request, response) =>
      response.writeHead(401, { "www-authenticate": 'Bearer realm="http://tokens.example.com/t"' }).end(),
    );
    expect(because(await ask(`${host}/x:v1`, { credentials: [as(host, "ann", "secret")] }))).toContain(
      "has its tokens from tokens.example.com, which has no TLS",
    );
  });

  it("gets the help that its cloud needs", async () => {
    const host = await misbehaving((_request, response) => response.writeHead(401).end("Not Authorized"));
    const ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    const [address, port] = host.split(":");
    const lookup: RegistryOptions["lookup"] = (_name, options, done) =>
      typeof options === "object" && options.all === true
        ? done(null, [{ address: address ?? "", family: 4 }] as never)
        : done(null, address ?? "", 4);
    const registries = { plainHttp: [`${ecr}:${port}`] };
    expect(because(await ask(`${ecr}:${port}/x:v1`, { registries }, { lookup }))).toMatch(
      /^failed to fetch image information: unsupported status code 401; body: Not Authorized \(no credentials for .*aws ecr get-login-password/,
    );
  });
});

async function misbehaving(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function loginsIn(config: object): Promise<string> {
  const folder = await mkdtemp(join(home, "home-"));
  await mkdir(join(folder, ".docker"));
  await writeFile(join(folder, ".docker", "config.json"), JSON.stringify(config));
  return folder;
}

async function helperIn(script: string): Promise<string> {
  const folder = await mkdtemp(join(home, "bin-"));
  await writeFile(join(folder, "docker-credential-test"), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, "docker-credential-test"), 0o755);
  return folder;
}
