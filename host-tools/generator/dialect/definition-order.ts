import type { AnyNode, Program } from "acorn";
import type { Calls } from "./calls.ts";
import type { Binding, Scopes } from "./scopes.ts";
import { type FunctionNode, isFunction, isTypeof, type SyntaxTree, walk } from "./syntax-tree.ts";

/** What has surely been defined when a place in the code is reached. `dead`: it isn't reached. */
interface State {
  defined: Set<Binding>;
  dead: boolean;
}

export type Undefined = (at: AnyNode, binding: Binding, use: "read" | "write" | "call") => void;

/**
 * Walks one activation in the order of its execution and tells each use of a name whose definition may not have been executed by then.
 * The interpreter hoists nothing: neither functions nor `var`. Conditions are not looked at: either branch may be taken, and loops may not turn at all.
 */
export function checkActivation(tree: SyntaxTree, scopes: Scopes, calls: Calls, activation: FunctionNode | Program, found: Undefined): void {
  const exits: { loop: boolean; states: State[] }[] = [];

  const fork = (state: State): State => ({ defined: new Set(state.defined), dead: state.dead });
  const join = (a: State, b: State): State => {
    if (a.dead) return b;
    if (b.dead) return a;
    return { defined: new Set([...a.defined].filter((binding) => b.defined.has(binding))), dead: false };
  };

  function check(at: AnyNode, binding: Binding | undefined, state: State, use: "read" | "write" | "call"): void {
    if (!binding || state.dead || binding.owner !== activation || state.defined.has(binding)) return;
    if (binding.kind === "parameter" || binding.kind === "import" || binding.kind === "catch") return;
    found(at, binding, use);
  }

  /** Expressions define nothing, so their inner order doesn't matter. Bodies of functions are executed elsewhere. */
  function expression(node: AnyNode, state: State): void {
    walk(node, (below) => {
      if (isFunction(below)) return false;
      const use = scopes.uses.get(below);
      if (use && !isTypeof(tree, below)) check(below, use.binding, state, use.write && !use.read ? "write" : "read");
      for (const called of calls.calledBy(below)) {
        for (const binding of calls.effectsOf(called).reads) check(below, binding, state, "call");
      }
      return true;
    });
  }

  function define(id: AnyNode, state: State): void {
    walk(id, (below) => {
      const binding = scopes.declared.get(below);
      if (binding) state.defined.add(binding);
    });
  }

  function block(statements: AnyNode[], state: State): State {
    let now = state;
    for (const statement of statements) now = flow(statement, now);
    return now;
  }

  function loop(node: AnyNode & { body: AnyNode }, state: State, before: AnyNode[], after: AnyNode[], turns: "some" | "once" | "endless"): State {
    for (const part of before) expression(part, state);
    exits.push({ loop: true, states: [] });
    const end = flow(node.body, fork(state));
    for (const part of after) expression(part, end.dead ? fork(state) : end);
    const broken = exits.pop()?.states ?? [];
    const natural = turns === "some" ? state : turns === "once" ? end : { ...state, dead: true };
    return broken.reduce(join, natural);
  }

  function flow(node: AnyNode, state: State): State {
    switch (node.type) {
      case "FunctionDeclaration":
        if (node.id) define(node.id, state);
        return state;
      case "ClassDeclaration":
        if (node.superClass) expression(node.superClass, state);
        expression(node.body, state);
        if (node.id) define(node.id, state);
        return state;
      case "VariableDeclaration":
        for (const declarator of node.declarations) {
          if (declarator.init) expression(declarator.init, state);
          define(declarator.id, state);
        }
        return state;
      case "BlockStatement":
        return block(node.body, state);
      case "IfStatement": {
        expression(node.test, state);
        const yes = flow(node.consequent, fork(state));
        return join(yes, node.alternate ? flow(node.alternate, fork(state)) : state);
      }
      case "ForStatement": {
        if (node.init?.type === "VariableDeclaration") flow(node.init, state);
        else if (node.init) expression(node.init, state);
        return loop(node, state, node.test ? [node.test] : [], node.update ? [node.update] : [], isEndless(node.test) ? "endless" : "some");
      }
      case "ForInStatement":
      case "ForOfStatement": {
        expression(node.right, state);
        const inside = fork(state);
        if (node.left.type === "VariableDeclaration") define(node.left, inside);
        else expression(node.left, inside);
        return join(state, loop(node, inside, [], [], "some"));
      }
      case "WhileStatement":
        return loop(node, state, [node.test], [], isEndless(node.test) ? "endless" : "some");
      case "DoWhileStatement":
        return loop(node, state, [], [node.test], "once");
      case "SwitchStatement": {
        expression(node.discriminant, state);
        exits.push({ loop: false, states: [] });
        let last: State = { ...state, dead: true };
        for (const one of node.cases) {
          if (one.test) expression(one.test, state);
          last = block(one.consequent, join(fork(state), last));
        }
        const complete = node.cases.some((one) => !one.test);
        return (exits.pop()?.states ?? []).reduce(join, complete ? last : join(last, state));
      }
      case "TryStatement": {
        const done = flow(node.block, fork(state));
        const caught = node.handler ? flow(node.handler.body, fork(state)) : { ...state, dead: true };
        const after = join(done, caught);
        if (!node.finalizer) return after;
        const last = flow(node.finalizer, fork(state));
        for (const binding of last.defined) after.defined.add(binding);
        return { defined: after.defined, dead: after.dead || last.dead };
      }
      case "BreakStatement":
      case "ContinueStatement":
        exits.findLast((exit) => exit.loop || node.type === "BreakStatement")?.states.push(fork(state));
        return { ...state, dead: true };
      case "ReturnStatement":
      case "ThrowStatement":
        if (node.argument) expression(node.argument, state);
        return { ...state, dead: true };
      case "LabeledStatement":
        return flow(node.body, state);
      default:
        expression(node, state);
        return state;
    }
  }

  const start: State = { defined: new Set(), dead: false };
  if (activation.type === "Program") block(activation.body, start);
  else {
    if (activation.id) define(activation.id, start);
    if (activation.body.type === "BlockStatement") block(activation.body.body, start);
    else expression(activation.body, start);
  }
}

function isEndless(test: AnyNode | null | undefined): boolean {
  return !test || (test.type === "Literal" && !!test.value);
}
