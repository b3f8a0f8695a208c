// Both error documents, chapter by chapter: each folder is one story, told by goldens of what users read.
import { beforeAll, describe, expect, test } from "vitest";
import { type RunningWorld, told } from "../world/index.js";
import { goldensOf } from "./golden.js";
import { startPlay } from "./play.js";
import { makeWindows, type Windows } from "./shown.js";
import { readStory, storyNames } from "./story.js";
import "./meta.js";

let windows: Windows;
beforeAll(async () => {
  windows = await makeWindows();
});

describe("scenario", () => {
  test.for(storyNames())("%s", async (name, { task }) => {
    const story = readStory(name);
    const scene = await startPlay(story);
    try {
      const { world, top } = scene;
      await scene.play(story.steps);
      await expectQuiet(world);
      const reason = told(top()).split(":")[0] ?? "";
      task.meta.scenario = { name, reason, tookMs: scene.tookMs(), clock: "fake" };
      for (const [file, text] of Object.entries(await goldensOf(story, world, windows))) {
        await expect(text).toMatchFileSnapshot(`${story.folder}/${file}`);
      }
      await scene.play(story.after);
      expect(scene.unmet.join("\n"), "what the document wants").toBe("");
    } finally {
      await scene.close();
    }
  });
});

async function expectQuiet(world: RunningWorld): Promise<void> {
  const before = world.writes();
  await world.lookAgain();
  expect(world.writes(), "a second look writes").toBe(before);
}
