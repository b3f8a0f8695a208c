// One request through the gateway, whatever front it came in by: read, match, activate, and say what went wrong.
import type { Random } from "../../ports/index.js";
import {
  type Activate,
  type Activity,
  heldBodyBytes,
  type PodAddress,
  type Waiting,
} from "../activator/index.js";
import type { Exchange, ProxyLimits, Reply, RequestBody } from "../proxy/index.js";
import { type Answer, noRoute, sendAnswer, whatWentWrong } from "./answers.js";
import type { Ids } from "./ids.js";
import { headerOf, type Incoming } from "./incoming.js";
import type { FrontLimits } from "./limits.js";
import { type Asked, findHost, matchRoute } from "./match.js";
import { outgoingLines } from "./outgoing.js";
import { redirectTo } from "./redirect.js";
import { cutOff, WatchedReply } from "./replies.js";
import type { Stats } from "./stats.js";
import type { Destination, Direct, HostRoutes, ListenerName, RouteTable } from "./table.js";

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
  readonly onBug: (bug: unknown) => void;
}

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
  const answer = (own: Answer) => {
    stats.answered(own.reason);
    sendAnswer(front.reply, incoming, own, front.overH2);
    stats.end(own.status, performance.now() - arrivedMs);
  };

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
  if (incoming.probe === "probe") {
    // Asked by the prober whether the configuration it knows is the one in force here.
    stats.end(200, performance.now() - arrivedMs);
    answerProbe(front.reply, found.routes.hash);
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
  switch (matched.kind) {
    case "noRule":
      answer(noRoute(table, front.listener, incoming, true));
      return;
    case "deadEnd":
      answer(matched);
      return;
    case "redirect":
      answer(
        redirectTo(matched.redirected.redirect, {
          host: incoming.host,
          scheme: incoming.scheme,
          target: matched.target,
          httpsPort: undefined,
        }),
      );
      return;
    case "direct":
      sendDirect(front.reply, incoming.method, matched);
      stats.end(matched.status, performance.now() - arrivedMs);
      return;
    case "forward": {
      const { destination, target } = matched;
      const exchange = new GatewayExchange(shared, incoming, front, destination, target, arrivedMs);
      if (incoming.timed) exchange.measure();
      shared.activate(exchange).then(
        (admitted) => {
          const own = whatWentWrong(admitted, destination, exchange.tried);
          if (own !== undefined) {
            answer(own);
            return;
          }
          // It had begun and will not be completed: its reader must notice.
          if (admitted.outcome === "late") {
            stats.answered("Late");
            front.reply.abort();
          }
          stats.end(admitted.outcome === "answered" ? admitted.status : 0, performance.now() - arrivedMs);
        },
        (bug: unknown) => {
          // Ours, not the request's: this one fails loudly, the rest keeps being served.
          front.reply.abort();
          stats.end(500, performance.now() - arrivedMs);
          shared.onBug(bug);
        },
      );
    }
  }
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

function sendDirect(reply: Reply, method: string, { status, body }: Direct): void {
  const hasBody = method !== "HEAD" && status !== 204 && status !== 304;
  const lines = hasBody ? `content-type: text/plain\r\ncontent-length: ${body.length}\r\n` : "";
  reply.begin({ status, reason: "", lines, length: body.length, hasBody });
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
  private readonly front: FrontReply;
  private controller: AbortController | undefined;

  constructor(
    shared: Shared,
    incoming: Incoming,
    front: Front,
    destination: Destination,
    readonly target: string,
    readonly arrivedMs: number,
  ) {
    this.method = incoming.method;
    this.lines = outgoingLines(incoming, destination, shared.ids);
    this.revision = destination.revision;
    this.protocol = destination.revision.protocol;
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
