import { expect, test } from "vitest";
import { readCharacteristic } from "../../host-tools/bluetrace/characteristic.ts";
import { openTempId } from "../../host-tools/bluetrace/temp-ids.ts";
import { judgeUpload } from "../../host-tools/bluetrace/upload.ts";
import { judgeToken, sealToken } from "../../host-tools/bluetrace/upload-token.ts";
import { BlueTracePeripheral } from "../../host-tools/phones/bluetrace-peripheral.ts";
import { encodeBase64 } from "../../protocols/base64.ts";
import { decodeAdvertisement, SERVICES } from "../../protocols/bluetrace/advertisement.ts";
import { blacklisted, isBlacklisted, tempIdKey } from "../../protocols/bluetrace/blacklist.ts";
import { decodePacket, type Packet } from "../../protocols/bluetrace/packet.ts";
import { currentTempId, encodeTempId, needsTempIds, packTempId, TEMP_ID_RECORD, tempIdText } from "../../protocols/bluetrace/temp-id.ts";
import { readU32 } from "../../protocols/bytes.ts";
import { parseUuid } from "../../protocols/uuid128.ts";
import { fromHex, loadVectors, toHex } from "../support/vectors.ts";
import { ensure, fuzz } from "./fuzz.ts";

const vectors = loadVectors("bluetrace.json");
const adverts = loadVectors("ble_adverts.json");
const octets = (text: string) => Uint8Array.from(Buffer.from(text, "utf8"));
const KEY = fromHex(vectors.tempid[0].key);
const packets = [
  ...vectors.packets.map(({ text }) => octets(text)),
  ...[
    '{"id":"a\\/b","mp":"x\\u00e9","o":"X","v":2,"z":{"q":[1,"]"]}}',
    '{"o":"X","id":"a","mc":"d","rc":"-60","v":"2"}',
    '{"id":"a","rs":-1,"o":"X","v":2}',
  ].map(octets),
];

/** The same rules once more, by way of JSON.parse: what a hub would say. */
function secondOpinion(text: string, fromCentral: boolean): Omit<Packet, "rssi"> | undefined {
  if (text.length > 512) return undefined;
  let read: { [name: string]: unknown };
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof read !== "object" || read === null || Array.isArray(read)) return undefined;
  const own = (name: string) => (Object.hasOwn(read, name) ? read[name] : undefined);
  const integer = (value: unknown) =>
    typeof value === "string"
      ? String(Number.parseInt(value, 10)) === value
        ? Number.parseInt(value, 10)
        : Number.NaN
      : typeof value === "number"
        ? value
        : Number.NaN;
  const { id, o, v } = { id: own("id"), o: own("o"), v: integer(own("v")) };
  const model = own(fromCentral ? "mc" : "mp") ?? own("md") ?? "";
  const rssi = fromCentral ? integer(own("rs") ?? own("rc")) : 0;
  if (typeof id !== "string" || typeof o !== "string" || typeof model !== "string" || o === "") return undefined;
  if (!Number.isInteger(v) || v < 2 || !Number.isInteger(rssi) || rssi < -127 || rssi > 20) return undefined;
  const compact = id.replaceAll(" ", "");
  return compact && compact.length <= 256 ? { id: compact, model, org: o, v } : undefined;
}

/** How many fields of a text are looked at. */
function judgedFields(text: string, fromCentral: boolean): number {
  const has = (name: string) => Number(new RegExp(`"${name}"\\s*:`).test(text));
  const model = has(fromCentral ? "mc" : "mp") || has("md");
  return has("id") + has("o") + has("v") + model + (fromCentral ? has("rs") || has("rc") : 0);
}

test("packets: nothing throws, nothing is accepted that the rules refuse, and JSON.parse agrees (BT-05, BT-07, COM-03)", () => {
  let accepted = 0;
  fuzz(packets, 600, (input, draw) => {
    const fromCentral = draw(2) === 1;
    const text = Buffer.from(input).toString("latin1");
    const packet = decodePacket(text, fromCentral);
    const other = secondOpinion(text, fromCentral);
    if (packet) {
      accepted++;
      ensure(input.length <= 512 && packet.id.length > 0 && packet.id.length <= 256 && !packet.id.includes(" "), "limits of packet and id");
      ensure(packet.org !== "" && Number.isInteger(packet.v) && packet.v >= 2, "org and version");
      ensure(fromCentral ? Number.isInteger(packet.rssi) && packet.rssi! >= -127 && packet.rssi! <= 20 : packet.rssi === undefined, "RSSI");
      // what unknown fields and repeated ones hold is not looked at, all the rest is JSON
      const names = [...text.matchAll(/"\s*:/g)].length;
      if (!other && !/\\[^"\\/]/.test(text)) ensure(names > judgedFields(text, fromCentral), "accepted alone");
    }
    // numbers such as 2.0 and null instead of a field are where a hand-made rule is stricter; escaped controls and what isn't ASCII it reads in its own way
    if (other && !/\d[.eE]|-0|null|\d{16}|\\[^"\\/]/.test(text)) {
      ensure(packet !== undefined, "refused alone");
      ensure(packet!.id === other.id && packet!.model === other.model && packet!.org === other.org, "another reading");
      ensure(packet!.v === other.v, "another version");
    }
    if (draw(4) === 0) ensure((readCharacteristic(input, fromCentral) === undefined) === (packet === undefined), "hub and board disagree");
  });
  expect(accepted).toBeGreaterThan(0);
});

test("advertisements: any packet, any manufacturer data (BT-20, BLE-02)", () => {
  const services = SERVICES.map((uuid) => parseUuid(uuid)!);
  let accepted = 0;
  fuzz(
    [...adverts.accept, ...adverts.reject].map(({ hex }) => fromHex(hex)),
    31,
    (input) => {
      const heard = decodeAdvertisement(input, services);
      if (!heard) return;
      accepted++;
      ensure(toHex(input).includes(toHex(services[heard.service])), "a service that isn't there");
      ensure(heard.txPower === undefined || (heard.txPower >= -128 && heard.txPower <= 127), "transmit power");
      ensure(heard.tail === undefined || heard.tail.length <= input.length - 4, "more manufacturer data than there is");
    },
  );
  expect(accepted).toBeGreaterThan(0);
});

test("TempIDs: a text is kept as bytes only if it comes back as it was; records of any bytes give one that is valid or none (BT-01, BT-04)", () => {
  const texts = [...vectors.tempid, ...vectors.tempid_bad].map(({ tempid }) => octets(tempid));
  fuzz(texts, 90, (input) => {
    const text = Buffer.from(input).toString("latin1");
    const packed = packTempId(text);
    if (packed) ensure(packed.length === 61 && encodeBase64(packed) === text, "another text comes back");
  });
  const records = vectors.batch.rows
    .slice(0, 3)
    .map(({ start, expiry }: { start: number; expiry: number }) => encodeTempId(start, expiry, new Uint8Array(61)));
  fuzz([Buffer.concat(records)], 150, (input, draw) => {
    const unix = draw(2) ? vectors.batch.now + draw(90000) : draw(0xffffffff);
    const at = currentTempId(input, unix);
    needsTempIds(input, unix, unix);
    if (at < 0) return;
    ensure(at % TEMP_ID_RECORD === 0 && at + TEMP_ID_RECORD <= input.length, "beyond the records");
    ensure(readU32(input, at) <= unix && unix <= readU32(input, at + 4), "a TempID out of its time");
    ensure(tempIdText(input, at).length === 84, "a text of another length");
  });
});

test("the blacklist stays within its 64 entries, whoever comes and whenever (BT-09)", () => {
  let list = "";
  fuzz([], 12, (input, draw) => {
    const key = tempIdKey(Buffer.from(input).toString("latin1"));
    const now = draw(0xffffffff);
    list = blacklisted(list, key, now);
    ensure(list.length <= 768 && list.length % 12 === 0, "its size");
    ensure(isBlacklisted(list, key, now, 100) && !isBlacklisted(list, key, now + 100, 100), "who was just met");
  });
});

test("TempIDs and tokens from anybody open with the right key and otherwise not at all (BT-01, BT-14, COM-02)", () => {
  const token = sealToken(KEY, { uid: vectors.tempid[0].uid, createdAt: 0, upload: "482913" });
  const genuine = new Set([token, ...vectors.tempid.map(({ tempid }) => tempid)]);
  const wires = [...genuine].map((text) => Uint8Array.from(Buffer.from(text, "base64")));
  fuzz(wires, 200, (input, draw) => {
    const text = draw(8) ? encodeBase64(input) : Buffer.from(input).toString("latin1");
    const taken = draw(2) ? openTempId([KEY], text) !== undefined : judgeToken([KEY], text, 0).verdict !== "invalid";
    if (taken) ensure(genuine.has(text), "a forgery");
  });
});

test("a peripheral among hostile centrals: at most one packet a connection, none that the rules refuse, no byte past its value (BT-06, BT-07)", () => {
  const own = octets(vectors.build_packets[0].text);
  let connection: BlueTracePeripheral | undefined;
  let received = 0;
  let stored = 0;
  fuzz(packets, 520, (input, draw) => {
    if (!connection || draw(6) === 0) {
      connection = new BlueTracePeripheral(own, () => received++);
      received = 0;
    }
    const before = received;
    let written = false;
    if (draw(2)) written = connection.write(input);
    else {
      const step = 1 + draw(200);
      for (let at = 0; at < input.length; at += step) connection.prepare(draw(50) ? at : draw(600), input.subarray(at, at + step));
      written = connection.execute(draw(8) > 0) && received > before;
    }
    ensure(received <= 1, "a second packet");
    if (received > before) {
      stored++;
      ensure(written && decodePacket(Buffer.from(input).toString("latin1"), true) !== undefined, "a packet that isn't one");
    }
    const offset = draw(600);
    ensure(connection.read(offset)?.length === (offset <= own.length ? own.length - offset : undefined), "bytes past its value");
  });
  expect(stored).toBeGreaterThan(0);
});

test("upload files: any text gets a report (BT-15, COM-03)", () => {
  const token = sealToken(KEY, { uid: vectors.tempid[0].uid, createdAt: 0, upload: "482913" });
  const record = { timestamp: 1588320000, msg: vectors.tempid[0].tempid, org: "QX_HAI", modelP: "a", modelC: "b", rssi: -61, v: 2 };
  const files = [
    { token, records: [record, { ...record, org: "FB_HAI" }] },
    { token, records: [] },
    { token: "", records: [record] },
  ];
  fuzz(
    files.map((file) => octets(JSON.stringify(file))),
    300,
    (input) => {
      const report = judgeUpload(Buffer.from(input).toString("utf8"), { keys: [KEY], own: "QX_HAI", known: ["FB_HAI"], now: 60 });
      if (report.status === "SUCCESS")
        for (const { route, verdict, record: taken } of report.records) {
          ensure((verdict !== undefined) === (route === "local") && (route === "local") === (taken.org === "QX_HAI"), "a foreign record was opened");
          ensure(taken.rssi >= -127 && taken.rssi <= 20 && taken.v >= 2, "limits");
        }
    },
  );
});
