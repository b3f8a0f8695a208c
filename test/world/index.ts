// The world that tests run reconcilers in: memory API, time moved by hand, seeded dice.
export { type FakeClock, fakeClock, minutes, seconds, worldStartMs } from "./clock.js";
export { dice } from "./dice.js";
export { existing, ownedChild } from "./existing.js";
export { type Fault, failAlways, failOnce, type Tally, type Verb, withFaults } from "./faults.js";
export { type FakeKubelet, type Fate, fakeNode, startKubelet } from "./kubelet.js";
export { type Answers, proberOf } from "./prober.js";
export { type RunningWorld, type RunningWorldOptions, startWorld } from "./run.js";
export {
  noScaling,
  type ServingWorld,
  type ServingWorldOptions,
  startServingWorld,
  told,
} from "./serving.js";
export { type Row, reconcilerTable, type WantedObject, type WantedStatus } from "./table.js";
export { makeWorld, type World, type WorldOptions } from "./world.js";
