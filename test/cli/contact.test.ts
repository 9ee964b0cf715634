import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { scanContact } from "../../host-tools/cli/contact.ts";
import { keysOfToday, payloadNow, type ShowOptions, showContact, tokenOf } from "../../host-tools/cli/contact-show.ts";
import { createOutput } from "../../host-tools/cli/output.ts";
import { hostClockOn } from "../../host-tools/device/host-clock.ts";
import { openMemory } from "../../host-tools/device/memory.ts";
import { openBoard } from "../../host-tools/device/open-board.ts";
import { BluetoothConsole } from "../../host-tools/simulator/bluetooth-console.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { Store } from "../../host-tools/store/store.ts";
import { decodeContactLink, encodeContactLink } from "../../protocols/opencovidtrace/contact-link.ts";
import { tracelet } from "../support/command-line.ts";
import { readCode } from "../support/read-code.ts";
import { expectQuietConsoles, status, WornWorld } from "../support/worn-boards.ts";

const folder = mkdtempSync(join(tmpdir(), "tracelet-contact-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
  expectQuietConsoles();
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const hub = (world: WornWorld) => Store.open(":memory:", { now: () => Math.floor(world.clock.now) });

/** The command in virtual time. What a phone reads off the screen 20 s after it began goes to `scan`, with what cuts the wire. */
async function show(
  world: WornWorld,
  board: VirtualBoard,
  store: Store,
  given: Partial<ShowOptions> = {},
  scan: (link: string, cut: () => void) => void = () => {},
) {
  const options: ShowOptions = { site: "", ...given };
  const printed = { text: "", value: undefined as unknown };
  const output = { ...createOutput(true), result: (value: unknown, text: string) => Object.assign(printed, { text, value }) };
  const { width, height } = board.screen!;
  world.clock.at(world.clock.now + 20, () => {
    const code = board.screen!.shown && readCode(board.screen!.shown, width, height, (pixel) => pixel === (width > 128 ? 0 : 1), 3);
    if (code) scan(code, () => transport.cut());
  });
  // a watch takes a connection for a minute after a long press
  if (board.wristwatch) {
    board.pressButton(1000);
    world.pass(3);
  }
  const transport = openMemory(board.wristwatch ? BluetoothConsole.open(board)! : board, "puck");
  const work = openBoard(transport, { clock: hostClockOn(world.clock) }).then((link) => showContact(link, output, store, options, tokenOf(options)));
  await world.clock.drive(work.finally(() => transport.close()));
  return printed;
}

describe("tracelet contact", () => {
  test.each([
    "pixljs",
    "bangle2",
  ])("a %s shows a code; who scans it and who showed it have each other, and no secret is printed (OCT-09)", async (id) => {
    const world = new WornWorld(1);
    const board = await world.wear({ x: 0, y: 0 }, { board: id });
    world.pass(30);
    const [ours, theirs] = [hub(world), hub(world)];
    await theirs.enterBoard({ logId: "ff".repeat(8), name: "puck-02" });
    const answerFile = join(folder, `${id}.json`);
    let link = "";
    let scanned: ReturnType<typeof scanContact> | undefined;
    const shown = await show(world, board, ours, { answer: answerFile }, (text) => {
      link = text;
      scanned = scanContact(theirs, "ff".repeat(8), text, world.clock.now);
      scanned.then(({ answer }) => writeFileSync(answerFile, `${JSON.stringify(answer)}\n`));
    });
    expect(shown.value).toMatchObject({ answered: true, seconds: 60 });
    const { payload, key } = decodeContactLink(link)!;
    const [their] = await theirs.contacts();
    expect(hex(their!.rollingId) + hex(their!.meta)).toBe(hex(payload));
    expect(their).toMatchObject({ board: "ff".repeat(8), way: "scanned" });
    const [our] = await ours.contacts();
    expect(our).toMatchObject({ way: "answer", day: Math.floor(world.clock.now / 86_400) });
    // the answer is made with their keys of the day
    const [theirDay] = await theirs.contactKeys("ff".repeat(8));
    const keys = join(folder, `${id}-keys.json`);
    writeFileSync(keys, JSON.stringify({ keys: [{ value: Buffer.from(theirDay!.dailyKey).toString("base64"), day: theirDay!.day }] }));
    const printed = JSON.stringify([shown, (await scanned)!.isNew]);
    for (const secret of [key, payload, theirDay!.dailyKey]) expect(printed).not.toContain(Buffer.from(secret).toString("base64").slice(0, 12));
    // answered: the screen is dark again, and the board goes on as before
    expect(board.screen!.on).toBe(false);
    world.pass(100);
    expect(status(board)).toMatchObject({ er: [0, 0, 0] });
    board.pressButton(200);
    world.pass(11);
    expect(board.screen!.on).toBe(false);
  });

  test("a code is shown for a minute, by the board alone where the wire is cut, and its key opens nothing after two (OCT-09)", async () => {
    const world = new WornWorld(2);
    const board = await world.wear({ x: 0, y: 0 }, { board: "pixljs" });
    const store = hub(world);
    const answerFile = join(folder, "late.json");
    let link = "";
    const begun = world.clock.now;
    world.clock.at(begun + 50, () => {
      link = readCode(board.screen!.shown!, 128, 64, undefined, 3) ?? "";
    });
    const shown = await show(world, board, store, { answer: answerFile });
    expect(shown).toMatchObject({ value: { answered: false }, text: expect.stringContaining("no answer came") });
    expect(world.clock.now - begun).toBeGreaterThan(119);
    expect(world.clock.now - begun).toBeLessThan(125);
    expect(await store.contacts()).toEqual([]);
    // a minute is past: the scanner refuses it too, and says why without a word of it
    await store.enterBoard({ logId: "ee".repeat(8) });
    const late = scanContact(store, "ee".repeat(8), link, world.clock.now);
    await expect(late).rejects.toMatchObject({ code: "link_expired", message: expect.stringMatching(/made 1\d\d s ago/) });
    await expect(late).rejects.not.toThrow(link.slice(40, 60));
    const seen: boolean[] = [];
    const cutAt = world.clock.now;
    for (const seconds of [40, 65]) world.clock.at(cutAt + seconds, () => seen.push(board.screen!.on));
    await show(world, board, store, {}, (_, cut) => cut());
    world.pass(10);
    expect(seen).toEqual([true, false]);
  });

  test("an answer to another code is refused, and so is a board without a screen, or with too small a one (OCT-09)", async () => {
    const world = new WornWorld(3);
    const board = await world.wear({ x: 0, y: 0 }, { board: "pixljs" });
    const store = hub(world);
    const answerFile = join(folder, "other.json");
    const other = show(world, board, store, { answer: answerFile }, () =>
      writeFileSync(answerFile, `${JSON.stringify({ secret: Buffer.alloc(32).toString("base64"), tst: 1 })}\n`),
    );
    await expect(other).rejects.toMatchObject({ code: "bad_answer", message: expect.stringContaining("another code") });
    expect(board.screen!.on).toBe(false);
    expect(() => tokenOf({ site: "", answer: answerFile })).toThrow(/there already/);
    await expect(show(world, board, store, { site: `https://example.org/${"x".repeat(150)}/` })).rejects.toMatchObject({ code: "too_long" });
    const puck = await world.wear({ x: 1, y: 0 });
    const options = { site: "" };
    const without = world.talk(puck, (link) => showContact(link, createOutput(true), store, options, "-"));
    await expect(without).rejects.toMatchObject({ code: "no_screen", message: expect.stringContaining("take a Pixl.js or a Bangle.js 2") });
  });

  test("from the scan to the match on the command line, with places and marks (OCT-03, OCT-07, OCT-10)", async () => {
    const db = join(folder, "hub.db");
    const now = Math.floor(Date.now() / 1000);
    const [ann, bob] = ["aa".repeat(8), "bb".repeat(8)];
    const setup = Store.open(db);
    await setup.enterBoard({ logId: ann, name: "ann" });
    await setup.enterBoard({ logId: bob, name: "bob" });
    // Ann's hub makes what its screen would show; Bob scans it
    const own = { board: ann, day: Math.floor(now / 86_400), dailyKey: new Uint8Array(16).fill(1), metaKey: new Uint8Array(16).fill(2) };
    await setup.contactKeysOf(own);
    await setup.close();
    const store = Store.open(db);
    const payload = payloadNow(await keysOfToday(store, ann, now), now);
    await store.close();
    const link = encodeContactLink({ platform: "a", token: "secret-token", payload, key: new Uint8Array(16).fill(3), time: now * 1000 });
    const linkFile = join(folder, "link.txt");
    writeFileSync(linkFile, `https://example.org/${link}\n`);
    const out = join(folder, "answer.json");
    const scanned = await tracelet("contact", "scan", "--db", db, "--board", "bob", "--link-file", linkFile, "--out", out, "--json");
    expect(scanned).toMatchObject({ exit: 0, err: "" });
    expect(JSON.parse(scanned.out)).toEqual({ board: bob, new: true, answer: out });
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(out, "utf8"))).toMatchObject({ token: "secret-token", platform: "a", tst: now * 1000 });
    writeFileSync(linkFile, "https://example.org/app/login?k=verysecret\n");
    const bad = await tracelet("contact", "scan", "--db", db, "--board", "bob", "--link-file", linkFile);
    expect(bad).toMatchObject({ exit: 1, err: expect.stringContaining("no contact link") });
    expect(bad.err).not.toContain("verysecret");

    // Ann tests positive
    const places = join(folder, "places.json");
    const keys = join(folder, "keys.json");
    const publish = (...more: string[]) =>
      tracelet("contact", "keys", "--db", db, "--board", "ann", "--places", places, "--out", keys, "--json", ...more);
    writeFileSync(places, "[]");
    expect(JSON.parse((await publish()).out)).toMatchObject({ keys: 0, withoutPlace: 1 });
    rmSync(keys);
    writeFileSync(places, JSON.stringify([{ day: own.day, lat: 48.1, lng: 11.5 }]));
    expect(JSON.parse((await publish()).out)).toMatchObject({ keys: 1, withoutPlace: 0 });
    expect(readFileSync(keys, "utf8")).not.toContain("meta");
    rmSync(keys);
    await publish("--meta");
    const [published] = JSON.parse(readFileSync(keys, "utf8")).keys;
    expect(published.border.maxLat).toBeGreaterThan(48.14);
    expect(published.meta).toBe(Buffer.alloc(16, 2).toString("base64"));

    const match = async () => JSON.parse((await tracelet("match", keys, "--db", db, "--protocol", "opencovidtrace", "--json")).out);
    const found = await match();
    expect(found).toMatchObject({ exposures: [{ board: bob, way: "scanned", sentAt: now, position: null }], safe: [], keys: 1, contacts: 1 });
    const text = await tracelet("match", keys, "--db", db, "--protocol", "opencovidtrace");
    expect(text.out).toMatch(/^1 exposure: 1 key looked for in 1 contact\n.*board bbbbbbbbbbbbbbbb, by QR code/);

    const day = new Date(now * 1000).toISOString().slice(0, 10);
    expect(await tracelet("mark", "safe", "--db", db, "--board", "bob")).toMatchObject({ exit: 2 });
    const marked = await tracelet("mark", "safe", "--db", db, "--board", "bob", "--from", day, "--to", day, "--note", "a wall between");
    expect(marked).toMatchObject({ exit: 0, out: expect.stringContaining("a wall between") });
    // each command opens the database anew: the mark is kept
    expect(await match()).toMatchObject({ exposures: [], safe: [{ board: bob }] });
    const safeText = await tracelet("match", keys, "--db", db, "--protocol", "opencovidtrace");
    expect(safeText.out).toMatch(/^0 exposures: .*\n1 more marked as safe, which don't count:\n/);
    const exported = join(folder, "export");
    await tracelet("export", "--db", db, "--out", exported, "--protocol", "opencovidtrace");
    expect(readFileSync(join(exported, "opencovidtrace.csv"), "utf8")).toMatch(
      /^board;received;day;identifier;meta;way;safe\nbbbbbbbbbbbbbbbb;\d+;\d+;[0-9a-f]{32};[0-9a-f]{32};scanned;safe\n$/,
    );
    expect((await tracelet("mark", "list", "--db", db)).out).toContain("1  safe, board bbbbbbbbbbbbbbbb");
    expect(await tracelet("mark", "remove", "1", "--db", db)).toMatchObject({ exit: 0 });
    expect(await tracelet("mark", "remove", "1", "--db", db)).toMatchObject({ exit: 2 });
    expect((await match()).exposures).toHaveLength(1);

    const nowhere = join(folder, "nowhere.db");
    for (const argv of [
      ["mark", "remove", "1"],
      ["mark", "safe", "--board", "bob", "--identifier", "0011223344"],
      ["contact", "scan", "--board", "bob", "--link-file", linkFile],
    ])
      expect((await tracelet(...argv, "--db", nowhere)).err).toContain("there is no such database");
    expect(existsSync(nowhere)).toBe(false);

    // 14 days beside today
    const later = Store.open(db);
    await later.purge((own.day + 15) * 86_400 - 1, 14);
    expect([(await later.contacts()).length, (await later.contactKeys(ann)).length]).toEqual([1, 1]);
    expect(await later.purge((own.day + 15) * 86_400, 14)).toMatchObject({ encounters: 1, keys: 2 });
    expect([(await later.contacts()).length, (await later.contactKeys(ann)).length]).toEqual([0, 0]);
    await later.close();
  });
});
