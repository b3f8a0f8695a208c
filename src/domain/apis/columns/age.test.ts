import { expect, it } from "vitest";
import { ageText, durationText } from "./index.js";

const [s, m, h, d, y] = [1, 60, 3600, 86_400, 31_536_000];

it.each([
  [-3 * s, "<invalid>"],
  [-1 * s, "0s"],
  [0, "0s"],
  [119 * s, "119s"],
  [2 * m, "2m"],
  [2 * m + 5, "2m5s"],
  [10 * m + 5, "10m"],
  [179 * m, "179m"],
  [3 * h, "3h"],
  [3 * h + 5 * m, "3h5m"],
  [8 * h + 5 * m, "8h"],
  [47 * h, "47h"],
  [48 * h, "2d"],
  [50 * h, "2d2h"],
  [8 * d + h, "8d"],
  [729 * d, "729d"],
  [2 * y, "2y"],
  [2 * y + 3 * d, "2y3d"],
  [9 * y + 3 * d, "9y"],
])("%d seconds are %s", (seconds, want) => {
  expect(durationText(seconds * 1000)).toBe(want);
});

it("does not know the age of what has no birthday", () => {
  expect(ageText(undefined, 0)).toBe("<unknown>");
  expect(ageText("1970-01-01T00:00:00Z", 5000)).toBe("5s");
});
