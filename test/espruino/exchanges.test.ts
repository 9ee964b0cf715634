import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import { buildFirmware } from "../../host-tools/generator/bundle.ts";
import { loadVectors } from "../support/vectors.ts";
import { build, NO_INTERPRETER } from "./abilities.ts";
import { writeFile } from "./firmware-run.ts";
import { type Interpreter, startInterpreter } from "./interpreter.ts";
import { run } from "./machine.ts";

const blueTrace = loadVectors("bluetrace.json");
const openCovidTrace = loadVectors("opencovidtrace.json");
const adverts = loadVectors("ble_adverts.json");
const ENTRY = fileURLToPath(new URL("./exchanges-entry.ts", import.meta.url));

describe.skipIf(NO_INTERPRETER)("BlueTrace and OpenCovidTrace, computed by the interpreter", () => {
  let interpreter: Interpreter | undefined;

  beforeAll(async () => {
    const { abilities } = await build();
    if (!abilities.has("aes")) return;
    const { code } = await buildFirmware({ board: puckjs, role: "wearable", protocols: ["gaen"], entry: ENTRY });
    interpreter = await startInterpreter();
    for (const line of writeFile("exchanges", code)) expect(await run(interpreter, line)).toBe("");
    expect(await run(interpreter, 'eval(require("Storage").read("exchanges"))')).toBe("");
  });
  afterAll(() => interpreter?.close());

  /** Calls a function of exchanges-entry.ts on the interpreter; texts as their bytes in UTF-8. */
  async function call(name: string, ...values: (string | number | boolean)[]): Promise<unknown> {
    const line = `print(JSON.stringify(exchanges.${name}(${values.map((value) => (typeof value === "string" ? literal(value) : value)).join()})))`;
    const answer = await run(interpreter!, line);
    try {
      return JSON.parse(answer);
    } catch {
      throw new Error(`${name}: ${answer}`);
    }
  }
  function literal(text: string): string {
    const escaped = (byte: number) =>
      byte < 32 || byte > 126 || byte === 34 || byte === 92 ? `\\x${byte.toString(16).padStart(2, "0")}` : String.fromCharCode(byte);
    return `"${[...Buffer.from(text, "utf8")].map(escaped).join("")}"`;
  }
  function check(name: string, body: () => Promise<void>): void {
    test(name, (context) => (interpreter ? body() : context.skip()));
  }

  check("packets are accepted, rejected and written as on a hub (BT-05)", async () => {
    for (const row of blueTrace.packets) expect((await call("decode", row.text, row.role === "central")) || null, row.name).toEqual(row.expect);
    for (const row of blueTrace.build_packets)
      expect(
        await (row.rssi === undefined ? call("encode", row.tempid, row.model, row.org) : call("encode", row.tempid, row.model, row.org, row.rssi)),
      ).toBe(row.text);
    const rest = ',"o":"X","v":2}';
    expect(await call("decode", `{"id":"a\\/b\\u003d","mp":"é\\u00e9\\n"${rest}`, false)).toMatchObject({ id: "a/b=", model: "\u00c3\u00a9  " });
    for (const text of [`{"id":"a"${rest}{}`, `{"id":"a\n"${rest}`, `{'id':"a"${rest}`, `{"id":"a"${rest.slice(0, -1)},}`, `{"x":${"[".repeat(400)}`])
      expect(await call("decode", text, false), text).toBe(0);
    expect(await call("decode", `{"id":"a","x":${"[".repeat(200)}${"]".repeat(200)}${rest}`, false)).toMatchObject({ id: "a" });
  });
  check("TempIDs are kept as bytes and sent as text, each in its time (BT-01, BT-04)", async () => {
    for (const { tempid, wire, start, expiry } of blueTrace.tempid) {
      expect(await call("packed", tempid)).toBe(wire);
      expect(await call("current", start, expiry, tempid, expiry)).toEqual([tempid, true]);
      expect(await call("current", start, expiry, tempid, expiry + 1)).toBe(-1);
    }
    expect(await call("packed", "!!!!")).toBe(0);
    for (const row of loadVectors("primitives.json").base64) expect(await call("base64", row.b64)).toEqual([row.bytes, row.b64]);
    for (const text of ["A===", "AB==", "AAA=A", "AA\nAA"]) expect(await call("base64", text)).toBe(0);
  });
  check("the blacklist, bounded, and the pauses (BT-08, BT-09)", async () => {
    const { events, ttl_s, expect: verdicts } = blueTrace.blacklist;
    for (const [i, { t, device }] of events.entries()) expect(await call("meet", device, t, ttl_s)).toBe(verdicts[i]);
    for (let i = 0; i < 70; i++) expect(await call("meet", `p${i}`, 4294967200, 100)).toBe("connect");
    expect(await call("meet", "p69", 4294967295, 100)).toBe("skip");
    expect(await call("meet", "p5", 4294967295, 100)).toBe("connect");
    expect(await call("listLength")).toBe(768);
    expect([await call("pause", 0), await call("pause", 255)]).toEqual([36000, 43000]);
    expect(await call("tail")).toMatch(/^[0-9a-f]{3}$/);
  });
  check("advertisements are built and recognised (BLE-01, BLE-02, BLE-11, BT-20)", async () => {
    for (const { inputs, hex } of adverts.accept.filter((row) => row.expect.protocol === "bluetrace" && row.inputs.tail))
      expect(await call("advertisement", inputs.uuid, inputs.tx_power, inputs.tail)).toBe(hex);
    expect(await call("octAdvertisement")).toBe(adverts.accept.find((row) => row.name === "OpenCovidTrace discovery")!.hex);
    for (const { hex, expect: told } of [...adverts.accept, ...adverts.reject])
      expect(await call("heard", hex)).toEqual([told.protocol === "bluetrace" ? told.uuid : 0, told.protocol === "opencovidtrace"]);
  });
  check("payloads and links (OCT-01, OCT-09)", async () => {
    for (const row of openCovidTrace.payload)
      expect(await call("payload", row.daily_key, row.meta_key, row.unix, row.lat, row.lng, row.accuracy)).toBe(row.value);
    for (const row of openCovidTrace.payload_bad) expect(await call("halves", row.value)).toBe(0);
    for (const row of openCovidTrace.qr) expect(await call("relink", row.link)).toEqual([row.link, row.platform, row.token]);
    for (const text of ["", "app/contact?", openCovidTrace.qr[0].link.replace("%3A", "%zz")]) expect(await call("relink", text)).toBe(0);
  });
});
