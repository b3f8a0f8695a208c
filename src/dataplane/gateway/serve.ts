// One request through the gateway, whatever front it came in by: read, match, activate, and say what went wrong.

import type { RetryPolicy } from "../../domain/apis/istio/routing.types.js";
import type { Random } from "../../ports/index.js";
import {
  type Activate,
  type Activity,
  type Admitted,
  heldBodyBytes,
  type PodAddress,
  type Waiting,
} from "../activator/index.js";
import type { Exchange, ProxyLimits, Reply, RequestBody } from "../proxy/index.js";
import { type Answer, noRoute, sendAnswer, whatWentWrong } from "./answers.js";
import { crossOrigin, preflight } from "./cors.js";
import { injectFaults } from "./fault.js";
import type { Guard, GuardVerdict } from "./guard.js";
import type { Ids } from "./ids.js";
import { headerOf, type Incoming } from "./incoming.js";
import type { FrontLimits } from "./limits.js";
import { type Asked, findHost, firstDestination, type Matched, matchRoute } from "./match.js";
import { sendMirrors } from "./mirror.js";
import { outgoingLines } from "./outgoing.js";
import { redirectTo } from "./redirect.js";
import { cutOff, WatchedReply } from "./replies.js";
import { type Repeatable, sendAgain, type Tried } from "./retry.js";
import { ShapedReply } from "./shapedReply.js";
import type { Stats } from "./stats.js";
import type { Destination, Direct, Extras, HostRoutes, ListenerName, RouteTable } from "./table.js";

/** What every front shares. `table` is swapped whole; a request keeps the one it began with. */
export interface Shared {
  table: RouteTable;
  draining: boolean;
  readonly activate: Activate;
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
  const arrivedMs = performance.now();
  const { stats } = shared;
  stats.begin();
  const answer = (own: Answer, reply = front.reply) => {
    stats.answered(own.reason);
    sendAnswer(reply, incoming, own, front.overH2);
    stats.end(own.status, performance.now() - arrivedMs);
  };

  const early = shared.ahead?.(incoming);
  if (early !== undefined) {
    Promise.resolve(early).then((direct) => {
      sendDirect(front.reply, incoming.method, direct);
      stats.end(direct.status, performance.now() - arrivedMs);
    }, shared.onBug);
    return;
  }
  const { bodyBytes } = shared.limits;
  if ((incoming.contentLength ?? 0) > bodyBytes) {
    answer({ status: 413, reason: "BodyTooLarge", message: `a body may have ${bodyBytes} bytes` });
    return;
  }
  const { table } = shared;
  const found = findRoutes(table, front.listener, incoming.host, incoming.target);
  if (found === undefined) {
    answer(noRoute(table, front.listener, incoming, false));
    return;
  }
  const { guard } = table;
  // What a pod may see of the request: credentials that end here are taken off.
  let shown = incoming;
  if (incoming.probe === "probe") {
    // Asked by the prober whether the configuration it knows is the one in force here, for whoever comes without credentials.
    const tell = () => {
      stats.end(200, performance.now() - arrivedMs);
      answerProbe(front.reply, found.routes.hash);
    };
    if (guard === undefined) tell();
    else guarded(guard, firstDestination(found.routes), found.target, tell);
    return;
  }
  const asked: Asked = {
    host: incoming.host,
    method: incoming.method,
    target: found.target,
    secure: incoming.scheme === "https",
    header: (lower) => headerOf(incoming, lower),
  };
  const matched = matchRoute(found.routes, asked, shared.random);
  const extras = extrasOf(matched);
  // Browsers send no credentials with the question whether they may send any.
  const ahead = extras?.cors && preflight(extras.cors, incoming);
  if (ahead !== undefined) {
    front.reply.begin({ status: 200, reason: "OK", lines: ahead, length: 0, hasBody: false });
    front.reply.end(undefined, []);
    stats.end(200, performance.now() - arrivedMs);
    return;
  }
  if (guard === undefined) obey(matched);
  else {
    const destination = matched.kind === "forward" ? matched.destination : undefined;
    const target = "target" in matched ? matched.target : found.target;
    guarded(guard, destination, target, (cleared) =>
      obey("target" in matched ? { ...matched, target: cleared } : matched),
    );
  }

  function guarded(
    by: Guard,
    destination: Destination | undefined,
    target: string,
    onward: (target: string) => void,
  ): void {
    const heard = (verdict: GuardVerdict) => {
      if (verdict.outcome === "refused") {
        answer(verdict.answer);
        return;
      }
      shown = verdict.incoming;
      onward(verdict.target);
    };
    const asked = found?.target ?? target;
    const verdict = by.check({ listener: front.listener, incoming, asked, target, destination });
    if (verdict instanceof Promise) verdict.then(heard).catch(failed);
    else heard(verdict);
  }

  function obey(way: Matched): void {
    if (extras === undefined) {
      carryOut(way, front.reply);
      return;
    }
    const { cors, faults } = extras;
    const injected = faults.length === 0 ? undefined : injectFaults(faults, shared.random);
    const goOn = () => {
      if (injected?.abort !== undefined) answer(injected.abort);
      else {
        const change = cors ? crossOrigin(cors, incoming, extras.response) : extras.response;
        carryOut(way, change === undefined ? front.reply : new ShapedReply(front.reply, change), extras);
      }
    };
    if ((injected?.delayMs ?? 0) > 0) setTimeout(goOn, injected?.delayMs);
    else goOn();
  }

  /** Ours, not the request's: this one fails loudly, the rest keeps being served. */
  function failed(bug: unknown): void {
    front.reply.abort();
    stats.end(500, performance.now() - arrivedMs);
    shared.onBug(bug);
  }

  function carryOut(way: Matched, reply: FrontReply, asks?: Extras): void {
    switch (way.kind) {
      case "noRule":
        answer(noRoute(table, front.listener, incoming, true));
        return;
      case "deadEnd":
        answer(way);
        return;
      case "redirect":
        answer(
          redirectTo(way.redirected.redirect, {
            host: incoming.host,
            scheme: incoming.scheme,
            target: way.target,
            httpsPort: shared.httpsPort,
          }),
          reply,
        );
        return;
      case "direct":
        sendDirect(reply, incoming.method, way);
        stats.end(way.status, performance.now() - arrivedMs);
        return;
      case "forward":
        forward(way.destination, way.target, reply, asks);
    }
  }

  function forward(destination: Destination, target: string, reply: FrontReply, asks?: Extras): void {
    const to = { incoming: shown, destination, target, arrivedMs, overH2: front.overH2 };
    const exchange = new GatewayExchange(shared, to, { reply, body: front.body });
    if (incoming.timed) exchange.measure();
    if (asks !== undefined && asks.mirrors.length > 0) mirror(asks.mirrors, target);
    const settle = (admitted: Admitted, tries: number) => {
      const own = whatWentWrong(admitted, destination, exchange.tried);
      if (own !== undefined) {
        answer(tries === 1 ? own : { ...own, message: `${own.message} (tried ${tries} times)` });
        return;
      }
      // It had begun and will not be completed: its reader must notice.
      if (admitted.outcome === "late") {
        stats.answered("Late");
        front.reply.abort();
      }
      stats.end(admitted.outcome === "answered" ? admitted.status : 0, performance.now() - arrivedMs);
    };
    if (asks?.retry === undefined) {
      shared.activate(exchange).then((admitted) => settle(admitted, 1), failed);
      return;
    }
    exchange
      .repeatedly(shared, asks.retry, isRepeatable(incoming, asks), incoming.grpc)
      .then(({ admitted, tries }) => settle(admitted, tries), failed);
  }

  function mirror(mirrors: Extras["mirrors"], target: string): void {
    // A copy is a request like any other, only that nobody hears its answer.
    sendMirrors(mirrors, shared, { ...asked, target }, front.body, ({ destination, target, reply, body }) =>
      shared.activate(
        new GatewayExchange(
          shared,
          { incoming: shown, destination, target, arrivedMs, overH2: front.overH2 },
          { reply, body },
        ),
      ),
    );
  }
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

/** Methods that a proxy may send twice (RFC 9110, 9.2.2). */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

function isRepeatable(incoming: Incoming, { repeatsAnything }: Extras): boolean {
  return (
    repeatsAnything || idempotent.has(incoming.method) || headerOf(incoming, "idempotency-key") !== undefined
  );
}

/** By Host; for people without DNS also by path, when the Host has no route of its own. */
function findRoutes(
  table: RouteTable,
  listener: ListenerName,
  host: string,
  target: string,
): { readonly routes: HostRoutes; readonly target: string } | undefined {
  const routes = findHost(table[listener], host);
  if (routes !== undefined) return { routes, target };
  if (!target.startsWith("/serving/")) return undefined;
  const named = /^\/serving\/([^/?]+)\/([^/?]+)(\/[^?]*)?(\?.*)?$/.exec(target);
  if (named === null) return undefined;
  const byPath = table[listener].byPath.get(`${named[1]}/${named[2]}`);
  return byPath && { routes: byPath, target: (named[3] ?? "/") + (named[4] ?? "") };
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

interface Sent {
  readonly incoming: Incoming;
  readonly destination: Destination;
  readonly target: string;
  readonly arrivedMs: number;
  readonly overH2: boolean;
}

class GatewayExchange implements Exchange, Waiting {
  readonly method: string;
  readonly lines: string;
  readonly body: RequestBody | undefined;
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
  readonly target: string;
  readonly arrivedMs: number;
  private readonly front: FrontReply;
  private controller: AbortController | undefined;

  constructor(
    shared: Shared,
    { incoming, destination, target, arrivedMs, overH2 }: Sent,
    front: Pick<Front, "reply" | "body">,
  ) {
    this.target = target;
    this.arrivedMs = arrivedMs;
    this.method = incoming.method;
    this.lines = outgoingLines(incoming, destination, shared.ids);
    this.revision = destination.revision;
    const { protocol } = destination.revision;
    this.protocol = protocol !== "asCame" ? protocol : overH2 ? "h2c" : "http1";
    this.timeoutMs = destination.timeoutMs;
    this.upgrade = incoming.upgrade;
    this.reply = front.reply;
    this.front = front.reply;
    this.bodyBytes =
      front.body === undefined ? 0 : Math.min(incoming.contentLength ?? heldBodyBytes, heldBodyBytes);
    this.body = front.body;
    this.expectContinue = incoming.expect !== undefined && this.body !== undefined;
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
        return shared.activate(this);
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
