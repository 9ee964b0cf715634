import { writeFileSync } from "node:fs";
import { readLogHead } from "../device/log-head.ts";
import { DeviceError, ToolError } from "../errors.ts";
import { drawLabel, labelText, shortId } from "../label/label.ts";
import { type LinkOptions, withBoard, withLinkOptions } from "./board-session.ts";
import type { RegisterCommand } from "./output.ts";

export const register: RegisterCommand = (program) => {
  withLinkOptions(program.command("label"), ["label --port /dev/ttyUSB0 --name puck-07 --out puck-07.png"])
    .description("draw a board's label: QR code, name and short id, a PNG of 25 mm at 300 dots an inch")
    .option("--name <name>", "name of the board")
    .option("--out <file>", "PNG file to write (default: the name or the short id)")
    .action(async (options: LinkOptions & { name?: string; out?: string }) => {
      await withBoard(options, false, async (board, output) => {
        const head = await readLogHead(board.repl);
        if (!head) throw new DeviceError("no_log", `${board.name}: the board has no log, and so no id; \`tracelet flash\` makes one`);
        const picture = drawLabel(head.id, options.name);
        const file = options.out ?? `${options.name ?? shortId(head.id)}.png`;
        try {
          writeFileSync(file, picture);
        } catch (cause) {
          throw new ToolError("unwritable_file", `${file}: can't be written (${(cause as Error).message}); name another with --out`, { cause });
        }
        const text = labelText(head.id, options.name);
        output.result({ port: options.port, file, logId: head.id, name: options.name ?? null, text }, `${file}: its QR code says "${text}"`);
      });
    });
};
