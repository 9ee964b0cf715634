// index.txt of a key server: the names of its export files, one a line, oldest first. Source: google/exposure-notifications-server, docs "Index file format".

/**
 * Which of the files an index names are still to be fetched, in its order (GAEN-23). Only relative paths count: a server must not make a client read elsewhere.
 * @param last the name processed last; everything up to it is done. `undefined`: nothing is.
 * @param seen all names processed so far. They matter when the index no longer has `last`.
 */
export function filesToFetch(index: string, last: string | undefined, seen: ReadonlySet<string> = new Set()): string[] {
  const names = index
    .split("\n")
    .map((line) => line.trim())
    .filter(isRelativePath);
  const done = last === undefined ? -1 : names.lastIndexOf(last);
  return done >= 0 ? names.slice(done + 1) : names.filter((name) => !seen.has(name));
}

function isRelativePath(name: string): boolean {
  return name !== "" && !/^[/\\]/.test(name) && !/^[a-z][a-z0-9+.-]*:/i.test(name) && !name.split(/[/\\]/).includes("..");
}
