import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Those that put other modules in the place of the project's: each in a process of its own, so that no other test gets them. */
const WITH_OTHER_MODULES = ["test/firmware/scanner.test.ts"];

const limits = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    // all cores: by itself one is left free
    maxWorkers: availableParallelism(),
    projects: [
      {
        test: {
          ...limits,
          name: "tracelet",
          include: ["test/**/*.test.ts"],
          exclude: ["test/espruino/**", ...WITH_OTHER_MODULES],
          // compiler, minifier, bundles and simulator are loaded, made and warm once in each worker, not once for each file
          isolate: false,
          setupFiles: "test/support/each-file.ts",
        },
      },
      { test: { ...limits, name: "other modules", include: WITH_OTHER_MODULES } },
    ],
  },
});
