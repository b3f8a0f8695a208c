// The IngressProber port over HTTP: the gateway answers with the hash of the routes it really obeys.
import { Agent, request } from "node:http";
import type { Clock, IngressProber, Probed, ProbeTarget } from "../../ports/index.js";

export interface ProbeAddress {
  readonly host: string;
  readonly port: number;
}

/** A gateway that was told a moment ago needs a moment: asked this often before the answer counts. */
const tries = 40;
const betweenTriesMs = 5;
const answerWithinMs = 1_000;

export function gatewayProber(
  addressOf: (visibility: ProbeTarget["visibility"]) => ProbeAddress | undefined,
  clock: Clock,
): IngressProber & { close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 15 });

  async function probe(target: ProbeTarget): Promise<Probed> {
    let last: Probed = { outcome: "notReady", because: "it was not asked" };
    for (let count = 0; count < tries; count += 1) {
      last = await ask(target);
      if (last.outcome === "ready") return last;
      await new Promise<void>((resolve) => clock.after(betweenTriesMs, resolve));
    }
    return last;
  }

  function ask({ host, visibility, hash }: ProbeTarget): Promise<Probed> {
    const address = addressOf(visibility);
    if (address === undefined)
      return Promise.resolve({ outcome: "notReady", because: "the gateway is not running" });
    const url = `http://${host}:${address.port}/healthz`;
    return new Promise((resolve) => {
      const asked = request(
        {
          agent,
          host: address.host,
          port: address.port,
          path: "/healthz",
          timeout: answerWithinMs,
          headers: {
            host,
            "user-agent": "Knative-Ingress-Probe",
            "k-network-probe": "probe",
            "k-network-hash": "override",
          },
        },
        (answer) => {
          answer.resume();
          const status = answer.statusCode ?? 0;
          const got = answer.headers["k-network-hash"];
          if (status !== 200) {
            resolve({
              outcome: "notReady",
              because: `Probing of ${url} failed: unexpected status code: want [200], got ${status}`,
            });
          } else if (hash !== undefined && got !== undefined && got !== hash) {
            resolve({
              outcome: "notReady",
              because: `Probing of ${url} failed: unexpected hash: want "${hash}", got "${String(got)}"`,
            });
          } else {
            resolve({ outcome: "ready" });
          }
        },
      );
      asked.on("timeout", () => asked.destroy(new Error(`no answer within ${answerWithinMs} ms`)));
      asked.on("error", (error) =>
        resolve({ outcome: "notReady", because: `Probing of ${url} failed: ${error.message}` }),
      );
      asked.end();
    });
  }

  return { probe, close: () => agent.destroy() };
}
