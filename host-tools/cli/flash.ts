import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { ROLES } from "../../boards/capabilities.ts";
import { BOARDS } from "../../boards/index.ts";
import { durationInWords } from "../device/clock-words.ts";
import { type Bundle, type Flashed, flash } from "../device/flash.ts";
import { ConfigError, FormatError } from "../errors.ts";
import { type LinkOptions, withBoard, withLinkOptions } from "./board-session.ts";
import { buildAsAsked } from "./build.ts";
import { onInterrupt } from "./interrupt.ts";
import type { RegisterCommand } from "./output.ts";

interface FlashCommandOptions extends LinkOptions {
  bundle?: string;
  board?: string;
  role?: string;
  protocol: string;
  without?: string;
  with?: string;
  set: string[];
  erase?: boolean;
  discard?: boolean;
  oldInterpreter?: boolean;
}

/** What is needed here of a manifest; the generator writes more. */
const manifestShape = z.object({
  format: z.literal(1),
  board: z.string(),
  role: z.string(),
  version: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  flash: z.object({ ringPages: z.number(), pagesBehind: z.number().default(0) }),
  log: z.object({ format: z.number() }),
  recovery: z.object({ code: z.string() }).optional(),
});

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new ConfigError(
      "no_file",
      `${file} can't be read (${(cause as NodeJS.ErrnoException).code}); \`tracelet build\` makes a bundle and its manifest`,
      {
        cause,
      },
    );
  }
}

/** What `flash` of device/ wants to know, out of a bundle and its manifest. */
export function toBundle(code: Uint8Array, manifest: z.infer<typeof manifestShape>): Bundle {
  const { board, role, version } = manifest;
  const recovery = manifest.recovery && Buffer.from(manifest.recovery.code, "latin1");
  const { ringPages, pagesBehind } = manifest.flash;
  return { code, board, role, version, logPages: ringPages, pagesBehind, logVersion: manifest.log.format, recovery };
}

/** A bundle and the manifest beside it. @throws FormatError `bad_manifest` where they don't belong together */
export function readBundle(file: string): Bundle {
  const code = read(file);
  const manifestFile = file.replace(/\.js$/, "") + ".manifest.json";
  let value: unknown;
  try {
    value = JSON.parse(read(manifestFile).toString("utf8"));
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new FormatError("bad_manifest", `${manifestFile} is no JSON; build the bundle again`, { cause });
  }
  const manifest = manifestShape.safeParse(value);
  if (!manifest.success)
    throw new FormatError("bad_manifest", `${manifestFile}: ${manifest.error.issues[0].path.join(".")} is missing or wrong; build the bundle again`);
  if (createHash("sha256").update(code).digest("hex") !== manifest.data.sha256)
    throw new FormatError(
      "bad_manifest",
      `${file} is not the bundle that ${manifestFile} describes; build it again. Its bytes are no text: an editor that saves it changes them`,
    );
  return toBundle(code, manifest.data);
}

async function chooseBundle(options: FlashCommandOptions): Promise<Bundle> {
  if (options.bundle !== undefined) {
    if (options.board || options.role)
      throw new ConfigError("usage", "--bundle says what to flash, and so do --board and --role: give one or the other");
    return readBundle(options.bundle);
  }
  if (!options.board || !options.role)
    throw new ConfigError("usage", "what to flash? Give --board and --role, or --bundle with the file of a bundle");
  const { code, manifest } = await buildAsAsked({ ...options, board: options.board, role: options.role });
  return toBundle(Buffer.from(code, "latin1"), manifest);
}

function describe(port: string, result: Flashed): string {
  const { version, replaced, unchanged, role, bytes, seconds, checkedBy, freshLog, logId, logPages } = result;
  if (unchanged) return `${port}: ${version} (${role}) is there already and runs; nothing was written`;
  const from = replaced === null ? "" : replaced === version ? " (the same version was there)" : ` instead of ${replaced}`;
  return [
    `${port}: ${version} (${role})${from} runs; ${bytes} bytes in ${durationInWords(seconds * 1000)}, checked by ${checkedBy}`,
    freshLog ? `  a new, empty log of ${logPages} pages, id ${logId}` : `  log ${logId} was kept`,
    ...(freshLog ? [nextStep(port, role)] : []),
  ].join("\n");
}

function nextStep(port: string, role: string): string {
  if (role === "smartbeacon") return `  set it up next: tracelet smartbeacon setup --port ${port} --new beacon.key`;
  if (role === "token") return `  bring it TempIDs next: tracelet bluetrace load --port ${port} --batch FILE --authority HAI`;
  return `  set its clock next: tracelet time --port ${port}`;
}

export const register: RegisterCommand = (program) => {
  withLinkOptions(program.command("flash"), [
    "flash --port /dev/ttyUSB0 --board puckjs --role wearable",
    "flash --port /dev/ttyUSB0 --bundle out/puckjs-wearable.js",
    "flash --port /dev/ttyUSB0 --board puckjs --role wearable --erase",
  ])
    .description("put firmware on a board; its log is kept")
    .option("--bundle <file>", "a bundle that `tracelet build` made, its manifest beside it")
    .option("--board <id>", `build for this board: ${BOARDS.map((one) => one.id).join(", ")}`)
    .option("--role <role>", Object.keys(ROLES).join(", "))
    .option("--protocol <name[,name]>", "what it speaks", "gaen")
    .option("--without <feature[,feature]>", "leave these features out; `tracelet build --help` names them")
    .option("--with <feature[,feature]>", "put these in, which are left out otherwise, such as lock")
    .option(
      "--set <key=value>",
      "a setting a fresh board starts with; may be given several times",
      (text: string, before: string[]) => [...before, text],
      [],
    )
    .option("--erase", "erase everything on the board first, its log included")
    .option("--discard", "with --erase: also records that were not pulled")
    .option("--old-interpreter", "accept Espruino 2v24 and 2v25, which can lose files")
    .action(async (options: FlashCommandOptions) => {
      const bundle = await chooseBundle(options);
      await withBoard(options, false, async (board, output) => {
        const bar = { current: undefined as ReturnType<typeof output.progress> | undefined };
        const result = await flash(board, bundle, {
          erase: options.erase,
          discard: options.discard,
          oldInterpreter: options.oldInterpreter,
          fast: options.fast,
          onInterrupt,
          say: (text) => process.stderr.write(`tracelet: ${text}\n`),
          onProgress(done, total) {
            bar.current ??= output.progress(options.port, total, "bytes");
            bar.current.advance(done);
          },
        }).finally(() => bar.current?.end());
        output.result({ port: options.port, ...result }, describe(options.port, result));
      });
    });
};
