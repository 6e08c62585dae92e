const hour = 3_600_000;
const day = 24 * hour;

/** Half-lives of a feed's counters where nobody says, in milliseconds: those of news. */
export const defaultHalfLivesMs: readonly number[] = [hour / 2, 3 * hour, 12 * hour, 48 * hour];

/** Besides those, the ones for logs of what lasts, such as films: what was liked months ago still tells. */
export const lastingHalfLivesMs: readonly number[] = [14 * day, 60 * day, 365 * day];
