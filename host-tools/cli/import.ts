import { basename } from "node:path";
import { openImport } from "../phone-data/import-file.ts";
import type { ImportKind } from "../store/import-rows.ts";
import { Store } from "../store/store.ts";
import { createOutput, type RegisterCommand } from "./output.ts";
import { describePurged, withRetentionOption } from "./retention-option.ts";

/** More broken lines than this are counted, but not listed. */
const LISTED_LINES = 1000;

export interface FileReport {
  file: string;
  kind: ImportKind;
  /** Good rows, of which `added` are new. */
  rows: number;
  added: number;
  duplicates: number;
  /** The file is a database: `line` is the number of a row in its table. */
  table?: true;
  malformed: { line: number; reason: string }[];
  /** How many lines were malformed in all, where not all are listed. */
  malformedLines?: number;
}

/**
 * Imports files of the Raspberry Pi peer tool and of apps on phones. All files are looked at before the first is taken, so a wrong name stops the command before it did anything; each file is taken as a whole.
 * `board`: device the files come from, if it is to be named.
 */
export async function importFiles(store: Store, paths: string[], board?: string): Promise<FileReport[]> {
  const opened = paths.map(openImport);
  const reports: FileReport[] = [];
  for (const [i, path] of paths.entries()) {
    const malformed: FileReport["malformed"] = [];
    let malformedLines = 0;
    const { kind, isTable, items } = opened[i];
    function* rows() {
      for (const item of items()) {
        if ("row" in item) yield item.row;
        else if (malformedLines++ < LISTED_LINES) malformed.push({ line: item.line, reason: item.problem });
      }
    }
    const imported = await store.importRows({ file: basename(path), kind, board }, rows());
    reports.push({
      file: path,
      kind,
      ...imported,
      malformed,
      ...(isTable && { table: true }),
      ...(malformedLines > malformed.length ? { malformedLines } : {}),
    });
  }
  return reports;
}

function describe({ file, kind, rows, added, malformed, malformedLines, table }: FileReport): string {
  const lines = [`${file}: ${kind}, ${rows} rows, ${added} new`];
  const broken = malformedLines ?? malformed.length;
  if (broken > 0) lines[0] += `, ${broken} malformed`;
  for (const { line, reason } of malformed.slice(0, 10)) lines.push(`  ${table ? "row" : "line"} ${line}: ${reason}`);
  if (broken > 10) lines.push(`  and ${broken - 10} more; --json lists them`);
  return lines.join("\n");
}

export const register: RegisterCommand = (program) => {
  withRetentionOption(program.command("import"))
    .description(
      "take over files of the Raspberry Pi peer tool (rx_data.csv, rx_raw_data.csv, tek_data.csv) and of apps on phones: databases of RaMBLE and microG, a database or CSV of OpenTrace",
    )
    .argument("<file...>", "files; what one is shows by its content")
    .requiredOption("--db <file>", "database; created if it does not exist")
    .option("--board <id>", "name of the device that the files come from")
    .option("--json", "one JSON document instead of text")
    .action(async (paths: string[], options: { db: string; board?: string; retention?: number; json?: boolean }) => {
      const output = createOutput(options.json === true);
      const store = Store.open(options.db);
      try {
        const files = await importFiles(store, paths, options.board);
        const purged = await store.purge(Math.floor(Date.now() / 1000), options.retention);
        output.result({ files, purged }, [...files.map(describe), ...describePurged(purged)].join("\n"));
      } finally {
        await store.close();
      }
    });
};
