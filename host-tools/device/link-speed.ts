import { findBoard } from "../../boards/index.ts";
import { sleep } from "./host-clock.ts";
import { type BoardIdentity, EMPTY_LINE, type Repl } from "./repl.ts";

/** What both ends try. The chip does more, but its UART has no buffer to speak of while the radio is served. */
export const FAST_BAUD = 115_200;

/** After so many seconds without a word from the hub the board goes back to its usual speed by itself. */
const TRIAL_SECONDS = 3;
const HELD_SECONDS = 30;
const REMINDER_MS = 10_000;
/** From the line that asks for another speed to the change: what the board has still to say must be out. */
const SWITCH_MS = 100;
const PROBE_MS = 400;
const PROBES = 3;
const PROBE = "U*".repeat(40);
/** Global function on the board while the speed is raised: holds it for so many seconds, 0 goes back at once. */
const HOLD = "TL";

export interface RaisedLink {
  baud: number;
  /** Both ends back to their usual speed. Does not throw when the link is gone: the board goes back by itself. */
  restore(): Promise<void>;
}

/**
 * Raises the speed of a wire, if the board's facts say on which pins its console is, and if both ends then understand each other.
 * `undefined`: the speed stays as it was. The pins must be named: without them the interpreter shuts its UART.
 * The board falls back by itself when the hub is cut off, so the next program finds it at its usual speed.
 */
export async function raiseSpeed(repl: Repl, identity: BoardIdentity, fast = FAST_BAUD): Promise<RaisedLink | undefined> {
  const console = findBoard(identity.board)?.console;
  if (!console?.tx || !console.rx || console.device !== "Serial1" || fast <= repl.baud) return undefined;
  const { stream } = repl;
  const { clock, transport } = stream;
  const usual = repl.baud;
  const pins = JSON.stringify({ tx: console.tx, rx: console.rx });
  const setTo = (baud: number) => `Serial1.setup(${baud},${pins})`;
  const toHost = async (baud: number) => {
    await transport.setBaud?.(baud);
    repl.baud = baud;
  };

  await repl.send(
    `(function(t){global.${HOLD}=function(s){if(t)clearTimeout(t);t=setTimeout(function(){t=0;delete global.${HOLD};${setTo(usual)}},s*1000+${SWITCH_MS})};` +
      `${HOLD}(${TRIAL_SECONDS});setTimeout(function(){${setTo(fast)}},${SWITCH_MS})})()`,
  );
  // the line takes its time on the wire before the board counts
  const lineMs = repl.wireMs(320);
  await sleep(clock, lineMs + 2 * SWITCH_MS);
  await toHost(fast);
  const understood = await probe(repl);
  if (!understood) {
    await toHost(usual);
    await sleep(clock, TRIAL_SECONDS * 1000 + 2 * SWITCH_MS);
    // the board has a line of what it took for text meanwhile
    await repl.attach();
    return undefined;
  }
  await repl.send(`${HOLD}(${HELD_SECONDS})`);
  let cancelReminder: () => void = () => {};
  const remind = () => {
    repl.send(`${HOLD}(${HELD_SECONDS})`).catch(() => {});
    cancelReminder = clock.setTimeout(remind, REMINDER_MS);
  };
  cancelReminder = clock.setTimeout(remind, REMINDER_MS);
  return {
    baud: fast,
    async restore() {
      cancelReminder();
      try {
        await repl.send(`global.${HOLD}&&${HOLD}(0)`);
        await sleep(clock, 2 * SWITCH_MS);
        await toHost(usual);
      } catch {
        // the link is gone; the board's own timer lowers its end
      }
    },
  };
}

/** For a board that an earlier program left at the raised speed: lowers both ends if the board's own function for it is there, else stays. */
export async function leaveFastSpeed(repl: Repl, usual: number): Promise<void> {
  const fast = repl.baud;
  await repl.send(`global.${HOLD}&&${HOLD}(0)`);
  await sleep(repl.stream.clock, 2 * SWITCH_MS);
  for (const baud of [usual, fast]) {
    await repl.stream.transport.setBaud?.(baud);
    repl.baud = baud;
    await repl.stream.writeText(EMPTY_LINE);
    if (await probe(repl)) return;
  }
}

async function probe(repl: Repl): Promise<boolean> {
  for (let i = 0; i < PROBES; i++) {
    const echoed = await repl.evaluate(JSON.stringify(PROBE), PROBE_MS).catch(() => undefined);
    if (echoed === PROBE) return true;
  }
  return false;
}
