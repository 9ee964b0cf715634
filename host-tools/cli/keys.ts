import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import type { ExposureKey } from "../../protocols/gaen/export-file.ts";
import { INTERVAL_SECONDS } from "../../protocols/gaen/key-schedule.ts";
import { ConfigError, FormatError } from "../errors.ts";
import { type ReadExport, readExport } from "../exposure-keys/export-zip.ts";
import { readTeks } from "../exposure-keys/keys.ts";
import { type ExportRequest, makeExportFile, makeExportZip } from "../exposure-keys/make-export.ts";
import { newKeyPair, readPrivateKey, readPublicKey } from "../exposure-keys/signature.ts";
import { createOutput, type RegisterCommand } from "./output.ts";

interface MakeOptions {
  teks: string[];
  out: string;
  sign?: string;
  newKey?: string;
  region: string;
  keyId: string;
  keyVersion: string;
  json?: boolean;
}
interface ShowOptions {
  publicKey?: string;
  keyId: string;
  keyVersion: string;
  reveal?: boolean;
  json?: boolean;
}

/** Lines of keys that `keys show` prints for a person; `--json` has all. */
const SHOWN_KEYS = 20;
const REPORT_TYPES = ["unknown", "confirmed test", "clinical", "self report", "recursive", "revoked"];

export const register: RegisterCommand = (program) => {
  const group: Command =
    program.commands.find((command) => command.name() === "keys") ?? program.command("keys").description("make and look into files of exposure keys");
  group
    .command("make")
    .description("make an export of exposure keys out of TEKs, as a diagnosis server publishes it")
    .requiredOption("--teks <file...>", "tek_data.csv of the peer tool, or a JSON list of {tek, rollingStart, rollingPeriod}")
    .requiredOption("--out <file>", "export.zip to write; with a name that ends in .bin a bare export.bin without signature")
    .option("--sign <file>", "private key that signs, PEM, curve P-256")
    .option("--new-key <prefix>", "make a pair of keys, PREFIX.private.pem and PREFIX.public.pem, and sign with it")
    .option("--region <code>", "region that the file is for", "XX")
    .option("--key-id <id>", "id under which readers know the signing key", "310")
    .option("--key-version <version>", "its version", "v1")
    .option("--json", "print one JSON document")
    .action((options: MakeOptions) => make(options));
  group
    .command("show")
    .description("tell what an export contains")
    .argument("<export>", "export.zip, or a bare export.bin")
    .option("--public-key <file>", "check the signature with this key, PEM or base64 SPKI; without it nothing is checked")
    .option("--key-id <id>", "id of that key", "310")
    .option("--key-version <version>", "its version", "v1")
    .option("--reveal", "print whole keys, not their first digits")
    .option("--json", "print one JSON document")
    .action((file: string, options: ShowOptions) => show(file, options));
};

function make(options: MakeOptions): void {
  const output = createOutput(options.json === true);
  const bare = options.out.endsWith(".bin");
  if (options.sign && options.newKey)
    throw new ConfigError("two_keys", "--sign and --new-key exclude each other: a file is signed by the key you have, or by a new one.");
  if (!bare && !options.sign && !options.newKey) {
    throw new ConfigError(
      "no_key",
      "An export.zip needs a signature: give --sign PRIVATE.pem, or --new-key PREFIX to make a key. A bare export.bin has none.",
    );
  }
  if (bare && (options.sign || options.newKey))
    throw new ConfigError("no_signature", "A bare export.bin can't carry a signature: leave --sign and --new-key out, or write a .zip.");
  for (const [option, text] of Object.entries({ "--region": options.region, "--key-id": options.keyId, "--key-version": options.keyVersion })) {
    if (!/^[\x20-\x7e]{1,64}$/.test(text))
      throw new ConfigError("bad_name", `${option}: 1 to 64 ASCII characters expected, as every reader has to type it.`);
  }
  const keys = readAllTeks(options.teks, (line) => process.stderr.write(`${line}\n`));
  const request: Omit<ExportRequest, "signers"> = {
    keys,
    region: options.region,
    // Out of the keys and not off the clock: the same keys make the same file.
    start: INTERVAL_SECONDS * keys.reduce((first, { rollingStart }) => Math.min(first, rollingStart), Number.POSITIVE_INFINITY),
    end: INTERVAL_SECONDS * keys.reduce((last, { rollingStart, rollingPeriod }) => Math.max(last, rollingStart + rollingPeriod), 0),
  };
  const names = { id: options.keyId, version: options.keyVersion };
  if (bare) {
    write(options.out, makeExportFile({ ...request, signers: [] }));
  } else {
    const privateKey = options.newKey ? createKeyFiles(options.newKey) : readPrivateKey(readText(options.sign ?? ""), options.sign ?? "");
    write(options.out, makeExportZip({ ...request, signers: [{ ...names, privateKey }] }));
  }
  const made = { out: options.out, keys: keys.length, start: request.start, end: request.end, region: request.region, signedBy: bare ? null : names };
  const lines = [`${options.out}: ${count(keys.length, "key")}, in use from ${time(request.start)} to ${time(request.end)} UTC`];
  lines.push(bare ? "Not signed: readers must be told to take it all the same." : `Signed as id ${names.id} version ${names.version}.`);
  if (options.newKey) lines.push(`New signing key: ${options.newKey}.private.pem (keep it secret). Readers get ${options.newKey}.public.pem.`);
  output.result(
    { ...made, newKey: options.newKey ? { privateKey: `${options.newKey}.private.pem`, publicKey: `${options.newKey}.public.pem` } : null },
    lines.join("\n"),
  );
}

/** All keys of all files, each once: of a key that is there twice, the longer period. `warn` gets a line for each that can't be read. */
function readAllTeks(files: string[], warn: (line: string) => void): ExposureKey[] {
  const unique = new Map<string, ExposureKey>();
  for (const file of files) {
    const { keys, problems } = readTeks(readText(file), file);
    for (const problem of problems) warn(`${file}: ${problem}; passed over`);
    for (const key of keys) {
      const name = `${Buffer.from(key.key).toString("hex")} ${key.rollingStart}`;
      const known = unique.get(name);
      if (!known || known.rollingPeriod < key.rollingPeriod) unique.set(name, key);
    }
  }
  if (unique.size === 0) {
    throw new FormatError(
      "no_teks",
      `There is no TEK in ${files.join(", ")}, so there is nothing to publish. A board hands its keys over with: tracelet keys pull`,
    );
  }
  return [...unique.values()];
}

/** Writes a fresh pair beside `prefix`. Never over a key that is there: what it signed could not be replaced. */
function createKeyFiles(prefix: string) {
  const [privateFile, publicFile] = [`${prefix}.private.pem`, `${prefix}.public.pem`];
  for (const file of [privateFile, publicFile]) {
    if (existsSync(file))
      throw new ConfigError(
        "key_exists",
        `${file} is there already and is not overwritten. Sign with it (--sign ${privateFile}), or choose another --new-key.`,
      );
  }
  const { privatePem, publicPem } = newKeyPair();
  write(privateFile, privatePem, { mode: 0o600, flag: "wx" });
  write(publicFile, publicPem, { flag: "wx" });
  return readPrivateKey(privatePem, privateFile);
}

function show(file: string, options: ShowOptions): void {
  const output = createOutput(options.json === true);
  const trust = options.publicKey
    ? [{ id: options.keyId, version: options.keyVersion, publicKey: readPublicKey(readText(options.publicKey), options.publicKey) }]
    : "unverified";
  const read = readExport(new Uint8Array(readBytes(file)), trust);
  const keyText = (key: ExposureKey) => {
    const digits = Buffer.from(key.key).toString("hex");
    return options.reveal ? digits : `${digits.slice(0, 4)}…`;
  };
  const { content, signatures, verifiedBy } = read;
  const plain = (key: ExposureKey) => ({ ...key, key: keyText(key) });
  output.result(
    {
      ...content,
      signatures: signatures.map(({ info }) => info),
      verified: verifiedBy !== undefined,
      keys: content.keys.map(plain),
      revisedKeys: content.revisedKeys.map(plain),
    },
    describe(basename(file), read, keyText),
  );
}

function describe(name: string, { content, signatures, verifiedBy }: ReadExport, keyText: (key: ExposureKey) => string): string {
  const signers = signatures.map(({ info }) => `id ${printable(info.id)} version ${printable(info.version)}`);
  const verdict = verifiedBy
    ? `checked: id ${printable(verifiedBy.id)} version ${printable(verifiedBy.version)} is good`
    : "not checked, give --public-key to do so";
  const lines = [
    `${name}: ${count(content.keys.length, "key")}, ${content.revisedKeys.length} revised`,
    `  covers     ${time(content.start)} to ${time(content.end)} UTC`,
    `  region     ${printable(content.region)}, file ${content.batchNumber} of ${content.batchSize}`,
    `  signed by  ${signers.length > 0 ? `${signers.join(", ")} (${verdict})` : "nobody"}`,
  ];
  const keys = [...content.keys, ...content.revisedKeys];
  if (keys.length === 0) return lines.join("\n");
  const rows = keys
    .slice(0, SHOWN_KEYS)
    .map((key, i) => [
      keyText(key),
      time(key.rollingStart * INTERVAL_SECONDS),
      `${key.rollingPeriod}`,
      `${key.transmissionRisk}`,
      key.reportType === undefined ? "-" : REPORT_TYPES[key.reportType],
      key.daysSinceOnset === undefined ? "-" : `${key.daysSinceOnset}`,
      i >= content.keys.length ? "revised" : "",
    ]);
  lines.push(...table([["key", "in use from, UTC", "intervals", "risk", "report", "days since onset", ""], ...rows]));
  if (keys.length > SHOWN_KEYS) lines.push(`  and ${keys.length - SHOWN_KEYS} more; --json prints all`);
  return lines.join("\n");
}

function table(rows: string[][]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join("  ")}`.trimEnd());
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** Unix seconds as `2020-06-08 00:00`, or the number itself where a file claims a time that no calendar has. */
function time(unix: number): string {
  const date = new Date(unix * 1000);
  return Number.isNaN(date.getTime()) ? `${unix} s` : date.toISOString().slice(0, 16).replace("T", " ");
}

/** Text of a stranger's file for a terminal: control characters would be obeyed, not shown. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new ConfigError("no_file", `${file} can't be read: ${(cause as NodeJS.ErrnoException).code}. Check its name and your rights to it.`, {
      cause,
    });
  }
}

function write(file: string, content: string | Uint8Array, options?: { mode?: number; flag?: string }): void {
  try {
    writeFileSync(file, content, options);
  } catch (cause) {
    throw new ConfigError("no_file", `${file} can't be written: ${(cause as NodeJS.ErrnoException).code}. Check its folder and your rights to it.`, {
      cause,
    });
  }
}

function readText(file: string): string {
  return readBytes(file).toString("utf8");
}
