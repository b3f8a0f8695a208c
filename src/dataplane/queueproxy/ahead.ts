// Probes, answered before any request is counted or let through (Knative's drainer and health handlers).
import type { Ahead, Direct } from "../gateway/index.js";
import { fieldOf, withoutFields } from "../proxy/index.js";
import type { Drainer } from "./drainer.js";

const askers = ["Knative-Activator-Probe", "Knative-Autoscaling-Probe"];
const kubelets = "kube-probe/";
const originalHost = new Set(["k-original-host"]);

export function probesAhead(drainer: Drainer, isReady: () => Promise<boolean>): Ahead {
  const health = async (probe: string | undefined): Promise<Direct> => {
    if (probe !== "queue") return refusal(400, `unexpected probe header value: ${probe ?? ""}`);
    return (await isReady()) ? direct(200, "queue") : refusal(503, "");
  };
  return (incoming) => {
    const agent = fieldOf(incoming.lines, "user-agent") ?? "";
    const isKubelets = agent.startsWith(kubelets) || fieldOf(incoming.lines, "k-kubelet-probe") !== undefined;
    if (isKubelets || askers.some((asker) => agent.startsWith(asker)))
      return drainer.draining ? refusal(503, "shutting down") : health(incoming.probe);
    if (incoming.probe === "probe") {
      if (drainer.draining) return refusal(503, "shutting down");
      const hash = fieldOf(incoming.lines, "k-network-hash");
      if (hash === undefined || hash === "")
        return refusal(400, 'a probe request must contain a non-empty "K-Network-Hash" header');
      return { ...direct(200, ""), lines: `K-Network-Hash: ${hash}\r\n` };
    }
    drainer.touch();
    // The activator hides the Host so that nobody between routes by it.
    const host = fieldOf(incoming.lines, "k-original-host");
    if (host !== undefined) {
      incoming.host = host;
      incoming.lines = withoutFields(incoming.lines, originalHost);
    }
    return undefined;
  };
}

/** The body is Knative's own, and tests of theirs read it. */
function refusal(status: number, body: string): Direct {
  return { ...direct(status, body), lines: "x-drydock-reason: QueueProxyProbe\r\n" };
}

function direct(status: number, body: string): Direct {
  return { kind: "direct", status, body: Buffer.from(body), extras: undefined };
}
