/** How often pods are counted into the windows, which have a bucket a second. */
export const scrapeMs = 1_000;
