/** What has to be put right before the program may end: a port closed, a wire's speed lowered. Latest first. */
const cleanups: (() => Promise<void>)[] = [];

/** As the shell has it: 128 and the number of the signal. */
const EXIT_INTERRUPTED = 130;
const PATIENCE_MS = 2000;
let handling = false;

/** Runs `cleanup` if the user presses Ctrl-C before the function that is answered is called. */
export function onInterrupt(cleanup: () => Promise<void>): () => void {
  cleanups.unshift(cleanup);
  return () => {
    const at = cleanups.indexOf(cleanup);
    if (at >= 0) cleanups.splice(at, 1);
  };
}

/** Puts right what has to be, latest first. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of [...cleanups]) await cleanup().catch(() => {});
}

/** Ctrl-C or a request to end: puts things right, for two seconds at most, then ends. A second one ends at once. */
export function handleInterrupts(): void {
  if (handling) return;
  handling = true;
  let ending = false;
  const end = async () => {
    if (ending) process.exit(EXIT_INTERRUPTED);
    ending = true;
    setTimeout(() => process.exit(EXIT_INTERRUPTED), PATIENCE_MS);
    process.stderr.write("\ntracelet: interrupted\n");
    await cleanUp();
    process.exit(EXIT_INTERRUPTED);
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
}
