// Where models come from: a URI becomes files in a folder, or one clear line says why not.

export { type AtHand, atHand } from "./atHand.js";
export { type InitializeOptions, initializeStorage, type Pair } from "./initialize.js";
export { pairsOf, runInitializer, type Surroundings } from "./initializer.js";
export { parsePvc, parseSource, redact, type Source } from "./uri.js";
