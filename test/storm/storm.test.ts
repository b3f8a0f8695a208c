// A few of each, so that it is known to hold; `npm run storm` has the counts.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../sources.js";

it.runIf(process.platform === "linux")(
  "updates and new gateways cost no request; what is killed costs what it had",
  () => {
    const counts = ["--updates", "2", "--kills", "2", "--restarts", "2", "--gateway-kills", "1"];
    const ran = spawnSync(process.execPath, [join(root, "test/storm/run.mjs"), ...counts], {
      encoding: "utf8",
      timeout: 120_000,
    });
    expect(`${ran.stdout}${ran.stderr}`).not.toContain("PROBLEM");
    expect(ran.status).toBe(0);
  },
  130_000,
);
