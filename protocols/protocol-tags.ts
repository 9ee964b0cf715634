// Numbers of the protocols, wherever a byte or a bit says whose something is: records and keys of the log, the settings. They are never used again for another one.

export const GAEN_TAG = 0;
export const CT10_TAG = 1;
/** DP-3T, low-cost. */
export const DP3T_TAG = 2;
export const DP3T_UNLINKABLE_TAG = 3;
export const BLUETRACE_TAG = 4;
export const SMARTBEACON_TAG = 5;
export const OPENCOVIDTRACE_TAG = 6;
