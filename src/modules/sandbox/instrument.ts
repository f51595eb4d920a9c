/**
 * Writes a module's source again as one function of a sandbox, every line where it was: a count at
 * each entry of a function and each round of a loop, operators whose cost depends on their operands
 * as calls (realm/operators.ts), and every `catch` and `finally` passed by once the call is over.
 *
 * U2. No `catch`, `finally` or loop of a script outlives its budget: each begins with the meter.
 */
import type { AnyNode } from 'acorn';
import { boundBy, declaredBy, type FunctionNode, isFunction, type Names } from './names.ts';
import { childrenOf, type Source } from './syntax.ts';
import { frameOf, isLoop, stepsOf } from './weights.ts';

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

export class Instrumenter {
  readonly #source: Source;
  readonly #names: Names;
  /** Variables that the function being written needs for itself. */
  #temporaries: string[] = [];

  constructor(source: Source, names: Names) {
    this.#source = source;
    this.#names = names;
  }

  /** The module as statements that end by returning its exports. */
  module(): string {
    const { program, code } = this.#source;
    const statements = program.body as readonly AnyNode[];
    const exported: string[] = [];
    const pieces = statements.map((each) => this.#topLevel(each, exported));
    let text = '';
    let from = 0;
    for (const [at, { start, end }] of statements.entries()) {
      text += code.slice(from, start) + pieces[at];
      from = end;
    }
    const roots = statements
      .filter(({ type }) => type !== 'ImportDeclaration')
      .flatMap(declaredBy)
      .map(({ name }) => name);
    const settled = roots.map((name) => `$$.settle(${name});`).join('');
    return `${this.#declareTemporaries()}${text}\n${settled}return {${exported.join(', ')}};`;
  }

  #declareTemporaries(): string {
    const names = this.#temporaries;
    this.#temporaries = [];
    return names.length === 0 ? '' : `let ${names.join(', ')};`;
  }

  #topLevel(node: AnyNode, exported: string[]): string {
    switch (node.type) {
      case 'ImportDeclaration':
        return this.#lines(node.start, node.end);
      case 'ExportNamedDeclaration': {
        for (const { local, exported: as } of node.specifiers) {
          exported.push(`${as.type === 'Literal' ? as.raw : as.name}: ${nameOf(local)}`);
        }
        const { declaration } = node;
        if (declaration == null) return this.#lines(node.start, node.end);
        exported.push(...declaredBy(declaration).map(({ name }) => name));
        return this.#lines(node.start, declaration.start) + this.text(declaration);
      }
      case 'ExportDefaultDeclaration': {
        const { declaration } = node;
        const before = this.#lines(node.start, declaration.start);
        const [named] = declaredBy(node);
        exported.push(`default: ${named?.name ?? '$$default'}`);
        const text = this.text(declaration);
        return before + (named === undefined ? `const $$default = (${text});` : text);
      }
      default:
        return this.text(node);
    }
  }

  /** The line ends of a part of the source that is not written. */
  #lines(from: number, to: number): string {
    return this.#source.code.slice(from, to).replace(/[^\n]/g, '');
  }

  /** The source from `from` to `to`, with the children in it written anew. */
  #spliced(from: number, to: number, children: readonly AnyNode[]): string {
    const { code } = this.#source;
    let text = '';
    let at = from;
    for (const child of children) {
      text = joined(text + code.slice(at, child.start), this.text(child));
      at = child.end;
    }
    return text + code.slice(at, to);
  }

  text(node: AnyNode): string {
    if (isFunction(node)) return this.#function(node);
    if (isLoop(node)) return this.#loop(node as AnyNode & { body: AnyNode });
    switch (node.type) {
      case 'ExpressionStatement':
        return `{(${this.text(node.expression)});${this.#lines(node.expression.end, node.end)}}`;
      case 'VariableDeclaration':
        return this.#spliced(node.start, node.end, childrenOf(node)) + gather(declaredRests(node));
      case 'TryStatement':
        return this.#try(node);
      case 'BinaryExpression':
        return this.#binary(node);
      case 'UnaryExpression':
        return this.#unary(node);
      case 'UpdateExpression':
        return this.#update(node);
      case 'AssignmentExpression':
        return this.#assignment(node);
      case 'TemplateLiteral':
        return this.#template(node);
      case 'SequenceExpression':
        return `(${node.expressions.map((each) => this.text(each)).join(', ')})`;
      case 'MemberExpression':
        return this.#member(node);
      case 'NewExpression':
        return `$$.new${nameOf(node.callee)}(${node.arguments.map((each) => this.text(each)).join(', ')})`;
      case 'ArrayExpression':
      case 'CallExpression':
      case 'ObjectExpression':
        return this.#withSpreads(node);
      case 'Property':
        return this.#property(node);
      case 'SwitchStatement':
        return this.#switch(node);
      default:
        return this.#spliced(node.start, node.end, childrenOf(node));
    }
  }

  #function(node: FunctionNode): string {
    const outer = this.#temporaries;
    this.#temporaries = [];
    const { body } = node;
    const written = body.type === 'BlockStatement' ? this.#inside(body) : this.#returned(node);
    const frame = frameOf(node);
    const entry = this.#mayDeclare(node)
      ? `$$.declared(${node.params.flatMap(boundBy).map(nameOf).join(', ')})`
      : '$$.over()';
    const begin =
      `{if (($$m.depth += ${frame}) > $$m.depthMax | ($$m.left -= ${stepsOf(node)}) < 0) ${entry};` +
      `try {${this.#declareTemporaries()}${gather(node.params.flatMap(restsOf))}`;
    this.#temporaries = outer;
    const head =
      body.type === 'BlockStatement'
        ? this.#spliced(node.start, body.start, this.#heading(node))
        : this.#arrowHead(node);
    return `${head}${begin}${written}} finally {$$m.depth -= ${frame}}}`;
  }

  #heading(node: FunctionNode): AnyNode[] {
    return childrenOf(node).filter((child) => child !== node.body);
  }

  #arrowHead(node: FunctionNode): string {
    const paramsEnd = node.params.at(-1)?.end ?? node.start;
    const arrow = this.#source.arrows.find((at) => at >= paramsEnd) as number;
    return this.#spliced(node.start, arrow + 2, this.#heading(node));
  }

  #inside(block: AnyNode & { type: 'BlockStatement' }): string {
    return this.#spliced(block.start + 1, block.end - 1, block.body);
  }

  #returned({ body, end }: FunctionNode): string {
    return `return (${this.text(body)});${this.#lines(body.end, end)}`;
  }

  /** Whether it can neither hold nor reach anything that changes: it may run while a module loads. */
  #mayDeclare(node: FunctionNode): boolean {
    return (
      node.body.type !== 'BlockStatement' &&
      !this.#names.reassigning.has(node) &&
      !assigns(node.body)
    );
  }

  #loop(node: AnyNode & { body: AnyNode }): string {
    const head = childrenOf(node).filter((child) => child !== node.body);
    const gathered = node.type === 'ForOfStatement' || node.type === 'ForStatement' ? head : [];
    const rests = gather(gathered.flatMap(declaredRests));
    const step = `{if (($$m.left -= ${stepsOf(node)}) < 0) $$.over();${rests}`;
    const body = `${step}${this.text(node.body)}}`;
    if (node.type !== 'DoWhileStatement') {
      return this.#headed(node.start, node.body.start, head) + body;
    }
    const { code } = this.#source;
    const opening = code.slice(node.start, node.body.start);
    return opening + body + this.#spliced(node.body.end, node.end, head);
  }

  /** The head of a loop: what it declares is gathered in its body. */
  #headed(from: number, to: number, head: readonly AnyNode[]): string {
    const { code } = this.#source;
    let text = '';
    let at = from;
    for (const child of head) {
      const declares = child.type === 'VariableDeclaration';
      const written = declares
        ? this.#spliced(child.start, child.end, childrenOf(child))
        : this.text(child);
      text = joined(text + code.slice(at, child.start), written);
      at = child.end;
    }
    return text + code.slice(at, to);
  }

  #try({ block, handler, finalizer }: AnyNode & { type: 'TryStatement' }): string {
    let text = `try ${this.text(block)}`;
    if (handler != null) {
      const { param } = handler;
      const binding = param == null ? '' : `let ${this.text(param)} = `;
      const rests = param == null ? '' : gather(restsOf(param));
      const lines = this.#lines(block.end, handler.body.start);
      text += `${lines} catch ($$e) {${binding}$$.caught($$e);${rests}${this.text(handler.body)}}`;
    }
    if (finalizer == null) return text;
    const lines = this.#lines((handler ?? block).end, finalizer.start);
    return `${text}${lines} finally {if ($$m.left < 0) $$.over();${this.text(finalizer)}}`;
  }

  #binary(node: AnyNode & { type: 'BinaryExpression' }): string {
    const { operator, left, right } = node;
    if (operator === 'instanceof') return `$$.is${nameOf(right)}(${this.text(left)})`;
    const plain = (operator === '===' || operator === '!==') && (isShort(left) || isShort(right));
    const name = BINARY[operator];
    if (name === undefined || plain) return this.#spliced(node.start, node.end, [left, right]);
    const a = this.text(left);
    const b = this.text(right);
    const call = `$$.${name}(${a},${this.#lines(left.end, right.start)}${b})`;
    // Only these cost the same for any two numbers, and give the same in every engine.
    if (operator === '===' || operator === '!==' || operator === '**') return call;
    const unsure = [left, right].filter((each) => !isNumber(each));
    if (!unsure.every((each) => each.type === 'Identifier')) return call;
    const tests = unsure.map((each) => `typeof ${nameOf(each)} === 'number'`);
    if (tests.length === 0) return `(${a} ${operator} ${b})`;
    return `(${tests.join(' && ')} ? ${a} ${operator} ${b} : ${call})`;
  }

  #unary(node: AnyNode & { type: 'UnaryExpression' }): string {
    const { operator, argument } = node;
    const name = UNARY[operator];
    if (name !== undefined) {
      const literal = argument.type === 'Literal' && typeof argument.value !== 'string';
      return literal && operator === '-'
        ? `(-${this.text(argument)})`
        : `$$.${name}(${this.text(argument)})`;
    }
    return this.#spliced(node.start, node.end, [argument]);
  }

  #update({ operator, prefix, argument }: AnyNode & { type: 'UpdateExpression' }): string {
    const [first, again] = this.#place(argument);
    const change = prefix ? `${operator}${again}` : `${again}${operator}`;
    if (argument.type !== 'Identifier') return `($$.numeric(${first}), ${change})`;
    return `(typeof ${again} === 'number' ? ${change} : ($$.numeric(${again}), ${change}))`;
  }

  /** How to write a place of a value the first time, evaluating what leads to it, and again. */
  #place(node: AnyNode): readonly [first: string, again: string] {
    if (node.type !== 'MemberExpression') return [this.text(node), this.text(node)];
    const { object, property, computed } = node;
    const simple = object.type === 'Identifier';
    const held = simple ? object.name : this.#temporary();
    const base = simple ? held : `(${held} = ${this.text(object)})`;
    if (!computed) return [`${base}.${nameOf(property)}`, `${held}.${nameOf(property)}`];
    const key = this.#temporary();
    const first = `${base}[${key} = $$.at(${held}, ${this.text(property)})]`;
    return [first, `${held}[${key}]`];
  }

  #temporary(): string {
    const name = `$$${this.#temporaries.length}`;
    this.#temporaries.push(name);
    return name;
  }

  #assignment(node: AnyNode & { type: 'AssignmentExpression' }): string {
    const { left, right, operator } = node;
    const lines = this.#lines(left.end, right.start);
    const plain = operator === '=' || LOGICAL.has(operator);
    if (left.type === 'MemberExpression' && plain) {
      if (!left.computed && nameOf(left.property) === 'length') {
        return `$$.truncate(${this.text(left.object)},${lines}${this.text(right)})`;
      }
      const [first] = this.#place(left);
      return `${first} ${operator}${lines} ${this.text(right)}`;
    }
    if (plain) return this.#spliced(node.start, node.end, [left, right]);
    const [first, again] = this.#place(left);
    const name = BINARY[operator.slice(0, -1)];
    const value = (of: string): string => `$$.${name}(${of},${lines}${this.text(right)})`;
    if (left.type === 'Identifier') return `${again} = ${value(again)}`;
    const old = this.#temporary();
    return `(${old} = ${first}, ${again} = ${value(old)})`;
  }

  #template({ quasis, expressions }: AnyNode & { type: 'TemplateLiteral' }): string {
    const piece = (at: number): string => `\`${quasis[at]?.value.raw}\``;
    let text = piece(0);
    for (const [at, each] of expressions.entries()) {
      text = `$$.text(${text}, ${this.text(each)}, ${piece(at + 1)})`;
    }
    return text;
  }

  #member(node: AnyNode & { type: 'MemberExpression' }): string {
    const { object, property, computed } = node;
    if (!computed || isNumber(property) || property.type === 'PrivateIdentifier') {
      return this.#spliced(node.start, node.end, computed ? [object, property] : [object]);
    }
    const key = this.text(property);
    const open = node.optional ? '?.[' : '[';
    // What an optional chain may skip cannot be taken out of it.
    if (mayEnd(object)) return `${this.text(object)}${open}$$.key(${key})]`;
    const simple = object.type === 'Identifier';
    const held = simple ? object.name : this.#temporary();
    const base = simple ? held : `(${held} = ${this.text(object)})`;
    const read = `$$.read(${held}, ${key})`;
    if (property.type !== 'Identifier') return `${base}${open}${read}]`;
    return `${base}${open}typeof ${key} === 'number' ? ${key} : ${read}]`;
  }

  #withSpreads(node: AnyNode): string {
    const kinds: Readonly<Record<string, string>> = {
      ArrayExpression: 'spread',
      CallExpression: 'args',
      ObjectExpression: 'fields',
    };
    const { code } = this.#source;
    let text = '';
    let at = node.start;
    for (const child of childrenOf(node)) {
      const written =
        child.type === 'SpreadElement'
          ? `...$$.${kinds[node.type]}(${this.text(child.argument)})`
          : this.text(child);
      text = joined(text + code.slice(at, child.start), written);
      at = child.end;
    }
    return text + code.slice(at, node.end);
  }

  #property(node: AnyNode & { type: 'Property' }): string {
    if (!node.computed) {
      const children = childrenOf(node).filter((child) => node.shorthand || child !== node.key);
      return this.#spliced(node.start, node.end, children);
    }
    const { code } = this.#source;
    const close = code.indexOf(']', node.key.end);
    const value = this.#spliced(close, node.end, [node.value]);
    return `[$$.key(${this.text(node.key)})${value}`;
  }

  #switch(node: AnyNode & { type: 'SwitchStatement' }): string {
    const open = node.cases.filter(({ test }) => test != null && !isShort(test)).length;
    const rest = this.#spliced(node.discriminant.end, node.end, node.cases);
    return `switch ($$.choice(${this.text(node.discriminant)}, ${open})${rest}`;
  }
}

function nameOf(node: AnyNode): string {
  return node.type === 'Identifier' ? node.name : '';
}

/** Whether a chain has a `?.` in it. */
function mayEnd(node: AnyNode): boolean {
  if (node.type === 'MemberExpression') return node.optional || mayEnd(node.object);
  return node.type === 'CallExpression' && (node.optional || mayEnd(node.callee));
}

/** `text` and `more`, which are two words if both are words. */
function joined(text: string, more: string): string {
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

function assigns(node: AnyNode): boolean {
  if (isFunction(node)) return false;
  if (node.type === 'AssignmentExpression' || node.type === 'UpdateExpression') return true;
  return childrenOf(node).some(assigns);
}

/** What the rest elements of a pattern bind. */
function restsOf(pattern: AnyNode): string[] {
  if (pattern.type === 'RestElement') return boundBy(pattern).map(nameOf);
  return isFunction(pattern) ? [] : childrenOf(pattern).flatMap(restsOf);
}

function declaredRests(node: AnyNode): string[] {
  if (node.type !== 'VariableDeclaration') return [];
  return node.declarations.flatMap(({ id }) => restsOf(id));
}

function gather(names: readonly string[]): string {
  return names.length === 0 ? '' : `;$$.rest(${names.join(', ')});`;
}
