import { describe, expect, it } from "vitest";
import { judgeProbe, judgeProbes, type ProbeAnswer, type ProbeVerdict } from "./probe.js";

const asked = { url: "http://cat.default.example.com:80/", address: "10.0.0.29:80", hash: "abc" };

describe("an answer to a probe", () => {
  it.each<[string, ProbeAnswer, string]>([
    ["with the hash is proof", { status: 200, hash: "abc" }, "ready"],
    ["with another hash is of another configuration", { status: 200, hash: "def" }, "notReady"],
    ["without a hash is somebody else's", { status: 200 }, "inFront AnsweredInFront"],
    ["401 is authentication", { status: 401 }, "inFront AuthenticationInFront"],
    ["302 is a login", { status: 302 }, "inFront AuthenticationInFront"],
    ["403 is a policy", { status: 403 }, "inFront PolicyInFront"],
    ["500 is somebody else's", { status: 500 }, "inFront AnsweredInFront"],
    ["404 is not there yet", { status: 404 }, "notReady"],
    ["503 is not there yet", { status: 503 }, "notReady"],
    ["that never came is not there yet", { error: "connect ECONNREFUSED" }, "notReady"],
  ])("%s", (_, answer, want) => {
    const verdict = judgeProbe(asked, answer);
    expect("reason" in verdict ? `${verdict.outcome} ${verdict.reason}` : verdict.outcome).toBe(want);
  });

  it("is told in the debug guide's words", () => {
    const verdict = judgeProbe(asked, { status: 403, refusedBy: "AuthorizationPolicy models/nobody" });
    expect(verdict).toEqual({
      outcome: "inFront",
      reason: "PolicyInFront",
      because:
        "Probing of http://cat.default.example.com:80/ failed, IP: 10.0.0.29:80, ready: false, error: unexpected status code: want [200], got 403 (depth: 0): 403 means that a policy (Istio RBAC) keeps probes out (AuthorizationPolicy models/nobody)",
    });
  });

  it.each([
    [401, "authentication in front of the gateway asks for credentials"],
    [302, "authentication in front of the gateway sends whoever comes to log in"],
    [404, "the gateway does not know this host yet"],
    [503, "the gateway knows nobody yet who could answer"],
  ])("%i is explained", (status, words) => {
    const verdict = judgeProbe(asked, { status });
    expect("because" in verdict && verdict.because).toContain(words);
  });

  it("of any configuration will do where none is asked for", () => {
    expect(judgeProbe({ ...asked, hash: undefined }, { status: 200, hash: "def" }).outcome).toBe("ready");
  });
});

describe("the answers to all probes", () => {
  const ready: ProbeVerdict = { outcome: "ready" };
  const front: ProbeVerdict = { outcome: "inFront", reason: "PolicyInFront", because: "403" };
  const waiting: ProbeVerdict = { outcome: "notReady", because: "404" };

  it("are as good as the least of them", () => {
    expect(judgeProbes([])).toEqual(ready);
    expect(judgeProbes([ready, front])).toBe(front);
    expect(judgeProbes([front, ready, waiting])).toBe(waiting);
  });
});
