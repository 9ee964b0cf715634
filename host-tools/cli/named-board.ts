import { ConfigError } from "../errors.ts";
import type { StoredBoard } from "../store/boards.ts";
import type { Store } from "../store/store.ts";

/** The board of the database that a user means: by its id, or by the name that a plan gave it. @throws ConfigError "no_such_board" */
export async function namedBoard(store: Store, text: string): Promise<StoredBoard> {
  const boards = await store.boards();
  const named = boards.filter(({ name }) => name === text);
  const board = boards.find(({ id }) => id === text) ?? (named.length === 1 ? named[0] : undefined);
  if (board) return board;
  const known = boards.length > 0 ? `known: ${boards.map(({ id, name }) => (name ? `${id} (${name})` : id)).join(", ")}` : "it has none yet";
  throw new ConfigError("no_such_board", `board ${text}: ${named.length > 1 ? "several have this name" : "not in this database"}; ${known}`);
}
