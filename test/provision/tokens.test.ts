import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { makeBatch } from "../../host-tools/bluetrace/temp-ids.ts";
import type { BatchReport } from "../../host-tools/provision/report.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { Fleet } from "../support/fleet.ts";
import { AUTHORITY_KEY, HAI, userId } from "../support/tokens.ts";
import { status } from "../support/worn-boards.ts";

let folder: string;
// before virtual time runs: it would not wait for a compiler
beforeAll(() => firmwareFor("token", "puckjs", {}, [], ["bluetrace"]));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-tokens-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function plan(...rows: string[]): string {
  const file = join(folder, "plan.csv");
  writeFileSync(file, ["name,port,board,role,tempIds,hai,model", ...rows].join("\n"));
  return file;
}
/** A batch of owner `n` that begins at `now`. */
function batch(name: string, n: number, now: number): void {
  writeFileSync(join(folder, name), JSON.stringify(makeBatch(AUTHORITY_KEY, userId(n), Math.floor(now))));
}

test("two tokens get each their own TempIDs and their authority; cut off meanwhile, the batch goes on; a second run writes nothing (BT-04)", async () => {
  const fleet = new Fleet();
  const boards = [fleet.board(), fleet.board()];
  boards.forEach((board, i) => void fleet.put(`p${i}`, board));
  for (const n of [1, 2]) batch(`${n}.batch`, n, fleet.clock.now);
  const command = ["--batch", plan(`a,p0,puckjs,token,1.batch,${HAI},`, `b,p1,puckjs,token,2.batch,${HAI},tag`), "--json"];
  fleet.onOpen = (port, link) => {
    const { write } = link;
    link.write = (bytes) => {
      if (port === "p1" && Buffer.from(bytes).includes("T.n(1,0,")) link.cut();
      return write(bytes);
    };
  };
  const first = JSON.parse((await fleet.provision(...command)).out) as BatchReport;
  expect(first.boards).toMatchObject([{ state: "done" }, { state: "failed", failure: { step: "tempids" } }]);
  fleet.onOpen = () => {};
  const second = await fleet.provision(...command);
  const report = JSON.parse(second.out) as BatchReport;
  expect(report.boards.map(({ state }) => state)).toEqual(["done", "done"]);
  for (const [i, board] of boards.entries()) {
    const { r, ha, te, ad } = status(board);
    expect([r, ha, ad]).toEqual(["token", HAI, 1]);
    expect(te![0]).toBeGreaterThan(90);
    expect(Math.max(te![2], te![3])).toBe(report.boards[i].tempIdsUntil);
  }
  const written = boards.map((board) => board.flash.bytesWritten);
  expect((await fleet.provision(...command)).error).toBeUndefined();
  expect(boards.map((board) => board.flash.bytesWritten)).toEqual(written);
});

test.each([
  ["a,p0,puckjs,token,none.batch,QX,", /line 2, tempIds: .*none\.batch can't be read/],
  ["a,p0,puckjs,token,bad.batch,QX,", /line 2, tempIds: .*is no batch of TempIDs/],
  ["a,p0,puckjs,token,1.batch,,", /line 2, hai: health authority: 1 to/],
  ["a,p0,puckjs,token,,QX,", /line 2, tempIds: without a batch/],
  ["a,p0,puckjs,wearable,1.batch,QX,", /line 2, tempIds: only a token has one, and the role is wearable/],
  ["a,p0,puckjs,token,1.batch,QX,\nb,p1,puckjs,token,1.batch,QX,", /line 3, tempIds: 1\.batch are those of line 2 already/],
])("is refused before a board is touched, and says nothing of a TempID: %s", async (rows, words) => {
  const fleet = new Fleet();
  const board = fleet.board();
  fleet.put("p0", board);
  batch("1.batch", 1, fleet.clock.now);
  writeFileSync(join(folder, "bad.batch"), '{"tempIDs":[{"tempID":"secretsecret"}]}');
  const { error } = await fleet.provision("--batch", plan(rows));
  expect(error?.message).toMatch(words);
  expect(error?.message).toMatch(/no board was touched/);
  expect(error?.message).not.toContain("secretsecret");
  expect([board.flash.bytesWritten, existsSync(join(folder, "plan"))]).toEqual([0, false]);
});
