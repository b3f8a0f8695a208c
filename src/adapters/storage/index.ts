// Where models come from: a URI becomes files in a folder, or one clear line says why not.

export { StorageError } from "./errors.js";
export { type InitializeOptions, initializeStorage, type Pair } from "./initialize.js";
export { type Log, seedLog } from "./log.js";
export { parsePvc, parseSource, redact, type Source } from "./uri.js";
