import { hex } from "../../protocols/bytes.ts";

/** Some bytes in a row that mean one thing. */
export interface Field {
  /** Of the first byte, from 0. */
  offset: number;
  /** Bytes. */
  length: number;
  name: string;
  /** The bytes as digits. */
  hex: string;
  /** In plain words; empty where the name says it. */
  means: string;
}

/** What bytes are, field by field. */
export interface Explanation {
  /** Stable, for programs: a protocol of `classify`, a kind of `--as`, or `unknown`. */
  what: string;
  title: string;
  /** Bytes in all. */
  length: number;
  fields: Field[];
  /** What is worth knowing beyond the fields. */
  notes: string[];
}

/** Takes `bytes` apart from the front; `start`: what the first of them is called. */
export class FieldReader {
  readonly fields: Field[] = [];
  private at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly start = 0,
  ) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** What has not been taken yet. */
  get remaining(): Uint8Array {
    return this.bytes.subarray(this.at);
  }

  /** The next `length` bytes, or as many as are left. */
  take(length: number, name: string, means: string | ((bytes: Uint8Array) => string) = ""): Uint8Array {
    const taken = this.bytes.subarray(this.at, this.at + length);
    const said = typeof means === "string" ? means : means(taken);
    if (taken.length > 0) this.fields.push({ offset: this.start + this.at, length: taken.length, name, hex: hex(taken), means: said });
    this.at += taken.length;
    return taken;
  }

  /** All that is left. */
  rest(name: string, means: string | ((bytes: Uint8Array) => string) = ""): Uint8Array {
    return this.take(this.left, name, means);
  }
}

/** A Unix second as people read it: UTC, and the number. */
export function utc(unix: number): string {
  const date = new Date(unix * 1000);
  return Number.isNaN(date.getTime()) ? `${unix} s, past every calendar` : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC (${unix})`;
}

/** Digits in a line of the table: 16 bytes, as long as an identifier. */
const DIGITS = 32;

/** The fields as a table, for people: offset, length, bytes, name, meaning. */
export function explanationText({ title, length, fields, notes }: Explanation): string {
  const nameWidth = Math.max(...fields.map(({ name }) => name.length));
  const digitWidth = Math.min(DIGITS, Math.max(...fields.map(({ hex }) => hex.length)));
  const lines = [`${title}, ${length} byte${length === 1 ? "" : "s"}`];
  for (const field of fields) {
    const [first, ...more] = field.hex.match(/.{1,32}/g) ?? [""];
    const place = `${String(field.offset).padStart(4)} ${String(field.length).padStart(4)}  `;
    lines.push(`${place}${first.padEnd(digitWidth)}  ${field.name.padEnd(nameWidth)}  ${field.means}`.trimEnd());
    for (const digits of more) lines.push(" ".repeat(place.length) + digits);
  }
  for (const note of notes) lines.push(`note: ${note}`);
  return lines.join("\n");
}
