export type { RevisionStat } from "./stat.types.js";
