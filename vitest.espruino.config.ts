import { defineConfig } from "vitest/config";

// The suite on the real interpreter: ESPRUINO_BIN names an Espruino Linux binary. It contains nothing of Espruino and builds none.
export default defineConfig({
  test: {
    include: ["test/espruino/**/*.test.ts"],
    globalSetup: "test/espruino/announce.ts",
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
