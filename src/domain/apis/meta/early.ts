/** In a watch's query: our own gateway asks its API server to hear of changes while they are on their way to disk. */
export const earlyQuery = "drydockEarly";
