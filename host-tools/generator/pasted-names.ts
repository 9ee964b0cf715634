import { FormatError } from "../errors.ts";
import { findScopes } from "./dialect/scopes.ts";
import { ancestors, isFunction, isInside, parseProgram } from "./dialect/syntax-tree.ts";

const PASTED = /\/\*\s*@__INLINE__\s*\*\/\s*([\w$]+)\(/g;

/**
 * A function that is pasted where it is called (`@__INLINE__`) takes the minifier's care for the names of its parameters only: a name of its module that its caller has
 * as well would silently be the caller's. `code`: a bundle before it is minified.
 * @throws FormatError "pasted_name" with the function and the name
 */
export function checkPastedNames(code: string): void {
  const tree = parseProgram(code);
  if (!("program" in tree)) return;
  const scopes = findScopes(tree);
  for (const match of code.matchAll(PASTED)) {
    const at = match.index + match[0].length - 1 - match[1]!.length;
    const call = [...scopes.uses.values()].find(({ node }) => node.start === at);
    const declaration = call?.binding?.declarations[0];
    const pasted = declaration && tree.parents.get(declaration);
    if (!call || !pasted || !isFunction(pasted)) continue;
    const callers = [...ancestors(tree, call.node)].filter(isFunction);
    for (const { node, binding } of scopes.uses.values()) {
      // what the function has of itself is renamed where that is needed
      if (!isInside(tree, node, pasted) || !binding || (binding.owner !== tree.program && isInside(tree, binding.owner, pasted))) continue;
      const taken = scopes.bindings.find(({ name, owner }) => name === node.name && callers.some((caller) => caller === owner));
      if (!taken || taken === binding) continue;
      throw new FormatError(
        "pasted_name",
        `${match[1]} is pasted into a function that has a "${node.name}" of its own, and would take that for the one of its module: give one of them another name`,
      );
    }
  }
}
