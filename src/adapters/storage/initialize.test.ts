import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, gzipSync } from "node:zlib";
import tar from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { initializeStorage } from "./initialize.js";
import { seedLog } from "./log.js";

let root: string;
let dest: string;
let lines: string[];
const servers: Server[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "drydock-storage-"));
  dest = join(root, "dest");
  lines = [];
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(root, { recursive: true });
});

function fetchModel(uri: string, env: Record<string, string> = {}, signal = new AbortController().signal) {
  const log = seedLog((line) => lines.push(line), () => new Date("2020-05-17T03:56:19Z")); // biome-ignore format: one call
  return initializeStorage([{ uri, dest, label: "/mnt/models" }], { log, env, signal, backoffFactor: 0.001 });
}

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Serves one body under any path. */
const serveBytes = (body: Buffer, headers: Record<string, string> = {}) =>
  serve((_request, response) => {
    response.writeHead(200, { "content-type": "application/octet-stream", ...headers }).end(body);
  });

/** Nothing half-written is left, whatever happened. */
const tree = (folder = dest): string[] =>
  existsSync(folder) ? (readdirSync(folder, { recursive: true }) as string[]).sort() : [];

interface TarEntry {
  readonly name: string;
  readonly body?: Buffer | string;
  readonly type?: "file" | "directory" | "symlink" | "link" | "fifo";
  readonly linkname?: string;
}
async function tarOf(...entries: readonly TarEntry[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const { body = "", ...header } of entries)
    pack.entry({ size: Buffer.byteLength(body), ...header }, body as string);
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A zip of stored entries; the writer is by hand because hostile names are the point. */
interface ZipEntry {
  readonly name: string;
  readonly body: string;
  readonly mode?: number;
  readonly crc?: number;
}
function zipOf(...entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, body, mode = 0o100644, crc } of entries) {
    const [fileName, data] = [Buffer.from(name), Buffer.from(body)];
    const sizes = Buffer.alloc(12);
    sizes.writeUInt32LE(crc ?? crc32(data), 0);
    sizes.writeUInt32LE(data.length, 4);
    sizes.writeUInt32LE(data.length, 8);
    const common = Buffer.concat([
      Buffer.from([20, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
      sizes,
      u16(fileName.length),
      u16(0),
    ]);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, fileName, data]);
    const tail = Buffer.concat([u16(0), u16(0), u16(0), u32(mode * 65536), u32(offset)]);
    central.push(Buffer.concat([Buffer.from("PK\x01\x02"), u16(0x0314), common, tail, fileName]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const counts = Buffer.concat([u16(0), u16(0), u16(entries.length), u16(entries.length)]);
  const end = Buffer.concat([Buffer.from("PK\x05\x06"), counts, u32(directory.length), u32(offset), u16(0)]);
  return Buffer.concat([...locals, directory, end]);
}
const u16 = (value: number) => Buffer.from([value & 255, value >> 8]);
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};

describe("a local model", () => {
  it("is copied, with the log lines of the debug guide", async () => {
    mkdirSync(join(root, "src/sub"), { recursive: true });
    writeFileSync(join(root, "src/model.joblib"), "m");
    writeFileSync(join(root, "src/sub/more.txt"), "t");
    await fetchModel(`file://${root}/src`);
    expect(tree()).toEqual(["model.joblib", "sub", "sub/more.txt"]);
    expect(lines.slice(0, 2)).toEqual([
      `[I 200517 03:56:19 initializer-entrypoint:13] Initializing, args: src_uri [file://${root}/src] dest_path[ [/mnt/models]`,
      `[I 200517 03:56:19 storage:35] Copying contents of file://${root}/src to local`,
    ]);
    expect(lines.at(-2)).toBe(
      `[I 200517 03:56:19 storage:60] Successfully copied file://${root}/src to /mnt/models`,
    );
    expect(lines.at(-1)).toMatch(/Model downloaded in [\d.]+ seconds\.$/);
  });

  it("may be one file, or have an escaped name", async () => {
    writeFileSync(join(root, "my model.onnx"), "m");
    await fetchModel(`file://${root}/my%20model.onnx`);
    expect(tree()).toEqual(["my model.onnx"]);
  });

  it("is unpacked when it is one archive", async () => {
    writeFileSync(join(root, "m.tar.gz"), gzipSync(await tarOf({ name: "1/model.onnx", body: "m" })));
    await fetchModel(join(root, "m.tar.gz"));
    expect(tree()).toEqual(["1", "1/model.onnx"]);
  });

  it("does not go round in circles, and takes the place of an older one", async () => {
    mkdirSync(join(root, "src/a"), { recursive: true });
    writeFileSync(join(root, "src/a/model"), "new");
    symlinkSync("..", join(root, "src/a/up"));
    mkdirSync(join(dest, "a"), { recursive: true });
    writeFileSync(join(dest, "a/model"), "old");
    mkdirSync(join(dest, ".drydock-left-over"));
    await fetchModel(join(root, "src"));
    expect(tree()).toEqual(["a", "a/model"]);
    expect(readFileSync(join(dest, "a/model"), "utf8")).toBe("new");
  });

  it.each([
    ["/no/such", "Local path /no/such does not exist."],
    ["EMPTY", /^Failed to fetch model\. No model found in .*\/empty\.$/],
    ["DANGLING", /does not exist: the link leads nowhere\.$/],
  ])("%s fails plainly", async (uri, message) => {
    mkdirSync(join(root, "empty"));
    mkdirSync(join(root, "dangling"));
    symlinkSync("/no/such", join(root, "dangling/model"));
    const real = uri.startsWith("/") ? uri : join(root, uri.toLowerCase());
    await expect(fetchModel(real)).rejects.toThrow(message);
    expect(tree()).toEqual([]);
  });

  it("is bounded in size", async () => {
    writeFileSync(join(root, "model.bin"), "x".repeat(100));
    await expect(fetchModel(join(root, "model.bin"), { DRYDOCK_MAX_MODEL_BYTES: "99" })).rejects.toThrow(
      "The model is larger than 99 bytes. Raise DRYDOCK_MAX_MODEL_BYTES to allow it.",
    );
    expect(tree()).toEqual([]);
  });
});

describe("a model over HTTP", () => {
  const sha256 = (body: Buffer) => createHash("sha256").update(body).digest("hex");
  const body = Buffer.from("a model".repeat(1000));

  it("is one file under its own name", async () => {
    const base = await serveBytes(body);
    await fetchModel(`${base}/path/my%20model.joblib?token=secret#sha256=${sha256(body).toUpperCase()}`);
    expect(tree()).toEqual(["my model.joblib"]);
    expect(readFileSync(join(dest, "my model.joblib"))).toEqual(body);
    expect(lines.join("\n")).toContain("storage:111] Downloading: /mnt/models/my model.joblib");
    expect(lines.join("\n")).not.toContain("secret");
  });

  it("carries credentials to its own host only, and shows them to nobody", async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization, request.headers["x-key"] as string | undefined);
      response.writeHead(200, { "content-type": "application/octet-stream" }).end("m");
    });
    const first = await serve((request, response) => {
      seen.push(request.headers.authorization, request.headers["x-key"] as string | undefined);
      response.writeHead(302, { location: `${other.replace("127.0.0.1", "localhost")}/m.bin` }).end();
    });
    const env = { "127.0.0.1-headers": '{"x-key":"hidden"}' };
    await fetchModel(`${first.replace("//", "//me:pa%20ss@")}/m.bin`, env);
    expect(seen).toEqual([
      `Basic ${Buffer.from("me:pa ss").toString("base64")}`,
      "hidden",
      undefined,
      undefined,
    ]);
    expect(lines.join("\n")).not.toMatch(/pa.{0,3}ss|hidden/);
    await expect(fetchModel(`${first}/m.bin`, { "127.0.0.1-headers": "{hidden" })).rejects.toThrow(
      "The variable 127.0.0.1-headers must hold a JSON object of headers.",
    );
  });

  it.each([
    [401, "HTTP authentication failed for 'URL'. Verify credentials."],
    [403, "HTTP access denied for 'URL'. Verify permissions."],
    [404, "HTTP resource not found at 'URL'."],
    [500, "HTTP request to 'URL' failed with status code 500."],
    [503, "HTTP request to 'URL' failed with status code 503."],
  ])("answered by %i fails in upstream's words", async (status, message) => {
    let asked = 0;
    const base = await serve((_request, response) => {
      asked += 1;
      response.writeHead(status).end("secret details");
    });
    await expect(fetchModel(`${base}/m.bin?key=secret`)).rejects.toThrow(
      message.replace("URL", `${base}/m.bin?key=***`),
    );
    expect(asked).toBe(status === 503 ? 3 : 1);
    expect(tree()).toEqual([]);
  });

  it.each([
    [
      "/login",
      "text/html",
      "URI: BASE/login did not respond with 'Content-Type': 'application/octet-stream'",
    ],
    [
      "/m.zip",
      "text/html",
      "URI: BASE/m.zip did not respond with any of following 'Content-Type': application/x-zip-compressed, application/zip, application/zip-compressed",
    ],
    [
      "/m.tgz",
      "text/html",
      "URI: BASE/m.tgz did not respond with any of following 'Content-Type': application/x-tar, application/x-gtar, application/x-gzip, application/gzip",
    ],
    ["/", "application/octet-stream", "No filename contained in URI: BASE/"],
    ["/..%2f..%2fetc", "application/octet-stream", "No filename contained in URI: BASE/..%2f..%2fetc"],
  ])("%s of type %s is refused", async (path, type, message) => {
    const base = await serveBytes(body, { "content-type": type });
    await expect(fetchModel(base + path)).rejects.toThrow(message.replace("BASE", base));
    expect(tree()).toEqual([]);
  });

  it("without a single byte is no model", async () => {
    const base = await serveBytes(Buffer.alloc(0));
    await expect(fetchModel(`${base}/m.bin`)).rejects.toThrow(
      `Failed to fetch model. No model found in ${base}/m.bin.`,
    );
    expect(tree()).toEqual([]);
  });

  it("that nobody serves says so after a few tries", async () => {
    await expect(fetchModel("http://127.0.0.1:9/m.bin")).rejects.toThrow(
      /^Failed to connect to HTTP endpoint 'http:\/\/127\.0\.0\.1:9\/m\.bin'\. connect ECONNREFUSED/,
    );
    expect(lines.filter((line) => line.includes("Trying again"))).toHaveLength(2);
  });

  it.each([
    [
      "from the header",
      {},
      { "x-checksum-sha256": "0".repeat(64) },
      /^The sha256 of .* is [0-9a-f]{64}, but 0{64} was/,
    ],
    ["from the URL", `#sha256=${"1".repeat(64)}`, {}, /^The sha256 of .* but 1{64} was expected\.$/],
    ["of MD5", {}, { "content-md5": "AAAA" }, /^The md5 of .* but AAAA was expected\.$/],
    ["that is none", "#sha256=12", {}, /must be 64 hexadecimal digits/],
  ])("with a wrong checksum %s is refused", async (_name, hash, headers, message) => {
    const base = await serveBytes(body, headers);
    await expect(fetchModel(`${base}/m.bin${typeof hash === "string" ? hash : ""}`)).rejects.toThrow(message);
    expect(tree()).toEqual([]);
  });

  /** Breaks the connection after each piece, and honours Range and If-Range. */
  async function breaking(pieceBytes: number, etagOf: (attempt: number) => string | undefined) {
    const asked: (string | undefined)[] = [];
    const base = await serve((request, response) => {
      const etag = etagOf(asked.length);
      asked.push(request.headers.range);
      const range = /^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1];
      const from = range !== undefined && request.headers["if-range"] === etag ? Number(range) : 0;
      const rest = body.subarray(from);
      response.writeHead(from > 0 ? 206 : 200, {
        "content-type": "application/octet-stream",
        "content-length": rest.length,
        ...(etag && { etag }),
        ...(from > 0 && { "content-range": `bytes ${from}-${body.length - 1}/${body.length}` }),
      });
      if (rest.length <= pieceBytes) response.end(rest);
      else response.write(rest.subarray(0, pieceBytes), () => setTimeout(() => response.destroy(), 20));
    });
    return { base, asked };
  }

  it("goes on where a broken connection left it", async () => {
    const { base, asked } = await breaking(3000, () => '"v1"');
    await fetchModel(`${base}/m.bin#sha256=${sha256(body)}`);
    expect(readFileSync(join(dest, "m.bin"))).toEqual(body);
    expect(asked).toEqual([undefined, "bytes=3000-", "bytes=6000-"]);
  });

  it("starts over when the file changed, or cannot be told from another", async () => {
    const changed = await breaking(6000, (attempt) => `"v${attempt}"`);
    await expect(fetchModel(`${changed.base}/m.bin`)).rejects.toThrow("Failed to connect to HTTP endpoint");
    const weak = await breaking(6000, () => 'W/"v1"');
    await expect(fetchModel(`${weak.base}/m.bin`)).rejects.toThrow("Failed to connect to HTTP endpoint");
    expect(weak.asked.every((range) => range === undefined)).toBe(true);
    expect(tree()).toEqual([]);
  });

  it.each([
    ["loops", (base: string) => `${base}/again`, /was redirected more than 5 times\.$/],
    ["leads to a file", () => "file:///etc/passwd", /was redirected to what is no HTTP address\.$/],
  ])("behind a redirect that %s is refused", async (_name, location, message) => {
    const base: string = await serve((_request, response) => {
      response.writeHead(302, { location: location(base) }).end();
    });
    await expect(fetchModel(`${base}/m.bin`)).rejects.toThrow(message);
  });

  it("is bounded, whatever length was promised", async () => {
    const env = { DRYDOCK_MAX_MODEL_BYTES: "5000" };
    const honest = await serveBytes(body);
    await expect(fetchModel(`${honest}/m.bin`, env)).rejects.toThrow("The model is larger than 5000 bytes.");
    const chunked = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "application/octet-stream" });
      response.write(body);
      response.end(body);
    });
    await expect(fetchModel(`${chunked}/m.bin`, env)).rejects.toThrow("The model is larger than 5000 bytes.");
    expect(tree()).toEqual([]);
  });

  it("stops when it is told to, and leaves nothing", async () => {
    const stop = new AbortController();
    const base = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "application/octet-stream" });
      response.write(body, () => stop.abort());
    });
    await expect(fetchModel(`${base}/m.bin`, {}, stop.signal)).rejects.toThrow(/abort/i);
    expect(tree()).toEqual([]);
  });
});

describe("a model that its Revision fetched before", () => {
  const model = Buffer.from("weights");
  let asked: number;
  let uri: string;
  let env: Record<string, string>;
  const uriOf = async (body: Buffer, name = "model.bin") => {
    const base = await serve((_request, response) => {
      asked += 1;
      response.writeHead(200, { "content-type": "application/octet-stream" }).end(body);
    });
    return `${base}/${name}`;
  };
  const again = async () => {
    rmSync(dest, { recursive: true });
    await fetchModel(uri, env);
  };
  const keptFile = () => {
    const found = readdirSync(join(root, "cache"), { recursive: true }).map(String);
    return join(root, "cache", found.find((path) => path.endsWith("model.bin")) ?? "");
  };

  beforeEach(async () => {
    asked = 0;
    uri = await uriOf(model);
    env = { DRYDOCK_MODEL_CACHE: join(root, "cache/uid") };
    await fetchModel(uri, env);
  });

  it("is not fetched again", async () => {
    await again();
    expect(readFileSync(join(dest, "model.bin"))).toEqual(model);
    expect(asked).toBe(1);
    expect(lines.join()).toContain("Found in the cache of this Revision");
  });

  it("is fetched again for another Revision, and without a place to keep it", async () => {
    env = { DRYDOCK_MODEL_CACHE: join(root, "cache/other") };
    await again();
    env = {};
    await again();
    expect(asked).toBe(3);
  });

  it("is fetched again when what was kept is not what it was", async () => {
    writeFileSync(keptFile(), "WEIGHTS");
    await again();
    expect(readFileSync(join(dest, "model.bin"))).toEqual(model);
    expect(asked).toBe(2);
    await again();
    expect(asked).toBe(2);
  });

  it("cannot be changed by the pod that was given it", async () => {
    await again();
    writeFileSync(join(dest, "model.bin"), "changed");
    await again();
    expect(readFileSync(join(dest, "model.bin"))).toEqual(model);
    expect(asked).toBe(1);
  });

  it("is let go when nobody used it for long", async () => {
    const entry = join(keptFile(), "../..");
    utimesSync(entry, 1, 1);
    const other = await uriOf(Buffer.from("x"), "other.bin");
    rmSync(dest, { recursive: true });
    await fetchModel(other, { DRYDOCK_MODEL_CACHE: join(root, "cache/other") });
    expect(existsSync(entry)).toBe(false);
    expect(readdirSync(join(root, "cache"))).toEqual(["other"]);
  });

  it("is there without being kept where it cannot be", async () => {
    writeFileSync(join(root, "file"), "");
    env = { DRYDOCK_MODEL_CACHE: join(root, "file/uid") };
    await again();
    expect(readFileSync(join(dest, "model.bin"))).toEqual(model);
    expect(lines.join()).toContain("Not kept for the next pod");
  });
});

describe("an archive", () => {
  const asTar = async (...entries: readonly TarEntry[]) => {
    const base = await serveBytes(await tarOf(...entries), { "content-type": "application/x-tar" });
    return fetchModel(`${base}/m.tar`);
  };
  const asZip = async (...entries: readonly ZipEntry[]) => {
    const base = await serveBytes(zipOf(...entries), { "content-type": "application/zip" });
    return fetchModel(`${base}/m.zip`);
  };

  it("is unpacked: folders, links inside, and all", async () => {
    await asTar(
      { name: "./", type: "directory" },
      { name: "models/1/", type: "directory" },
      { name: "models/1/model.onnx", body: "m" },
      { name: "latest", type: "symlink", linkname: "models/1" },
      { name: "same.onnx", type: "link", linkname: "models/1/model.onnx" },
    );
    expect(readdirSync(dest).sort()).toEqual(["latest", "models", "same.onnx"]);
    expect(readFileSync(join(dest, "latest/model.onnx"), "utf8")).toBe("m");
    expect(readFileSync(join(dest, "same.onnx"), "utf8")).toBe("m");
    expect(lines.join("\n")).toContain("Unpacking: m.tar");
  });

  it("of the zip kind, too", async () => {
    await asZip({ name: "a/model.bin", body: "m" }, { name: "link", body: "a/model.bin", mode: 0o120777 });
    expect(tree()).toEqual(["a", "a/model.bin", "link"]);
    expect(readFileSync(join(dest, "link"), "utf8")).toBe("m");
  });

  it.each<[string, readonly TarEntry[], string]>([
    ["climbs", [{ name: "a/../../out", body: "x" }], "'a/../../out' leads outside"],
    ["is absolute", [{ name: "/tmp/out", body: "x" }], "'/tmp/out' leads outside"],
    ["climbs with backslashes", [{ name: "..\\out", body: "x" }], "'..\\out' leads outside"],
    ["links out", [{ name: "l", type: "symlink", linkname: "../x" }], "'l' leads outside"],
    ["links to the root", [{ name: "l", type: "symlink", linkname: "/etc/passwd" }], "'l' leads outside"],
    ["links nowhere", [{ name: "l", type: "symlink", linkname: "gone" }], "'l' leads outside"],
    [
      "hard-links out",
      [{ name: "l", type: "link", linkname: "../../etc/passwd" }],
      "'../../etc/passwd' leads outside",
    ],
    [
      "climbs through a chain of links",
      [
        { name: "p/q/", type: "directory" },
        { name: "p/q/b", type: "symlink", linkname: "../.." },
        { name: "a", type: "symlink", linkname: "p/q/b/../dest" },
        { name: "p/q/dest", body: "x" },
      ],
      "'a' leads outside",
    ],
    ["holds a pipe", [{ name: "p", type: "fifo" }], "'p' is neither a file nor a folder"],
  ])("that %s is refused", async (_name, entries, words) => {
    writeFileSync(join(root, "x"), "outside");
    await expect(asTar(...entries)).rejects.toThrow(words);
    expect(tree()).toEqual([]);
    expect(existsSync(join(root, "out"))).toBe(false);
  });

  it("cannot write through a link it brought", async () => {
    const outside = join(root, "outside");
    mkdirSync(outside);
    const entries: TarEntry[] = [
      { name: "l", type: "symlink", linkname: outside },
      { name: "l/owned", body: "x" },
    ];
    await expect(asTar(...entries)).rejects.toThrow();
    expect(readdirSync(outside)).toEqual([]);
    expect(tree()).toEqual([]);
  });

  it.each([
    ["climbs", { name: "../out", body: "x" }, "leads outside"],
    ["is absolute", { name: "/out", body: "x" }, "leads outside"],
    ["links out", { name: "l", body: "/etc/passwd", mode: 0o120777 }, "'l' leads outside"],
  ])("of the zip kind that %s is refused", async (_name, entry, words) => {
    await expect(asZip(entry)).rejects.toThrow(words);
    expect(tree()).toEqual([]);
  });

  const zeros = Buffer.alloc(80 * 1024 * 1024);
  it("that is a bomb is stopped by its ratio, its size or its number of files", async () => {
    const bomb = gzipSync(await tarOf({ name: "zeros", body: zeros }));
    const base = await serveBytes(bomb, { "content-type": "application/gzip" });
    await expect(fetchModel(`${base}/m.tgz`)).rejects.toThrow("It grows to more than 200 times its size.");
    await expect(fetchModel(`${base}/m.tgz`, { DRYDOCK_MAX_MODEL_BYTES: "1000000" })).rejects.toThrow(
      "The model is larger than 1000000 bytes.",
    );
    expect(tree()).toEqual([]);
  });

  it.each([
    ["random bytes as tar", "/m.tar", Buffer.from("no tar at all".repeat(100))],
    ["a cut gzip", "/m.tgz", gzipSync(Buffer.from("x".repeat(5000))).subarray(0, 30)],
    ["random bytes as zip", "/m.zip", Buffer.from("no zip at all".repeat(100))],
  ])("that is %s is not valid", async (_name, path, bytes) => {
    const base = await serveBytes(bytes);
    await expect(fetchModel(base + path)).rejects.toThrow(
      "Failed to unpack archive file. The file format is not valid.",
    );
    expect(tree()).toEqual([]);
  });

  it("with a damaged entry is not valid", async () => {
    await expect(asZip({ name: "model.bin", body: "m", crc: 1 })).rejects.toThrow(
      "Failed to unpack archive file. The file format is not valid.",
    );
    expect(tree()).toEqual([]);
  });

  it("that is empty holds no model", async () => {
    await expect(asTar()).rejects.toThrow(/^Failed to fetch model\. No model found in http.*\/m\.tar\.$/);
    await expect(asTar({ name: "folder/", type: "directory" })).rejects.toThrow("No model found in");
    expect(tree()).toEqual([]);
  });

  it("may hold a file of its own name", async () => {
    await asTar({ name: "m.tar", body: "inner" });
    expect(readFileSync(join(dest, "m.tar"), "utf8")).toBe("inner");
  });
});
