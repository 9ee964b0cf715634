import { type AnyNode, type Identifier, type Program, parse } from "acorn";

export type FunctionNode = Extract<AnyNode, { type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression" }>;
export type ClassNode = Extract<AnyNode, { type: "ClassDeclaration" | "ClassExpression" }>;
export type LoopNode = Extract<AnyNode, { type: "ForStatement" | "ForInStatement" | "ForOfStatement" | "WhileStatement" | "DoWhileStatement" }>;

/** What a rule says about a place in the code. `feature`: kebab-case, stable. */
export type Report = (at: AnyNode | number, feature: string, message: string) => void;

/** A program as a tree whose nodes know their parent. */
export interface SyntaxTree {
  code: string;
  program: Program;
  parents: Map<AnyNode, AnyNode>;
}

/** The tree of `code`, or where and why it is no program in any of JavaScript's dialects. */
export function parseProgram(code: string): SyntaxTree | { offset: number; message: string } {
  const options = { ecmaVersion: "latest", allowHashBang: false } as const;
  let program: Program;
  try {
    program = parse(code, { ...options, sourceType: "script" });
  } catch (first) {
    try {
      // modules have syntax of their own, which is reported as what it is
      program = parse(code, { ...options, sourceType: "module" });
    } catch {
      const { pos, message } = first as { pos: number; message: string };
      return { offset: pos, message: message.replace(/ \(\d+:\d+\)$/, "") };
    }
  }
  const parents = new Map<AnyNode, AnyNode>();
  const adopt = (node: AnyNode) => {
    for (const child of children(node)) {
      parents.set(child, node);
      adopt(child);
    }
  };
  adopt(program);
  return { code, program, parents };
}

/** Child nodes in the order of the source. */
export function children(node: AnyNode): AnyNode[] {
  const found: AnyNode[] = [];
  for (const value of Object.values(node)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== null && typeof item === "object" && typeof (item as { type?: unknown }).type === "string") found.push(item as AnyNode);
    }
  }
  // a shorthand property is its key and its value in one
  const unique = node.type === "Property" && node.shorthand ? [node.value as AnyNode] : found;
  return unique.sort((a, b) => a.start - b.start);
}

/** Calls `visit` for each node below and including `node`; where it answers false, what lies below is left out. */
export function walk(node: AnyNode, visit: (node: AnyNode) => unknown): void {
  if (visit(node) === false) return;
  for (const child of children(node)) walk(child, visit);
}

export function isFunction(node: AnyNode | null | undefined): node is FunctionNode {
  return node?.type === "FunctionDeclaration" || node?.type === "FunctionExpression" || node?.type === "ArrowFunctionExpression";
}

export function isClass(node: AnyNode | null | undefined): node is ClassNode {
  return node?.type === "ClassDeclaration" || node?.type === "ClassExpression";
}

export function isLoop(node: AnyNode | null | undefined): node is LoopNode {
  return /^(For|ForIn|ForOf|While|DoWhile)Statement$/.test(node?.type ?? "");
}

/** The nodes above `node`, nearest first. */
export function* ancestors(tree: SyntaxTree, node: AnyNode): Generator<AnyNode> {
  for (let above = tree.parents.get(node); above; above = tree.parents.get(above)) yield above;
}

/** The function (or program) whose activation evaluates `node`. */
export function enclosingFunction(tree: SyntaxTree, node: AnyNode): FunctionNode | Program {
  for (const above of ancestors(tree, node)) if (isFunction(above)) return above;
  return tree.program;
}

export function isInside(tree: SyntaxTree, node: AnyNode, container: AnyNode): boolean {
  if (node === container) return true;
  for (const above of ancestors(tree, node)) if (above === container) return true;
  return false;
}

/** `typeof x` is safe where `x` isn't there. */
export function isTypeof(tree: SyntaxTree, node: AnyNode): boolean {
  const above = tree.parents.get(node);
  return above?.type === "UnaryExpression" && above.operator === "typeof";
}

/** Name of a property that is written in the code: `a.name` and `a["name"]`. */
export function propertyName(node: AnyNode): string | undefined {
  if (node.type !== "MemberExpression") return undefined;
  if (!node.computed) return node.property.type === "Identifier" ? node.property.name : undefined;
  return node.property.type === "Literal" && typeof node.property.value === "string" ? node.property.value : undefined;
}

/** Identifiers that a pattern binds. */
export function boundNames(pattern: AnyNode): Identifier[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern];
    case "ObjectPattern":
      return pattern.properties.flatMap((property) => boundNames(property.type === "RestElement" ? property : (property.value as AnyNode)));
    case "ArrayPattern":
      return pattern.elements.flatMap((element) => (element ? boundNames(element) : []));
    case "RestElement":
      return boundNames(pattern.argument);
    case "AssignmentPattern":
      return boundNames(pattern.left);
    default:
      return [];
  }
}
