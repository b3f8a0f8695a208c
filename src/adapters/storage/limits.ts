// Every bound of a download, with its why.

/** No model a single machine serves is larger; a bound so that a lying server cannot fill the disk. */
export const defaultMaxModelBytes = 64 * 1024 ** 3;

/** Upstream's own timeout, here for silence rather than for the whole answer. */
export const idleMs = 30_000;

export const maxRedirects = 5;

/** Attempts in a row that bring no new byte. More would only delay the news: the kubelet starts us again. */
export const maxFruitlessAttempts = 3;

/** Attempts in all: a server that breaks off after each byte must not hold us for ever. */
export const maxAttempts = 50;

/** The first pause between attempts; it doubles up to the last. */
export const firstBackoffMs = 500;
export const lastBackoffMs = 8_000;

export const progressMs = 5_000;

/** Snapshots of large language models hold dozens of files; a hundred thousand is an attack on the inodes. */
export const maxEntries = 100_000;

/** Weights hardly compress; past this factor an archive is a bomb. Small ones may hold long runs of zeros. */
export const maxUnpackRatio = 200;
export const ratioFreeBytes = 64 * 1024 ** 2;

/** A path of a file in an archive, and the target of a link in it. */
export const maxPathBytes = 4_096;

/** Copied without leaving the thread: a few milliseconds at most, where asking another thread costs one each time. */
export const copiedAtOnceBytes = 4 * 1024 ** 2;

/** A model of more files is none that is there in a moment. */
export const atHandFiles = 100;
/** Paths whose file system is remembered; the others are asked each time, which takes longer. */
export const pathsKnown = 10_000;

/** A larger model is fetched again: what is kept takes the disk twice. */
export const cacheEntryBytes = 2 * 1024 ** 3;
/** What is kept for all Revisions together. */
export const cacheBytes = 12 * 1024 ** 3;
/** A Revision that was not woken for so long may fetch its model again. Those of deleted ones go the same way. */
export const cacheUnusedMs = 7 * 24 * 60 * 60 * 1000;

/** Folders within folders, when copying: deeper is a loop of links. */
export const maxFolderDepth = 64;

/** Layers of an image that holds a model: container engines take no more either. */
export const maxLayers = 127;

/** Entries of one layer, the model's or not: a whole system has a few hundred thousand. */
export const maxLayerEntries = 2_000_000;

/** What layers may take that no model uses just now; the least recently used ones go first. */
export const defaultLayerCacheBytes = 64 * 1024 ** 3;

/** A layer that is half there belongs to somebody who is still at it, or was killed; after this, killed. */
export const abandonedMs = 24 * 3600 * 1000;
