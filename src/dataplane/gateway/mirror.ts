// Copies of requests for somebody who watches: sent and forgotten. A copy never delays the request or fails it, and
// when there are too many of them, or its body is large, it is not sent at all.
import { RequestBody } from "../proxy/index.js";
import { mirrorBodyBytes, mirrorsAtOnce } from "./limits.js";
import { type Asked, matchNode } from "./match.js";
import type { FrontReply, Shared } from "./serve.js";
import type { Destination, Mirror } from "./table.js";

export interface Copy {
  readonly destination: Destination;
  readonly target: string;
  readonly reply: FrontReply;
  readonly body: RequestBody | undefined;
}

export function sendMirrors(
  mirrors: readonly Mirror[],
  { random, stats, limits, onBug }: Pick<Shared, "random" | "stats" | "limits" | "onBug">,
  asked: Asked,
  original: RequestBody | undefined,
  send: (copy: Copy) => Promise<unknown>,
): void {
  const counts = stats.mirrors;
  for (const { share, to } of mirrors) {
    if (random() >= share) continue;
    const matched = matchNode(to, asked, random);
    if (matched.kind !== "forward") {
      counts.skipped += 1;
      continue;
    }
    const { destination, target } = matched;
    const go = (whole: Buffer | undefined) => {
      const body = whole && new RequestBody(undefined, whole.length, limits, whole);
      counts.underWay += 1;
      counts.sent += 1;
      send({ destination: inTheShadow(destination, asked.host), target, reply: nobody(), body })
        .catch(onBug)
        .finally(() => {
          counts.underWay -= 1;
        });
    };
    if (counts.underWay >= mirrorsAtOnce || (original?.length ?? 0) > mirrorBodyBytes) counts.skipped += 1;
    else if (original === undefined) go(undefined);
    else {
      original.keep(mirrorBodyBytes);
      original.whole((body) => {
        if (body === undefined || counts.underWay >= mirrorsAtOnce) counts.skipped += 1;
        // After what must not be delayed by it.
        else setImmediate(go, Buffer.from(body));
        original.release();
      });
    }
  }
}

/** As Istio marks it, so that whoever gets it can tell. */
function inTheShadow(destination: Destination, asked: string): Destination {
  const host = destination.host ?? asked;
  const port = /:\d+$/.exec(host)?.[0] ?? "";
  return { ...destination, host: `${host.slice(0, host.length - port.length)}-shadow${port}` };
}

function nobody(): FrontReply {
  return {
    timing: undefined,
    onDrain: undefined,
    onGone: undefined,
    gone: false,
    inform: () => {},
    begin: () => {},
    flush: () => {},
    write: () => true,
    end: () => {},
    abort: () => {},
  };
}
