import { ADVERTISEMENT, decode, parseHex } from "../decode/decode.ts";
import { explanationText } from "../decode/explanation.ts";
import { VALUE_KINDS } from "../decode/values.ts";
import { createOutput, type RegisterCommand } from "./output.ts";

const KINDS = [
  `  ${ADVERTISEMENT.padEnd(14)} advertising data of any protocol: up to 31 bytes, more if extended`,
  ...Object.entries(VALUE_KINDS).map(([name, { summary }]) => `  ${name.padEnd(14)} ${summary}`),
].join("\n");

export const register: RegisterCommand = (program) => {
  program
    .command("decode")
    .description("explain an advertisement or a value read over Bluetooth, field by field")
    .argument("<hex...>", "hexadecimal digits; blanks, colons and 0x are allowed")
    .option("--as <kind>", "what it is, where it doesn't tell itself")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `
Kinds:
${KINDS}

Nothing is decrypted: keys are neither needed nor taken.

Examples:
  tracelet decode 02011a03036ffd17166ffd8be6cd371c5c891604bfbe49df84509672033874
  tracelet decode --as dp3t-id eb0958c011492732c59e3ed2a5eef01d`,
    )
    .action((digits: string[], options: { as?: string; json?: boolean }) => {
      const explanation = decode(parseHex(digits.join(" ")), options.as);
      createOutput(options.json === true).result(explanation, explanationText(explanation));
    });
};
