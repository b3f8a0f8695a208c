/**
 * Every reason that status may give, what it means and what to do about it. The only source of docs/conditions.md;
 * test/reasons.test.ts holds code, scenarios and page together, both ways.
 */
import { podReasons } from "./reasons/pods.js";
import type { Reason } from "./reasons/reason.js";
import { servingReasons } from "./reasons/serving.js";
import { usageReasons } from "./reasons/usage.js";

export type { Reason } from "./reasons/reason.js";

export const reasons: readonly Reason[] = [...servingReasons, ...podReasons, ...usageReasons];
