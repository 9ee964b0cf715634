/** Words after which a slash begins a regular expression. */
const BEFORE_REGEX = new Set(["return", "typeof", "in", "of", "case", "delete", "void", "throw", "new", "instanceof", "else", "do"]);
/** An open comment or template keeps the line open whatever else is in it. */
const OPEN = 1000;

/**
 * How many brackets of a console line are still open. An open string counts as 0, so that the line runs and says so; an open template or
 * comment as many. Below zero: one too many was closed. Source: jsiCountBracketsInInput, src/jsinteractive.c.
 */
export function countBrackets(text: string): number {
  let open = 0;
  let regexMayFollow = true;
  for (let i = 0; i < text.length; ) {
    const char = text[i]!;
    if (/\s/.test(char)) {
      i += 1;
      continue;
    }
    if (text.startsWith("//", i)) {
      const end = text.indexOf("\n", i);
      if (end < 0) return open;
      i = end + 1;
      continue;
    }
    if (text.startsWith("/*", i)) {
      const end = text.indexOf("*/", i + 2);
      if (end < 0) return OPEN;
      i = end + 2;
      continue;
    }
    if (char === '"' || char === "'") {
      const end = stringEnd(text, i + 1, char);
      if (end < 0) return 0;
      i = end;
      regexMayFollow = false;
      continue;
    }
    if (char === "`") {
      const end = templateEnd(text, i + 1);
      if (end < 0) return OPEN;
      i = end;
      regexMayFollow = false;
      continue;
    }
    if (char === "/" && regexMayFollow) {
      const end = regexEnd(text, i + 1);
      if (end < 0) return open;
      i = end;
      regexMayFollow = false;
      continue;
    }
    const word = /^[\w$]+/.exec(text.slice(i, i + 40))?.[0];
    if (word) {
      i += word.length;
      regexMayFollow = BEFORE_REGEX.has(word);
      continue;
    }
    if ("([{".includes(char)) open += 1;
    if (")]}".includes(char)) {
      open -= 1;
      if (open < 0) return open;
    }
    regexMayFollow = char !== ")" && char !== "]";
    i += 1;
  }
  return open;
}

function stringEnd(text: string, from: number, quote: string): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === quote) return i + 1;
    else if (text[i] === "\n") return -1;
  }
  return -1;
}

function templateEnd(text: string, from: number): number {
  for (let i = from, depth = 0; i < text.length; i++) {
    if (text[i] === "\\") i += 1;
    else if (text.startsWith("${", i)) depth += 1;
    else if (text[i] === "}" && depth > 0) depth -= 1;
    else if (text[i] === "`" && depth === 0) return i + 1;
  }
  return -1;
}

function regexEnd(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === "/") return i + 1;
    else if (text[i] === "\n") return -1;
  }
  return -1;
}
