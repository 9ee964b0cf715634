#!/usr/bin/env node
import { run } from "./program.ts";

// Set, not exit: what is still to be written must get out.
process.exitCode = await run(process.argv.slice(2));
