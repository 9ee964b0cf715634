import { expect, test } from "vitest";
import { readCharacteristic } from "../../../host-tools/bluetrace/characteristic.ts";
import { pseudoId, routeRecord } from "../../../host-tools/bluetrace/foreign-authorities.ts";
import { isKept, judgeRecord, RETENTION } from "../../../host-tools/bluetrace/records.ts";
import { judgeUpload } from "../../../host-tools/bluetrace/upload.ts";
import { CODE_CHARACTERS, judgeToken, sealToken, TOKEN_VALIDITY } from "../../../host-tools/bluetrace/upload-token.ts";
import { fromHex, loadVectors } from "../../support/vectors.ts";

const vectors = loadVectors("bluetrace.json");
const parameters = loadVectors("parameters.json").bluetrace;
const KEY = fromHex(vectors.tempid[0].key);

test.each(vectors.records)("record: $name (BT-03)", ({ keys, record, expect: told }) => {
  expect(judgeRecord(keys.map(fromHex), record)).toEqual(told);
});

test.each(vectors.upload_token)("upload token: $name (BT-14)", ({ key, iv, json, token, now, expect: told }) => {
  // the row of a foreign key has the token that another key made
  if (told !== "invalid") expect(sealToken(fromHex(key), JSON.parse(json), fromHex(iv))).toBe(token);
  const judged = judgeToken([fromHex(key)], token, now);
  expect(judged.verdict).toBe(told);
  if (judged.verdict === "ok") expect(judged.claims).toEqual(JSON.parse(json));
  expect([TOKEN_VALIDITY, CODE_CHARACTERS]).toEqual([parameters.upload.token_validity_s, parameters.upload.code_chars]);
});

test("a TempID is no upload token, though the same key seals both (BT-14)", () => {
  expect(judgeToken([KEY], vectors.tempid[0].tempid, 1588320000)).toEqual({ verdict: "invalid" });
});

test.each(vectors.pseudoid)("PseudoID of $uid (BT-17)", ({ salt, uid, pseudoid }) => {
  expect(pseudoId(fromHex(salt), uid)).toBe(pseudoid);
});

test("a PseudoID needs its salt and a whole user ID (BT-17)", () => {
  expect(() => pseudoId(new Uint8Array(31), vectors.pseudoid[0].uid)).toThrow(/^PseudoID: a salt of 32 bytes, got 31$/);
  expect(() => pseudoId(new Uint8Array(32), "abc")).toThrow(/^user ID: 28 base64 characters/);
});

test.each(vectors.routing)("a record of $org goes $expect (BT-16)", ({ own, known, org, expect: told }) => {
  expect(routeRecord(org, own, known)).toBe(told);
});

test.each(vectors.retention)("kept at $now, a record of $timestamp: $keep (BT-13)", ({ now, timestamp, keep }) => {
  expect(isKept(timestamp, now)).toBe(keep);
  expect(isKept(timestamp * 1000, now)).toBe(keep);
  expect(RETENTION).toBe(parameters.retention_s);
});

const NOW = 1588320060;
const rules = { keys: [KEY], own: "QX_HAI", known: ["FB_HAI"], now: NOW };
const token = sealToken(KEY, { uid: vectors.tempid[0].uid, createdAt: NOW, upload: "482913" });
const mine = { timestamp: 1588320000, msg: vectors.tempid[0].tempid, org: "QX_HAI", modelP: "device", modelC: "device", rssi: -61, v: 2 };

test("one bad record is one record less; a foreign one is passed on unopened (BT-15, BT-16)", () => {
  const records = [
    mine,
    { ...mine, rssi: 99 },
    null,
    { ...mine, org: "FB_HAI" },
    { ...mine, org: "ZZ" },
    { ...mine, timestamp: NOW - RETENTION - 1 },
    { ...mine, msg: "x" },
  ];
  const report = judgeUpload(JSON.stringify({ token, records, events: [] }), rules);
  expect(report).toMatchObject({ status: "SUCCESS", uploadCode: "482913", recordsReceived: 7, malformed: [1, 2], tooOld: [5] });
  if (report.status !== "SUCCESS") return;
  expect(report.records.map(({ index, route, verdict }) => [index, route, verdict?.isValid])).toEqual([
    [0, "local", true],
    [3, "forward:FB_HAI", undefined],
    [4, "unknown", undefined],
    [6, "local", false],
  ]);
});

test("one bad token refuses the whole file, and so does a file that is none (BT-15)", () => {
  const text = (bad: string) => JSON.stringify({ token: bad, records: [mine] });
  expect(judgeUpload(text("AAAA"), rules)).toEqual({ status: "ERROR", step: "token", reason: "invalid", recordsReceived: 1 });
  expect(judgeUpload(text(token), { ...rules, now: NOW + 7201 })).toMatchObject({ status: "ERROR", step: "token", reason: "expired" });
  for (const bad of ["", "[]", "{", '{"token":1,"records":[]}', `{"token":"${token}"}`])
    expect(judgeUpload(bad, rules)).toMatchObject({ status: "ERROR", step: "parse", recordsReceived: 0 });
});

test("a characteristic's bytes become Unicode on a hub, whatever they are (BT-05)", () => {
  const read = (text: string | Uint8Array) => readCharacteristic(Buffer.from(text), false);
  expect(read('{"id":"a","mp":"Телефон","o":"X","v":2}')).toEqual({ id: "a", model: "Телефон", org: "X", v: 2, rssi: undefined });
  expect(read(Buffer.from('{"id":"a","mp":"\xff","o":"X","v":2}', "latin1"))?.model).toBe("\ufffd");
  expect(read(new Uint8Array(513).fill(32))).toBeUndefined();
});
