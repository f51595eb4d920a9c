/** Which declaration each name of a module means, and which names mean none of its own. */
import type { AnyNode, Identifier, Pattern } from 'acorn';
import { childrenOf } from './syntax.ts';

export type FunctionNode = AnyNode & {
  type: 'ArrowFunctionExpression' | 'FunctionExpression' | 'FunctionDeclaration';
};

export interface Names {
  /** Uses of names that the module does not declare. */
  readonly free: readonly Identifier[];
  /** Declarations of names that mean something else in every module. */
  readonly shadowing: readonly Identifier[];
  /** Assignments to names that are no variables: functions, imports, names of every module. */
  readonly fixed: readonly Identifier[];
  /** Functions one of whose parameters is assigned somewhere. */
  readonly reassigning: ReadonlySet<AnyNode>;
}

interface Scope {
  readonly names: ReadonlySet<string>;
  /** Those of its names that are no variables. */
  readonly fixed: ReadonlySet<string>;
  /** The function whose parameters these are, if they are. */
  readonly parametersOf: AnyNode | null;
  readonly outer: Scope | null;
}

/** The names that a pattern binds. */
export function boundBy(pattern: Pattern | AnyNode): Identifier[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern];
    case 'ObjectPattern':
      return pattern.properties.flatMap((each) =>
        boundBy(each.type === 'Property' ? each.value : each.argument),
      );
    case 'ArrayPattern':
      return pattern.elements.flatMap((each) => (each === null ? [] : boundBy(each)));
    case 'AssignmentPattern':
      return boundBy(pattern.left);
    case 'RestElement':
      return boundBy(pattern.argument);
    default:
      return [];
  }
}

/** The names that a statement declares in the block that it stands in. */
export function declaredBy(statement: AnyNode): Identifier[] {
  switch (statement.type) {
    case 'VariableDeclaration':
      return statement.declarations.flatMap(({ id }) => boundBy(id));
    case 'FunctionDeclaration':
      return [statement.id as Identifier];
    case 'ImportDeclaration':
      return statement.specifiers.map(({ local }) => local);
    case 'ExportNamedDeclaration':
      return !statement.declaration ? [] : declaredBy(statement.declaration);
    case 'ExportDefaultDeclaration':
      return statement.declaration.type === 'FunctionDeclaration' &&
        statement.declaration.id !== null
        ? [statement.declaration.id as Identifier]
        : [];
    default:
      return [];
  }
}

function declaresNoVariable(statement: AnyNode): boolean {
  if (statement.type === 'ExportNamedDeclaration') {
    return statement.declaration?.type === 'FunctionDeclaration';
  }
  return statement.type !== 'VariableDeclaration';
}

function namesOf(identifiers: readonly Identifier[]): ReadonlySet<string> {
  return new Set(identifiers.map(({ name }) => name));
}

export function isFunction(node: AnyNode): node is FunctionNode {
  return (
    node.type === 'ArrowFunctionExpression' ||
    node.type === 'FunctionExpression' ||
    node.type === 'FunctionDeclaration'
  );
}

function find(name: string, scope: Scope | null): Scope | null {
  for (let each: Scope | null = scope; each !== null; each = each.outer) {
    if (each.names.has(name)) return each;
  }
  return null;
}

export function resolve(program: AnyNode, globals: ReadonlySet<string>): Names {
  const resolver = new Resolver(globals);
  resolver.visit(program, null);
  return resolver;
}

class Resolver implements Names {
  readonly free: Identifier[] = [];
  readonly shadowing: Identifier[] = [];
  readonly fixed: Identifier[] = [];
  readonly reassigning = new Set<AnyNode>();
  readonly #globals: ReadonlySet<string>;

  constructor(globals: ReadonlySet<string>) {
    this.#globals = globals;
  }

  #within(nodes: readonly AnyNode[], scope: Scope | null): void {
    for (const node of nodes) this.visit(node, scope);
  }

  #scopeOf(
    names: readonly Identifier[],
    outer: Scope | null,
    of: AnyNode | null = null,
    constant: readonly Identifier[] = [],
  ): Scope {
    this.shadowing.push(...names.filter(({ name }) => this.#globals.has(name)));
    return { names: namesOf(names), fixed: namesOf(constant), parametersOf: of, outer };
  }

  /** The scope of statements in one block. */
  #blockOf(statements: readonly AnyNode[], outer: Scope | null): Scope {
    const constant = statements.filter(declaresNoVariable).flatMap(declaredBy);
    return this.#scopeOf(statements.flatMap(declaredBy), outer, null, constant);
  }

  #assigned(target: AnyNode, scope: Scope | null): void {
    for (const each of boundBy(target)) {
      const declaring = find(each.name, scope);
      if (declaring === null || declaring.fixed.has(each.name)) this.fixed.push(each);
      else if (declaring.parametersOf !== null) this.reassigning.add(declaring.parametersOf);
    }
  }

  #visitFunction(node: FunctionNode, scope: Scope | null): void {
    const named = node.type === 'FunctionExpression' && node.id ? [node.id] : [];
    const parameters = this.#scopeOf(
      node.params.flatMap(boundBy),
      this.#scopeOf(named, scope),
      node,
    );
    this.#within(node.params, parameters);
    this.visit(node.body, parameters);
  }

  visit(node: AnyNode, scope: Scope | null): void {
    if (isFunction(node)) return this.#visitFunction(node, scope);
    switch (node.type) {
      case 'Identifier':
        if (find(node.name, scope) === null) this.free.push(node);
        return;
      case 'Program':
      case 'BlockStatement':
        return this.#within(node.body, this.#blockOf(node.body, scope));
      case 'SwitchStatement': {
        this.visit(node.discriminant, scope);
        const statements = node.cases.flatMap(({ consequent }) => consequent);
        return this.#within(node.cases, this.#blockOf(statements, scope));
      }
      case 'ForStatement':
        return this.#within(
          childrenOf(node),
          this.#scopeOf(node.init ? declaredBy(node.init) : [], scope),
        );
      case 'ForOfStatement':
        this.#assigned(node.left, scope);
        return this.#within(childrenOf(node), this.#scopeOf(declaredBy(node.left), scope));
      case 'CatchClause': {
        const caught = this.#scopeOf(!node.param ? [] : boundBy(node.param), scope);
        return this.#within(childrenOf(node), caught);
      }
      case 'AssignmentExpression':
        this.#assigned(node.left, scope);
        return this.#within(childrenOf(node), scope);
      case 'UpdateExpression':
        this.#assigned(node.argument, scope);
        return this.#within(childrenOf(node), scope);
      case 'MemberExpression':
        return this.#within(node.computed ? [node.object, node.property] : [node.object], scope);
      case 'Property':
        return this.#within(node.computed ? [node.key, node.value] : [node.value], scope);
      case 'ImportDeclaration':
        return;
      case 'ExportNamedDeclaration':
        if (node.declaration) return this.visit(node.declaration, scope);
        return this.#within(
          node.specifiers.map(({ local }) => local),
          scope,
        );
      case 'LabeledStatement':
        return this.visit(node.body, scope);
      case 'BreakStatement':
      case 'ContinueStatement':
        return;
      default:
        return this.#within(childrenOf(node), scope);
    }
  }
}
