import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import type { BatchReport } from "../../host-tools/provision/report.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { readBeaconKey } from "../../host-tools/smartbeacon/key-file.ts";
import { decodeAdvertisement } from "../../protocols/smartbeacon/advertisement.ts";
import { openToken } from "../../protocols/smartbeacon/compact-token.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { Fleet } from "../support/fleet.ts";
import { radioOf } from "../support/worn-boards.ts";

const PORT = "/dev/ttyUSB0";
let folder: string;
// before virtual time runs: it would not wait for a compiler
beforeAll(async () => {
  await firmwareFor("smartbeacon", "puckjs", {}, [], ["smartbeacon"]);
  await firmwareFor("wearable", "puckjs", {}, [], ["gaen", "dp3t"]);
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-beacons-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function plan(...rows: string[]): string {
  const file = join(folder, "plan.csv");
  writeFileSync(file, ["name,port,board,role,beacon,carrier,settings", ...rows].join("\n"));
  return file;
}

/** Does the board send messages of the key in this file? */
function sendsWith(board: VirtualBoard, file: string): boolean {
  const { id, sk } = readBeaconKey(file);
  return typeof openToken(nodeCrypto, sk, id, decodeAdvertisement(radioOf(board).station.emission!.advertising.packets[0]!)!) === "object";
}

test("cut off while the key is handed over, the batch goes on with the same key; a board that has it is left alone (QB-13)", async () => {
  const fleet = new Fleet();
  const board = fleet.board();
  fleet.put(PORT, board);
  const command = ["--batch", plan(`hall,${PORT},puckjs,smartbeacon,,,`), "--json"];
  const file = join(folder, "plan/keys/hall.beacon");
  fleet.onOpen = (_, link) => {
    const { write } = link;
    link.write = (bytes) => {
      if (Buffer.from(bytes).includes("T.b(")) link.cut();
      return write(bytes);
    };
  };
  const first = await fleet.provision(...command);
  expect((JSON.parse(first.out) as BatchReport).boards[0]).toMatchObject({ state: "failed", failure: { step: "beacon" } });
  const made = readFileSync(file, "utf8");
  fleet.onOpen = () => {};
  const second = await fleet.provision(...command);
  expect((JSON.parse(second.out) as BatchReport).boards[0]).toMatchObject({ state: "done", beaconFile: "keys/hall.beacon" });
  expect(readFileSync(file, "utf8")).toBe(made);
  expect(sendsWith(board, file)).toBe(true);
  const written = board.flash.bytesWritten;
  expect((await fleet.provision(...command)).error).toBeUndefined();
  expect(board.flash.bytesWritten).toBe(written);

  // broken: another board gets the name, and a key of its own
  const other = fleet.board();
  fleet.put(PORT, other);
  const third = await fleet.provision(...command, "--release", "hall");
  expect(third.error).toBeUndefined();
  expect(readFileSync(join(folder, `plan/keys/hall.${board.serialNumber}.beacon`), "utf8")).toBe(made);
  expect([sendsWith(other, file), sendsWith(board, file)]).toEqual([true, false]);
});

test("a key file that is none is told by its line before a board is touched, and nothing of it", async () => {
  const fleet = new Fleet();
  const board = fleet.board();
  fleet.put(PORT, board);
  writeFileSync(join(folder, "hall.beacon"), '{"id_beacon":"00","sk_beacon":"secretsecret","mode":"split"}');
  for (const name of ["hall.beacon", "not-there.beacon"]) {
    const { error } = await fleet.provision("--batch", plan(`hall,${PORT},puckjs,smartbeacon,${name},,`));
    expect(error).toMatchObject({ message: expect.stringMatching(/line 2, beacon: .*no board was touched/) });
    expect(error!.message).not.toContain("secretsecret");
  }
  const short = { id_beacon: "11".repeat(16), sk_beacon: "22".repeat(16), mode: "single" };
  writeFileSync(join(folder, "short.beacon"), JSON.stringify(short));
  const { error } = await fleet.provision("--batch", plan(`hall,${PORT},puckjs,smartbeacon,short.beacon,fernet,`));
  expect(error).toMatchObject({ code: "short_key", message: expect.stringContaining("line 2, beacon: ") });
  expect([board.flash.bytesWritten, existsSync(join(folder, "plan"))]).toEqual([0, false]);
});

test("protocols and what is sent of them are the plan's, board by board (MUX-02)", async () => {
  const fleet = new Fleet();
  const boards = [fleet.board(), fleet.board()];
  boards.forEach((board, i) => void fleet.put(`p${i}`, board));
  const file = join(folder, "plan.csv");
  writeFileSync(
    file,
    "name;port;board;role;protocols;settings\na;p0;puckjs;wearable;gaen dp3t;transmit=gaen,dp3t\nb;p1;puckjs;wearable;gaen dp3t;transmit=dp3t\n",
  );
  const { error, out } = await fleet.provision("--batch", file, "--json");
  expect(error).toBeUndefined();
  expect((JSON.parse(out) as BatchReport).boards.map(({ settings }) => settings.transmit)).toEqual([5, 4]);
  expect(boards.map((board) => radioOf(board).station.emission!.advertising.packets.length)).toEqual([2, 1]);
});
