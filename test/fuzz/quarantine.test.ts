import { expect, test } from "vitest";
import { AppBackend } from "../../host-tools/servers/quarantine/app-backend.ts";
import { DemoAppBackend, DemoAuthorityBackend } from "../../host-tools/servers/quarantine/demo/backends.ts";
import { formatLine, parseLine } from "../../host-tools/servers/quarantine/demo/lines.ts";
import { readEvent } from "../../host-tools/servers/quarantine/events.ts";
import { PRESETS } from "../../host-tools/servers/quarantine/settings.ts";
import { MOST_TUPLES, readUpload } from "../../host-tools/smartbeacon/tuples.ts";
import { latin1 } from "../../protocols/bytes.ts";
import { COMPACT_TOKEN, FERNET_FRAGMENT, MESSAGE_FRAGMENT } from "../../protocols/smartbeacon/advertisement.ts";
import { fromHex, loadVectors, type Row, toBase64 } from "../support/vectors.ts";
import { type Draw, ensure, fuzz } from "./fuzz.ts";

const { backend, demo, compact } = loadVectors("smartbeacon.json");
const octets = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

test("batches: only what the beacon made counts, and what is kept stays bounded (QB-17)", () => {
  const timeline: Row = backend.timelines.find(({ name }: Row) => name.startsWith("normal"));
  const [setup, enabled] = timeline.steps;
  const made: string[] = timeline.steps.flatMap(({ messages = [] }: Row) => messages);
  const own = new Set(made);
  const server = new AppBackend({ ...PRESETS.standard, rawKeys: true });
  const beacon = { id: fromHex(setup.id_beacon), sk: fromHex(setup.sk), mode: "split" as const };
  server.setup({ pastKey: fromHex(setup.phone), pastTime: setup.t_past, beacon }, enabled.at);
  server.enable(setup.id_beacon, enabled.at);
  const types = [MESSAGE_FRAGMENT, COMPACT_TOKEN, FERNET_FRAGMENT, 0];
  let counted = 0;
  let batch: { type: number; bytes: Uint8Array }[] = [];
  const judge = (draw: Draw) => {
    // any time of the run, back and forth
    const at = enabled.at + draw(2000);
    const messages = batch;
    batch = [];
    const { verdicts, events, score } = server.batch({ phone: setup.phone, messages }, at);
    ensure(verdicts.length === messages.length && events.length <= 1, "verdicts or events");
    verdicts.forEach(({ verdict, ts }, i) => {
      ensure(
        (ts !== undefined) === ["ok", "stale", "future", "duplicate"].includes(verdict),
        "a time of a message that is not the beacon's, or none of one that is",
      );
      if (ts === undefined) return;
      ensure(own.has(Buffer.from(messages[i].bytes).toString("hex")), "counted what was never made");
      counted++;
    });
    ensure((score === undefined) === !verdicts.some(({ verdict }) => verdict === "ok"), "score");
    server.tick(at);
    const [control] = server.state;
    ensure(control.counted.size <= 64 && control.strays.length <= 3, "memory");
  };
  fuzz(made.map(fromHex), 100, (bytes, draw) => {
    batch.push({ type: types[draw(8) || 0] ?? MESSAGE_FRAGMENT, bytes });
    if (batch.length > draw(8)) judge(draw);
  });
  expect(counted).toBeGreaterThan(0);
});

test("uploads and events: any JSON is read or refused, and never held in full", () => {
  const upload = {
    v: 1,
    phone: "07".repeat(16),
    tuples: [{ c: "AAAA" }, { q: toBase64(fromHex(compact[0].payload)) }, { f: demo.steps[3].line.split(",")[2] }],
  };
  const event = { at: 1_591_354_799, kind: "VIOLATION", id_beacon: "01".repeat(16), silent_s: 500 };
  let uploads = 0;
  let events = 0;
  fuzz(
    [upload, event, { ...upload, tuples: [] }].map((json) => octets(JSON.stringify(json))),
    80,
    (bytes) => {
      let json: unknown;
      try {
        json = JSON.parse(latin1(bytes));
      } catch {
        return;
      }
      const read = readUpload(json);
      if (read) uploads++;
      ensure(!read || (read.messages.length <= MOST_TUPLES && read.messages.every(({ bytes }) => bytes.length <= 256)), "bounds");
      const alert = readEvent(json);
      if (alert) events++;
      ensure(!alert || /^[0-9a-f]{32}$/.test(alert.id_beacon), "id");
    },
  );
  expect(uploads).toBeGreaterThan(0);
  expect(events).toBeGreaterThan(0);
});

test("the demonstration's lines: one that is read is written the same again, and no server falls over any", () => {
  const lines: string[] = demo.steps.flatMap(({ line = [] }: Row) => line);
  const at = "2020-06-05 11:00:05.000000";
  let read = 0;
  let app = new DemoAppBackend();
  const authority = new DemoAuthorityBackend(new Map());
  fuzz([...lines, "App,beacon_01"].map(octets), 80, (bytes, draw) => {
    const text = latin1(bytes);
    const line = parseLine(text);
    if (line) read++;
    ensure(!line || formatLine(line) === text, "read and written");
    if (draw(1000) === 0) app = new DemoAppBackend();
    ensure((app.take(text, at).kind === "refused") === (line === undefined || line.kind === "alert"), "app");
    if (line?.kind !== "alert") ensure(authority.take(text, at) === "refused", "authority");
  });
  expect(read).toBeGreaterThan(0);
});
