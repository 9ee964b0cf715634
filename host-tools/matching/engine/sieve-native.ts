import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { projectRoot } from "../../project.ts";
import type { Find } from "./find.ts";

/** Instructions that the engine may use: bits as engine_start() has them. */
export const AES_INSTRUCTIONS = 1;
export const SHA_INSTRUCTIONS = 2;

export interface Addon {
  /** Has this processor instructions for AES? Without, WebAssembly is as good. */
  hasAes: boolean;
  find: Find;
}

/** What addon.c exports. */
interface Exports {
  start(allowed: number): number;
  findCandidates: Find;
}

export const nativeFolder = () => join(projectRoot(), "host-tools", "matching", "engine", "native");

/** A digest of all C sources, by which what was made from others is known. */
export function sourcesDigest(): string {
  const hash = createHash("sha256");
  for (const file of readdirSync(nativeFolder()).sort())
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(nativeFolder(), file)));
  return hash.digest("hex").slice(0, 16);
}

/** Where the addon is that was built from these sources for this machine. */
export function addonPath(): string {
  return join(projectRoot(), "build", `engine-${process.platform}-${process.arch}-${sourcesDigest()}.node`);
}

let loaded: Addon | null | undefined;

/** The addon, if it was built (build-addon.ts) and this machine can load it. */
export function loadAddon(): Addon | undefined {
  if (loaded === undefined) {
    const path = addonPath();
    loaded = existsSync(path) ? openAddon(path) : null;
  }
  return loaded ?? undefined;
}

/**
 * Null where the file can't be loaded: built for another libc, say. Nothing is lost but speed.
 * It makes the tables that all threads of this process share: only where none is searching.
 */
export function openAddon(path: string, allowed = AES_INSTRUCTIONS | SHA_INSTRUCTIONS): Addon | null {
  let addon: Exports;
  try {
    addon = createRequire(import.meta.url)(path) as Exports;
  } catch {
    return null;
  }
  const instructions = addon.start(allowed);
  return {
    hasAes: (instructions & AES_INSTRUCTIONS) !== 0,
    find: addon.findCandidates,
  };
}
