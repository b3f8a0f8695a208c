// What our gateway makes of a byte stream, beside what llhttp makes of it: ours may refuse more, but no model may see
// a request that llhttp would have split differently.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Duplex } from "node:stream";
import { compileRoutes } from "../../src/dataplane/gateway/compile.js";
import { cleanPath } from "../../src/dataplane/gateway/incoming.js";
import { type Gateway, startGateway } from "../../src/dataplane/gateway/listen.js";
import { endpoints, plain, service } from "../dataplane/testing.js";
import type { Case } from "./cases.js";

export interface Seen {
  readonly method: string;
  readonly target: string;
  body: string;
  complete: boolean;
}

export interface Compared {
  readonly ours: readonly Seen[];
  readonly theirs: readonly Seen[];
  /** The first line of the gateway's first answer. */
  readonly answer: string;
  /** Why this must not be. */
  readonly wrong: string | undefined;
}

/**
 * Turns of the event loop after which a client that hears nothing will hear nothing any more: everybody lives in this
 * one, so a busy machine makes turns slow but not many.
 */
const silentTurns = 200;

export class Arena {
  private readonly seen = new Map<string, Seen[]>();
  private readonly referred = new WeakMap<Duplex, Seen[]>();
  private next = 0;

  private constructor(
    private readonly gateway: Gateway,
    private readonly pod: Server,
    private readonly reference: Server,
  ) {
    pod.on("request", (request, response) => {
      // The gateway names the client's address, and each case has its own.
      const peer = /([\d.]+)$/.exec(String(request.headers["x-forwarded-for"]))?.[1] ?? "";
      answer(this.listOf(peer), request, response);
    });
    for (const event of ["request", "checkExpectation"] as const) {
      reference.on(event, (request: IncomingMessage, response: ServerResponse) => {
        const list = this.referred.get(request.socket);
        if (list !== undefined) overhear(list, request);
        request.resume();
        request.on("error", () => {});
        request.on("end", () => response.end("ok"));
      });
    }
  }

  static async open(http: "net" | "node"): Promise<Arena> {
    const pod = createServer({ maxHeaderSize: 256 * 1024, keepAliveTimeout: 60_000 });
    pod.maxHeadersCount = 0;
    await new Promise<void>((resolve) => pod.listen(0, "127.0.0.1", resolve));
    const { port } = pod.address() as AddressInfo;
    const { table } = compileRoutes({
      virtualServices: [
        plain("all", ["*"], { route: [{ destination: { host: "model", port: { number: 80 } } }] }),
      ],
      services: [service("model")],
      endpoints: [endpoints("model", [port])],
    });
    const gateway = await startGateway({
      listeners: [{ name: "external", host: "127.0.0.1", port: 0 }],
      random: Math.random,
      clock: { now: () => performance.now(), after: () => () => {} },
      table,
      http,
      onBug: (bug) => {
        throw bug;
      },
    });
    // As Node serves HTTP, but for how long a head may be and what it must name: that splits no requests.
    const reference = createServer({ maxHeaderSize: 256 * 1024, requireHostHeader: false });
    reference.maxHeadersCount = 0;
    return new Arena(gateway, pod, reference);
  }

  async close(): Promise<void> {
    await this.gateway.close({ drainMs: 0 });
    for (const server of [this.pod, this.reference]) {
      server.closeAllConnections();
      server.close();
    }
  }

  stats() {
    return this.gateway.stats();
  }

  async compare(one: Case): Promise<Compared> {
    this.next = (this.next + 1) % 60_000;
    const address = `127.1.${Math.floor(this.next / 250) + 1}.${(this.next % 250) + 1}`;
    const [answer, theirs] = await Promise.all([this.ask(one, address), this.refer(one)]);
    const ours = this.listOf(address);
    this.seen.delete(address);
    return { ours, theirs, answer, wrong: whatIsWrong(ours, theirs) };
  }

  private listOf(address: string): Seen[] {
    const list = this.seen.get(address) ?? [];
    this.seen.set(address, list);
    return list;
  }

  private ask(one: Case, localAddress: string): Promise<string> {
    const { port } = this.gateway.addresses()[0] as { port: number };
    return new Promise((resolve) => {
      let got = "";
      let silent = 0;
      const socket = connect({ port, host: "127.0.0.1", localAddress, noDelay: true });
      socket.on("data", (chunk) => {
        silent = 0;
        if (got.length < 100) got += chunk.toString("latin1");
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve(got.slice(0, Math.max(0, got.indexOf("\r\n")))));
      socket.on("connect", async () => {
        for (const piece of pieces(one)) {
          if (!socket.writable) break;
          socket.write(piece);
          await turn();
          await turn();
        }
        if (one.hangsUp) socket.end();
        for (; silent < silentTurns && !socket.destroyed; silent += 1) await turn();
        socket.destroy();
      });
    });
  }

  private async refer(one: Case): Promise<Seen[]> {
    const list: Seen[] = [];
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    this.referred.set(socket, list);
    socket.on("error", () => {});
    this.reference.emit("connection", socket);
    for (const piece of pieces(one)) {
      if (socket.destroyed) break;
      socket.push(piece);
      await turn();
    }
    for (let count = 0; count < 4; count += 1) await turn();
    socket.destroy();
    return list;
  }
}

function* pieces({ bytes, cuts }: Case): Iterable<Buffer> {
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (cut > from) yield bytes.subarray(from, cut);
    from = Math.max(from, cut);
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

function answer(list: Seen[], request: IncomingMessage, response: ServerResponse): void {
  const seen: Seen = { method: request.method ?? "", target: request.url ?? "", body: "", complete: false };
  list.push(seen);
  request.on("data", (chunk: Buffer) => {
    seen.body += chunk.toString("latin1");
  });
  request.on("error", () => {});
  request.on("end", () => {
    seen.complete = request.complete;
    response.end("ok");
  });
}

/** What the parser gives at once, for a later error takes from the stream what was not read yet. */
function overhear(list: Seen[], request: IncomingMessage): void {
  const seen: Seen = { method: request.method ?? "", target: request.url ?? "", body: "", complete: false };
  list.push(seen);
  const push = request.push.bind(request);
  request.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk === null) seen.complete = request.complete;
    else seen.body += chunk.toString("latin1");
    return push(chunk, encoding);
  };
}

function whatIsWrong(ours: readonly Seen[], theirs: readonly Seen[]): string | undefined {
  for (const [index, mine] of ours.entries()) {
    const other = theirs[index];
    if (other === undefined) return `request ${index} reached the model, and llhttp sees none there`;
    if (mine.method !== other.method) return `request ${index}: ${mine.method} here, ${other.method} there`;
    if (mine.target !== asForwarded(other.target))
      return `request ${index}: ${JSON.stringify(mine.target)} here, ${JSON.stringify(other.target)} there`;
    if (mine.complete && !other.complete)
      return `request ${index}: the model saw an end that llhttp does not see`;
    if (mine.complete ? mine.body !== other.body : !other.body.startsWith(mine.body))
      return `request ${index}: another body (${mine.body.length} bytes here, ${other.body.length} there)`;
  }
  return undefined;
}

/** The target a model gets: a path, cleaned of dot segments. */
function asForwarded(target: string): string {
  const absolute = /^https?:\/\/[^/?#]+(.*)$/is.exec(target);
  const path =
    absolute === null
      ? target
      : (absolute[1] ?? "").startsWith("/")
        ? (absolute[1] ?? "")
        : `/${absolute[1]}`;
  return /\/\.|%2e|\\/i.test(path) ? cleanPath(path) : path;
}
