import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeBatch } from "../../host-tools/bluetrace/temp-ids.ts";
import { sealToken } from "../../host-tools/bluetrace/upload-token.ts";
import { contactsOfUpload } from "../../host-tools/cli/bluetrace-contacts.ts";
import { tracelet } from "../support/command-line.ts";

const KEY = new Uint8Array(32).fill(3);
const NOW = Date.UTC(2026, 2, 2, 12) / 1000;
const [ANN, BEN] = [1, 2].map((fill) => Buffer.alloc(21, fill).toString("base64"));
const batches = { [ANN]: makeBatch(KEY, ANN, NOW - 7200), [BEN]: makeBatch(KEY, BEN, NOW - 7200) };

/** A record of the TempID that was good at its time. */
function record(uid: string, timestamp: number, more: object = {}) {
  const { tempID } = batches[uid].tempIDs.find(({ startTime, expiryTime }) => startTime <= timestamp && timestamp < expiryTime)!;
  return { timestamp, msg: tempID, org: "QX_HAI", modelP: "device", modelC: "device", rssi: -60, txPower: 0, v: 2, ...more };
}
const minutes = (uid: string, count: number, more = {}) => Array.from({ length: count }, (_, i) => record(uid, NOW - 3600 + 60 * i, more));
const upload = (records: unknown[], createdAt = NOW) =>
  JSON.stringify({ token: sealToken(KEY, { uid: "patient", createdAt, upload: "482913" }), records, events: [] });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-contacts-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("close contacts of an upload", () => {
  test("are opened by the authority's key, over changes of TempID, and told by day", () => {
    const records = [...minutes(ANN, 20), ...minutes(BEN, 20, { rssi: -80 })];
    expect(contactsOfUpload(upload(records), "upload.json", KEY, "QX_HAI", NOW)).toEqual({
      uid: "patient",
      uploadCode: "482913",
      days: [
        { contact: ANN, day: NOW / 86400 - 0.5, records: 20, seconds: 1200, isClose: true },
        { contact: BEN, day: NOW / 86400 - 0.5, records: 20, seconds: 0, isClose: false },
      ],
      recordsReceived: 40,
      leftOut: { malformed: 0, tooOld: 0, invalid: 0, foreign: 0, powerUnknown: 0 },
    });
  });

  test("leave out, and count, what can't be judged (BT-15, BT-16)", () => {
    const [good] = minutes(ANN, 1);
    const records = [good, null, { ...good, org: "FB_HAI" }, { ...good, msg: "x" }, { ...good, txPower: undefined }, { ...good, timestamp: 5 }];
    const { days, leftOut } = contactsOfUpload(upload(records), "upload.json", KEY, "QX_HAI", NOW);
    expect(days).toMatchObject([{ contact: ANN, records: 1, isClose: false }]);
    expect(leftOut).toEqual({ malformed: 1, tooOld: 1, invalid: 1, foreign: 1, powerUnknown: 1 });
  });

  test("are told of no upload whose token is bad (BT-15)", () => {
    const refused =
      (text: string, key = KEY, now = NOW) =>
      () =>
        contactsOfUpload(text, "upload.json", key, "QX_HAI", now);
    expect(refused(upload([]), KEY, NOW + 7201)).toThrow("more than two hours old");
    expect(refused(upload([]), new Uint8Array(32))).toThrow("no key opens its upload token");
    expect(refused("{}")).toThrow("upload.json is refused: no object with a token and a list of records");
  });

  test("on the command line", async () => {
    const [key, file] = ["authority.key", "upload.json"].map((name) => join(folder, name));
    writeFileSync(key, JSON.stringify({ bluetrace_key: Buffer.from(KEY).toString("hex") }), { mode: 0o600 });
    writeFileSync(file, upload([], Date.now() / 1000));
    const argv = ["bluetrace", "contacts", file, "--key-file", key, "--authority", "QX_HAI"];
    expect(await tracelet(...argv)).toMatchObject({ exit: 0, out: expect.stringContaining("upload of user patient, code 482913: 0 records") });
    writeFileSync(file, "");
    expect(await tracelet(...argv)).toMatchObject({ exit: 1, err: expect.stringContaining("is refused") });
    expect(await tracelet("bluetrace", "contacts", join(folder, "none"), ...argv.slice(3))).toMatchObject({ exit: 2 });
  });
});
