import { beforeAll, describe, expect, test } from "vitest";
import { crowdedRadio, flashImage, PIXL_SHIM } from "../../bench/interpreter-image.ts";
import { findBoard } from "../../boards/index.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { buildFirmware } from "../../host-tools/generator/bundle.ts";
import { decodeOwnKeys } from "../../host-tools/store/log-decoder.ts";
import { PROOF_ENTRY_BYTES, PROOF_TAG_BYTES } from "../../protocols/device-link.ts";
import { rollingStart } from "../../protocols/gaen/key-schedule.ts";
import { CYCLE_TIME, RETENTION } from "../../protocols/settings.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { NO_INTERPRETER } from "./abilities.ts";
import { HOUR, Site, useSites } from "./site.ts";

/** 2026-03-02 15:00 UTC: midnight comes after nine hours. */
const SET_AT = Date.UTC(2026, 2, 2, 15) / 1000;
const NEIGHBOURS = 50;
/** Of 2,630 variables: what may be in use after a day in a crowd, and what at most while it is heard. */
const { count } = puckjs.variables;
const IN_USE = 0.4 * count;
const AT_MOST = 0.65 * count;
/** On a busy machine; an idle one takes a tenth. */
const PATIENCE_MS = 600_000;

const BUNDLES = [
  ["puckjs", "wearable", 24],
  ["puckjs", "beacon", 24],
  ["puckjs", "scanner", 24],
  // without crypto of their own these can only scan here, and the chip's is not there
  ["pixljs", "scanner", 4],
  ["mdbt42q", "scanner", 4],
] as const;

describe.skipIf(NO_INTERPRETER)("a day on the real interpreter", () => {
  const sites = useSites();

  describe.each(BUNDLES)("%s as a %s, %i hours", (id, role, hours) => {
    const sends = role !== "scanner";
    const hears = role !== "beacon";
    let site: Site;
    let bare: number;
    /** Without crypto of its own a board asks its chip, as soon as it starts. */
    let proves: boolean;

    beforeAll(async () => {
      if (!sites.canPlay()) return;
      proves = id === "puckjs";
      const { code, manifest } = proves
        ? await firmwareFor(role, id)
        : await buildFirmware({ board: findBoard(id)!, role, protocols: ["gaen"], without: ["proof"] });
      const shim = (id === "pixljs" ? PIXL_SHIM : "") + crowdedRadio(NEIGHBOURS);
      const empty = new Site(flashImage("0", shim));
      await empty.interpreter.advance(1000);
      bare = await empty.value("process.memory().usage");
      await empty.close();
      site = sites.at(flashImage(code, shim, manifest));
      await site.interpreter.advance(3000);
      await site.reach();
    });

    test(
      `with ${NEIGHBOURS} neighbours: variables in use stay below 40 %, at most 65 %; midnight brings a key, nothing is lost`,
      async (context) => {
        if (!sites.canPlay()) return context.skip();
        expect(await site.link.status()).toMatchObject({ r: role, e: 1, u: 0, ad: 0 });
        expect(await site.link.setClock(SET_AT, 0, 20)).toBeNull();
        await site.pass(hours * HOUR);
        const inUse = (await site.value("process.memory().usage")) - bare;
        const atMost = Math.max(inUse, (await site.value("most")) - bare);
        console.log(`${id} ${role}: ${inUse} variables in use after ${hours} hours, ${atMost} at most`);
        expect(inUse).toBeLessThan(IN_USE);
        expect(atMost).toBeLessThan(AT_MOST);

        const status = await site.link.status();
        expect(status).toMatchObject({ e: 1, ad: sends ? 1 : 0, er: [0, 0, 0] });
        expect(Math.abs(status.u / 1000 - SET_AT - hours * 3600)).toBeLessThan(10);
        if (sends) expect(status.ro).toBeGreaterThan(90);
        const keys = decodeOwnKeys(await site.link.keys(false)).map((key) => key.rollingStart);
        const today = rollingStart(SET_AT / 600);
        expect(keys).toEqual(sends ? [today, today + 144] : []);
        const records = await site.records();
        expect(records.filter(({ kind }) => kind === "damaged")).toEqual([]);
        if (hears) {
          expect(status.n).toBeGreaterThan(11 * hours * NEIGHBOURS * 8);
          expect(records.filter(({ kind }) => kind !== "clock").length).toBeGreaterThan(Math.min(600, hours * 40));
        }
      },
      PATIENCE_MS,
    );

    test("every command answers, wrong arguments are refused, and what was set outlives a restart with the clock running", async (context) => {
      if (!sites.canPlay()) return context.skip();
      const { link } = site;
      const before = await link.status();
      await link.changeSetting(CYCLE_TIME, 60);
      await link.changeSetting(RETENTION, 7);
      await link.acknowledge(before.hi);
      expect((await link.status()).ak).toBe(before.hi);
      await expect(link.acknowledge(before.hi + 9999)).rejects.toMatchObject({ code: "refused_seq" });
      await expect(link.setClock(5, 0, 0)).rejects.toMatchObject({ code: "refused_arg" });
      expect(Math.abs((await link.setClock(Math.round((await link.status()).u / 1000), 0, 20))!)).toBeLessThan(2000);
      if (proves) {
        // tags of the identifier on the air and of everybody heard
        const proof = await link.tags(new Uint8Array(16).fill(7), true);
        expect(proof[0]).toBe(sends ? 1 : 0);
        expect(proof.length).toBe(1 + PROOF_TAG_BYTES + PROOF_ENTRY_BYTES * (await link.status()).op);
        const proven = link.proven(proof.subarray(1, 1 + PROOF_TAG_BYTES), 5);
        if (sends) await proven;
        else await expect(proven).rejects.toMatchObject({ code: "refused_tag" });
      }
      const fresh = decodeOwnKeys(await link.keys(true));
      if (sends) expect(fresh.at(-1)!.rollingPeriod).toBeGreaterThan(0);
      await site.restart();
      const after = await site.link.status();
      expect(after).toMatchObject({ e: 2, ak: before.hi, er: [0, 0, 0] });
      expect([after.c[CYCLE_TIME], after.c[RETENTION]]).toEqual([60, 7]);
      expect(Math.abs(after.u - before.u)).toBeLessThan(60_000);
      await site.pass(0.5 * HOUR);
      expect((await site.link.status()).ad).toBe(sends ? 1 : 0);
    });

    test("a change of battery: a new era, silent until its clock is set, then on the air with a fresh key", async (context) => {
      if (!sites.canPlay()) return context.skip();
      await site.changeBattery();
      const status = await site.link.status();
      expect(status).toMatchObject({ e: 3, u: 0, ad: 0 });
      expect([status.c[CYCLE_TIME], status.c[RETENTION]]).toEqual([60, 7]);
      await expect(site.link.keys(false)).rejects.toMatchObject({ code: "refused_clk" });
      await site.pass(0.2 * HOUR);
      await site.link.setClock(SET_AT + 2 * 86_400, 0, 20);
      await site.pass(0.1 * HOUR);
      expect((await site.link.status()).ad).toBe(sends ? 1 : 0);
      if (hears) expect((await site.link.status()).n).toBeGreaterThan(NEIGHBOURS * 8 * 10);
    });

    test("on a low battery it scans a quarter as often, and as often as before on a fresh one", async (context) => {
      if (!sites.canPlay()) return context.skip();
      if (!hears) return;
      await site.value("volts=2");
      await site.pass(0.1 * HOUR);
      const low = await site.link.status();
      expect(low).toMatchObject({ ml: 2000, lb: 1, wd: [0, 0] });
      await site.pass(HOUR);
      const rare = (await site.link.status()).n - low.n;
      await site.value("volts=3");
      await site.pass(0.2 * HOUR);
      const fresh = await site.link.status();
      expect(fresh).toMatchObject({ lb: 0 });
      await site.pass(HOUR);
      expect(((await site.link.status()).n - fresh.n) / rare).toBeCloseTo(4, 0);
    });

    test("2038 and 2106, where 32 bits end: clock, keys and rotations go on", async (context) => {
      if (!sites.canPlay()) return context.skip();
      for (const moment of [2 ** 31 - 300, 2 ** 32 - 2 * 86_400]) {
        await site.link.setClock(moment, 0, 20);
        const { ro, t } = await site.link.status();
        await site.pass(0.5 * HOUR);
        const status = await site.link.status();
        expect(Math.abs(status.u / 1000 - moment - 1800)).toBeLessThan(10);
        expect(Math.abs(status.t - t - 1800)).toBeLessThan(10);
        expect(status).toMatchObject({ e: 3, ad: sends ? 1 : 0, er: [0, 0, 0] });
        if (!sends) continue;
        expect(status.ro).toBeGreaterThan(ro);
        expect(decodeOwnKeys(await site.link.keys(false)).at(-1)!.rollingStart).toBe(rollingStart(Math.floor(status.u / 600_000)));
      }
    });

    test("300 identifiers in one scan: it says so or counts them, and goes on", async (context) => {
      if (!sites.canPlay()) return context.skip();
      if (!hears) return;
      await site.value("most=0");
      await site.value("crowd=300");
      await site.pass(0.1 * HOUR);
      const atMost = (await site.value("most")) - bare;
      console.log(`${id} ${role}: ${atMost} variables at most among 300`);
      expect(bare + atMost).toBeLessThan(count);
      expect(site.interpreter.text).not.toMatch(/MEMORY|Uncaught/);
      await site.value("crowd=20");
      await site.pass(0.5 * HOUR);
      const inUse = (await site.value("process.memory().usage")) - bare;
      expect(inUse).toBeLessThan(IN_USE);
      expect(await site.link.status()).toMatchObject({ e: 3, ad: sends ? 1 : 0, er: [0, 0, expect.any(Number)] });
    });
  });
});
