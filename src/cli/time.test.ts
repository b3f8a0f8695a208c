import { expect, test } from "vitest";
import { elapsedText, parseDuration } from "./time.js";

test.each([
  ["90s", 90_000],
  ["1h30m", 5_400_000],
  ["500ms", 500],
  ["1.5s", 1_500],
  ["2d", 172_800_000],
  ["15", 15_000],
  ["soon", undefined],
  ["5 m", undefined],
  ["-5s", undefined],
  ["", undefined],
])("the duration %j is %s ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  [0.412, "0.4 ms"],
  [41.7, "42 ms"],
  [1_340, "1.3 s"],
  [125_000, "2 min 5 s"],
])("%s ms reads %s", (ms, text) => {
  expect(elapsedText(ms)).toBe(text);
});
