import type { Command } from "commander";
import { LOCK_SESSION_SECONDS } from "../../protocols/device-link.ts";
import { setLock } from "../device/lock.ts";
import { ConfigError } from "../errors.ts";
import { type LinkOptions, withBoard, withLinkOptions } from "./board-session.ts";
import { chooseLockKey, createKeyFile, type KeyOptions, keyOfPassword, readKeyFile, readPassword } from "./lock-key.ts";
import type { RegisterCommand } from "./output.ts";

interface LockOptions extends LinkOptions {
  existingKey?: boolean;
  oldKeyFile?: string;
  remove?: boolean;
}

const WARNING =
  "The key went to the board in clear: lock boards at your desk, over a wire that is yours. Without the key the board gives its data to nobody,\n" +
  "you included. A person with a debugger, or with the bootloader, is not kept out: docs/lock.md says what the lock is good for.";
const WEAK = "A password is as good as it is long: who records one opening can try passwords against it at leisure. A key file has nothing to guess.";

/** The key the board is to have. */
async function wantedKey(options: LockOptions): Promise<Uint8Array> {
  if (options.passwordStdin) {
    process.stderr.write(`tracelet: ${WEAK}\n`);
    return keyOfPassword(await readPassword(process.stdin));
  }
  if (!options.keyFile)
    throw new ConfigError("usage", "where is the key to go? Give --key-file with the name of a file to create, or --password-stdin");
  return options.existingKey ? readKeyFile(options.keyFile) : createKeyFile(options.keyFile);
}

/** Options that open the board as it is now. */
function access(options: LockOptions): KeyOptions {
  if (options.remove) return { keyFile: options.keyFile, passwordStdin: options.passwordStdin };
  return { keyFile: options.oldKeyFile };
}

function addLock(program: Command): void {
  withLinkOptions(program.command("lock"), [
    "lock --port /dev/ttyUSB0 --key-file puck-7.key",
    "lock --port /dev/ttyUSB0 --key-file puck-7-new.key --old-key-file puck-7.key",
    "lock --port /dev/ttyUSB0 --remove --key-file puck-7.key",
  ])
    .description("give a board a key, without which it has no console and hands nothing over; --key-file names a file to create")
    .option("--existing-key", "--key-file is there already: take the key in it")
    .option("--old-key-file <file>", "the key of a board that is locked already")
    .option("--remove", "take the lock off; --key-file or --password-stdin opens it")
    .action(async (options: LockOptions) => {
      // before the board is asked: a key that is nowhere else would be lost
      const key = options.remove ? undefined : await wantedKey(options);
      const opening = access(options);
      await withBoard({ ...options, keyFile: opening.keyFile, passwordStdin: opening.passwordStdin }, false, async (board, output) => {
        await setLock(board, key);
        const file = options.passwordStdin ? undefined : options.keyFile;
        if (!key) return output.result({ port: board.name, locked: false }, `${board.name}: the lock is off: whoever connects has the console`);
        output.result(
          { port: board.name, locked: true, keyFile: file ?? null, warning: WARNING },
          `${board.name}: locked, and the key was tried${file ? `; it is in ${file}, readable by you alone` : ""}\n\n${WARNING}`,
        );
      });
    });
}

function addUnlock(program: Command): void {
  withLinkOptions(program.command("unlock"), ["unlock --port /dev/ttyUSB0 --key-file puck-7.key"])
    .description(`open a locked board for ${LOCK_SESSION_SECONDS / 60} minutes after the last command, for programs that don't know its key`)
    .action(async (options: LinkOptions) => {
      const given = (await chooseLockKey({ keyFile: options.keyFile })) !== undefined || options.passwordStdin;
      if (!given) throw new ConfigError("usage", "with which key? Give --key-file, --password-stdin or TRACELET_KEY_FILE");
      await withBoard(options, false, async (board, output) => {
        const { unlocked } = board.repl;
        board.repl.stays = true;
        output.result(
          { port: board.name, unlocked },
          unlocked
            ? `${board.name}: open; it is locked again ${LOCK_SESSION_SECONDS / 60} minutes after the last command`
            : `${board.name}: it was not locked`,
        );
      });
    });
}

export const register: RegisterCommand = (program) => {
  addLock(program);
  addUnlock(program);
};
