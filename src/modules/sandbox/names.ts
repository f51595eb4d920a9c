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
      return statement.declaration == null ? [] : declaredBy(statement.declaration);
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

export function resolve(program: AnyNode, globals: ReadonlySet<string>): Names {
  const free: Identifier[] = [];
  const shadowing: Identifier[] = [];
  const fixed: Identifier[] = [];
  const reassigning = new Set<AnyNode>();

  function within(nodes: readonly AnyNode[], scope: Scope): void {
    for (const node of nodes) visit(node, scope);
  }

  function scopeOf(
    names: readonly Identifier[],
    outer: Scope | null,
    of: AnyNode | null = null,
    constant: readonly Identifier[] = [],
  ): Scope {
    shadowing.push(...names.filter(({ name }) => globals.has(name)));
    return { names: namesOf(names), fixed: namesOf(constant), parametersOf: of, outer };
  }

  /** The scope of statements in one block. */
  function blockOf(statements: readonly AnyNode[], outer: Scope): Scope {
    const constant = statements.filter(declaresNoVariable).flatMap(declaredBy);
    return scopeOf(statements.flatMap(declaredBy), outer, null, constant);
  }

  function find(name: string, scope: Scope): Scope | null {
    for (let each: Scope | null = scope; each !== null; each = each.outer) {
      if (each.names.has(name)) return each;
    }
    return null;
  }

  function assigned(target: AnyNode, scope: Scope): void {
    for (const each of boundBy(target)) {
      const declaring = find(each.name, scope);
      if (declaring === null || declaring.fixed.has(each.name)) fixed.push(each);
      else if (declaring.parametersOf !== null) reassigning.add(declaring.parametersOf);
    }
  }

  function visitFunction(node: FunctionNode, scope: Scope): void {
    const named = node.type === 'FunctionExpression' && node.id != null ? [node.id] : [];
    const parameters = scopeOf(node.params.flatMap(boundBy), scopeOf(named, scope), node);
    within(node.params, parameters);
    visit(node.body, parameters);
  }

  function visit(node: AnyNode, scope: Scope): void {
    if (isFunction(node)) return visitFunction(node, scope);
    switch (node.type) {
      case 'Identifier':
        if (find(node.name, scope) === null) free.push(node);
        return;
      case 'Program':
      case 'BlockStatement':
        return within(node.body, blockOf(node.body, scope));
      case 'SwitchStatement': {
        visit(node.discriminant, scope);
        const statements = node.cases.flatMap(({ consequent }) => consequent);
        return within(node.cases, blockOf(statements, scope));
      }
      case 'ForStatement':
        return within(childrenOf(node), scopeOf(node.init ? declaredBy(node.init) : [], scope));
      case 'ForOfStatement':
        assigned(node.left, scope);
        return within(childrenOf(node), scopeOf(declaredBy(node.left), scope));
      case 'CatchClause': {
        const caught = scopeOf(node.param == null ? [] : boundBy(node.param), scope);
        return within(childrenOf(node), caught);
      }
      case 'AssignmentExpression':
        assigned(node.left, scope);
        return within(childrenOf(node), scope);
      case 'UpdateExpression':
        assigned(node.argument, scope);
        return within(childrenOf(node), scope);
      case 'MemberExpression':
        return within(node.computed ? [node.object, node.property] : [node.object], scope);
      case 'Property':
        return within(node.computed ? [node.key, node.value] : [node.value], scope);
      case 'ImportDeclaration':
        return;
      case 'ExportNamedDeclaration':
        if (node.declaration != null) return visit(node.declaration, scope);
        return within(
          node.specifiers.map(({ local }) => local),
          scope,
        );
      case 'LabeledStatement':
        return visit(node.body, scope);
      case 'BreakStatement':
      case 'ContinueStatement':
        return;
      default:
        return within(childrenOf(node), scope);
    }
  }

  visit(program, scopeOf([], null));
  return { free, shadowing, fixed, reassigning };
}
