// One request through the gateway, whatever front it came in by: read, match, activate, and say what went wrong.

import type { RetryPolicy } from "../../domain/apis/istio/routing.types.js";
import type { Random } from "../../ports/index.js";
import {
  type Activate,
  type Activity,
  type Admitted,
  type Asker,
  heldBodyBytes,
  type PodAddress,
  type Waiting,
} from "../activator/index.js";
import type { Exchange, Memory, ProxyLimits, Reply, RequestBody } from "../proxy/index.js";
import { type Answer, noRoute, sendAnswer, whatWentWrong } from "./answers.js";
import { crossOrigin, preflight } from "./cors.js";
import { injectFaults } from "./fault.js";
import { deadlineExceeded, grpcTimeoutMs } from "./grpcDeadline.js";
import type { Guard, GuardVerdict } from "./guard.js";
import type { Ids } from "./ids.js";
import { headerOf, type Incoming } from "./incoming.js";
import { type FrontLimits, h2WindowBytes } from "./limits.js";
import { type Asked, findHost, firstDestination, type Matched, matchRoute } from "./match.js";
import { sendMirrors } from "./mirror.js";
import { outgoingLines } from "./outgoing.js";
import { redirectTo } from "./redirect.js";
import { cutOff, WatchedReply } from "./replies.js";
import { type Repeatable, sendAgain, type Tried } from "./retry.js";
import { CountedReply, type SeenRequest } from "./seen.js";
import { ShapedReply } from "./shapedReply.js";
import type { Stats } from "./stats.js";
import type { Destination, Direct, Extras, HostRoutes, ListenerName, RouteTable } from "./table.js";

/** What every front shares. `table` is swapped whole; a request keeps the one it began with. */
export interface Shared {
  table: RouteTable;
  draining: boolean;
  readonly activate: Activate;
  /** What sockets read into, and copies of it. */
  readonly memory: Memory;
  readonly stats: Stats;
  readonly random: Random;
  readonly ids: Ids;
  /** The value of `Date`, made once a second. */
  readonly date: () => string;
  readonly limits: ProxyLimits & FrontLimits;
  /** Where clients that must come with TLS find us, once something listens there. */
  httpsPort: number | undefined;
  readonly onBug: (bug: unknown) => void;
  /** Answers some requests itself, probes above all, before any route is looked for. */
  readonly ahead: Ahead | undefined;
  /** Hears of every request when it was answered; undefined costs a request nothing. */
  onSeen: ((seen: SeenRequest) => void) | undefined;
}

/** It may also set right what the hop before has hidden, such as the Host. */
export type Ahead = (incoming: Incoming) => Direct | Promise<Direct> | undefined;

/** A reply that can be told to put its `server-timing` into the head. */
export interface FrontReply extends Reply {
  timing: (() => string) | undefined;
}

export interface Front {
  readonly listener: ListenerName;
  readonly reply: FrontReply;
  readonly overH2: boolean;
  /** The client's bytes, when it sends any. */
  readonly body: RequestBody | undefined;
}

export function serve(shared: Shared, incoming: Incoming, front: Front): void {
  new Served(shared, incoming, shared.onSeen === undefined ? front : counted(front)).begin();
}

function counted({ listener, overH2, body, reply }: Front): Front {
  return { listener, overH2, body, reply: new CountedReply(reply) };
}

/** One object for a request all its way: nothing else is made to remember it by. */
class Served implements Asked, Asker {
  private readonly arrivedMs = performance.now();
  private readonly table: RouteTable;
  /** As the host's routes know it. */
  private asked = "";
  /** What a pod may see of the request: credentials that end here are taken off. */
  private shown: Incoming;
  private extras: Extras | undefined;
  private exchange: GatewayExchange | undefined;
  private destination: Destination | undefined;

  constructor(
    private readonly shared: Shared,
    private readonly incoming: Incoming,
    private readonly front: Front,
  ) {
    this.table = shared.table;
    this.shown = incoming;
  }

  get host(): string {
    return this.incoming.host;
  }

  get method(): string {
    return this.incoming.method;
  }

  get target(): string {
    return this.asked;
  }

  get secure(): boolean {
    return this.incoming.secure;
  }

  header(lower: string): string | undefined {
    return headerOf(this.incoming, lower);
  }

  begin(): void {
    const { shared, incoming } = this;
    shared.stats.begin();
    const early = shared.ahead?.(incoming);
    if (early !== undefined) {
      Promise.resolve(early).then((direct) => this.answerDirect(direct, this.front.reply), shared.onBug);
      return;
    }
    const { bodyBytes } = shared.limits;
    if (incoming.contentLength !== undefined && incoming.contentLength > bodyBytes)
      this.answer({
        status: 413,
        reason: "BodyTooLarge",
        message: `gateway: a body may have ${bodyBytes} bytes`,
      });
    else this.route();
  }

  /** By Host; for people without DNS also by path, when the Host has no route of its own. */
  private route(): void {
    const { incoming, table } = this;
    const { listener } = this.front;
    const { target } = incoming;
    let routes = findHost(table[listener], incoming.host);
    this.asked = target;
    if (routes === undefined && target.startsWith("/serving/")) {
      const named = /^\/serving\/([^/?]+)\/([^/?]+)(\/[^?]*)?(\?.*)?$/.exec(target);
      routes = named === null ? undefined : table[listener].byPath.get(`${named[1]}/${named[2]}`);
      if (named !== null) this.asked = (named[3] ?? "/") + (named[4] ?? "");
    }
    if (routes === undefined) this.answer(noRoute(table, listener, incoming, false));
    else if (incoming.probe === "probe") this.answerProbe(routes);
    else this.follow(routes);
  }

  private follow(routes: HostRoutes): void {
    const { incoming, front, shared } = this;
    const { guard } = this.table;
    const matched = matchRoute(routes, this, shared.random);
    this.extras = extrasOf(matched);
    // Browsers send no credentials with the question whether they may send any.
    const ahead = this.extras?.cors && preflight(this.extras.cors, incoming);
    if (ahead !== undefined) {
      front.reply.begin({ status: 200, reason: "OK", lines: ahead, length: 0, hasBody: false });
      front.reply.end(undefined, []);
      this.ended(200);
    } else if (guard === undefined) this.obey(matched);
    else {
      const destination = matched.kind === "forward" ? matched.destination : undefined;
      const target = "target" in matched ? matched.target : this.asked;
      this.guarded(guard, destination, target, (cleared) =>
        this.obey("target" in matched ? { ...matched, target: cleared } : matched),
      );
    }
  }

  /** Asked by the prober whether the configuration it knows is the one in force here, for whoever comes without credentials. */
  private answerProbe(routes: HostRoutes): void {
    const { guard } = this.table;
    const tell = () => {
      this.ended(200);
      answerProbe(this.front.reply, routes.hash);
    };
    if (guard === undefined) tell();
    else this.guarded(guard, firstDestination(routes), this.asked, tell);
  }

  private guarded(
    by: Guard,
    destination: Destination | undefined,
    target: string,
    onward: (target: string) => void,
  ): void {
    const { incoming, asked } = this;
    const heard = (verdict: GuardVerdict) => {
      if (verdict.outcome === "refused") {
        this.answer(verdict.answer);
        return;
      }
      this.shown = verdict.incoming;
      onward(verdict.target);
    };
    const { listener } = this.front;
    const verdict = by.check({ listener, incoming, asked, target, destination });
    if (verdict instanceof Promise) verdict.then(heard).catch((bug) => this.fail(bug));
    else heard(verdict);
  }

  private obey(way: Matched): void {
    const { extras, incoming, shared, front } = this;
    if (extras === undefined) {
      this.carryOut(way, front.reply);
      return;
    }
    const { cors, faults } = extras;
    const injected = faults.length === 0 ? undefined : injectFaults(faults, incoming.host, shared.random);
    const goOn = () => {
      if (injected?.abort !== undefined) this.answer(injected.abort);
      else {
        const change = cors ? crossOrigin(cors, incoming, extras.response) : extras.response;
        this.carryOut(way, change === undefined ? front.reply : new ShapedReply(front.reply, change));
      }
    };
    if (injected === undefined || injected.delayMs <= 0) {
      goOn();
      return;
    }
    const { reply } = front;
    const later = setTimeout(() => {
      reply.onGone = undefined;
      goOn();
    }, injected.delayMs);
    reply.onGone = () => {
      clearTimeout(later);
      this.ended(0);
    };
  }

  private carryOut(way: Matched, reply: FrontReply): void {
    const { incoming } = this;
    switch (way.kind) {
      case "noRule":
        this.answer(noRoute(this.table, this.front.listener, incoming, true));
        return;
      case "deadEnd":
        this.answer(way);
        return;
      case "redirect": {
        const { host, scheme } = incoming;
        const { httpsPort } = this.shared;
        this.answer(
          redirectTo(way.redirected.redirect, { host, scheme, target: way.target, httpsPort }),
          reply,
        );
        return;
      }
      case "direct":
        this.answerDirect(way, reply);
        return;
      case "forward":
        this.forward(way.destination, way.target, reply);
    }
  }

  private forward(destination: Destination, target: string, reply: FrontReply): void {
    const { shared, incoming, extras, front } = this;
    const exchange = this.toward(destination, target, reply, front.body);
    this.destination = destination;
    this.exchange = exchange;
    if (incoming.timed) exchange.measure();
    if (extras !== undefined) {
      if (extras.mirrors.length > 0) this.mirror(extras.mirrors, target);
      if (extras.retry !== undefined) {
        exchange.repeatedly(shared, extras.retry, isRepeatable(incoming, extras), incoming.grpc).then(
          ({ admitted, tries }) => this.settled(admitted, tries),
          (bug) => this.fail(bug),
        );
        return;
      }
    }
    shared.activate(exchange, this);
  }

  private toward(
    destination: Destination,
    target: string,
    reply: FrontReply,
    body: RequestBody | undefined,
  ): GatewayExchange {
    const { shared, shown, arrivedMs, front } = this;
    return new GatewayExchange(shared.ids, shown, destination, target, arrivedMs, front.overH2, reply, body);
  }

  private mirror(mirrors: Extras["mirrors"], target: string): void {
    const { shared, incoming, front } = this;
    const { host, method, secure } = incoming;
    const asked: Asked = { host, method, target, secure, header: (lower) => headerOf(incoming, lower) };
    // A copy is a request like any other, only that nobody hears its answer.
    sendMirrors(mirrors, shared, asked, front.body, ({ destination, target, reply, body }) =>
      promised(shared.activate, this.toward(destination, target, reply, body)),
    );
  }

  settle(admitted: Admitted): void {
    this.settled(admitted, 1);
  }

  private settled(admitted: Admitted, tries: number): void {
    if (admitted.outcome === "answered") {
      this.ended(admitted.status);
      return;
    }
    const own =
      this.pastDeadline(admitted) ??
      whatWentWrong(admitted, this.destination as Destination, this.exchange?.tried);
    if (own !== undefined) {
      this.answer(tries === 1 ? own : { ...own, message: `${own.message} (tried ${tries} times)` });
      return;
    }
    // It had begun and will not be completed: its reader must notice.
    if (admitted.outcome === "late") {
      this.shared.stats.answered("Late");
      this.front.reply.abort();
    }
    this.ended(0);
  }

  private pastDeadline(admitted: Admitted): Answer | undefined {
    const ms = grpcTimeoutMs(this.incoming);
    return ms === undefined ? undefined : deadlineExceeded(admitted, performance.now() - this.arrivedMs, ms);
  }

  /** Ours, not the request's: this one fails loudly, the rest keeps being served. */
  fail(bug: unknown): void {
    this.front.reply.abort();
    this.ended(500);
    this.shared.onBug(bug);
  }

  private answer(own: Answer, reply = this.front.reply): void {
    this.shared.stats.answered(own.reason);
    sendAnswer(reply, this.incoming, own, this.front.overH2);
    this.ended(own.status);
  }

  private answerDirect(direct: Direct, reply: FrontReply): void {
    sendDirect(reply, this.incoming.method, direct);
    this.ended(direct.status);
  }

  private ended(status: number): void {
    const tookMs = performance.now() - this.arrivedMs;
    this.shared.stats.end(status, tookMs);
    if (this.shared.onSeen !== undefined) this.tellSeen(tookMs);
  }

  private tellSeen(latencyMs: number): void {
    const { incoming, front, destination, exchange } = this;
    const { reply, overH2 } = front;
    // It began before anybody wanted to hear of it.
    if (!(reply instanceof CountedReply)) return;
    const { status, bytes } = reply;
    const { revision } = destination ?? {};
    this.shared.onSeen?.({ incoming, overH2, status, bytes, latencyMs, revision, pod: exchange?.tried });
  }
}

function promised(activate: Activate, exchange: GatewayExchange): Promise<Admitted> {
  return new Promise((settle, fail) => activate(exchange, { settle, fail }));
}

function extrasOf(matched: Matched): Extras | undefined {
  switch (matched.kind) {
    case "forward":
      return matched.destination.extras;
    case "redirect":
      return matched.redirected.extras;
    case "direct":
      return matched.extras;
    default:
      return undefined;
  }
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

/** Methods that a proxy may send twice (RFC 9110, 9.2.2). */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

function isRepeatable(incoming: Incoming, { repeatsAnything }: Extras): boolean {
  return (
    repeatsAnything || idempotent.has(incoming.method) || headerOf(incoming, "idempotency-key") !== undefined
  );
}

function sendDirect(reply: Reply, method: string, { status, body, lines: more = "" }: Direct): void {
  const hasBody = method !== "HEAD" && status !== 204 && status !== 304;
  const framed = hasBody ? `content-type: text/plain\r\ncontent-length: ${body.length}\r\n` : "";
  reply.begin({ status, reason: "", lines: framed + more, length: body.length, hasBody });
  reply.end(hasBody ? body : undefined, []);
}

function answerProbe(reply: Reply, hash: string | undefined): void {
  const told = hash === undefined ? "" : `K-Network-Hash: ${hash}\r\n`;
  reply.begin({
    status: 200,
    reason: "OK",
    lines: `content-length: 0\r\n${told}`,
    length: 0,
    hasBody: false,
  });
  reply.end(undefined, []);
}

class GatewayExchange implements Exchange, Waiting {
  readonly method: string;
  readonly lines: string;
  readonly expectContinue: boolean;
  readonly upgrade: string | undefined;
  readonly protocol: "http1" | "h2c";
  timeoutMs: number | undefined;
  reply: Reply;
  readonly revision: Destination["revision"];
  tried: PodAddress | undefined;
  heldMs: number | undefined;
  cold = false;
  readonly bodyBytes: number;
  private controller: AbortController | undefined;

  constructor(
    ids: Ids,
    incoming: Incoming,
    destination: Destination,
    readonly target: string,
    readonly arrivedMs: number,
    overH2: boolean,
    private readonly front: FrontReply,
    readonly body: RequestBody | undefined,
  ) {
    this.method = incoming.method;
    this.lines = outgoingLines(incoming, destination, ids);
    this.revision = destination.revision;
    const { protocol } = destination.revision;
    this.protocol = protocol !== "asCame" ? protocol : overH2 ? "h2c" : "http1";
    this.timeoutMs = least(destination.timeoutMs, grpcTimeoutMs(incoming));
    this.upgrade = incoming.upgrade;
    this.reply = front;
    // An HTTP/2 client may have sent this much before it is made to wait.
    const ahead = overH2 ? h2WindowBytes : heldBodyBytes;
    this.bodyBytes = body === undefined ? 0 : Math.min(incoming.contentLength ?? ahead, ahead);
    this.expectContinue = incoming.expect !== undefined && body !== undefined;
  }

  /** For whoever holds the request: aborts when the client leaves. The proxy has its own, cheaper way to hear of it. */
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      const controller = new AbortController();
      this.controller = controller;
      if (this.reply.gone) controller.abort();
      else this.reply.onGone = () => controller.abort();
    }
    return this.controller.signal;
  }

  repeatedly(shared: Shared, policy: RetryPolicy, repeatable: boolean, grpc: boolean): Promise<Tried> {
    const { front, body, timeoutMs, arrivedMs, revision } = this;
    const reply = front instanceof ShapedReply ? front : new ShapedReply(front, undefined);
    const one: Repeatable = {
      policy,
      idempotent: repeatable,
      grpc,
      waitsForPods: revision.settings !== undefined,
      ...{ body, reply, timeoutMs, arrivedMs },
      send: (limitMs) => {
        // As if it had just come: whoever forwarded it before knows it no more.
        this.reply = reply;
        this.timeoutMs = limitMs;
        this.tried = undefined;
        this.controller = undefined;
        return promised(shared.activate, this);
      },
    };
    const { stats, random, limits } = shared;
    return sendAgain(one, { stats, random, replayBytes: limits.replayBytes });
  }

  watch(activity: Activity): void {
    this.reply = new WatchedReply(this.reply, activity);
  }

  cut(): boolean {
    const { reply } = this;
    this.reply = cutOff();
    const tell = reply.onGone;
    if (tell !== undefined) tell();
    // A tunnel ends with its client's socket.
    else if (this.upgrade !== undefined) this.front.abort();
    else return false;
    return true;
  }

  measure(): void {
    const leftMs = performance.now();
    this.front.timing = () => {
      const gateway = `gateway;dur=${(leftMs - this.arrivedMs).toFixed(3)}`;
      const pod = `pod;dur=${(performance.now() - leftMs - (this.heldMs ?? 0)).toFixed(3)}`;
      if (this.heldMs === undefined) return `${gateway}, ${pod}`;
      const cold = this.cold ? `, cold;desc="${this.tried?.pod ?? ""}"` : "";
      return `${gateway}, hold;dur=${this.heldMs.toFixed(3)}, ${pod}${cold}`;
    };
  }
}
