import type { AnyNode } from "acorn";
import type { Kinds } from "./kinds.ts";
import { ABSENT_GLOBALS, ABSENT_METHODS, INSTANCE_MEMBERS, INSTEAD, MODULES, STATIC_MEMBERS } from "./library.ts";
import type { Scopes } from "./scopes.ts";
import { ancestors, isClass, isFunction, isTypeof, propertyName, type Report, type SyntaxTree, walk } from "./syntax-tree.ts";

type Member = Extract<AnyNode, { type: "MemberExpression" }>;

const WITHOUT_UNICODE = new Set(["asUTF8", "fromUTF8", "isUTF8"]);

/** Names that the interpreter's library lacks, or has with another meaning. `unicode`: is it compiled in? */
export function checkNames(tree: SyntaxTree, scopes: Scopes, kinds: Kinds, unicode: boolean, report: Report): void {
  const defined = definedProperties(tree);
  for (const { node: id, binding } of scopes.uses.values()) {
    if (!binding && ABSENT_GLOBALS.has(id.name) && !isTypeof(tree, id)) report(id, "absent-global", absent(id.name, id.name));
  }
  walk(tree.program, (node) => {
    if (node.type === "MemberExpression") {
      checkStatic(tree, node, kinds, unicode, report);
      checkInstance(tree, node, kinds, defined, report);
      checkSpecial(tree, node, scopes, kinds, report);
    }
    if (node.type === "BinaryExpression" && node.operator === "instanceof") {
      const name = kinds.globalName(node.right);
      if (name && /^(String|Number|Boolean)$/.test(name))
        report(node, "instanceof-primitive", `instanceof ${name} is true for plain values too; use typeof`);
    }
    if (node.type === "CallExpression" && kinds.globalName(node.callee) === "require") checkModule(node.arguments[0], report);
    if (node.type === "NewExpression") checkTypedArrayText(node, kinds, report);
    if (node.type === "UnaryExpression" && node.operator === "delete") checkDelete(tree, node, report);
  });
  checkGlobalObject(tree, scopes, kinds, report);
}

function absent(name: string, shown: string): string {
  const way = Object.hasOwn(INSTEAD, name) ? `; use ${INSTEAD[name]}` : "";
  return `the interpreter has no ${shown}${way}`;
}

function isWritten(tree: SyntaxTree, node: AnyNode): boolean {
  const above = tree.parents.get(node);
  return (above?.type === "AssignmentExpression" && above.left === node) || above?.type === "UpdateExpression";
}

/** Names of properties that the program itself gives to objects: a call by such a name may be to its own method. */
function definedProperties(tree: SyntaxTree): Set<string> {
  const names = new Set<string>();
  walk(tree.program, (node) => {
    if (node.type === "Property" || node.type === "MethodDefinition" || node.type === "PropertyDefinition") {
      if (!node.computed && node.key.type === "Identifier") names.add(node.key.name);
      if (node.key.type === "Literal") names.add(String(node.key.value));
    } else if (node.type === "MemberExpression" && isWritten(tree, node)) {
      names.add(propertyName(node) ?? "");
    }
  });
  return names;
}

function checkStatic(tree: SyntaxTree, node: Member, kinds: Kinds, unicode: boolean, report: Report): void {
  const name = propertyName(node);
  const receiver = kinds.globalName(node.object);
  if (!name) return;
  if (receiver && /^global(This)?$/.test(receiver) && ABSENT_GLOBALS.has(name) && !isWritten(tree, node))
    report(node, "absent-global", absent(name, name));
  if (receiver === "E" && WITHOUT_UNICODE.has(name) && !unicode) report(node, "unicode", `E.${name} throws: Unicode is not compiled in`);
  if (receiver && Object.hasOwn(STATIC_MEMBERS, receiver)) {
    const known =
      STATIC_MEMBERS[receiver].has(name) || /^(length|prototype|name)$/.test(name) || /^(apply|bind|call|hasOwnProperty|toString)$/.test(name);
    if (!known && !isWritten(tree, node) && !isTypeof(tree, node)) report(node, "absent-method", absent(name, `${receiver}.${name}`));
  }
  // Array.prototype.slice is undefined though [].slice is not; Object.prototype has what it should
  if (node.object.type !== "MemberExpression" || propertyName(node.object) !== "prototype") return;
  const owner = kinds.globalName(node.object.object);
  if (owner && owner !== "Object" && Object.hasOwn(STATIC_MEMBERS, owner) && !isWritten(tree, node) && !isTypeof(tree, node)) {
    report(node, "prototype-method", `${owner}.prototype.${name} is undefined; take the method from a value, as in [].slice.call(x)`);
  }
}

function checkInstance(tree: SyntaxTree, node: Member, kinds: Kinds, defined: Set<string>, report: Report): void {
  const name = propertyName(node);
  if (!name || isTypeof(tree, node)) return;
  const kind = kinds.kindOf(node.object);
  if (kind === "typed array" && name === "slice") {
    report(node, "typed-array-slice", "slice of a typed array gives a plain Array; use subarray for a view, new Uint8Array(view) for a copy");
  } else if (kind === "typed array" && /^(every|some)$/.test(name)) {
    report(node, "absent-method", `typed arrays have ${name} from release 2v27 on only; use a loop`);
  } else if (kind && !INSTANCE_MEMBERS[kind].has(name) && !defined.has(name)) {
    const feature = kind === "typed array" ? "typed-array-property" : "absent-method";
    if (name === "name" && kind === "function") report(node, "function-name", "functions and classes have no name");
    else report(node, feature, absent(name, `${name} on a ${kind}${kind === "typed array" ? ": reading it throws" : ""}`));
  } else if (!kind && ABSENT_METHODS.has(name) && !defined.has(name) && !Object.hasOwn(STATIC_MEMBERS, kinds.globalName(node.object) ?? "")) {
    report(node, "absent-method", absent(name, `method ${name}`));
  }
}

function checkSpecial(tree: SyntaxTree, node: Member, scopes: Scopes, kinds: Kinds, report: Report): void {
  const name = propertyName(node);
  if (name === "length" && isWritten(tree, node)) {
    const kind = kinds.kindOf(node.object);
    if (!kind || kind === "array") report(node, "array-length", "the length of an array can't be assigned; use splice, or a fresh array");
  }
  if (name === "name") {
    const binding = scopes.uses.get(node.object)?.binding;
    const value = kinds.meaning(node.object);
    const made = (value.type === "NewExpression" || value.type === "CallExpression") && /Error$/.test(kinds.globalName(value.callee) ?? "");
    if (binding?.kind === "catch" || made) report(node, "error-name", "errors have no name; use type");
    if (node.object.type === "MemberExpression" && propertyName(node.object) === "constructor")
      report(node, "function-name", "functions and classes have no name");
  }
  if (node.object.type === "Identifier" && node.object.name === "arguments" && !scopes.uses.get(node.object)?.binding && isWritten(tree, node)) {
    report(node, "arguments-write", "arguments is a copy: assigning to it doesn't change the parameter");
  }
}

function checkModule(argument: AnyNode | undefined, report: Report): void {
  if (argument?.type !== "Literal" || typeof argument.value !== "string" || MODULES.has(argument.value)) return;
  report(argument, "module", `no module is called "${argument.value}"; the bundle has to contain what it needs`);
}

function checkTypedArrayText(node: Extract<AnyNode, { type: "NewExpression" }>, kinds: Kinds, report: Report): void {
  const name = kinds.globalName(node.callee);
  const first = node.arguments[0];
  if (name && first && /Array$/.test(name) && name !== "Array" && kinds.kindOf(first) === "string") {
    report(node, "typed-array-from-string", `new ${name}(text) throws; use E.toUint8Array(text)`);
  }
}

/** `delete o[k]` inside `for (k in o)` makes the loop skip entries. */
function checkDelete(tree: SyntaxTree, node: Extract<AnyNode, { type: "UnaryExpression" }>, report: Report): void {
  const target = node.argument;
  if (target.type !== "MemberExpression") return;
  const object = tree.code.slice(target.object.start, target.object.end);
  for (const above of ancestors(tree, node)) {
    if (isFunction(above) || isClass(above)) return;
    if (above.type === "ForInStatement" && tree.code.slice(above.right.start, above.right.end) === object) {
      report(node, "delete-in-for-in", `deleting from ${object} while for-in walks it skips entries; walk Object.keys(${object})`);
      return;
    }
  }
}

/** Names at the top level are properties of `global`: one of the same name is the same variable. */
function checkGlobalObject(tree: SyntaxTree, scopes: Scopes, kinds: Kinds, report: Report): void {
  const top = new Set(scopes.bindings.filter((binding) => binding.owner === tree.program).map((binding) => binding.name));
  walk(tree.program, (node) => {
    if (node.type !== "MemberExpression" || !isWritten(tree, node)) return;
    const name = propertyName(node);
    const receiver = kinds.globalName(node.object);
    if (name && receiver && /^global(This)?$/.test(receiver) && top.has(name))
      report(node, "global-collision", `${name} is a variable of the program already, and those are properties of global`);
  });
}
