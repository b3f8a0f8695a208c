import { describe, expect, it } from "vitest";
import { fakeClock } from "../../test/world/clock.js";
import type { RouteProblem } from "../dataplane/index.js";
import { routeTeller } from "./tellRoutes.js";

function world() {
  const clock = fakeClock();
  const events: string[] = [];
  const logged: unknown[] = [];
  const lister = {
    get: ({ namespace, name }: { namespace: string; name: string }) =>
      name === "gone" ? undefined : { metadata: { namespace, name } },
  };
  const tell = routeTeller({
    listers: (() => lister) as never,
    recorder: {
      event: ({ metadata }, type, reason, message) =>
        void events.push(`${metadata.namespace}/${metadata.name} ${type} ${reason}: ${message}`),
    },
    clock,
    log: { info: () => {}, error: (_message, fields) => void logged.push(fields) },
  });
  const pass = (ms: number) => {
    clock.moveTo(clock.now() + ms);
    clock.runDue();
  };
  return { tell, events, logged, pass };
}

const problem = (more: Partial<RouteProblem> = {}): RouteProblem => ({
  object: "VirtualService default/v",
  reason: "InvalidField",
  message: "spec.hosts: none",
  keptPrevious: true,
  ...more,
});

describe("what could not be routed", () => {
  it("is told once as long as it lasts, and again when it comes back", () => {
    const { tell, events } = world();
    tell([problem()]);
    tell([problem()]);
    const said = "default/v Warning InvalidField: spec.hosts: none; what was last good goes on serving";
    expect(events).toEqual([said]);
    tell([]);
    tell([problem()]);
    expect(events).toEqual([said, said]);
  });

  it("in combination is told when it stays", () => {
    const { tell, events, pass } = world();
    const missing = problem({
      reason: "GatewayMissing",
      message: "there is no Gateway g",
      keptPrevious: false,
    });
    tell([missing]);
    pass(1_000);
    tell([]);
    pass(10_000);
    expect(events).toEqual([]);
    tell([missing]);
    tell([missing]);
    pass(5_000);
    expect(events).toEqual(["default/v Warning GatewayMissing: there is no Gateway g"]);
  });

  it("of a Gateway goes to the Gateway, and of what is gone to the log alone", () => {
    const { tell, events, logged } = world();
    tell([
      problem({ object: "Gateway ns/g", reason: "CertificateUnusable" }),
      problem({ object: "VirtualService a/gone" }),
    ]);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatch(/^ns\/g Warning CertificateUnusable/);
    expect(logged).toHaveLength(2);
  });
});
