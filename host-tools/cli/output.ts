import type { Command } from "commander";

/** What every command can say: a result for a person or for a program, progress on stderr. */
export interface Output {
  /** Prints `text` for a person, or `value` as one JSON document with `--json`. Call it once, at the end. */
  result(value: unknown, text: string): void;
  /** A line for a person while work goes on; nothing with `--json`. */
  say(text: string): void;
  /** A bar on stderr for work longer than a second. `total` and `done` in the same unit. Silent with `--json` and where stderr is no terminal (then one line at the end). */
  progress(label: string, total: number, unit: string): { advance(done: number): void; end(): void };
}

/** A module of `host-tools/cli/`: adds one command to the program. */
export type RegisterCommand = (program: Command) => void;

export function createOutput(json: boolean): Output {
  const tty = process.stderr.isTTY === true;
  return {
    result(value, text) {
      process.stdout.write((json ? JSON.stringify(value) : text) + "\n");
    },
    say(text) {
      if (!json) process.stdout.write(text + "\n");
    },
    progress(label, total, unit) {
      const begun = Date.now();
      let drawn = 0;
      const line = (done: number) => {
        const part = total > 0 ? Math.min(1, done / total) : 1;
        const seconds = (Date.now() - begun) / 1000;
        const bar = "#".repeat(Math.round(part * 24)).padEnd(24, ".");
        return `${label} [${bar}] ${Math.round(part * 100)} % · ${done} of ${total} ${unit} · ${seconds.toFixed(0)} s`;
      };
      return {
        advance(done) {
          if (json || !tty || Date.now() - begun < 1000 || Date.now() - drawn < 100) return;
          drawn = Date.now();
          process.stderr.write("\r" + line(done) + "\x1b[K");
        },
        end() {
          if (drawn > 0) process.stderr.write("\r\x1b[K");
        },
      };
    },
  };
}
