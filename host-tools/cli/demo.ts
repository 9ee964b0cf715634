import { runDemo } from "../demo/demo.ts";
import { createOutput, type RegisterCommand } from "./output.ts";

const NEXT = `
Try next:
  open out/report.html                                   exposures minute by minute, for people
  npx tracelet match out/export.zip --db out/tracelet.db --key out/public.pem
  npx tracelet score out/export.zip --db out/tracelet.db --key out/public.pem --calibration out/calibration.csv
  npx tracelet report out/export.zip --db out/tracelet.db --key out/public.pem --calibration out/calibration.csv --out out/own.html --zone Europe/Vienna
  npx tracelet virtual --board puckjs --tcp 9601      then, in another terminal:
  npx tracelet flash --port tcp://localhost:9601 --board puckjs --role wearable --protocol gaen`;

export const register: RegisterCommand = (program) => {
  program
    .command("demo")
    .description("the whole job on three virtual Pucks in some seconds: build, flash, a day of meetings, pull, export, match, report")
    .option("--out <dir>", "folder for what it writes", "out")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  tracelet demo --out out")
    .action(async (options: { out: string; json?: boolean }) => {
      const output = createOutput(options.json === true);
      const result = await runDemo({ out: options.out, say: output.say, progress: output.progress });
      output.result(result, `Done in ${result.seconds.toFixed(1)} s.\n${NEXT}`);
    });
};
