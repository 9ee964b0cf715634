import { LOCK } from "tracelet:build";

// The first statement of the bundle: tells recovery.ts that the interpreter did not pass over the firmware. A firmware that fails after this costs nobody's data.
if (LOCK) global.T = 0;
