import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, ToolError } from "../errors.ts";
import { formatMhRow, type MhKind, type MhRow, mhHeader } from "../store/mh-csv.ts";
import { rxDataRows, rxRawDataRows, tekDataRows } from "../store/mh-rows.ts";
import { Store } from "../store/store.ts";
import { createOutput, type RegisterCommand } from "./output.ts";

export interface ExportOptions {
  out: string;
  /** Only what this board heard. */
  board?: string;
  /** Also the own keys, which are secret. */
  keys?: boolean;
}
export interface ExportReport {
  files: { file: string; rows: number }[];
  /** Rows that the files can't hold, by reason. */
  leftOut: { withoutTime: number; withoutAem: number };
}

/**
 * Writes what the store has as files of the Raspberry Pi peer tool into a folder, in place of files of those names. Only their owner may read them (MH-05).
 * rx_raw_data.csv is written where there are sightings, tek_data.csv only when asked for.
 */
export async function exportFiles(store: Store, options: ExportOptions): Promise<ExportReport> {
  const { board, out } = options;
  const boards = (await store.boards()).map(({ id }) => id);
  if (board !== undefined && !boards.includes(board)) {
    const known = boards.length > 0 ? `known: ${boards.join(", ")}` : "it has none yet";
    throw new ConfigError("no_such_board", `board ${board}: not in this database; ${known}`);
  }
  const sightings = await store.sightings({ board });
  const heard = rxDataRows(await store.encounters({ board }), sightings);
  const raw = rxRawDataRows(sightings);
  const files: ExportReport["files"] = [];
  const write = (kind: MhKind, rows: MhRow[]) => files.push({ file: writeMhFile(out, kind, rows), rows: rows.length });
  writing(out, () => mkdirSync(out, { recursive: true, mode: 0o700 }));
  write("rx_data", heard.rows);
  if (raw.rows.length > 0) write("rx_raw_data", raw.rows);
  if (options.keys) write("tek_data", tekDataRows(await store.keys(board)));
  return { files, leftOut: { withoutTime: heard.withoutTime + raw.withoutTime, withoutAem: raw.withoutAem } };
}

/** Writes beside the file and renames, so that nobody ever reads half of one. Answers its path. */
function writeMhFile(folder: string, kind: MhKind, rows: MhRow[]): string {
  const position = rows.some((row) => row.kind !== "tek_data" && row.position !== undefined);
  const lines = [mhHeader(kind, position), ...rows.map((row) => formatMhRow(row, position))];
  const path = join(folder, `${kind}.csv`);
  const part = `${path}.${process.pid}.part`;
  writing(path, () => {
    try {
      writeFileSync(part, `${lines.join("\n")}\n`, { mode: 0o600, flag: "wx" });
      renameSync(part, path);
    } catch (error) {
      rmSync(part, { force: true });
      throw error;
    }
  });
  return path;
}

function writing(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new ToolError("unwritable_file", `${path}: can't be written (${(error as Error).message}); choose another folder with --out`, {
      cause: error,
    });
  }
}

function describe({ files, leftOut }: ExportReport): string {
  const lines = files.map(({ file, rows }) => `${file}: ${rows} rows`);
  if (leftOut.withoutTime > 0) lines.push(`${leftOut.withoutTime} rows left out: their time is not known yet; set the board's clock and pull again`);
  if (leftOut.withoutAem > 0) lines.push(`${leftOut.withoutAem} sightings left out: the encounter they belong to was not pulled yet`);
  return lines.join("\n");
}

export const register: RegisterCommand = (program) => {
  program
    .command("export")
    .description("write what boards heard as files of the Raspberry Pi peer tool")
    .requiredOption("--db <file>", "database")
    .requiredOption("--out <folder>", "folder for rx_data.csv and rx_raw_data.csv; created if it does not exist")
    .option("--board <id>", "only what this board heard")
    .option("--keys", "also tek_data.csv, the boards' own keys: whoever has them can tell where their wearers were")
    .option("--json", "one JSON document instead of text")
    .action(async (options: ExportOptions & { db: string; json?: boolean }) => {
      const output = createOutput(options.json === true);
      const store = Store.open(options.db, { readOnly: true });
      try {
        const report = await exportFiles(store, options);
        output.result(report, describe(report));
      } finally {
        await store.close();
      }
    });
};
