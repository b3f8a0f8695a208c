// One file over HTTP, resumed where a broken connection left it, and checked before it counts.

import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { archiveKind } from "./archive.js";
import { type Budget, tooLarge } from "./budget.js";
import { noModelFound, StorageError } from "./errors.js";
import { firstBackoffMs, lastBackoffMs, maxAttempts, maxFruitlessAttempts, progressMs } from "./limits.js";
import type { Log } from "./log.js";
import { ConnectionError, openUrl, type RequestOptions } from "./request.js";
import { redact } from "./uri.js";

export interface DownloadOptions extends RequestOptions {
  readonly budget: Budget;
  readonly log: Log;
  /** Shrinks the pauses between attempts in tests. */
  readonly backoffFactor?: number;
}

/** Downloads into `folder` and returns the file's name. */
export async function downloadHttp(
  url: URL,
  folder: string,
  shownFolder: string,
  options: DownloadOptions,
): Promise<string> {
  const shown = redact(url.href);
  const name = fileName(url, shown);
  options.log("storage:111", `Downloading: ${join(shownFolder, name)}`);
  const file = await open(join(folder, name), "w");
  try {
    const part = newPart(file, wantedSha256(url, shown));
    await fetchAll(url, shown, name, part, options);
    checkSums(part, shown);
    if (part.received === 0) throw noModelFound(shown);
  } finally {
    await file.close();
  }
  return name;
}

/** What is there so far, and what must hold once all is. */
interface Part {
  readonly file: FileHandle;
  received: number;
  /** Names the version of the resource; without it a resumed file could be two halves of two versions. */
  validator: string | undefined;
  total: number | undefined;
  wanted: { sha256: string | undefined; md5: string | undefined };
  readonly fixedSha256: string | undefined;
  sha256: Hash;
  md5: Hash;
}

function newPart(file: FileHandle, fixedSha256: string | undefined): Part {
  return {
    file,
    received: 0,
    validator: undefined,
    total: undefined,
    wanted: { sha256: fixedSha256, md5: undefined },
    fixedSha256,
    sha256: createHash("sha256"),
    md5: createHash("md5"),
  };
}

async function fetchAll(
  url: URL,
  shown: string,
  name: string,
  part: Part,
  options: DownloadOptions,
): Promise<void> {
  let fruitless = 0;
  for (let attempt = 1; ; attempt++) {
    const before = part.received;
    const trouble = await fetchSome(url, shown, name, part, options);
    if (trouble === undefined) return;
    fruitless = part.received > before ? 0 : fruitless + 1;
    if (fruitless >= maxFruitlessAttempts || attempt >= maxAttempts) throw trouble.final;
    const pauseMs =
      Math.min(lastBackoffMs, firstBackoffMs * 2 ** Math.max(0, fruitless - 1)) *
      (options.backoffFactor ?? 1);
    options.log("storage:120", `Trying again in ${(pauseMs / 1000).toFixed(1)} s: ${trouble.because}`, "W");
    await wait(pauseMs, undefined, { signal: options.signal });
  }
}

interface Trouble {
  readonly because: string;
  /** What is thrown when no further attempt is made. */
  readonly final: StorageError;
}

/** One attempt: `undefined` when the file is whole, else what went wrong and may pass. */
async function fetchSome(
  url: URL,
  shown: string,
  name: string,
  part: Part,
  options: DownloadOptions,
): Promise<Trouble | undefined> {
  try {
    const { response } = await openUrl(url, resumeHeaders(part), options);
    const busy = await startAnswer(response, shown, name, part, options.budget);
    if (busy !== undefined) {
      response.destroy();
      return busy;
    }
    await writeBody(response, shown, part, options);
    return undefined;
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof ConnectionError)) throw error;
    const because = error.message;
    return { because, final: new StorageError(`Failed to connect to HTTP endpoint '${shown}'. ${because}`) };
  }
}

function resumeHeaders(part: Part): OutgoingHttpHeaders {
  if (part.received === 0 || part.validator === undefined) return {};
  return { range: `bytes=${part.received}-`, "if-range": part.validator };
}

/** Judges status and headers, and puts the file where the body will go on. */
async function startAnswer(
  response: IncomingMessage,
  shown: string,
  name: string,
  part: Part,
  budget: Budget,
): Promise<Trouble | undefined> {
  const status = response.statusCode ?? 0;
  if (status === 206 && rangeStart(response) === part.received) return undefined;
  if (status !== 200) return refusedStatus(status, shown);
  checkContentType(response, shown, name);
  await restart(part);
  const { headers } = response;
  const length = headers["content-length"];
  part.total = length === undefined ? undefined : Number(length);
  if (part.total !== undefined && part.total > budget.maxBytes) throw tooLarge(budget.maxBytes);
  // A weak tag promises likeness, not the same bytes.
  const etag = headers.etag?.startsWith("W/") ? undefined : headers.etag;
  part.validator = headers["accept-ranges"] === "none" ? undefined : (etag ?? headers["last-modified"]);
  part.wanted = {
    sha256: part.fixedSha256 ?? headerText(headers["x-checksum-sha256"])?.toLowerCase(),
    md5: headerText(headers["content-md5"]),
  };
  return undefined;
}

async function restart(part: Part): Promise<void> {
  await part.file.truncate(0);
  part.received = 0;
  part.sha256 = createHash("sha256");
  part.md5 = createHash("md5");
}

async function writeBody(
  response: IncomingMessage,
  shown: string,
  part: Part,
  options: DownloadOptions,
): Promise<void> {
  let saidMs = Date.now();
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      // Bytes fetched twice after a restart count twice: the bound is on work, too.
      options.budget.spendBytes(chunk.length);
      await part.file.write(chunk, 0, chunk.length, part.received);
      part.received += chunk.length;
      if (part.wanted.sha256 !== undefined) part.sha256.update(chunk);
      if (part.wanted.md5 !== undefined) part.md5.update(chunk);
      if (Date.now() - saidMs < progressMs) continue;
      saidMs = Date.now();
      const of = part.total === undefined ? "" : ` of ${part.total}`;
      options.log("storage:115", `Downloaded ${part.received}${of} bytes of ${shown}`);
    }
  } catch (error) {
    if (error instanceof StorageError || options.signal.aborted) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    // The disk's trouble does not pass by asking the server again.
    if (code !== undefined && /^(ENOSPC|EIO|EDQUOT|EROFS|EFBIG)$/.test(code)) throw error;
    throw new ConnectionError(
      `the connection broke after ${part.received} bytes (${(error as Error).message})`,
    );
  }
  if (part.total !== undefined && part.received !== part.total) {
    throw new ConnectionError(`the connection ended after ${part.received} of ${part.total} bytes`);
  }
}

function refusedStatus(status: number, shown: string): Trouble {
  const failed = new StorageError(`HTTP request to '${shown}' failed with status code ${status}.`);
  if (status === 401)
    throw new StorageError(`HTTP authentication failed for '${shown}'. Verify credentials.`);
  if (status === 403) throw new StorageError(`HTTP access denied for '${shown}'. Verify permissions.`);
  if (status === 404) throw new StorageError(`HTTP resource not found at '${shown}'.`);
  if (![429, 502, 503, 504].includes(status)) throw failed;
  return { because: `status code ${status}`, final: failed };
}

const zipTypes = ["application/x-zip-compressed", "application/zip", "application/zip-compressed"];
const tarTypes = ["application/x-tar", "application/x-gtar", "application/x-gzip", "application/gzip"];

/** A login page that answers 200 is the usual wrong model; upstream is strict here, and so a model that loads here loads there. */
function checkContentType(response: IncomingMessage, shown: string, name: string): void {
  const given = response.headers["content-type"] ?? "";
  const kind = archiveKind(name);
  if (kind === undefined) {
    if (given.startsWith("application/octet-stream")) return;
    throw new StorageError(`URI: ${shown} did not respond with 'Content-Type': 'application/octet-stream'`);
  }
  const allowed = kind === "zip" ? zipTypes : tarTypes;
  if (allowed.some((type) => given.startsWith(type)) || given.startsWith("application/octet-stream")) return;
  const list = allowed.join(", ");
  throw new StorageError(`URI: ${shown} did not respond with any of following 'Content-Type': ${list}`);
}

function checkSums(part: Part, shown: string): void {
  const { sha256, md5 } = part.wanted;
  const check = (kind: string, wanted: string, got: string) => {
    if (wanted === got) return;
    throw new StorageError(`The ${kind} of '${shown}' is ${got}, but ${wanted} was expected.`);
  };
  if (sha256 !== undefined) check("sha256", sha256, part.sha256.digest("hex"));
  if (md5 !== undefined) check("md5", md5, part.md5.digest("base64"));
}

function wantedSha256(url: URL, shown: string): string | undefined {
  const match = /^#sha256=(.*)$/i.exec(url.hash);
  if (match === null) return undefined;
  if (/^[0-9a-f]{64}$/i.test(match[1]!)) return match[1]!.toLowerCase();
  throw new StorageError(`The checksum of '${shown}' must be 64 hexadecimal digits.`);
}

function fileName(url: URL, shown: string): string {
  const last = url.pathname.split("/").at(-1) ?? "";
  let name = last;
  try {
    name = decodeURIComponent(last);
  } catch {
    // A stray percent sign: the name stays as it was written.
  }
  if (name === "" || name === "." || name === ".." || /[/\\\0]/.test(name)) {
    throw new StorageError(`No filename contained in URI: ${shown}`);
  }
  return name;
}

function rangeStart(response: IncomingMessage): number | undefined {
  const start = /^bytes (\d+)-/.exec(response.headers["content-range"] ?? "")?.[1];
  return start === undefined ? undefined : Number(start);
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
