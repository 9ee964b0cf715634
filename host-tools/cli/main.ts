#!/usr/bin/env node
import { run } from "./program.ts";

// `tracelet … | head` is no error
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

// Set, not exit: what is still to be written must get out.
process.exitCode = await run(process.argv.slice(2));
