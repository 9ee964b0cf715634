/** A tick, or a number of seconds, that does not come. */
export const NEVER = 1e9;
