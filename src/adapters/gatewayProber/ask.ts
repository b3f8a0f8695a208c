// One probe over the wire.
import { Agent as HttpAgent, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { judgeProbe, type ProbeAnswer, type ProbeVerdict } from "../../domain/traffic/index.js";
import type { ProbeTarget } from "../../ports/index.js";
import { answerWithinMs, atOnce } from "./limits.js";

/** One listener of the gateway. */
export interface ProbeAddress {
  readonly host: string;
  readonly port: number;
  readonly secure?: boolean | undefined;
}

export interface Asker {
  ask(target: ProbeTarget, address: ProbeAddress): Promise<ProbeVerdict>;
  close(): void;
}

export function asker(): Asker {
  const plain = new HttpAgent({ keepAlive: true, maxSockets: atOnce });
  // Whether a certificate is trusted is between the gateway and its clients; a probe asks about routes.
  const secure = new HttpsAgent({ keepAlive: true, maxSockets: atOnce, rejectUnauthorized: false });

  function answerOf(host: string, address: ProbeAddress): Promise<ProbeAnswer | "unspoken"> {
    return new Promise((resolve) => {
      const options = {
        host: address.host,
        port: address.port,
        path: "/healthz",
        headers: {
          host,
          "user-agent": "Knative-Ingress-Probe",
          "k-network-probe": "probe",
          "k-network-hash": "override",
        },
      };
      const asked = address.secure
        ? requestHttps({ ...options, agent: secure, servername: host })
        : requestHttp({ ...options, agent: plain });
      const deadline = setTimeout(
        () => asked.destroy(new Error(`no answer within ${answerWithinMs} ms`)),
        answerWithinMs,
      );
      const settle = (answer: ProbeAnswer | "unspoken") => {
        clearTimeout(deadline);
        resolve(answer);
      };
      asked.on("response", (answer) => {
        answer.resume();
        answer.on("error", () => {});
        settle({
          status: answer.statusCode ?? 0,
          hash: single(answer.headers["k-network-hash"]),
          refusedBy: single(answer.headers["x-drydock-policy"]),
        });
      });
      asked.on("error", (error) => settle({ error: error.message || String(error) }));
      // Before there is a certificate nobody can be served over https: there is nothing to wait for.
      if (address.secure)
        asked.on("socket", (socket) => {
          let shaken = asked.reusedSocket;
          socket.once("secureConnect", () => {
            shaken = true;
          });
          socket.once("error", (error: NodeJS.ErrnoException) => {
            if (!shaken && error.code !== "ECONNREFUSED") settle("unspoken");
          });
        });
      asked.end();
    });
  }

  return {
    async ask({ host, hash }, address) {
      const scheme = address.secure ? "https" : "http";
      const url = `${scheme}://${host}:${address.port}/`;
      const answer = await answerOf(host, address);
      if (answer === "unspoken") return { outcome: "ready" };
      return judgeProbe({ url, address: `${address.host}:${address.port}`, hash }, answer);
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

function single(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}
