import { existsSync } from "node:fs";
import { ConfigError, ToolError } from "../errors.ts";
import type { StoredBoard } from "../store/boards.ts";
import { Store } from "../store/store.ts";

/** Opens a database to write into what it has: one that isn't there would be made for nothing. @throws ToolError "database_missing" */
export function openKnown(path: string): Store {
  if (!existsSync(path))
    throw new ToolError("database_missing", `${path}: there is no such database; "tracelet pull" or "tracelet import" makes one`);
  return Store.open(path);
}

/** The board of the database that a user means: by its id, or by the name that a plan gave it. @throws ConfigError "no_such_board" */
export async function namedBoard(store: Store, text: string): Promise<StoredBoard> {
  const boards = await store.boards();
  const named = boards.filter(({ name }) => name === text);
  const board = boards.find(({ id }) => id === text) ?? (named.length === 1 ? named[0] : undefined);
  if (board) return board;
  const known = boards.length > 0 ? `known: ${boards.map(({ id, name }) => (name ? `${id} (${name})` : id)).join(", ")}` : "it has none yet";
  throw new ConfigError("no_such_board", `board ${text}: ${named.length > 1 ? "several have this name" : "not in this database"}; ${known}`);
}
