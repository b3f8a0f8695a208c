export { memoryStore } from "./memoryStore.js";
export { sqliteStore } from "./sqliteStore.js";
