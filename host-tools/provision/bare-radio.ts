import { z } from "zod";
import { sleep } from "../device/host-clock.ts";
import type { Repl } from "../device/repl.ts";
import { DeviceError } from "../errors.ts";

/** What a board without our firmware hears: any advertisement of anybody. */
export interface HeardAround {
  /** Packets in `seconds`, and devices they came from. */
  packets: number;
  devices: number;
  /** Of the nearest, dBm; null where nothing was heard. */
  strongest: number | null;
  seconds: number;
}

const LISTEN_SECONDS = 2;
/** Senders that are told apart: each costs the board memory. */
const MOST_DEVICES = 50;
/** Global variable on the board while it listens. */
const COUNTS = "TS";
const countsShape = z.tuple([z.number(), z.number(), z.number()]);

/**
 * Has the interpreter itself listen for two seconds. Only for a board on which our firmware does not run: it would take its scan away.
 * @throws DeviceError "radio_failed" with the board's words
 */
export async function listenAround(repl: Repl): Promise<HeardAround> {
  const start =
    `(function(){var s={n:0,k:0,b:-128,a:{}};global.${COUNTS}=s;NRF.setScan(function(d){s.n++;if(d.rssi>s.b)s.b=d.rssi;` +
    `if(s.k<${MOST_DEVICES}&&!s.a[d.id]){s.a[d.id]=1;s.k++}},{window:100,interval:100});return 1})()`;
  try {
    await repl.evaluate(start);
  } catch (error) {
    if (!(error instanceof DeviceError) || error.code !== "board_error") throw error;
    throw new DeviceError(
      "radio_failed",
      `${repl.name}: the radio does not listen (${error.message.slice(repl.name.length + 2)}); switch the board off and on; if it stays so, the board is faulty`,
      { cause: error },
    );
  }
  await sleep(repl.stream.clock, LISTEN_SECONDS * 1000);
  const counts = countsShape.parse(
    await repl.evaluate(`(function(s){NRF.setScan();delete global.${COUNTS};return[s.n,s.k,s.b]})(global.${COUNTS}||{n:0,k:0,b:-128})`),
  );
  const [packets, devices, strongest] = counts;
  return { packets, devices, strongest: packets > 0 ? strongest : null, seconds: LISTEN_SECONDS };
}
