/** A registry that did not have an image, or could not be asked, is asked again after this. */
export const digestAgainMs = 10_000;

/** A quota that is raised sends us no event: what was refused is asked for again after this. */
export const refusedAgainMs = 5_000;
