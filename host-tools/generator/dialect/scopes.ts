import type { AnyNode, Identifier, Program } from "acorn";
import { boundNames, children, type FunctionNode, isClass, isFunction, isLoop, type SyntaxTree } from "./syntax-tree.ts";

/** A name that the program defines. */
export interface Binding {
  name: string;
  kind: "var" | "let" | "const" | "function" | "class" | "parameter" | "catch" | "import";
  /** The activation it belongs to. */
  owner: FunctionNode | Program;
  /** The loop whose head declares it. */
  loop?: AnyNode;
  declarations: Identifier[];
  references: Reference[];
  /** Value at its only definition, if nothing else is ever assigned to it. */
  value?: AnyNode;
}

export interface Reference {
  node: Identifier;
  /** undefined: a global of the interpreter. */
  binding?: Binding;
  /** The activation that evaluates it. */
  user: FunctionNode | Program;
  write: boolean;
  read: boolean;
}

export interface Scopes {
  bindings: Binding[];
  /** Every identifier that is a use of a name. Keys, labels and declarations are not in it. */
  uses: Map<AnyNode, Reference>;
  /** Binding that a declaration's identifier makes. */
  declared: Map<AnyNode, Binding>;
}

interface Scope {
  names: Map<string, Binding>;
  parent: Scope | undefined;
  owner: FunctionNode | Program;
  /** Does `var` stop here? */
  root: boolean;
}

/** Who defines which name, and who means it. Names are visible in their whole scope, as in the standard: what that hides is the business of definition-order.ts. */
export function findScopes(tree: SyntaxTree): Scopes {
  const scopes: Scopes = { bindings: [], uses: new Map(), declared: new Map() };
  const pending: { reference: Reference; scope: Scope }[] = [];

  function declare(scope: Scope, id: Identifier, kind: Binding["kind"], value?: AnyNode, loop?: AnyNode): void {
    let home = scope;
    if (kind === "var" || kind === "function") while (!home.root && home.parent) home = home.parent;
    let binding = home.names.get(id.name);
    if (!binding) {
      binding = { name: id.name, kind, owner: home.owner, declarations: [], references: [], value };
      home.names.set(id.name, binding);
      scopes.bindings.push(binding);
    } else {
      binding.value = undefined;
    }
    if (loop) binding.loop = loop;
    binding.declarations.push(id);
    scopes.declared.set(id, binding);
  }

  const inner = (parent: Scope, owner: Scope["owner"] = parent.owner, root = false): Scope => ({ names: new Map(), parent, owner, root });

  function refer(id: Identifier, scope: Scope, write: boolean, read: boolean): void {
    pending.push({ reference: { node: id, user: scope.owner, write, read }, scope });
  }

  function visitAll(node: AnyNode, scope: Scope): void {
    for (const child of children(node)) visit(child, scope);
  }

  function visitFunction(node: FunctionNode, scope: Scope): void {
    const own = inner(scope, node, true);
    // its own name is one scope further out, but belongs to the activation: nobody else sees it
    if (node.type === "FunctionExpression" && node.id) declare(own, node.id, "function", node);
    for (const parameter of node.params) {
      for (const id of boundNames(parameter)) declare(own, id, "parameter");
      visitDefaults(parameter, own);
    }
    if (node.body.type === "BlockStatement") visitAll(node.body, own);
    else visit(node.body, own);
  }

  /** Expressions inside a pattern. */
  function visitDefaults(pattern: AnyNode, scope: Scope): void {
    if (pattern.type === "AssignmentPattern") visit(pattern.right, scope);
    if (pattern.type === "Property" && pattern.computed) visit(pattern.key, scope);
    for (const child of children(pattern)) if (/Pattern|RestElement|Property/.test(child.type)) visitDefaults(child, scope);
  }

  function visitAssigned(target: AnyNode, scope: Scope, read: boolean): void {
    if (target.type === "Identifier") refer(target, scope, true, read);
    else if (/Pattern|RestElement/.test(target.type)) {
      for (const id of boundNames(target)) refer(id, scope, true, read);
      visitDefaults(target, scope);
    } else visit(target, scope);
  }

  function visit(node: AnyNode, scope: Scope): void {
    if (isFunction(node)) {
      if (node.type === "FunctionDeclaration" && node.id) declare(scope, node.id, "function", node);
      visitFunction(node, scope);
    } else if (isClass(node)) {
      if (node.type === "ClassDeclaration" && node.id) declare(scope, node.id, "class", node);
      const own = inner(scope);
      if (node.type === "ClassExpression" && node.id) declare(own, node.id, "class", node);
      if (node.superClass) visit(node.superClass, own);
      visit(node.body, own);
    } else if (node.type === "VariableDeclaration") {
      const parent = tree.parents.get(node);
      const loop = isLoop(parent) && "body" in parent && parent.body !== node ? parent : undefined;
      for (const declarator of node.declarations) {
        const single = declarator.id.type === "Identifier" && !loop ? (declarator.init ?? undefined) : undefined;
        for (const id of boundNames(declarator.id)) declare(scope, id, node.kind as "var", single, loop);
        visitDefaults(declarator.id, scope);
        if (declarator.init) visit(declarator.init, scope);
      }
    } else if (isLoop(node)) {
      visitLoop(node, inner(scope));
    } else if (node.type === "BlockStatement" || node.type === "SwitchStatement" || node.type === "StaticBlock") {
      visitAll(node, inner(scope));
    } else if (node.type === "CatchClause") {
      const own = inner(scope);
      if (node.param) for (const id of boundNames(node.param)) declare(own, id, "catch");
      visitAll(node.body, own);
    } else if (node.type === "Identifier") {
      refer(node, scope, false, true);
    } else if (node.type === "AssignmentExpression") {
      visitAssigned(node.left, scope, node.operator !== "=");
      visit(node.right, scope);
    } else if (node.type === "UpdateExpression") {
      visitAssigned(node.argument, scope, true);
    } else if (node.type === "MemberExpression") {
      visit(node.object, scope);
      if (node.computed) visit(node.property, scope);
    } else if (node.type === "Property" || node.type === "MethodDefinition" || node.type === "PropertyDefinition") {
      if (node.computed) visit(node.key, scope);
      if (node.value) visit(node.value, scope);
    } else if (node.type === "LabeledStatement") {
      visit(node.body, scope);
    } else if (node.type === "ImportDeclaration") {
      for (const specifier of node.specifiers) declare(scope, specifier.local, "import");
    } else if (!/^(BreakStatement|ContinueStatement|MetaProperty|ExportAllDeclaration|ExportSpecifier)$/.test(node.type)) {
      visitAll(node, scope);
    }
  }

  /** The head of `for (x of …)` declares or assigns. */
  function visitLoop(node: AnyNode, scope: Scope): void {
    for (const child of children(node)) {
      const target =
        (node.type === "ForInStatement" || node.type === "ForOfStatement") && child === node.left && child.type !== "VariableDeclaration";
      if (target) visitAssigned(child, scope, false);
      else visit(child, scope);
    }
  }

  visitAll(tree.program, { names: new Map(), parent: undefined, owner: tree.program, root: true });

  // not before all declarations are known: names are visible above them
  for (const { reference, scope } of pending) {
    let found: Binding | undefined;
    for (let at: Scope | undefined = scope; at && !found; at = at.parent) found = at.names.get(reference.node.name);
    reference.binding = found;
    scopes.uses.set(reference.node, reference);
    if (found) {
      found.references.push(reference);
      if (reference.write) found.value = undefined;
    }
  }
  return scopes;
}
