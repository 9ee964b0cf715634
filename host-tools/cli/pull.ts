import { WORD_BYTES } from "../../protocols/log-format.ts";
import { durationInWords, utc } from "../device/clock-words.ts";
import { type PulledMessages, pullMessages } from "../device/messages.ts";
import { type Pulled, pullLog } from "../device/pull.ts";
import { spokenProtocols } from "../device/spoken-protocols.ts";
import type { BatteryChange } from "../store/battery-changes.ts";
import { Store } from "../store/store.ts";
import { type LinkOptions, withBoard, withLinkOptions } from "./board-session.ts";
import type { RegisterCommand } from "./output.ts";
import { describePurged, withRetentionOption } from "./retention-option.ts";
import { protocolLines } from "./transmitter-words.ts";

function describeClock(offsetMs: number, driftPpm: number | undefined): string {
  const drift = driftPpm === undefined ? "" : `, ${Math.abs(driftPpm)} ppm ${driftPpm > 0 ? "slow" : "fast"} since the contact before`;
  return `${durationInWords(offsetMs)} ${offsetMs < 0 ? "behind" : "ahead"}${drift}`;
}

/** Of `bytes`. */
export function inKilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

function describe(port: string, pulled: Pulled, dryRun: boolean): string {
  const { from, upTo, added, encounters, damaged, lost, repeated, seconds, bytes, status } = pulled;
  const lines: string[] = [];
  const begin = Math.max(from, status.lo);
  const waiting = Math.max(0, status.hi - begin);
  if (dryRun) lines.push(`${port}: ${inKilobytes(waiting * WORD_BYTES)} would be pulled, ${begin} to ${status.hi} of log ${pulled.logId}`);
  else if (added === 0 && bytes === 0) lines.push(`${port}: nothing new; the store has everything up to ${upTo} of log ${pulled.logId}`);
  else {
    const rate = seconds > 0 ? `, ${Math.round(bytes / seconds)} bytes a second` : "";
    lines.push(
      `${port}: ${added} new records, ${encounters} of them encounters, up to ${upTo} of log ${pulled.logId} (${durationInWords(seconds * 1000)}${rate})`,
    );
  }
  const { clock } = pulled;
  if (clock && clock.offsetMs === undefined)
    lines.push("  its clock is not set: set it with `tracelet time`; what was pulled is dated by this contact");
  else if (clock?.offsetMs !== undefined) lines.push(`  clock ${describeClock(clock.offsetMs, clock.driftPpm)}`);
  if (pulled.freshLog) lines.push("  a fresh log: this board had another one before");
  if (lost > 0 && from === 0) lines.push(`  ${inKilobytes(lost)} of older records are not on the board any more`);
  else if (lost > 0)
    lines.push(`  ${inKilobytes(lost)} of records were overwritten on the board before they were pulled; pull more often, or raise cycleTime`);
  if (damaged > 0)
    lines.push(`  ${damaged} records are damaged in the board's flash, or of a protocol that this version doesn't know, and were left out`);
  if (repeated > 0) lines.push(`  ${repeated} answers arrived damaged and were asked for again; check the cable`);
  lines.push(...protocolLines(status));
  for (const warning of pulled.warnings) lines.push(`  ${warning}`);
  return lines.join("\n");
}

function batteryInWords({ low, millivolts, unixMs }: BatteryChange): string {
  const volts = `${(millivolts / 1000).toFixed(2)} V while scanning`;
  return `  battery ${low ? "low" : "no longer low"} from ${utc(unixMs)} on, ${volts}: it scanned ${low ? "less often" : "as usual again"}`;
}

/** The wearer's own keys have left the board: whoever keeps the log shall know. */
export function describeHandOvers(unixMs: number[]): string[] {
  const last = unixMs.at(-1);
  if (last === undefined) return [];
  return [`  the board's own keys were handed over ${unixMs.length === 1 ? "once" : `${unixMs.length} times`}, last at ${utc(last)}`];
}

function describeMessages({ waiting, added }: PulledMessages, dryRun: boolean): string {
  if (dryRun) return `  ${waiting} SmartBeacon messages would be pulled`;
  return `  ${added} new SmartBeacon messages, of ${waiting} that waited; \`tracelet smartbeacon messages\` writes them for upload`;
}

/** Unix seconds by which age is told. Where hub and board disagree the earlier one counts: a clock that runs in the future must not delete what was heard today. */
function agreedNow(hubUnix: number, boardMs: number): number {
  return boardMs > 0 ? Math.min(hubUnix, boardMs / 1000) : hubUnix;
}

export const register: RegisterCommand = (program) => {
  withRetentionOption(
    withLinkOptions(program.command("pull"), ["pull --port /dev/ttyUSB0 --db tracelet.db", "pull --port /dev/ttyUSB0 --db tracelet.db --dry-run"]),
  )
    .description("fetch a board's log, and SmartBeacon messages that wait on it, into the database; goes on where the last pull ended")
    .requiredOption("--db <file>", "database; created if it does not exist")
    .option("--dry-run", "only say what would be pulled")
    .action(async (options: LinkOptions & { db: string; dryRun?: boolean; retention?: number }) => {
      const dryRun = options.dryRun === true;
      const store = Store.open(options.db);
      try {
        await withBoard(options, !dryRun, async (board, output) => {
          const bar = { current: undefined as ReturnType<typeof output.progress> | undefined };
          const pulled = await pullLog(board, store, {
            dryRun,
            onProgress(done, total) {
              bar.current ??= output.progress(options.port, total, "words");
              bar.current.advance(done);
            },
          }).finally(() => bar.current?.end());
          const messages = await pullMessages(board, store, { dryRun });
          const purged = dryRun ? undefined : await store.purge(agreedNow(board.clock.now(), pulled.status.u), options.retention);
          const battery = dryRun ? [] : await store.batteryChanges(pulled.logId, pulled.from);
          const keyHandOvers = await store.keyHandOvers(pulled.logId);
          const lines = [
            describe(options.port, pulled, dryRun),
            ...(messages ? [describeMessages(messages, dryRun)] : []),
            ...battery.map(batteryInWords),
            ...describeHandOvers(keyHandOvers),
            ...(purged ? describePurged(purged) : []),
          ];
          const protocols = spokenProtocols(pulled.status);
          output.result({ port: options.port, dryRun, ...pulled, protocols, battery, keyHandOvers, messages, purged }, lines.join("\n"));
        });
      } finally {
        await store.close();
      }
    });
};
