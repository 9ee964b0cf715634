import { createDecipheriv } from "node:crypto";
import { describe, expect, test } from "vitest";
import { crowdedRadio, flashImage, radioWith } from "../../bench/interpreter-image.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import { readU32 } from "../../protocols/bytes.ts";
import { classify } from "../../protocols/classify.ts";
import { KEY_OF_OTHERS, PAYLOAD_BYTES } from "../../protocols/log-format.ts";
import { DP3T_TAG } from "../../protocols/protocol-tags.ts";
import { TRANSMIT } from "../../protocols/settings.ts";
import { COMPACT_TOKEN, decodeAdvertisement, MESSAGE_FRAGMENT } from "../../protocols/smartbeacon/advertisement.ts";
import { openToken } from "../../protocols/smartbeacon/compact-token.ts";
import { FRAGMENT_HEADER } from "../../protocols/smartbeacon/fragments.ts";
import { messageKeys, openMessageC } from "../../protocols/smartbeacon/open-message.ts";
import { CARRIER_AT, SETUP_BYTES, SINGLE_AT, SK_LENGTH_AT } from "../../protocols/smartbeacon/setup.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { NO_INTERPRETER } from "./abilities.ts";
import { HOUR, type Site, useSites } from "./site.ts";

// Several protocols, and SmartBeacon's messages, by the real interpreter: what it would send is what it gives to the radio.

const SET_AT = Date.UTC(2026, 2, 2, 15) / 1000;
const PATIENCE_MS = 300_000;
const GAEN = 1;
const DP3T = 1 << DP3T_TAG;
/** Keeps what the radio is given, in hex, an advertisement each. */
const KEEPER = "NRF.setAdvertising=function(d){var a=Array.isArray(d)?d:[d];global.sent=a.map(function(u){return btoa(E.toString(u))}).join()};";

async function text(site: Site, expression: string): Promise<string> {
  const mark = `<${Math.random()}>`;
  site.interpreter.type(`\x10print(${expression}+${JSON.stringify(mark)})\n`);
  // a line of its own, after what is left of the one before
  return (await site.interpreter.read(mark)).trim().split(/\s/).at(-1)!;
}
const packetsOf = async (site: Site) => (await text(site, "global.sent")).split(",").map((one) => new Uint8Array(Buffer.from(one, "base64")));

describe.skipIf(NO_INTERPRETER)("several protocols on the real interpreter", () => {
  const sites = useSites();
  async function place(role: string, protocols: string[], shim: string): Promise<Site> {
    const { code, manifest } = await firmwareFor(role, "puckjs", {}, [], protocols);
    const site = sites.at(flashImage(code, shim + KEEPER, manifest));
    await site.interpreter.advance(3000);
    await site.reach();
    return site;
  }

  test(
    "a wearable of GAEN and DP-3T that collects SmartBeacon's messages, among 50 neighbours: sends what it is told to, and has room left",
    async (context) => {
      if (!sites.canPlay()) return context.skip();
      const site = await place("wearable", ["gaen", "dp3t", "smartbeacon"], crowdedRadio(50));
      await site.link.setClock(SET_AT, 0, 20);
      await site.pass(HOUR);
      expect((await packetsOf(site)).map((packet) => classify(packet)?.protocol)).toEqual(["gaen"]);
      await site.link.changeSetting(TRANSMIT, GAEN | DP3T);
      await site.pass(HOUR);
      const sent = await packetsOf(site);
      expect(sent.map((packet) => classify(packet)?.protocol)).toEqual(["gaen", "dp3t"]);
      expect(await site.link.status()).toMatchObject({ ad: 1, er: [0, 0, 0], pr: [GAEN | DP3T | 32, GAEN | DP3T] });
      // the chain is in the log, whole
      const keys = await site.link.keys(false);
      const parts = Array.from({ length: keys.length / PAYLOAD_BYTES }, (_, i) => keys.subarray(i * PAYLOAD_BYTES, (i + 1) * PAYLOAD_BYTES));
      expect(parts.filter((part) => part[21] === KEY_OF_OTHERS && part[22] === DP3T_TAG).map((part) => [readU32(part, 16), part[23]])).toEqual(
        [0, 1, 2].map((n) => [Math.floor(SET_AT / 86_400) * 144, n]),
      );
      const inUse = await site.value("process.memory().usage");
      console.log(`wearable of three protocols: ${inUse} of ${puckjs.variables.count} variables, the radio's stand-in included`);
      expect(inUse).toBeLessThan(0.75 * puckjs.variables.count);
      // more identifiers in one scan than it has places and guests for
      await site.value("crowd=300");
      await site.pass(0.1 * HOUR);
      const atMost = await site.value("most");
      console.log(`the same among 300: ${atMost} at most`);
      expect(site.interpreter.text).not.toMatch(/MEMORY|Uncaught/);
      await site.value("crowd=50");
      await site.restart();
      await site.pass(HOUR);
      expect(await site.link.status()).toMatchObject({ ad: 1, er: [0, 0, 0], pr: [GAEN | DP3T | 32, GAEN | DP3T] });
    },
    PATIENCE_MS,
  );

  test(
    "a SmartBeacon's messages open with its key: fragments of MESSAGE C, then compact tokens",
    async (context) => {
      if (!sites.canPlay()) return context.skip();
      const site = await place("smartbeacon", ["smartbeacon"], radioWith("function(){}"));
      await site.link.setClock(SET_AT, 0, 20);
      const setup = Buffer.alloc(SETUP_BYTES, 7);
      setup.fill(0, SINGLE_AT);
      setup[SK_LENGTH_AT] = 32;
      const sk = new Uint8Array(32).fill(7);
      const decrypt = (key: Uint8Array, blocks: Uint8Array) =>
        new Uint8Array(createDecipheriv("aes-128-ecb", key, null).setAutoPadding(false).update(blocks));
      for (const carrier of [MESSAGE_FRAGMENT, COMPACT_TOKEN]) {
        setup[CARRIER_AT] = carrier;
        site.interpreter.type(`\x10T.b("${setup.toString("base64")}")\n`);
        await site.pass(150_000);
        const { u } = await site.link.status();
        const payloads = (await packetsOf(site)).map((packet) => decodeAdvertisement(packet)!);
        if (carrier === COMPACT_TOKEN) {
          const token = openToken(nodeCrypto, sk, new Uint8Array(16).fill(7), payloads[0]);
          expect(token).toMatchObject({ status: 0, boot: 1 });
          expect(Math.abs((token as { unix: number }).unix - u / 1000)).toBeLessThan(65);
        } else {
          const message = Buffer.concat(payloads.map((payload) => payload.subarray(FRAGMENT_HEADER)));
          const unix = openMessageC(nodeCrypto, decrypt, messageKeys(nodeCrypto, sk, "split"), message);
          expect(Math.abs((unix as number) - u / 1000)).toBeLessThan(65);
        }
      }
    },
    PATIENCE_MS,
  );
});
