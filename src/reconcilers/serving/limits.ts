/** A registry that did not have an image, or could not be asked, is asked again after this; it doubles up to the last. */
export const digestFirstAgainMs = 1_000;
export const digestLastAgainMs = 1_000_000;

/** Registries nearby answer sooner: no status says "resolving" for them. */
export const digestPatienceMs = 30;

/** Revisions whose images are being resolved at once, and how often one may begin: upstream's own numbers. */
export const digestErrands = 100;
export const digestsPerSecond = 10;
export const digestBurst = 100;

/** A quota that is raised sends us no event: what was refused is asked for again after this. */
export const refusedAgainMs = 5_000;
