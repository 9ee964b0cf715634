import type { AnyNode, Identifier } from "acorn";
import { type Kind, TYPED_ARRAYS } from "./library.ts";
import type { Scopes } from "./scopes.ts";
import { isClass, isFunction, propertyName } from "./syntax-tree.ts";

/** What is known of a value without running the program. */
export interface Kinds {
  /** Name of the interpreter's global that `node` is, if it is one. */
  globalName(node: AnyNode): string | undefined;
  kindOf(node: AnyNode): Kind | undefined;
  /** The expression that a name stands for all its life, else `node` itself. */
  meaning(node: AnyNode): AnyNode;
}

const RESULTS: { [method: string]: { [kind: string]: Kind | undefined } } = {
  map: { array: "array", "typed array": "typed array" },
  filter: { array: "array", "typed array": "array" },
  slice: { array: "array", "typed array": "array", string: "string" },
  concat: { array: "array", string: "string" },
  splice: { array: "array" },
  subarray: { "typed array": "typed array" },
  fill: { array: "array", "typed array": "typed array" },
  reverse: { array: "array", "typed array": "typed array" },
  sort: { array: "array", "typed array": "typed array" },
  split: { string: "array" },
  join: { array: "string", "typed array": "string" },
};
for (const method of ["then", "catch"]) RESULTS[method] = { promise: "promise" };
for (const method of [
  "replace",
  "replaceAll",
  "substr",
  "substring",
  "toLowerCase",
  "toUpperCase",
  "trim",
  "repeat",
  "padStart",
  "padEnd",
  "charAt",
]) {
  RESULTS[method] = { string: "string" };
}
const CONSTRUCTED: { [name: string]: Kind } = { Array: "array", Date: "date", RegExp: "regular expression", Promise: "promise" };
const CALLED: { [name: string]: Kind } = {
  "Object.keys": "array",
  "Object.values": "array",
  "Object.entries": "array",
  "Object.getOwnPropertyNames": "array",
  "E.toUint8Array": "typed array",
  "E.toString": "string",
  "JSON.stringify": "string",
  "String.fromCharCode": "string",
  "Promise.resolve": "promise",
  "Promise.reject": "promise",
  "Promise.all": "promise",
};

export function findKinds(scopes: Scopes): Kinds {
  const isGlobal = (node: AnyNode): node is Identifier => node.type === "Identifier" && scopes.uses.has(node) && !scopes.uses.get(node)?.binding;

  function globalName(node: AnyNode): string | undefined {
    if (isGlobal(node)) return node.name;
    // global.Map is Map
    if (node.type === "MemberExpression" && isGlobal(node.object) && /^global(This)?$/.test(node.object.name)) return propertyName(node);
    return undefined;
  }

  function meaning(node: AnyNode, depth = 8): AnyNode {
    if (node.type !== "Identifier" || depth === 0) return node;
    const value = scopes.uses.get(node)?.binding?.value;
    return value ? meaning(value, depth - 1) : node;
  }

  function kindOf(node: AnyNode, depth = 8): Kind | undefined {
    if (depth === 0) return undefined;
    const value = meaning(node);
    if (isFunction(value) || isClass(value)) return "function";
    switch (value.type) {
      case "ArrayExpression":
        return "array";
      case "TemplateLiteral":
        return "string";
      case "Literal":
        if (value.regex) return "regular expression";
        if (typeof value.value === "string") return "string";
        return typeof value.value === "number" ? "number" : undefined;
      case "BinaryExpression":
        if (value.operator === "+" && [value.left, value.right].some((side) => kindOf(side, depth - 1) === "string")) return "string";
        return /^[-*/%&|^]$|^(<<|>>>?)$/.test(value.operator) ? "number" : undefined;
      case "AssignmentExpression":
        return value.operator === "=" ? kindOf(value.right, depth - 1) : undefined;
      case "ConditionalExpression": {
        const kind = kindOf(value.consequent, depth - 1);
        return kind === kindOf(value.alternate, depth - 1) ? kind : undefined;
      }
      case "NewExpression":
      case "CallExpression": {
        const callee = value.callee;
        const name = globalName(callee);
        if (name && value.type === "NewExpression") return TYPED_ARRAYS.has(name) ? "typed array" : CONSTRUCTED[name];
        if (name) return name === "Array" ? "array" : name === "String" ? "string" : undefined;
        if (callee.type !== "MemberExpression") return undefined;
        const called = CALLED[`${globalName(callee.object)}.${propertyName(callee)}`];
        if (called) return called;
        const results = RESULTS[propertyName(callee) ?? ""];
        return results && kindOf(callee.object, depth - 1) ? results[kindOf(callee.object, depth - 1) as Kind] : undefined;
      }
      default:
        return undefined;
    }
  }

  return { globalName, kindOf: (node) => kindOf(node), meaning: (node) => meaning(node) };
}
