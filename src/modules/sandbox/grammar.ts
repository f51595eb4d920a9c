/**
 * What a module may be written with: the part of the language in which every cost can be counted and
 * every object is plain data, so that reading it runs nothing.
 *
 * U4. A module keeps no state between calls. While it loads it declares: functions, constants and
 *     what those of `althing/module` make of them, all frozen afterwards (realm/meter.ts). No
 *     function of its own runs then but arrows without a body of statements.
 */
import type { AnyNode, Literal } from 'acorn';
import { boundBy, isFunction } from './names.ts';
import { childrenOf, errorAt, type Source } from './syntax.ts';

/** Nodes inside one another; a parser's and a compiler's stack are for more than this. */
const NESTING_MAX = 100;
const LITERAL_BIGINT_MAX = 320;
const GATHERS = 'gather the rest in a declaration of its own: `const [first, ...rest] = list;`';

export const CONSTRUCTORS: readonly string[] = [
  'Map',
  'Set',
  'Uint8Array',
  'Error',
  'RangeError',
  'TypeError',
];

const ALLOWED = new Set(
  `Program ImportDeclaration ImportSpecifier ExportNamedDeclaration ExportDefaultDeclaration
  ExportSpecifier VariableDeclaration VariableDeclarator FunctionDeclaration FunctionExpression
  ArrowFunctionExpression BlockStatement ExpressionStatement EmptyStatement ReturnStatement
  IfStatement ForStatement ForOfStatement WhileStatement DoWhileStatement BreakStatement
  ContinueStatement LabeledStatement SwitchStatement SwitchCase ThrowStatement TryStatement
  CatchClause Identifier Literal TemplateLiteral TemplateElement ArrayExpression ObjectExpression
  Property SpreadElement UnaryExpression UpdateExpression BinaryExpression LogicalExpression
  AssignmentExpression ConditionalExpression CallExpression NewExpression MemberExpression
  ChainExpression SequenceExpression ObjectPattern ArrayPattern RestElement
  AssignmentPattern`.split(/\s+/),
);

const INSTEAD: Readonly<Record<string, string>> = {
  ThisExpression: '`this`: handlers get all that they need as arguments',
  ClassDeclaration: 'classes: write functions that take and return plain objects',
  ClassExpression: 'classes: write functions that take and return plain objects',
  AwaitExpression: '`await`: handlers are synchronous',
  YieldExpression: 'generators: fill an array',
  ImportExpression: '`import()`: import at the top of the file',
  ImportDefaultSpecifier: 'default imports: import by name',
  ImportNamespaceSpecifier: '`import *`: import by name',
  ExportAllDeclaration: '`export … from`: a module is one file',
  MetaProperty: '`import.meta` and `new.target`',
  ForInStatement: '`for … in`: use `for (const key of Object.keys(…))`',
  TaggedTemplateExpression: 'tagged templates: call a function',
  WithStatement: '`with`',
  DebuggerStatement: '`debugger`',
};

/** Statements that declare. */
const TOP_LEVEL = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportDefaultDeclaration',
  'VariableDeclaration',
  'FunctionDeclaration',
  'EmptyStatement',
]);

/** What the default of a parameter may consist of: it is read before the call is counted. */
const DEFAULTS = new Set(['Literal', 'Identifier', 'MemberExpression', 'TemplateElement']);

/** Throws SourceError at the first thing that modules are not written with. */
export function checkGrammar(source: Source): void {
  const top = source.program.body as readonly AnyNode[];
  for (const statement of top) {
    if (TOP_LEVEL.has(statement.type)) continue;
    if (statement.type === 'ExpressionStatement' && statement.directive !== undefined) continue;
    throw errorAt(source, statement, 'statements are for functions: the top of a module declares');
  }
  descend(source, source.program, 0);
}

function descend(source: Source, node: AnyNode, depth: number): void {
  if (depth > NESTING_MAX) throw errorAt(source, node, 'nested too deeply: make functions of it');
  const reason = ALLOWED.has(node.type)
    ? reasonAgainst(node, depth)
    : `not for modules: ${INSTEAD[node.type] ?? node.type}`;
  if (reason !== null) throw errorAt(source, node, reason);
  for (const child of childrenOf(node)) descend(source, child, depth + 1);
}

function reasonAgainst(node: AnyNode, depth: number): string | null {
  if (isFunction(node)) return againstFunction(node);
  switch (node.type) {
    case 'Identifier':
      if (node.name === '__proto__') return againstName(node);
      return node.name.startsWith('$$') ? 'names that start with `$$` are reserved' : null;
    case 'Literal':
      return againstLiteral(node);
    case 'ImportDeclaration':
      return (node.attributes ?? []).length > 0 ? 'import attributes are not for modules' : null;
    case 'ExportNamedDeclaration':
      return !node.source ? null : 'a module is one file: export what it declares';
    case 'VariableDeclaration':
      return againstVariables(node.kind, depth <= 2);
    case 'VariableDeclarator':
      return againstGathering(node.id, node.init);
    case 'CatchClause':
      return node.param && gathers(node.param) ? GATHERS : null;
    case 'Property':
      return againstProperty(node);
    case 'MemberExpression':
      return node.computed ? null : againstName(node.property);
    case 'BinaryExpression':
      return againstBinary(node);
    case 'AssignmentExpression':
      return againstAssignment(node);
    case 'UpdateExpression':
      return isLength(node.argument) ? 'change `length` by an assignment' : null;
    case 'ForOfStatement':
      if (node.await) return '`for await`: handlers are synchronous';
      return againstTarget(node.left);
    case 'NewExpression':
      return againstNew(node);
    default:
      return null;
  }
}

/** The last part of a pattern that gathers what the others leave. */
export function restOf(pattern: AnyNode): AnyNode | undefined {
  if (pattern.type !== 'ArrayPattern' && pattern.type !== 'ObjectPattern') return undefined;
  const last = (pattern.type === 'ArrayPattern' ? pattern.elements : pattern.properties).at(-1);
  return last?.type === 'RestElement' ? last : undefined;
}

/** U13. What a pattern gathers stands in a declaration with its source, and is paid for before (U1). */
function againstGathering(id: AnyNode, init: AnyNode | null | undefined): string | null {
  const rest = init ? restOf(id) : undefined;
  const others = rest === undefined ? [id] : childrenOf(id).filter((part) => part !== rest);
  const named = rest?.type !== 'RestElement' || rest.argument.type === 'Identifier';
  return named && !others.some(gathers) ? null : GATHERS;
}

function againstFunction(node: AnyNode & { type: string }): string | null {
  if (!isFunction(node)) return null;
  if (node.async) return 'async functions are not for modules: handlers are synchronous';
  if (node.generator) return 'generators are not for modules: fill an array';
  const last = node.params.at(-1);
  const named = last?.type === 'RestElement' && last.argument.type === 'Identifier';
  if ((named ? node.params.slice(0, -1) : node.params).some(gathers)) return GATHERS;
  return node.params.every(isSimple)
    ? null
    : 'the default of a parameter is a literal or a name: compute others in the body';
}

/** Whether binding a parameter costs no more than its syntax. */
function isSimple(pattern: AnyNode): boolean {
  if (pattern.type === 'Identifier') return true;
  if (pattern.type === 'AssignmentPattern') {
    return isSimple(pattern.left) && isDefault(pattern.right);
  }
  if (pattern.type === 'Property') return !pattern.computed && isSimple(pattern.value);
  return childrenOf(pattern).every(isSimple);
}

function isDefault(node: AnyNode): boolean {
  if (node.type === 'MemberExpression' && node.computed) return false;
  if (node.type === 'Property') return !node.computed && isDefault(node.value);
  const open = ['ArrayExpression', 'ObjectExpression', 'TemplateLiteral'].includes(node.type);
  if (node.type === 'UnaryExpression') return node.argument.type === 'Literal';
  return (open || DEFAULTS.has(node.type)) && childrenOf(node).every(isDefault);
}

function againstLiteral(node: Literal): string | null {
  if (node.regex) {
    return 'regular expressions are not for modules: their cost cannot be counted';
  }
  const long = (node.bigint ?? '').length > LITERAL_BIGINT_MAX;
  return long ? 'a bigint of more than 1024 bits' : null;
}

function againstVariables(kind: string, top: boolean): string | null {
  if (kind === 'var') return '`var`: use `let` or `const`';
  if (kind === 'const' || !top) return null;
  return 'the top of a module keeps no state: use `const`, and a table for what changes';
}

function againstName(name: AnyNode): string | null {
  const text = name.type === 'Identifier' ? name.name : name.type === 'Literal' && name.value;
  if (text !== 'constructor' && text !== '__proto__') return null;
  return `the property \`${text}\` is not for modules`;
}

function againstProperty(node: AnyNode & { type: 'Property' }): string | null {
  if (node.kind !== 'init') return 'getters and setters are not for modules: write a function';
  return node.computed ? null : againstName(node.key);
}

function isLiteral(node: AnyNode, value: unknown): boolean {
  return node.type === 'Literal' && node.value === value && node.raw === String(value);
}

function againstBinary(node: AnyNode & { type: 'BinaryExpression' }): string | null {
  const { operator, left, right } = node;
  if (operator === 'instanceof') {
    if (right.type === 'Identifier' && CONSTRUCTORS.includes(right.name)) return null;
    return `\`instanceof\` is for ${CONSTRUCTORS.join(', ')}`;
  }
  if (operator !== '==' && operator !== '!=') return null;
  return isLiteral(left, null) || isLiteral(right, null) ? null : `\`${operator}=\` in its place`;
}

function isLength(node: AnyNode): boolean {
  return (
    node.type === 'MemberExpression' &&
    !node.computed &&
    node.property.type === 'Identifier' &&
    node.property.name === 'length'
  );
}

function againstAssignment(node: AnyNode & { type: 'AssignmentExpression' }): string | null {
  if (node.operator !== '=' && isLength(node.left)) return 'assign `length` with `=`';
  return node.left.type === 'MemberExpression' ? null : againstTarget(node.left);
}

/** What values are taken apart into: variables. */
function againstTarget(target: AnyNode): string | null {
  if (target.type === 'Identifier' || target.type === 'VariableDeclaration') return null;
  if (target.type === 'MemberExpression') return 'assign to a variable, and from it to a property';
  if (gathers(target)) return GATHERS;
  const parts = target.type.endsWith('Pattern') ? partsOf(target) : [];
  return parts.every(({ type }) => type === 'Identifier') && boundBy(target).length > 0
    ? null
    : 'assign to variables, and from them to properties';
}

function gathers(pattern: AnyNode): boolean {
  if (pattern.type === 'AssignmentPattern') return gathers(pattern.left);
  if (pattern.type === 'Property') return gathers(pattern.value);
  return pattern.type === 'RestElement' || childrenOf(pattern).some(gathers);
}

/** The places that a pattern assigns to. */
function partsOf(pattern: AnyNode): readonly AnyNode[] {
  switch (pattern.type) {
    case 'ObjectPattern':
      return pattern.properties.flatMap((each) =>
        partsOf(each.type === 'Property' ? each.value : each.argument),
      );
    case 'ArrayPattern':
      return pattern.elements.flatMap((each) => (each === null ? [] : partsOf(each)));
    case 'AssignmentPattern':
      return partsOf(pattern.left);
    default:
      return [pattern];
  }
}

function againstNew({ callee, arguments: given }: AnyNode & { type: 'NewExpression' }) {
  if (given.some(({ type }) => type === 'SpreadElement')) return 'no spread in `new`';
  if (callee.type === 'Identifier' && CONSTRUCTORS.includes(callee.name)) return null;
  return `\`new\` is for ${CONSTRUCTORS.join(', ')}: write functions that return plain objects`;
}
