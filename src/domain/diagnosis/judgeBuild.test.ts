import { describe, expect, it } from "vitest";
import type { Build } from "../apis/build/build.types.js";
import { deriveReady } from "../apis/meta/judgement.js";
import { judgeBuild } from "./judgeBuild.js";

const build = (status: string, reason = "", message = "") =>
  ({ status: { conditions: [{ type: "Succeeded", status, reason, message }] } }) as unknown as Build;

describe("what a Revision says of its Build", () => {
  it("copies the step's words, and Ready tells them as the document does", () => {
    const words = "Step XYZ failed with error message: boom";
    const { condition, ready } = judgeBuild(build("False", "BuildStepFailed", words), "b");
    expect(condition).toMatchObject({ status: "False", reason: "BuildStepFailed", message: words });
    expect(ready).toEqual({ status: "False", reason: "BuildFailed", message: `Build ${words}` });
    expect(deriveReady([condition])).toEqual(ready);
  });

  it.each([
    [
      "False",
      "BuildTimeout",
      "The Build did not finish.",
      "False BuildFailed: Build failed: The Build did not finish.",
    ],
    ["Unknown", "Building", "Step a is running.", "Unknown Building: Step a is running."],
    ["Unknown", "", "", "Unknown Building: Build 'b' is not finished yet."],
  ])("%s %s is told in Ready", (status, reason, message, told) => {
    const { ready } = judgeBuild(build(status, reason, message), "b");
    expect(`${ready.status} ${ready.reason}: ${ready.message}`).toBe(told);
  });

  it("is content with a Build that succeeded, and waits for one that is not there", () => {
    expect(judgeBuild(build("True"), "b").ready).toEqual({ status: "True" });
    expect(judgeBuild(undefined, "b").condition).toEqual({
      status: "Unknown",
      reason: "BuildMissing",
      message: "Build 'b' referenced by buildName not found.",
    });
  });
});
