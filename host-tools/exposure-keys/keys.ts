import { z } from "zod";
import type { ExposureKey } from "../../protocols/gaen/export-file.ts";
import { ROLLING_PERIOD } from "../../protocols/gaen/key-schedule.ts";
import { FormatError } from "../errors.ts";
import { parseMhLine } from "../store/mh-csv.ts";

// TEKs as people have them in files. A message about such a file names lines and fields, never a key.

const TEK_BYTES = 16;
const MAX_INTERVAL = Math.floor((2 ** 32 - 1) / 600);

export interface ReadTeks {
  keys: ExposureKey[];
  /** Lines that were passed over, each with its number and what is wrong with it. */
  problems: string[];
}

/** 32 hex digits or the base64 of 16 bytes; what is 32 characters long can only be the first. */
const tekText = z.string().transform((text, context) => {
  const isHex = /^[0-9a-fA-F]{32}$/.test(text);
  const bytes = isHex || /^[A-Za-z0-9+/]{22}(==)?$/.test(text) ? new Uint8Array(Buffer.from(text, isHex ? "hex" : "base64")) : undefined;
  if (bytes?.length === TEK_BYTES) return bytes;
  context.addIssue({ code: "custom", message: "32 hex digits or the base64 of 16 bytes expected" });
  return z.NEVER;
});

const tekObject = z.object({
  tek: tekText,
  rollingStart: z.int().min(0).max(MAX_INTERVAL),
  rollingPeriod: z.int().min(1).max(ROLLING_PERIOD).default(ROLLING_PERIOD),
  transmissionRisk: z.int().min(0).max(8).default(0),
  reportType: z.int().min(0).max(5).optional(),
  daysSinceOnset: z.int().min(-14).max(14).optional(),
});

/**
 * Reads TEKs from the text of a file: `tek_data.csv` of the peer tool (`i0;hex;base64`, valid 144 intervals), or a JSON list of
 * `{ tek, rollingStart, rollingPeriod?, transmissionRisk?, reportType?, daysSinceOnset? }` with `tek` in hex or base64. Other fields are left alone. An object that has such a list under `gaen` is as good.
 * Lines of the CSV that are no key are reported and passed over (MH-02); JSON is right as a whole or refused.
 *
 * @param from what to call the file in an error.
 * @throws FormatError `bad_teks`
 */
export function readTeks(text: string, from: string): ReadTeks {
  return /^\s*[[{]/.test(text) ? readJson(text, from) : readCsv(text, from);
}

function readJson(text: string, from: string): ReadTeks {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // What the parser says may quote the text around the fault, which may be a key.
    throw new FormatError("bad_teks", `${from} begins like JSON but is none. Expected: [{ "tek": …, "rollingStart": …, "rollingPeriod": … }].`);
  }
  return { keys: readTekObjects(isByProtocol(value) ? value.gaen : value, from), problems: [] };
}

/** As `tracelet keys pull` writes the keys of a board with several protocols. */
function isByProtocol(value: unknown): value is { gaen: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && "gaen" in value;
}

/** The same out of parsed JSON. @throws FormatError `bad_teks` */
export function readTekObjects(value: unknown, from: string): ExposureKey[] {
  const parsed = z.array(tekObject).safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where =
      issue.path.length > 0 ? `entry ${Number(issue.path[0]) + 1}${issue.path.length > 1 ? `, ${issue.path.slice(1).join(".")}` : ""}: ` : "";
    throw new FormatError("bad_teks", `${from}: ${where}${issue.message}. Expected: [{ "tek": …, "rollingStart": …, "rollingPeriod": … }].`);
  }
  return parsed.data.map(({ tek, ...rest }) => ({ key: tek, ...rest }));
}

function readCsv(text: string, from: string): ReadTeks {
  const keys: ExposureKey[] = [];
  const problems: string[] = [];
  let sawHeader = false;
  text.split("\n").forEach((raw, index) => {
    const line = raw.replace(/\r$/, "");
    if (line === "") return;
    const parsed = parseMhLine("tek_data", line);
    if ("problem" in parsed) problems.push(`line ${index + 1}: ${parsed.problem}`);
    else if ("header" in parsed) sawHeader = true;
    else if (parsed.row.kind === "tek_data") {
      keys.push({ key: parsed.row.tek, transmissionRisk: 0, rollingStart: parsed.row.rollingStart, rollingPeriod: ROLLING_PERIOD });
    }
  });
  if (keys.length === 0 && !sawHeader) {
    const first = problems[0] ? ` (${problems[0]})` : "";
    throw new FormatError("bad_teks", `${from} has no TEK in it${first}. Expected: tek_data.csv with lines i0;hex;base64, or a JSON list.`);
  }
  return { keys, problems };
}
