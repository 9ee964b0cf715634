import type { AnyNode } from "acorn";
import { type Calls, findCalls } from "./calls.ts";
import { checkActivation } from "./definition-order.ts";
import type { Kinds } from "./kinds.ts";
import type { Binding, Scopes } from "./scopes.ts";
import { ancestors, enclosingFunction, type FunctionNode, isFunction, isInside, isLoop, type Report, type SyntaxTree, walk } from "./syntax-tree.ts";

/** What depends on the order in which the interpreter executes definitions, loops and assignments. */
export function checkOrder(tree: SyntaxTree, scopes: Scopes, kinds: Kinds, report: Report): void {
  const calls = findCalls(tree, scopes, kinds);
  checkDefinitions(tree, scopes, calls, report);
  for (const binding of scopes.bindings) {
    if (binding.loop && binding.kind !== "var") checkLoopVariable(tree, binding, calls, report);
    if (binding.kind === "var") checkConditionalVariable(tree, binding, report);
  }
  walk(tree.program, (node) => checkCompound(tree, node, scopes, calls, report));
}

function checkDefinitions(tree: SyntaxTree, scopes: Scopes, calls: Calls, report: Report): void {
  const activations: (FunctionNode | typeof tree.program)[] = [tree.program];
  walk(tree.program, (node) => {
    if (isFunction(node)) activations.push(node);
  });
  for (const activation of activations) {
    const told = new Set<string>();
    checkActivation(tree, scopes, calls, activation, (at, binding, use) => {
      const key = `${binding.name} ${at.start}`;
      if (told.has(key)) return;
      told.add(key);
      const what = binding.kind === "function" ? "the function" : binding.kind === "class" ? "the class" : "the variable";
      if (use === "call")
        report(at, "use-before-definition", `this call uses ${what} ${binding.name}, which is not defined yet; move the definition up`);
      else if (use === "write")
        report(at, "use-before-definition", `assigning to ${binding.name} before its declaration makes a global; declare it above`);
      else report(at, "use-before-definition", `${what} ${binding.name} may not be defined yet: nothing is hoisted; move the definition up`);
    });
  }
}

/** All turns of a loop share one variable: a closure that outlives its turn sees the last value. */
function checkLoopVariable(tree: SyntaxTree, binding: Binding, calls: Calls, report: Report): void {
  const loop = binding.loop as AnyNode;
  for (const { node } of binding.references) {
    for (const above of ancestors(tree, node)) {
      if (above === loop) break;
      if (!isFunction(above) || calls.isImmediate(above)) continue;
      report(node, "loop-closure", `all turns share one ${binding.name}, and this function sees the last; copy it into a const inside the loop`);
      break;
    }
  }
}

/** A closure that reads a variable whose declaration may have been passed by. */
function checkConditionalVariable(tree: SyntaxTree, binding: Binding, report: Report): void {
  const conditions = binding.declarations.map((declaration) => conditionRound(tree, declaration));
  for (const { node, user } of binding.references) {
    if (user === binding.owner) continue;
    const sure = conditions.some((condition) => !condition || isInside(tree, node, condition));
    if (!sure)
      report(
        node,
        "use-before-definition",
        `the variable ${binding.name} does not exist where its declaration was passed by; declare it at the top of its function`,
      );
  }
}

/** The part of the code that may be left out, round a declaration: a branch, a loop, a case. */
function conditionRound(tree: SyntaxTree, node: AnyNode): AnyNode | undefined {
  let at = node;
  for (const above of ancestors(tree, node)) {
    if (isFunction(above)) return undefined;
    if (above.type === "IfStatement" || above.type === "SwitchCase" || above.type === "CatchClause") return above;
    if (isLoop(above) && !("init" in above && above.init === at)) return above;
    if (above.type === "TryStatement" && above.block === at) return above;
    at = above;
  }
  return undefined;
}

/** `x += f()` takes x after the call, where the standard takes it before. */
function checkCompound(tree: SyntaxTree, node: AnyNode, scopes: Scopes, calls: Calls, report: Report): void {
  if (node.type !== "AssignmentExpression" || node.operator === "=") return;
  const target = scopes.uses.get(node.left);
  if (!target) return;
  const user = enclosingFunction(tree, node);
  walk(node.right, (below) => {
    if (isFunction(below)) return false;
    const use = scopes.uses.get(below);
    const assigned = use?.write && use.node.name === target.node.name && use.binding === target.binding && use.user === user;
    const changed = target.binding && calls.calledBy(below).some((called) => calls.effectsOf(called).writes.has(target.binding as Binding));
    if (assigned || changed)
      report(
        below,
        "compound-assignment",
        `${target.node.name} ${node.operator} … reads ${target.node.name} after the right side, which changes it; take the value first`,
      );
    return true;
  });
}
