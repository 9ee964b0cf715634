/** An interpreter and its console: the real one in its own process, or a virtual board. Text has one byte a character. */
export interface Machine {
  readonly name: string;
  type(text: string): void;
  /** Everything printed up to `mark`; takes both. @throws when it does not come */
  read(mark: string): Promise<string>;
  /** Everything printed that nobody has taken yet. */
  text: string;
  /** Waits until nothing is printed any more, so that what is typed next meets an idle interpreter. */
  quiet(): Promise<void>;
  /** Lets so many milliseconds of the board's time pass. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** The bytes of UTF-8, one a character: as the interpreter sees a source text. */
export function asBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

let marks = 0;

/** Runs a line without echo and answers what was printed until it was done. With echo on that includes the prompt. */
export function run(machine: Machine, line: string): Promise<string> {
  machine.type(`\x10${line}\n`);
  return settle(machine);
}

/** What was printed until the interpreter has done everything it was told. */
export async function settle(machine: Machine): Promise<string> {
  marks += 1;
  machine.type(`\x10print("\\x02${marks}\\x03")\n`);
  return machine.read(`\x02${marks}\x03\r\n`);
}

/** A string literal of the interpreter's. `text`: one byte a character. */
export function literal(text: string): string {
  let out = '"';
  for (const byte of Buffer.from(text, "latin1")) {
    const plain = byte >= 32 && byte < 127 && byte !== 34 && byte !== 92;
    out += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return out + '"';
}
