// Who is a prober, what each is told, and that a pod that leaves says no to all of them.
import { describe, expect, it } from "vitest";
import { fakeClock } from "../../../test/world/index.js";
import { Incoming } from "../gateway/incoming.js";
import { probesAhead } from "./ahead.js";
import { makeDrainer } from "./drainer.js";
import { readEnvironment } from "./environment.js";

const userAgents = ["Knative-Activator-Probe", "Knative-Autoscaling-Probe", "kube-probe/1.30"].map(
  (agent) => [agent, `user-agent: ${agent}\r\n`] as const,
);
const askers = [...userAgents, ["K-Kubelet-Probe", "K-Kubelet-Probe: queue\r\n"]] as const;

function proxy() {
  const drainer = makeDrainer(fakeClock(), 1_000);
  const container = { ready: true, asked: 0 };
  const ahead = probesAhead(drainer, async () => {
    container.asked += 1;
    return container.ready;
  });
  const told = async (lines: string, probe: string | undefined) => {
    const incoming = new Incoming();
    incoming.lines = lines;
    incoming.probe = probe;
    const answer = await ahead(incoming);
    return answer && [answer.status, answer.body.toString()];
  };
  return { drainer, container, told };
}

describe.each(askers)("a probe by %s", (_, lines) => {
  it("hears whether the container is ready", async () => {
    const { container, told } = proxy();
    expect(await told(lines, "queue")).toEqual([200, "queue"]);
    container.ready = false;
    expect(await told(lines, "queue")).toEqual([503, ""]);
    expect(container.asked).toBe(2);
  });

  it("must be one, and asks nobody when it is not", async () => {
    const { container, told } = proxy();
    expect(await told(lines, undefined)).toEqual([400, "unexpected probe header value: "]);
    expect(await told(lines, "probe")).toEqual([400, "unexpected probe header value: probe"]);
    expect(container.asked).toBe(0);
  });

  it("hears that the pod leaves, whatever the container says", async () => {
    const { drainer, container, told } = proxy();
    void drainer.term();
    expect(await told(lines, "queue")).toEqual([503, "shutting down"]);
    expect(container.asked).toBe(0);
  });
});

describe("others", () => {
  it("are no probers because their name only holds one's", async () => {
    const { told } = proxy();
    expect(await told("user-agent: my-kube-probe/1\r\n", undefined)).toBeUndefined();
    expect(await told("x-k-kubelet-probe: 1\r\n", "queue")).toBeUndefined();
  });

  it("who ask for the network's hash hear it until the pod leaves", async () => {
    const { drainer, told } = proxy();
    expect(await told("k-network-hash: abc\r\n", "probe")).toEqual([200, ""]);
    void drainer.term();
    expect(await told("k-network-hash: abc\r\n", "probe")).toEqual([503, "shutting down"]);
    expect(await told("", undefined)).toBeUndefined();
  });
});

describe("the environment Knative's controller gives", () => {
  const given = {
    SERVING_NAMESPACE: "models",
    SERVING_REVISION: "cat-00001",
    SERVING_POD: "cat-00001-pod",
    QUEUE_SERVING_PORT: "8012",
    USER_PORT: "8080",
  };

  it("leaves the ports as Knative has them", () => {
    expect(readEnvironment(given)).toMatchObject({
      settings: {
        servingPort: 8012,
        tlsPort: 8112,
        userPort: 8080,
        ports: { admin: 8022, stats: 9090, metrics: 9091, profiling: 8008 },
        certificateFolder: "/var/lib/knative/certs",
      },
    });
  });

  it("must say the ports that have no usual one, and names every variable that is wrong", () => {
    const { QUEUE_SERVING_PORT: _one, USER_PORT: _other, ...rest } = given;
    expect(readEnvironment({ ...rest, QUEUE_SERVING_TLS_PORT: "65536" })).toEqual({
      wrong: [
        "QUEUE_SERVING_PORT is missing",
        "QUEUE_SERVING_TLS_PORT is 65536, which is no port",
        "USER_PORT is missing",
      ],
    });
  });
});
