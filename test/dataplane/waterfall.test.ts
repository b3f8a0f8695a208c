// What `drydock describe` prints of built-in limits is what is built in.
import { expect, it } from "vitest";
import { throttlerLimits } from "../../src/dataplane/activator/limits.js";
import { frontLimits } from "../../src/dataplane/gateway/limits.js";
import { proxyLimits } from "../../src/dataplane/proxy/limits.js";
import { builtIn } from "../../src/domain/traffic/index.js";
import { lameDuckMs } from "../../src/kubelet/limits.js";

it("the waterfall and the rooms agree", () => {
  const { firstByteMs, headMs, keepAliveMs, headBytes } = frontLimits;
  const { connectMs, answerMs, bodyBytes, gatherMs, connectionsPerAddress, tunnelIdleMs } = proxyLimits;
  const { refusedHoldMs, brokenHoldMs, hold } = throttlerLimits;
  expect({
    ...{ firstByteMs, headMs, keepAliveMs, headBytes },
    ...{ connectMs, answerMs, bodyBytes, gatherMs, connectionsPerAddress, tunnelIdleMs },
    ...{ refusedHoldMs, brokenHoldMs, heldPerRevision: hold.perRevision, heldOverall: hold.overall },
    lameDuckMs,
  }).toEqual(builtIn);
});
