import type { Air } from "./air.ts";
import { Radio } from "./radio.ts";
import type { Callback, RadioHost } from "./radio-host.ts";
import type { VirtualBoard } from "./virtual-board.ts";

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
    batteryVolts: () => board.batteryVolts,
    linkChanged: (up) => board.linkChanged(up),
    uartReceived: (bytes) => board.uartReceived(bytes),
  };
}
