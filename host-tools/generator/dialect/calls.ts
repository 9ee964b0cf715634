import type { AnyNode } from "acorn";
import type { Kinds } from "./kinds.ts";
import { SYNCHRONOUS } from "./library.ts";
import type { Binding, Scopes } from "./scopes.ts";
import { type FunctionNode, isClass, isFunction, isTypeof, propertyName, type SyntaxTree, walk } from "./syntax-tree.ts";

/** What calling a function touches, itself or through what it calls before it returns. Names that are its own are left out. */
export interface Effects {
  reads: Set<Binding>;
  writes: Set<Binding>;
}

export interface Calls {
  /** Functions of the program that run before the call `node` has returned, as far as can be seen. */
  calledBy(node: AnyNode): FunctionNode[];
  effectsOf(node: FunctionNode): Effects;
  /** Is this function run where it stands, and nowhere else? */
  isImmediate(node: FunctionNode): boolean;
}

/** Who calls whom: by name, at once, as a callback of forEach and its like, or as a callback of a function of the program that calls it itself. */
export function findCalls(tree: SyntaxTree, scopes: Scopes, kinds: Kinds): Calls {
  const own = new Map<FunctionNode, Effects & { called: Set<FunctionNode> }>();
  const complete = new Map<FunctionNode, Effects>();

  function functionOf(node: AnyNode): FunctionNode | undefined {
    const value = kinds.meaning(node);
    if (isFunction(value)) return value;
    if (!isClass(value)) return undefined;
    const made = value.body.body.find((member) => member.type === "MethodDefinition" && member.kind === "constructor");
    return made?.type === "MethodDefinition" ? made.value : undefined;
  }

  /** Does `callee` call its parameter number `index` before it returns? */
  function callsParameter(callee: FunctionNode, index: number): boolean {
    const parameter = callee.params[index];
    return !!scopes.declared.get(parameter)?.references.some(({ node, user }) => {
      const call = tree.parents.get(node);
      return user === callee && call?.type === "CallExpression" && call.callee === node;
    });
  }

  function calledBy(node: AnyNode): FunctionNode[] {
    if (node.type !== "CallExpression" && node.type !== "NewExpression") return [];
    const callee = functionOf(node.callee);
    const called = callee ? [callee] : [];
    const synchronous = node.callee.type === "MemberExpression" && SYNCHRONOUS.has(propertyName(node.callee) ?? "");
    const promise = node.type === "NewExpression" && kinds.globalName(node.callee) === "Promise";
    for (const [i, argument] of node.arguments.entries()) {
      const callback = functionOf(argument);
      if (callback && (synchronous || promise || (callee && callsParameter(callee, i)))) called.push(callback);
    }
    return called;
  }

  function ownEffects(node: FunctionNode): Effects & { called: Set<FunctionNode> } {
    const known = own.get(node);
    if (known) return known;
    const effects = { reads: new Set<Binding>(), writes: new Set<Binding>(), called: new Set<FunctionNode>() };
    own.set(node, effects);
    walk(node, (below) => {
      if (isFunction(below) && below !== node) return false;
      const use = scopes.uses.get(below);
      if (use?.binding) {
        if (!isTypeof(tree, below)) effects.reads.add(use.binding);
        if (use.write) effects.writes.add(use.binding);
      }
      for (const called of calledBy(below)) effects.called.add(called);
      return true;
    });
    return effects;
  }

  function effectsOf(node: FunctionNode): Effects {
    const known = complete.get(node);
    if (known) return known;
    const reached = new Set([node]);
    for (const one of reached) for (const called of ownEffects(one).called) reached.add(called);
    const outside = (binding: Binding) => binding.owner.type === "Program" || !reached.has(binding.owner);
    const all = (which: "reads" | "writes") => new Set([...reached].flatMap((one) => [...ownEffects(one)[which]].filter(outside)));
    const effects = { reads: all("reads"), writes: all("writes") };
    complete.set(node, effects);
    return effects;
  }

  function isImmediate(node: FunctionNode): boolean {
    const call = tree.parents.get(node);
    return call !== undefined && calledBy(call).includes(node);
  }

  return { calledBy, effectsOf, isImmediate };
}
