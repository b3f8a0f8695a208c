// What `drydock describe` prints of built-in limits is what is built in.
import { expect, it } from "vitest";
import { throttlerLimits } from "../../src/dataplane/activator/limits.js";
import { frontLimits } from "../../src/dataplane/gateway/limits.js";
import { proxyLimits } from "../../src/dataplane/proxy/limits.js";
import { builtIn } from "../../src/domain/traffic/index.js";
import { lameDuckMs } from "../../src/kubelet/limits.js";

it("the waterfall and the rooms agree", () => {
  const { firstByteMs, headMs, keepAliveMs } = frontLimits;
  const { connectMs, answerMs } = proxyLimits;
  const { perRevision: heldPerRevision } = throttlerLimits.hold;
  expect({ firstByteMs, headMs, keepAliveMs, connectMs, answerMs, heldPerRevision, lameDuckMs }).toEqual(
    builtIn,
  );
});
