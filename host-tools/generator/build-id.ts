import { createHash } from "node:crypto";

/** The firmware's version has at most 15 characters: so many are there in a MARK record (protocols/log-format.ts). */
const LONGEST = 15;
const DIGITS = 8;

/** Stands in the bundle where the build id will stand, of the same length: the id is a hash of the code around it. */
export function placeholder(version: string): string {
  return `${version}-${"@".repeat(Math.max(4, Math.min(DIGITS, LONGEST - version.length - 1)))}`;
}

/** Puts the build id into the bundle. Answers code and version, such as `0.1.0-1a2b3c4d`. */
export function stampVersion(code: string, version: string): { code: string; version: string } {
  const mark = placeholder(version);
  if (mark.length > LONGEST) throw new Error(`version ${version}: at most ${LONGEST - 5} characters leave room for a build id`);
  const hash = createHash("sha256").update(code, "latin1").digest("hex");
  const stamped = `${version}-${hash.slice(0, mark.length - version.length - 1)}`;
  return { code: code.split(mark).join(stamped), version: stamped };
}
