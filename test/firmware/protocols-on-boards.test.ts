import { afterEach, describe, expect, test } from "vitest";
import { aesDecrypt, nodeCrypto } from "../../host-tools/node-crypto.ts";
import { CT10_TAG, DP3T_TAG, DP3T_UNLINKABLE_TAG } from "../../protocols/protocol-tags.ts";
import { COMPACT_TOKEN, MESSAGE_FRAGMENT } from "../../protocols/smartbeacon/advertisement.ts";
import { openToken, type TokenBody } from "../../protocols/smartbeacon/compact-token.ts";
import { messageKeys, openMessageC } from "../../protocols/smartbeacon/open-message.ts";
import { armCore } from "../support/arm-core.ts";
import { allowedBy } from "../support/handed-keys.ts";
import { voicesIn } from "../support/observer.ts";
import { BEACON, ID, messagesIn, SK, setUp } from "../support/sent-messages.ts";
import { expectQuietConsoles, MORNING, setClock, status, type WearOptions, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

const MIDNIGHT = MORNING + 16 * 3600;
const NO_CODE = "E.nativeCall=function(){throw new Error('no')};";

interface Way extends WearOptions {
  /** Run by the interpreter before the firmware. */
  before?: string;
  aes: string;
  sha: string;
}

async function placed({ before, aes, sha, ...board }: Way, options: WearOptions, start = MORNING) {
  const world = new WornWorld(1, start);
  // room for what comes before the firmware
  const made = await world.wear({ x: 0, y: 0 }, { ...options, ...board, ...(before && { ringPages: 3 }) });
  if (before) {
    const { storage } = made;
    storage.write(".boot0", Buffer.from(before, "latin1"));
    world.powerCycle(made);
    setClock(made, world.clock.now);
  }
  return { world, board: made, crypto: () => expect(status(made)).toMatchObject({ cr: aes, sh: sha, er: [0, 0, 0] }) };
}

describe.each<[string, Way]>([
  ["Pixl.js: AES by the SoftDevice, SHA-256 by machine code", { board: "pixljs", machineCode: armCore, aes: "sd", sha: "th" }],
  ["Pixl.js that runs no machine code: SHA-256 in software", { board: "pixljs", aes: "sd", sha: "js" }],
  ["Pixl.js without any native call: all in software", { board: "pixljs", before: NO_CODE, aes: "js", sha: "js" }],
  ["MDBT42Q: AES by the SoftDevice, SHA-256 of the interpreter", { board: "mdbt42q", aes: "sd", sha: "in" }],
  ["nRF52840DK: AES by the SoftDevice S140, SHA-256 by machine code", { board: "nrf52840dk", machineCode: armCore, aes: "sd", sha: "th" }],
])("%s", (_, way) => {
  test.each<[string, string[], number]>([
    ["DP-3T, low-cost (DP-01, DP-02)", ["dp3t", "ct10"], DP3T_TAG],
    ["DP-3T, unlinkable (DP-05)", ["dp3t-unlinkable"], DP3T_UNLINKABLE_TAG],
    ["Contact Tracing v1.0, asked for (CT-01)", ["dp3t", "ct10"], CT10_TAG],
  ])("%s: what is sent before and after midnight is what the keys say", async (_, protocols, tag) => {
    const { world, board, crypto } = await placed(way, { role: "beacon", protocols, settings: { transmit: 1 << tag } }, MIDNIGHT - 3600);
    world.pass(2 * 3600);
    const sent = voicesIn(world.sentBy(board));
    expect(sent.length).toBeGreaterThan(6);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(sent.length);
    const allowed = allowedBy(board);
    for (const { id, from } of sent) expect(allowed(tag, from)).toContain(id);
    crypto();
  });

  test("SmartBeacon: its key opens the MESSAGE C and then the token of each minute (QB-05, QB-09, QB-11)", async () => {
    const { world, board, crypto } = await placed(way, BEACON);
    setUp(board, MESSAGE_FRAGMENT);
    world.pass(300);
    crypto();
    setUp(board, COMPACT_TOKEN);
    world.pass(200);
    const sent = messagesIn(world.sentBy(board));
    const keys = messageKeys(nodeCrypto, SK, "split");
    for (const { from, type, message } of sent) {
      const opened = type === COMPACT_TOKEN ? openToken(nodeCrypto, SK, ID, message) : openMessageC(nodeCrypto, aesDecrypt, keys, message);
      const made = type === COMPACT_TOKEN ? (opened as TokenBody).unix : (opened as number);
      // in software it takes a while to make
      expect(Math.abs(made - from)).toBeLessThan(5);
    }
    expect(sent.filter(({ type }) => type === MESSAGE_FRAGMENT).length).toBeGreaterThan(3);
    expect(sent.filter(({ type }) => type === COMPACT_TOKEN).length).toBeGreaterThan(2);
  });
});
