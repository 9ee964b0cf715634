import { DEFAULTS } from "tracelet:build";

/** Settings in force, in the order of protocols/settings.ts. The log keeps the changes. */
export const settings: number[] = DEFAULTS;
