import type { Air } from "./air.ts";
import { Radio } from "./radio.ts";
import type { Callback, RadioHost } from "./radio-host.ts";
import type { VirtualBoard } from "./virtual-board.ts";

/** Nobody has published what a Bangle.js 2 regulates to. */
const REGULATED_VOLTS = 3.3;

/** Gives boards a radio in this air: `new VirtualBoard({ ..., radio: radioIn(air) })`. */
export function radioIn(air: Air | undefined): (board: VirtualBoard) => Radio {
  return (board) => new Radio(hostOf(board, air));
}

function hostOf(board: VirtualBoard, air: Air | undefined): RadioHost {
  return {
    clock: board.clock,
    facts: board.facts,
    air,
    factoryAddress: board.address,
    random: () => board.random(),
    processorTime: () => board.processorTime,
    call(fn: Callback, args, queueBytes) {
      const run = () => board.callScript(fn, args);
      if (queueBytes > 0) board.queueCall(queueBytes, run);
      else board.enqueue(run);
    },
    print: (text) => board.print(text),
    throwError(message, type = "Error") {
      throw board.realm.error(message, type);
    },
    makeArrayBuffer: (bytes) => board.realm.arrayBuffer(bytes),
    makeObject: (plain) => board.realm.object(plain),
    makeArray: (items) => board.realm.array(items),
    onStackRestart: (ms) => board.onStackRestart(ms),
    // behind a regulator it doesn't show how full a cell is
    batteryVolts: () => (board.facts.battery ? Math.min(REGULATED_VOLTS, board.batteryVolts) : board.batteryVolts),
    linkChanged: (up) => board.linkChanged(up),
    uartReceived: (bytes) => board.uartReceived(bytes),
  };
}
