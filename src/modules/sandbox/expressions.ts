/**
 * The expressions whose cost depends on their operands, as instrument.ts writes them: calls of the
 * functions in realm/operators.ts, and plain operators where the operands are seen to be numbers.
 */
import type { AnyNode } from 'acorn';
import { restOf } from './grammar.ts';
import { childrenOf } from './syntax.ts';

/** Writes the rest of the source. */
export interface Writer {
  readonly code: string;
  text(node: AnyNode): string;
  /** The source from `from` to `to`, with the children in it written anew. */
  spliced(from: number, to: number, children: readonly AnyNode[]): string;
  /** The line ends of a part of the source that is not written. */
  lines(from: number, to: number): string;
  /** A variable of the function that is being written. */
  temporary(): string;
}

/** Operators that are written as functions, and their names there. */
const BINARY: Readonly<Record<string, string>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
  '**': 'pow',
  '<<': 'shl',
  '>>': 'shr',
  '>>>': 'ushr',
  '&': 'and',
  '|': 'or',
  '^': 'xor',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
  '===': 'eq',
  '!==': 'ne',
};
const UNARY: Readonly<Record<string, string>> = { '-': 'neg', '~': 'not', '+': 'plus' };
const LOGICAL = new Set(['&&=', '||=', '??=']);

export function binary(writer: Writer, node: AnyNode & { type: 'BinaryExpression' }): string {
  const { operator, left, right } = node;
  if (operator === 'instanceof') return `$$.is${nameOf(right)}(${writer.text(left)})`;
  const plain = (operator === '===' || operator === '!==') && (isShort(left) || isShort(right));
  const name = BINARY[operator];
  if (name === undefined || plain) return writer.spliced(node.start, node.end, [left, right]);
  const a = writer.text(left);
  const b = writer.text(right);
  const call = `$$.${name}(${a},${writer.lines(left.end, right.start)}${b})`;
  // Only these cost the same for any two numbers, and give the same in every engine.
  if (operator === '===' || operator === '!==' || operator === '**') return call;
  const unsure = [left, right].filter((each) => !isNumber(each));
  if (!unsure.every((each) => each.type === 'Identifier')) return call;
  const tests = unsure.map((each) => `typeof ${nameOf(each)} === 'number'`);
  if (tests.length === 0) return `(${a} ${operator} ${b})`;
  return `(${tests.join(' && ')} ? ${a} ${operator} ${b} : ${call})`;
}

export function unary(writer: Writer, node: AnyNode & { type: 'UnaryExpression' }): string {
  const { operator, argument } = node;
  const name = UNARY[operator];
  if (name !== undefined) {
    const literal = argument.type === 'Literal' && typeof argument.value !== 'string';
    return literal && operator === '-'
      ? `(-${writer.text(argument)})`
      : `$$.${name}(${writer.text(argument)})`;
  }
  return writer.spliced(node.start, node.end, [argument]);
}

export function update(
  writer: Writer,
  { operator, prefix, argument }: AnyNode & { type: 'UpdateExpression' },
): string {
  const { first, again } = placeOf(writer, argument);
  const change = prefix ? `${operator}${again}` : `${again}${operator}`;
  if (argument.type !== 'Identifier') return `($$.numeric(${first}), ${change})`;
  return `(typeof ${again} === 'number' ? ${change} : ($$.numeric(${again}), ${change}))`;
}

/** How to write a place of a value the first time, evaluating what leads to it, and to set it then. */
interface Place {
  readonly first: string;
  readonly again: string;
  readonly set: (value: string) => string;
}

function placeOf(writer: Writer, node: AnyNode): Place {
  const plain = (first: string, again: string): Place => ({
    first,
    again,
    set: (value) => `${again} = ${value}`,
  });
  if (node.type !== 'MemberExpression') return plain(writer.text(node), writer.text(node));
  const { object, property, computed } = node;
  const simple = object.type === 'Identifier';
  const held = simple ? object.name : writer.temporary();
  const base = simple ? held : `(${held} = ${writer.text(object)})`;
  if (!computed) return plain(`${base}.${nameOf(property)}`, `${held}.${nameOf(property)}`);
  const key = writer.temporary();
  const first = `${base}[${key} = $$.at(${held}, ${writer.text(property)})]`;
  return { first, again: `${held}[${key}]`, set: (value) => `$$.put(${held}, ${key}, ${value})` };
}

export function assignment(
  writer: Writer,
  node: AnyNode & { type: 'AssignmentExpression' },
): string {
  const { left, right, operator } = node;
  const lines = writer.lines(left.end, right.start);
  const logical = LOGICAL.has(operator);
  if (left.type === 'MemberExpression' && operator === '=') {
    const { object, property, computed } = left;
    const length = !computed && nameOf(property) === 'length';
    if (!computed && !length) return writer.spliced(node.start, node.end, [object, right]);
    const name = computed ? `, ${writer.text(property)}` : '';
    const at = writer.lines(object.end, right.start);
    return `$$.${length ? 'truncate' : 'put'}(${writer.text(object)}${name},${at}${writer.text(right)})`;
  }
  if (left.type !== 'MemberExpression' && (logical || operator === '=')) {
    return writer.spliced(node.start, node.end, [left, right]);
  }
  const { first, again, set } = placeOf(writer, left);
  if (logical) return `(${first} ${operator.slice(0, -1)} (${set(lines + writer.text(right))}))`;
  const name = BINARY[operator.slice(0, -1)];
  const value = (of: string): string => `$$.${name}(${of},${lines}${writer.text(right)})`;
  if (left.type === 'Identifier') return set(value(again));
  const old = writer.temporary();
  return `(${old} = ${first}, ${set(value(old))})`;
}

export function template(
  writer: Writer,
  { quasis, expressions }: AnyNode & { type: 'TemplateLiteral' },
): string {
  const piece = (at: number): string => `\`${quasis[at]?.value.raw}\``;
  let text = piece(0);
  for (const [at, each] of expressions.entries()) {
    text = `$$.text(${text}, ${writer.text(each)}, ${piece(at + 1)})`;
  }
  return text;
}

export function member(writer: Writer, node: AnyNode & { type: 'MemberExpression' }): string {
  const { object, property, computed } = node;
  if (!computed || isNumber(property) || property.type === 'PrivateIdentifier') {
    return writer.spliced(node.start, node.end, computed ? [object, property] : [object]);
  }
  const key = writer.text(property);
  const open = node.optional ? '?.[' : '[';
  // What an optional chain may skip cannot be taken out of it.
  if (mayEnd(object)) return `${writer.text(object)}${open}$$.key(${key})]`;
  const simple = object.type === 'Identifier';
  const held = simple ? object.name : writer.temporary();
  const base = simple ? held : `(${held} = ${writer.text(object)})`;
  const read = `$$.read(${held}, ${key})`;
  if (property.type !== 'Identifier') return `${base}${open}${read}]`;
  return `${base}${open}typeof ${key} === 'number' ? ${key} : ${read}]`;
}

export function spreads(writer: Writer, node: AnyNode): string {
  const kinds: Readonly<Record<string, string>> = {
    ArrayExpression: 'spread',
    CallExpression: 'args',
    ObjectExpression: 'fields',
  };
  const { code } = writer;
  let text = '';
  let at = node.start;
  for (const child of childrenOf(node)) {
    const written =
      child.type === 'SpreadElement'
        ? `...$$.${kinds[node.type]}(${writer.text(child.argument)})`
        : writer.text(child);
    text = joined(text + code.slice(at, child.start), written);
    at = child.end;
  }
  return text + code.slice(at, node.end);
}

export function property(writer: Writer, node: AnyNode & { type: 'Property' }): string {
  if (!node.computed) {
    const children = childrenOf(node).filter((child) => node.shorthand || child !== node.key);
    return writer.spliced(node.start, node.end, children);
  }
  const { code } = writer;
  const close = code.indexOf(']', node.key.end);
  const value = writer.spliced(close, node.end, [node.value]);
  return `[$$.key(${writer.text(node.key)})${value}`;
}

export function choice(writer: Writer, node: AnyNode & { type: 'SwitchStatement' }): string {
  const open = node.cases.filter(({ test }) => test && !isShort(test)).length;
  const rest = writer.spliced(node.discriminant.end, node.end, node.cases);
  return `switch ($$.choice(${writer.text(node.discriminant)}, ${open})${rest}`;
}

/** What is gathered is paid for before (realm/operators.ts): nothing else tells how much it is. */
export function gathered(
  writer: Writer,
  { start, end, id, init }: AnyNode & { type: 'VariableDeclarator' },
): string {
  const pays = init && restOf(id) !== undefined;
  if (!pays) return writer.spliced(start, end, init ? [id, init] : [id]);
  const value = `$$.${id.type === 'ArrayPattern' ? 'spread' : 'fields'}(${writer.text(init)})`;
  return (
    writer.text(id) +
    writer.code.slice(id.end, init.start) +
    value +
    writer.code.slice(init.end, end)
  );
}

export function nameOf(node: AnyNode): string {
  return node.type === 'Identifier' ? node.name : '';
}

/** Whether a chain has a `?.` in it. */
function mayEnd(node: AnyNode): boolean {
  if (node.type === 'MemberExpression') return node.optional || mayEnd(node.object);
  return node.type === 'CallExpression' && (node.optional || mayEnd(node.callee));
}

/** `text` and `more`, which are two words if both are words. */
export function joined(text: string, more: string): string {
  return /[\w$]$/.test(text) && /^[\w$]/.test(more) ? `${text} ${more}` : text + more;
}

/** Literals and such: what they are compared with is read no further than they reach. */
function isShort(node: AnyNode): boolean {
  if (node.type === 'UnaryExpression') return true;
  return node.type === 'Literal' || (node.type === 'Identifier' && node.name === 'undefined');
}

function isNumber(node: AnyNode): boolean {
  return node.type === 'Literal' && typeof node.value === 'number';
}
