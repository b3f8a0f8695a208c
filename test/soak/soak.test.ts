// Half a minute of what `npm run soak` does for ten.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../sources.js";

it("the gateway holds nothing when its load is gone", () => {
  const ran = spawnSync(process.execPath, [join(root, "test/soak/run.mjs"), "--minutes", "0.5"], {
    encoding: "utf8",
    timeout: 80_000,
  });
  expect(`${ran.stdout}${ran.stderr}`).not.toContain("PROBLEM");
  expect(ran.status).toBe(0);
}, 90_000);
