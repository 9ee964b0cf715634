import { toByteString } from "./byte-arguments.ts";
import type { VirtualBoard } from "./virtual-board.ts";

export type BootReason =
  | { kind: "power"; autoLoad: boolean }
  | { kind: "reboot"; autoLoad: boolean }
  | { kind: "reset"; autoLoad: boolean }
  | { kind: "load"; autoLoad: boolean; file?: string };

export interface BootHost {
  board: VirtualBoard;
  freshRealm(): void;
  /** Memory that scripts take from now on stays taken. */
  loading(on: boolean): void;
}

const BANNER = [
  "",
  " ____                 _ ",
  "|  __|___ ___ ___ _ _|_|___ ___ ",
  "|  __|_ -| . |  _| | | |   | . |",
  "|____|___|  _|_| |___|_|_|_|___|",
  "         |_| espruino.com",
].join("\n");
const COPYRIGHT_YEAR = 2026;
/** Boards whose sale supports Espruino show no call for donations. */
const OFFICIAL = new Set(["puckjs", "pixljs", "mdbt42q", "bangle2", "joltjs"]);
const DONATIONS = "\nEspruino is Open Source. Our work is supported\nonly by sales of official boards and donations:\nhttp://espruino.com/Donate\n";

/** Starts the interpreter: which files run, in which order, and what the console shows. Source: Espruino 2v29, jsiSemiInit, jsiSoftInit, jsfLoadBootCodeFromFlash. */
export function boot(host: BootHost, reason: BootReason): void {
  const { board } = host;
  const { storage } = board;
  const first = reason.kind === "power" || reason.kind === "reboot";
  const plainLoad = reason.kind === "load" && reason.file === undefined;
  host.freshRealm();
  if (plainLoad) board.console.clear(false);
  else board.console.reset();
  if (reason.kind === "load" && reason.file !== undefined) board.realm.define("__FILE__", reason.file);
  if (first && !storage.valid()) {
    board.console.write("Storage is corrupt.\nErasing Storage Area...\n");
    storage.eraseAll();
    board.console.write("Erase complete.\n");
  }
  const saved = storage.find(".bootcde") ?? storage.find(".bootrst");
  const quiet = plainLoad || (reason.autoLoad && saved !== undefined);
  host.loading(true);
  const run = (name: string, shownAs = name): boolean => {
    const code = storage.read(name);
    if (code && board.powered) board.runFile(name, toByteString(code), shownAs);
    return code !== undefined;
  };
  if (first) run(".bootPowerOn");
  for (const name of [".boot0", ".boot1", ".boot2", ".boot3"]) run(name);
  if (!run(".bootrst", "boot code") && reason.autoLoad) run(".bootcde", "boot code");
  board.fireE("init");
  // What a file declares is no property of the global object here.
  const onInit = board.realm.run('typeof onInit==="function"?onInit:undefined');
  if (typeof onInit === "function") {
    if (!board.console.silent) board.console.write("Running onInit()...\n");
    board.callScript(onInit, []);
  }
  if (!board.console.silent && !plainLoad) {
    if (!quiet) {
      const donations = OFFICIAL.has(board.facts.id) ? "" : DONATIONS;
      board.console.write(`\x1b[?7l${BANNER}\n ${board.firmware} (c) ${COPYRIGHT_YEAR} G.Williams\n${donations}`);
      if (storage.find("ERROR"))
        board.console.write(
          "\nAn Uncaught Error has been saved to Storage. Please type:\n  require('Storage').read('ERROR') to view it\n  require('Storage').erase('ERROR') to clear it\n",
        );
    }
    board.console.write("\n");
    board.console.lineRemoved = true;
  }
  if (reason.kind === "load" && reason.file !== undefined) run(reason.file);
  host.loading(false);
}
