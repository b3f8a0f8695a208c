// HTTP/2 without TLS to pods that speak it: gRPC above all, whose status travels in trailers.
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { type BodyFailure, type BodySink, clientWentAway } from "./body.js";
import type { Exchange, Forwarded } from "./exchange.js";
import { eachLine, toLines } from "./fields.js";
import { h2SessionsPerAddress, lastBytesMs, longestTimerMs, type ProxyLimits } from "./limits.js";
import { splitAddress } from "./pool.js";

interface Session {
  readonly session: ClientHttp2Session;
  streams: number;
  connected: boolean;
  /** Why nobody is at its other end any more. */
  lost: string | undefined;
  /** Those that came before it was connected. */
  readonly ready: Promise<string | undefined>;
}

/** What a pod allows before it has told; also the least that a sensible one allows. */
const usualStreams = 100;

export class H2cPool {
  private readonly sessions = new Map<string, Session[]>();

  constructor(private readonly limits: ProxyLimits) {}

  run(exchange: Exchange, address: string, resolve: (forwarded: Forwarded) => void): void {
    const held = this.session(address);
    if (held === undefined) {
      resolve({ outcome: "refused", how: "full", because: `every HTTP/2 connection to ${address} is full` });
      return;
    }
    held.streams += 1;
    const finish = (forwarded: Forwarded) => {
      held.streams -= 1;
      resolve(forwarded);
    };
    if (held.connected) {
      new H2cExchange(exchange, this.limits, held, finish).start();
      return;
    }
    held.ready.then((trouble) => {
      if (trouble !== undefined)
        finish({ outcome: "refused", how: trouble === "timeout" ? "timeout" : "connect", because: trouble });
      else if (exchange.reply.gone)
        finish({ outcome: "broken", how: "clientGone", because: clientWentAway, begun: false });
      else new H2cExchange(exchange, this.limits, held, finish).start();
    });
  }

  /** As a connection that is lost: who comes from now on gets another. */
  lose(address: string, because: string): void {
    const all = this.sessions.get(address) ?? [];
    this.sessions.delete(address);
    for (const held of all) {
      const { session } = held;
      held.lost = because;
      let had = session.socket?.bytesRead;
      const look = () => {
        if (session.destroyed) return;
        if (session.socket?.bytesRead === had) {
          session.destroy();
          return;
        }
        had = session.socket?.bytesRead;
        setTimeout(look, lastBytesMs).unref();
      };
      setTimeout(look, lastBytesMs).unref();
    }
  }

  retain(addresses: ReadonlySet<string>): void {
    for (const [address, list] of this.sessions) {
      if (!addresses.has(address)) for (const { session } of list) session.close();
    }
  }

  close(): void {
    for (const list of this.sessions.values()) for (const { session } of list) session.close();
  }

  private session(address: string): Session | undefined {
    const list = this.sessions.get(address) ?? [];
    const limitOf = ({ session }: Session) => session.remoteSettings?.maxConcurrentStreams ?? usualStreams;
    const free = list.find(
      (one) => !one.session.closed && !one.session.destroyed && one.streams < limitOf(one),
    );
    if (free !== undefined) return free;
    if (list.length >= h2SessionsPerAddress || splitAddress(address) === undefined) return undefined;
    const made = this.dial(address);
    list.push(made);
    this.sessions.set(address, list);
    return made;
  }

  private dial(address: string): Session {
    const session = connect(`http://${address}`, { settings: { enablePush: false } });
    session.setTimeout(this.limits.idleMs, () => session.close());
    const ready = new Promise<string | undefined>((settle) => {
      const timer = setTimeout(() => {
        settle("timeout");
        session.destroy();
      }, this.limits.connectMs);
      session.once("connect", () => {
        made.connected = true;
        clearTimeout(timer);
        settle(undefined);
      });
      session.on("error", (error: NodeJS.ErrnoException) => {
        if (!made.connected) settle(error.code ?? error.message);
      });
      session.once("close", () => {
        clearTimeout(timer);
        settle("closed");
        this.drop(address, session);
      });
    });
    const made: Session = { session, streams: 0, connected: false, lost: undefined, ready };
    return made;
  }

  private drop(address: string, session: ClientHttp2Session): void {
    const left = (this.sessions.get(address) ?? []).filter((one) => one.session !== session);
    if (left.length === 0) this.sessions.delete(address);
    else this.sessions.set(address, left);
  }
}

class H2cExchange implements BodySink {
  private stream: ClientHttp2Stream | undefined;
  private begun = false;
  private finished = false;
  private trailers: readonly string[] = [];
  private sending: readonly string[] = [];
  private deadline: NodeJS.Timeout | undefined;
  private status = 0;
  private limitMs = 0;

  constructor(
    private readonly exchange: Exchange,
    private readonly limits: ProxyLimits,
    private readonly held: Session,
    private readonly done: (forwarded: Forwarded) => void,
  ) {}

  start(): void {
    const { session } = this.held;
    const { body } = this.exchange;
    if (body === undefined) this.open(session, undefined);
    else body.soon(() => this.open(session, body.all));
  }

  /** A request that is whole needs no frame more to say that no trailers follow. */
  private open(session: ClientHttp2Session, whole: Buffer | undefined): void {
    const { exchange } = this;
    const { body, reply } = exchange;
    let stream: ClientHttp2Stream;
    if (reply.gone) {
      this.finished = true;
      this.done({ outcome: "broken", how: "clientGone", because: clientWentAway, begun: false });
      return;
    }
    // It was open when the request was given to it. Node 24 does not throw for this as it did, but makes a stream that breaks.
    if (session.closed || session.destroyed) {
      this.finished = true;
      this.done({ outcome: "refused", how: "connect", because: "the connection closed" });
      return;
    }
    try {
      stream = session.request(toH2(exchange), {
        endStream: body === undefined,
        waitForTrailers: body !== undefined && whole === undefined,
      });
    } catch (error) {
      this.finished = true;
      this.done({ outcome: "refused", how: "connect", because: (error as Error).message });
      return;
    }
    this.stream = stream;
    (stream as Carrying)[carried] = this;
    const ms = Math.min(exchange.timeoutMs ?? this.limits.answerMs, longestTimerMs);
    this.limitMs = ms;
    this.deadline = setTimeout(expire, ms, this);
    reply.onGone = this.clientGone;
    reply.onDrain = this.clientDrained;
    for (const [event, hear] of hearing) stream.on(event, hear);
    if (whole === undefined) for (const [event, hear] of sending) stream.on(event, hear);
    if (whole !== undefined) stream.end(whole);
    else body?.pump(this);
  }

  whole(body: string | readonly Buffer[]): void {
    if (typeof body === "string") this.stream?.end(body, "latin1");
    else {
      for (const chunk of body) this.stream?.write(chunk);
      this.stream?.end();
    }
  }

  write(chunk: Buffer): boolean {
    return this.stream?.write(chunk) ?? true;
  }

  end(trailers: readonly string[]): void {
    this.sending = trailers;
    this.stream?.end();
  }

  fail(how: BodyFailure, because: string): void {
    this.break(how, because);
  }

  private readonly clientGone = (): void => this.break("clientGone", clientWentAway);

  private readonly clientDrained = (): void => void this.stream?.resume();

  expire(): void {
    this.break("timeout", `no complete answer within ${this.limitMs} ms`);
  }

  inform(headers: IncomingHttpHeaders): void {
    this.exchange.reply.inform(Number(headers[":status"]), linesFromH2(headers));
  }

  take(chunk: Buffer): void {
    if (!this.exchange.reply.write(chunk)) this.stream?.pause();
  }

  trail(headers: IncomingHttpHeaders): void {
    this.trailers = fromH2(headers);
  }

  drained(): void {
    this.exchange.body?.resume();
  }

  sendTrailers(): void {
    this.stream?.sendTrailers(pairsToObject(this.sending));
  }

  answer(headers: IncomingHttpHeaders, ended: boolean): void {
    const { exchange } = this;
    this.begun = true;
    this.status = Number(headers[":status"]);
    exchange.body?.forget();
    const named = headers["content-length"];
    // A head that ends the stream is the whole answer: to gRPC it is one with its status, a body after it is none.
    const length = ended ? 0 : named === undefined ? undefined : Number(named);
    const hasBody = !ended && exchange.method !== "HEAD" && this.status !== 204 && this.status !== 304;
    exchange.reply.begin({ status: this.status, reason: "", lines: linesFromH2(headers), length, hasBody });
    exchange.reply.flush();
  }

  complete(): void {
    const stream = this.stream;
    // A reset ends the stream too; only one without an error code is a whole answer.
    if (this.finished || !this.begun || stream === undefined || stream.rstCode !== constants.NGHTTP2_NO_ERROR)
      return;
    this.settle();
    this.exchange.reply.end(undefined, this.trailers);
    this.done({ outcome: "answered", status: this.status });
    // An answer that came before the whole request: the rest is not wanted.
    if (!stream.writableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  }

  closed(): void {
    const code = this.stream?.rstCode ?? 0;
    // Node keeps a closed stream for long: what hung on it goes now.
    if (this.stream !== undefined) (this.stream as Carrying)[carried] = undefined;
    if (this.finished) return;
    if (code === constants.NGHTTP2_REFUSED_STREAM && !this.begun && (this.exchange.body?.canReplay ?? true)) {
      this.settle();
      this.done({ outcome: "refused", how: "connect", because: "the pod refused the stream" });
    } else this.break("closed", this.held.lost ?? `the stream was closed (HTTP/2 code ${code})`);
  }

  private break(how: Extract<Forwarded, { outcome: "broken" }>["how"], because: string): void {
    if (this.finished) return;
    this.settle();
    if (this.stream?.closed === false) this.stream.close(constants.NGHTTP2_CANCEL);
    if (this.begun) this.exchange.reply.abort();
    this.done({ outcome: "broken", how, because, begun: this.begun });
  }

  private settle(): void {
    this.finished = true;
    clearTimeout(this.deadline);
    this.exchange.body?.unpump();
    this.exchange.reply.onGone = undefined;
    this.exchange.reply.onDrain = undefined;
  }
}

const carried = Symbol("the exchange a stream carries");

type Carrying = ClientHttp2Stream & { [carried]?: H2cExchange | undefined };

const expire = (exchange: H2cExchange): void => exchange.expire();

// biome-ignore lint/suspicious/noExplicitAny: each event brings its own.
type Hear = (this: Carrying, ...heard: any[]) => void;

/** The same functions for every stream: closures would be made, and kept, a dozen for each. */
const hearing: readonly (readonly [event: string, hear: Hear])[] = [
  [
    "headers",
    function (headers: IncomingHttpHeaders) {
      this[carried]?.inform(headers);
    },
  ],
  [
    "response",
    function (headers: IncomingHttpHeaders, flags: number) {
      this[carried]?.answer(headers, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0);
    },
  ],
  [
    "data",
    function (chunk: Buffer) {
      this[carried]?.take(chunk);
    },
  ],
  [
    "trailers",
    function (headers: IncomingHttpHeaders) {
      this[carried]?.trail(headers);
    },
  ],
  [
    "end",
    function () {
      this[carried]?.complete();
    },
  ],
  ["error", () => {}],
  [
    "close",
    function () {
      this[carried]?.closed();
    },
  ],
];

/** Only of a body that is still on its way. */
const sending: readonly (readonly [event: string, hear: Hear])[] = [
  [
    "drain",
    function () {
      this[carried]?.drained();
    },
  ],
  [
    "wantTrailers",
    function () {
      this[carried]?.sendTrailers();
    },
  ],
];

function toH2(exchange: Exchange): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    ":method": exchange.method,
    ":path": exchange.target,
    ":scheme": "http",
  };
  eachLine(exchange.lines, (name, value) => {
    const lower = name.toLowerCase();
    if (lower === "host") headers[":authority"] = value;
    else append(headers, lower, value);
  });
  // gRPC servers insist on it; it is the one value HTTP/2 allows.
  headers["te"] = "trailers";
  if (exchange.body?.length !== undefined) headers["content-length"] = String(exchange.body.length);
  return headers;
}

export function append(headers: OutgoingHttpHeaders, name: string, value: string): void {
  const before = headers[name];
  if (before === undefined) headers[name] = value;
  else if (Array.isArray(before)) before.push(value);
  else headers[name] = [String(before), value];
}

export function toObject(lines: string): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  eachLine(lines, (name, value) => append(headers, name.toLowerCase(), value));
  return headers;
}

export function pairsToObject(pairs: readonly string[]): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    append(headers, (pairs[index] as string).toLowerCase(), pairs[index + 1] as string);
  }
  return headers;
}

function linesFromH2(headers: IncomingHttpHeaders): string {
  return toLines(fromH2(headers));
}

function fromH2(headers: IncomingHttpHeaders): string[] {
  const list: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) list.push(name, String(one));
  }
  return list;
}
