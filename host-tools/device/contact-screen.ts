import type { BoardFacts } from "../../boards/board-facts.ts";
import { BOARDS, findBoard } from "../../boards/index.ts";
import { ConfigError, DeviceError } from "../errors.ts";
import { qrCode } from "../label/qr-code.ts";
import { codeImage } from "../label/screen-image.ts";
import type { Board } from "./board.ts";

// A QR code on a board's screen for a while. The hub draws it by way of the console: the firmware knows nothing of it, and no bundle pays for it.

/** Blank modules around a QR code. Source: ISO/IEC 18004, quiet zone. */
const QUIET = 4;
/** Global variable on the board while a code is shown: its end. */
const SHOWN = "TC";

type Screen = NonNullable<BoardFacts["screen"]>;

/** What a kind of screen takes to come on for `ms`, before anything is drawn; to be drawn on, black on white; to be as it was. `o` on the board is what `ready` answers. */
interface Manner {
  ready(ms: number): string;
  blank: string;
  end: string;
  /** Dots a module at least, to be read by a phone. */
  leastScale: number;
}
const MANNERS: { [power: string]: Manner } = {
  "Pixl.setLCDPower": {
    ready: () => "Pixl.setLCDPower(true)",
    blank: "g.clear(true)",
    end: "g.clear(true).flip();Pixl.setLCDPower(false)",
    leastScale: 1,
  },
  // a watch locks and darkens by itself; woken, the firmware draws its page, so the code comes after that
  "Bangle.setLCDPower": {
    ready: (ms) =>
      `(function(o){Bangle.setOptions({lockTimeout:${ms},lcdPowerTimeout:${ms},backlightTimeout:${ms}});Bangle.setLCDPower(true);Bangle.setLocked(false);` +
      "return{lockTimeout:o.lockTimeout,lcdPowerTimeout:o.lcdPowerTimeout,backlightTimeout:o.backlightTimeout}})(Bangle.getOptions())",
    blank: 'g.reset().setBgColor("#fff").setColor("#000").clear()',
    end: "g.clear(true).flip();Bangle.setOptions(o);Bangle.setLCDPower(false);Bangle.setLocked(true)",
    leastScale: 2,
  },
};

function screenOf(board: Board): { screen: Screen; manner: Manner } {
  const facts = findBoard(board.identity.board);
  const manner = MANNERS[facts?.screen?.power ?? ""];
  if (facts?.screen && manner) return { screen: facts.screen, manner };
  const others = BOARDS.filter(({ screen }) => screen?.power).map(({ name }) => name);
  throw new ConfigError(
    "no_screen",
    `${board.name}: a ${facts?.name ?? board.identity.board} has no screen for a QR code; take a ${others.join(" or a ")}`,
  );
}

/** @throws ConfigError "no_screen", before the board is asked for anything else */
export function requireScreen(board: Board): void {
  screenOf(board);
}

/**
 * Shows `text` as a QR code for so many seconds; the board ends it by itself, so a wire that is cut leaves no screen on. What the wearer calls up meanwhile takes its place.
 * Answers how to end it before.
 * @throws ConfigError "no_screen", "too_long" where the screen has not enough dots; DeviceError "no_picture"
 */
export async function showCode(board: Board, text: string, seconds: number): Promise<() => Promise<void>> {
  const { screen, manner } = screenOf(board);
  const code = qrCode(text, "L");
  const scale = Math.floor(Math.min(screen.width, screen.height) / (code.size + 2 * QUIET));
  if (scale < manner.leastScale)
    throw new ConfigError(
      "too_long",
      `${board.name}: a QR code of ${text.length} characters has ${code.size} modules a side, more than this screen shows; a shorter address or token, or another board`,
    );
  const [left, top] = [screen.width, screen.height].map((side) => Math.floor((side - code.size * scale) / 2));
  const ms = seconds * 1000;
  const end = async () => {
    await board.repl.evaluate(`global.${SHOWN}?${SHOWN}():0`, undefined, 3);
  };
  await end();
  await board.repl.evaluate(
    `(function(o){global.${SHOWN}=function(){clearTimeout(t);delete global.${SHOWN};${manner.end}};var t=setTimeout(${SHOWN},${ms})})(${manner.ready(ms)})`,
  );
  const image = Buffer.from(codeImage(code)).toString("base64");
  const drawn = await board.repl.evaluate(
    `(function(){if(!global.${SHOWN})return 0;${manner.blank};g.drawImage(atob("${image}"),${left},${top},{scale:${scale}}).flip();return 1})()`,
    undefined,
    3,
  );
  if (drawn !== 1) throw new DeviceError("no_picture", `${board.name}: the screen went off before the code was drawn; try again`);
  return end;
}
