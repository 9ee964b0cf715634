/** "2v29.277": major, minor and build of an interpreter. */
export interface InterpreterVersion {
  text: string;
  major: number;
  minor: number;
}

/** `undefined`: not how Espruino writes its version. */
export function parseVersion(text: string): InterpreterVersion | undefined {
  const match = /^(\d+)v(\d+)/.exec(text);
  return match ? { text, major: Number(match[1]), minor: Number(match[2]) } : undefined;
}

/** Is `version` at least `major`v`minor`? */
export function atLeast(version: InterpreterVersion, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}
