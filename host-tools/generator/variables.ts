import type { AnyNode, Program } from "acorn";
import { type Calls, findCalls } from "./dialect/calls.ts";
import { findKinds, type Kinds } from "./dialect/kinds.ts";
import { TYPED_ARRAYS } from "./dialect/library.ts";
import { type Binding, findScopes, type Scopes } from "./dialect/scopes.ts";
import { type FunctionNode, isClass, isFunction, parseProgram, propertyName, type SyntaxTree, walk } from "./dialect/syntax-tree.ts";

/**
 * How many of the interpreter's variables a bundle occupies once it is loaded and runs from flash. The rule, measured on release 2v29 with variables of 13 bytes:
 *
 *   name            1 up to 4 characters, and 1 more for each 9 beyond; a small whole number is kept in it
 *   other number    1          text of n characters  1, and 1 more for each 9 beyond the 8th
 *   function        1, 2 for the pointer to its text in flash (none if empty), its parameters' names, 1 for the scope if it stands inside another function
 *   object, array   1 and what is in it; an array's element has a name of 1
 *   class           6, 2 for a constructor and 4 for each other member
 *   typed array     2, and as a text up to 17 bytes, else 1 and 1 for each 13 bytes; 8 once for each type, for regular expressions too
 *   kept scope      1 and what is defined in it: of every function that runs at load and leaves a function behind
 *   setTimeout 5, setInterval 7, setWatch 15, on 6, beside the callback; a module 3, and 3 for the first
 *
 * What grows later is not in it: objects made in callbacks, arrays that are pushed to.
 */
export function estimateVariables(code: string): number {
  const tree = parseProgram(code);
  if ("message" in tree) return 0;
  const scopes = findScopes(tree);
  const kinds = findKinds(scopes);
  const estimate = new Estimate(tree, scopes, kinds, findCalls(tree, scopes, kinds));
  return estimate.total();
}

const LEFT_BY: { [call: string]: number } = { setTimeout: 5, setInterval: 7, setWatch: 15, on: 6 };
const ELEMENT_BYTES: { [prefix: string]: number } = { Float64: 8, Float32: 4, Int32: 4, Uint32: 4, Uint24: 3, Int16: 2, Uint16: 2 };
const TYPE_OBJECTS = 8;
const VIEW = 10;

class Estimate {
  private readonly types = new Set<string>();
  private readonly modules = new Set<string>();

  constructor(
    private readonly tree: SyntaxTree,
    private readonly scopes: Scopes,
    private readonly kinds: Kinds,
    private readonly calls: Calls,
  ) {}

  total(): number {
    let sum = this.definedBy(this.tree.program);
    for (const activation of this.runAtLoad()) {
      if (isFunction(activation)) sum += this.keptScope(activation);
      sum += this.leftBehind(activation);
    }
    const modules = this.modules.size > 0 ? 3 + 3 * this.modules.size : 0;
    return sum + this.types.size * TYPE_OBJECTS + modules;
  }

  /** The program and each function that is called before it has run to its end. */
  private runAtLoad(): Set<FunctionNode | Program> {
    const reached = new Set<FunctionNode | Program>([this.tree.program]);
    for (const activation of reached) {
      this.eachOwn(activation, (node) => {
        for (const called of this.calls.calledBy(node)) reached.add(called);
      });
    }
    return reached;
  }

  /** Nodes that an activation itself executes. */
  private eachOwn(activation: FunctionNode | Program, visit: (node: AnyNode) => void): void {
    walk(activation, (node) => {
      if (isFunction(node) && node !== activation) return false;
      visit(node);
      return true;
    });
  }

  private definedBy(owner: FunctionNode | Program): number {
    let sum = 0;
    for (const binding of this.scopes.bindings) {
      if (binding.owner === owner && binding.kind !== "catch" && !this.isOwnName(binding)) sum += nameCost(binding.name) + this.initialCost(binding);
    }
    return sum;
  }

  /** A function expression's own name costs nothing while nobody calls it. */
  private isOwnName(binding: Binding): boolean {
    return isFunction(binding.value) && binding.value.type === "FunctionExpression" && binding.owner === binding.value;
  }

  private initialCost(binding: Binding): number {
    if (binding.value) return this.valueCost(binding.value);
    const declarator = this.tree.parents.get(binding.declarations[0]);
    return declarator?.type === "VariableDeclarator" && declarator.init ? this.valueCost(declarator.init) : 0;
  }

  /** Local names of a function that has run, if a function that it left behind still sees them. */
  private keptScope(activation: FunctionNode): number {
    let kept = false;
    walk(activation, (node) => {
      if (isFunction(node) && node !== activation && !this.calls.isImmediate(node)) kept = true;
    });
    return kept ? 1 + this.definedBy(activation) : 0;
  }

  /** Timers, watches and handlers, and what is assigned to properties. */
  private leftBehind(activation: FunctionNode | Program): number {
    let sum = 0;
    this.eachOwn(activation, (node) => {
      if (node.type === "CallExpression") {
        const name = this.kinds.globalName(node.callee) ?? propertyName(node.callee) ?? "";
        if (Object.hasOwn(LEFT_BY, name)) {
          sum += LEFT_BY[name];
          for (const argument of node.arguments) if (isFunction(argument)) sum += this.valueCost(argument);
        }
      }
      if (node.type === "AssignmentExpression" && node.left.type === "MemberExpression" && node.operator === "=" && !node.left.computed) {
        sum += nameCost(propertyName(node.left) ?? "") + this.valueCost(node.right);
      }
    });
    return sum;
  }

  private valueCost(node: AnyNode): number {
    if (isFunction(node)) return this.functionCost(node);
    if (isClass(node)) return 6 + sumOf(node.body.body, (member) => (member.type === "MethodDefinition" && member.kind === "constructor" ? 2 : 4));
    switch (node.type) {
      case "Literal":
        if (typeof node.value === "string") return textCost(node.value);
        if (node.regex) {
          this.types.add("RegExp");
          return 8;
        }
        return typeof node.value === "number" && Number.isInteger(node.value) && Math.abs(node.value) < 2 ** 31 && !/[e.]/i.test(node.raw ?? "")
          ? 0
          : 1;
      case "UnaryExpression":
        return node.operator === "-" ? this.valueCost(node.argument) : node.operator === "void" ? 0 : 1;
      case "ObjectExpression":
        return (
          1 +
          sumOf(node.properties, (property) => (property.type === "Property" ? nameCost(keyOf(property.key)) + this.valueCost(property.value) : 1))
        );
      case "ArrayExpression":
        return 1 + sumOf(node.elements, (element) => 1 + (element ? this.valueCost(element) : 0));
      case "AssignmentExpression":
        return this.valueCost(node.right);
      case "Identifier":
        return 0;
      case "NewExpression":
      case "CallExpression":
        return this.madeCost(node);
      default:
        return 1;
    }
  }

  private functionCost(node: FunctionNode): number {
    const empty = node.body.type === "BlockStatement" && node.body.body.length === 0;
    const inside = this.hasOuterFunction(node);
    return (
      1 + (empty ? 0 : 2) + sumOf(node.params, (parameter) => (parameter.type === "Identifier" ? nameCost(parameter.name) : 1)) + (inside ? 1 : 0)
    );
  }

  private hasOuterFunction(node: AnyNode): boolean {
    for (let above = this.tree.parents.get(node); above; above = this.tree.parents.get(above)) if (isFunction(above)) return true;
    return false;
  }

  private madeCost(node: Extract<AnyNode, { type: "NewExpression" | "CallExpression" }>): number {
    const name = this.kinds.globalName(node.callee) ?? "";
    const first = node.arguments[0];
    if (TYPED_ARRAYS.has(name) && node.type === "NewExpression") {
      this.types.add(name);
      const meant = first && this.kinds.meaning(first);
      const count =
        meant?.type === "Literal" && typeof meant.value === "number" ? meant.value : meant?.type === "ArrayExpression" ? meant.elements.length : 8;
      const prefix = name.replace(/(Clamped)?Array$/, "");
      const bytes = count * (ELEMENT_BYTES[prefix] ?? 1);
      return 2 + (bytes > 17 ? 1 + Math.ceil(bytes / 13) : 1 + Math.ceil(Math.max(0, bytes - 8) / 9));
    }
    if (name === "require" && first?.type === "Literal") {
      this.modules.add(String(first.value));
      return 0;
    }
    if (propertyName(node.callee) === "subarray") return VIEW;
    // what a function of the program answers: a value that is built in it, or 1
    const callee = this.calls.calledBy(node)[0];
    const answer = callee?.body.type === "BlockStatement" ? callee.body.body.at(-1) : callee?.body;
    const built = answer?.type === "ReturnStatement" ? answer.argument : answer;
    return built && /^(Object|Function|Array|ArrowFunction)Expression$/.test(built.type) ? this.valueCost(built) : 1;
  }
}

function keyOf(key: AnyNode): string {
  return key.type === "Identifier" ? key.name : key.type === "Literal" ? String(key.value) : "";
}

function nameCost(name: string): number {
  return 1 + Math.ceil(Math.max(0, name.length - 4) / 9);
}

function textCost(text: string): number {
  return 1 + Math.ceil(Math.max(0, text.length - 8) / 9);
}

function sumOf<T>(items: T[], cost: (item: T) => number): number {
  return items.reduce((sum, item) => sum + cost(item), 0);
}
