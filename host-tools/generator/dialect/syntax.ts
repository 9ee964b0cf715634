import type { AnyNode } from "acorn";
import type { Kinds } from "./kinds.ts";
import { BUILT_IN_CLASSES, KEYWORDS } from "./library.ts";
import type { Scopes } from "./scopes.ts";
import {
  ancestors,
  type ClassNode,
  enclosingFunction,
  isClass,
  isFunction,
  propertyName,
  type Report,
  type SyntaxTree,
  walk,
} from "./syntax-tree.ts";

/** Syntax that the interpreter doesn't parse, or takes for something else. Most of it fails only when the line is reached. */
export function checkSyntax(tree: SyntaxTree, scopes: Scopes, kinds: Kinds, report: Report): void {
  walk(tree.program, (node) => {
    const refusal = REFUSED[node.type];
    if (refusal) report(node, refusal[0], refusal[1]);
    checkFunction(node, report);
    checkOperator(node, report);
    checkProperty(tree, node, report);
    checkStatement(tree, node, report);
    if (isClass(node)) checkClass(node, kinds, report);
    if (node.type === "Identifier" && (node.name === "of" || node.name === "static") && scopes.uses.has(node)) refuseWord(node, report);
    if (node.type === "MemberExpression" || node.type === "Super") checkSuper(tree, node, report);
  });
  for (const binding of scopes.bindings) {
    for (const id of binding.declarations) if (/^(of|static|undefined)$/.test(id.name)) refuseWord(id, report);
  }
  checkStatics(tree, scopes, kinds, report);
}

function refuseWord(id: { name: string } & AnyNode, report: Report): void {
  report(id, "reserved-name", `"${id.name}" is a keyword of the interpreter; take another name`);
}

const REFUSED: { [type: string]: [feature: string, message: string] } = {
  ObjectPattern: ["destructuring", "destructuring fails when the line is reached; take the properties one by one"],
  ArrayPattern: ["destructuring", "destructuring fails when the line is reached; take the elements one by one"],
  SpreadElement: ["spread", "there is no spread; use concat, apply or Object.assign"],
  RestElement: ["rest-parameter", "there are no rest parameters; use arguments"],
  ChainExpression: ["optional-chaining", "?. is a syntax error; test with &&"],
  YieldExpression: ["generator", "there are no generators"],
  AwaitExpression: ["async", "there is no await; use then"],
  ImportDeclaration: ["module-syntax", "there is no import; a bundle is one script"],
  ImportExpression: ["module-syntax", "there is no import()"],
  ExportNamedDeclaration: ["module-syntax", "there is no export; a bundle is one script"],
  ExportDefaultDeclaration: ["module-syntax", "there is no export; a bundle is one script"],
  ExportAllDeclaration: ["module-syntax", "there is no export; a bundle is one script"],
  LabeledStatement: ["label", "there are no labels; leave the inner loop by a function's return"],
  WithStatement: ["with", "there is no with"],
  TaggedTemplateExpression: ["tagged-template", "there are no tagged templates; call the function"],
  PrivateIdentifier: ["private-name", "there are no private names"],
  StaticBlock: ["static-block", "there are no static blocks; assign after the class"],
  DebuggerStatement: ["debugger", "debugger stops a board until somebody types `continue`"],
};

function checkFunction(node: AnyNode, report: Report): void {
  if (!isFunction(node)) return;
  if (node.async) report(node, "async", "there are no async functions; use then");
  if (node.generator) report(node, "generator", "there are no generators");
  for (const parameter of node.params) {
    if (parameter.type === "AssignmentPattern") report(parameter, "default-parameter", "there are no default parameters; test for undefined inside");
  }
}

function checkOperator(node: AnyNode, report: Report): void {
  if (node.type === "BinaryExpression" && node.operator === "**") report(node, "exponent", "** is a syntax error; multiply");
  if (node.type === "AssignmentExpression") {
    if (node.operator === "**=") report(node, "exponent", "**= is a syntax error; multiply");
    if (/^(\?\?|\|\||&&)=$/.test(node.operator)) report(node, "logical-assignment", `${node.operator} is a syntax error; write it out`);
  }
  if (node.type === "MetaProperty") {
    const target = node.meta.name === "new";
    report(node, target ? "new-target" : "module-syntax", target ? "there is no new.target" : "there is no import.meta");
  }
  if (node.type === "ForOfStatement" && node.await) report(node, "async", "there is no for await");
}

function checkProperty(tree: SyntaxTree, node: AnyNode, report: Report): void {
  if (node.type !== "Property" && node.type !== "MethodDefinition" && node.type !== "PropertyDefinition") return;
  if (node.computed) {
    report(node, "computed-key", "there are no computed keys; assign to [key] afterwards");
  } else if (node.type !== "Property") {
    const named = node.key.type === "Identifier" ? node.key.name : undefined;
    if (node.key.type === "Literal") report(node.key, "method-name", "a class has no members named by a text or a number");
    else if (named && KEYWORDS.has(named)) report(node.key, "method-name", `"${named}" is a keyword: a class has no member of that name`);
  }
  if (node.type !== "PropertyDefinition") return;
  const value = node.value;
  if (!value) {
    report(node, "field-without-value", "a class field needs a value; or set it in the constructor");
  } else if (!node.static && /^(ArrayExpression|ObjectExpression|NewExpression|CallExpression)$/.test(value.type)) {
    report(node, "shared-field", "a field's value is made once, for all instances; set it in the constructor");
  } else if (!node.static && value.type === "ArrowFunctionExpression") {
    walk(value, (inner) => {
      if (inner.type === "ThisExpression" && enclosingMethod(tree, inner) === node)
        report(inner, "shared-field", "this in an arrow of a class field is not the instance; set it in the constructor");
    });
  }
}

/** What `this` belongs to: the nearest function that is no arrow, or the class field around it. */
function enclosingMethod(tree: SyntaxTree, node: AnyNode): AnyNode | undefined {
  for (const above of ancestors(tree, node)) {
    if (above.type === "PropertyDefinition" || (isFunction(above) && above.type !== "ArrowFunctionExpression")) return above;
  }
  return undefined;
}

function checkStatement(tree: SyntaxTree, node: AnyNode, report: Report): void {
  if (node.type === "ReturnStatement" && !node.argument) {
    const after = tree.code.slice(node.end).replace(/^(\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/, "")[0];
    const closed = tree.code[node.end - 1] === ";" || after === undefined || after === "}" || after === ";";
    if (!closed) report(node, "return-newline", "return goes on to the next line here; put a semicolon, or the value on the same line");
    if (endsFunction(tree, node))
      report(node, "return-at-end", "a bare return right before the end of its function is a syntax error once it is reached; leave it out");
  }
  if (node.type === "SwitchStatement") {
    const last = node.cases.length - 1;
    for (const [i, one] of node.cases.entries()) {
      if (!one.test && i < last) report(node.cases[i + 1], "case-after-default", "a case after default is not supported; put default last");
      for (const statement of one.consequent) {
        if (statement.type === "VariableDeclaration" && statement.kind !== "var")
          report(statement, "let-in-switch", `${statement.kind} inside switch leaks out of it; put braces round the case`);
      }
    }
  }
}

/** Without semicolon, nothing behind it, and not alone in its function: a function of nothing but `return` is taken care of. */
function endsFunction(tree: SyntaxTree, node: AnyNode): boolean {
  const { body } = enclosingFunction(tree, node);
  if (Array.isArray(body) || body.type !== "BlockStatement" || body.body[0] === node || tree.code[node.end - 1] === ";") return false;
  return (
    tree.code
      .slice(node.end, body.end - 1)
      .replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "")
      .trim() === ""
  );
}

function checkSuper(tree: SyntaxTree, node: AnyNode, report: Report): void {
  if (node.type !== "Super") return;
  const user = enclosingFunction(tree, node);
  if (user.type === "ArrowFunctionExpression") report(node, "super-in-arrow", "super inside an arrow function throws; call it outside");
}

function checkClass(node: ClassNode, kinds: Kinds, report: Report): void {
  const base = node.superClass && kinds.globalName(node.superClass);
  if (!base || !BUILT_IN_CLASSES.has(base)) return;
  const way = /Error$/.test(base) ? "give an Error a property of your own" : `hold the ${base} in a property`;
  report(node.superClass ?? node, "extends-builtin", `a class that extends ${base} lacks its methods; ${way}`);
}

/** `B.s` is undefined when only the class that B extends has a static s. */
function checkStatics(tree: SyntaxTree, scopes: Scopes, kinds: Kinds, report: Report): void {
  const statics = (node: ClassNode) =>
    new Set(
      node.body.body.map((member) => {
        const named = member.type === "MethodDefinition" || member.type === "PropertyDefinition";
        return named && member.static && member.key.type === "Identifier" ? member.key.name : undefined;
      }),
    );
  for (const binding of scopes.bindings) {
    const own = binding.value;
    if (!isClass(own) || !own.superClass) continue;
    const base = kinds.meaning(own.superClass);
    if (!isClass(base)) continue;
    const inherited = statics(base);
    for (const { node } of binding.references) {
      const member = tree.parents.get(node);
      const name = member?.type === "MemberExpression" && member.object === node ? propertyName(member) : undefined;
      if (name && inherited.has(name) && !statics(own).has(name))
        report(node, "static-inheritance", `static members are not inherited: ${binding.name}.${name} is undefined; name the class that has it`);
    }
  }
}
