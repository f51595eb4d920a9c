/**
 * Writes a module's source again as one function of a sandbox, every line where it was: a count at
 * each entry of a function and each round of a loop, operators whose cost depends on their operands
 * as calls (realm/operators.ts), and every `catch` and `finally` passed by once the call is over.
 *
 * U2. No `catch`, `finally` or loop of a script outlives its budget: each begins with the meter.
 */
import type { AnyNode } from 'acorn';
import { boundBy, declaredBy, type FunctionNode, isFunction, type Names } from './names.ts';
import {
  assignment,
  binary,
  choice,
  gathered,
  joined,
  member,
  nameOf,
  property,
  spreads,
  template,
  unary,
  update,
  type Writer,
} from './expressions.ts';
import { childrenOf, type Source } from './syntax.ts';
import { frameOf, isLoop, stepsOf } from './weights.ts';

export class Instrumenter implements Writer {
  readonly code: string;
  readonly #source: Source;
  readonly #names: Names;
  /** Variables that the function being written needs for itself. */
  #temporaries: string[] = [];

  constructor(source: Source, names: Names) {
    this.#source = source;
    this.code = source.code;
    this.#names = names;
  }

  /** The module as statements that end by returning its exports. */
  module(): string {
    const { code } = this;
    const { program } = this.#source;
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
        return this.lines(node.start, node.end);
      case 'ExportNamedDeclaration': {
        for (const { local, exported: as } of node.specifiers) {
          exported.push(`${as.type === 'Literal' ? as.raw : as.name}: ${nameOf(local)}`);
        }
        const { declaration } = node;
        if (!declaration) return this.lines(node.start, node.end);
        exported.push(...declaredBy(declaration).map(({ name }) => name));
        return this.lines(node.start, declaration.start) + this.text(declaration);
      }
      case 'ExportDefaultDeclaration': {
        const { declaration } = node;
        const before = this.lines(node.start, declaration.start);
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
  lines(from: number, to: number): string {
    return this.code.slice(from, to).replace(/[^\n]/g, '');
  }

  /** The source from `from` to `to`, with the children in it written anew. */
  spliced(from: number, to: number, children: readonly AnyNode[]): string {
    const { code } = this;
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
        return `{(${this.text(node.expression)});${this.lines(node.expression.end, node.end)}}`;
      case 'VariableDeclaration':
        return this.spliced(node.start, node.end, childrenOf(node));
      case 'VariableDeclarator':
        return gathered(this, node);
      case 'TryStatement':
        return this.#try(node);
      case 'BinaryExpression':
        return binary(this, node);
      case 'UnaryExpression':
        return unary(this, node);
      case 'UpdateExpression':
        return update(this, node);
      case 'AssignmentExpression':
        return assignment(this, node);
      case 'TemplateLiteral':
        return template(this, node);
      case 'SequenceExpression':
        return `(${node.expressions.map((each) => this.text(each)).join(', ')})`;
      case 'MemberExpression':
        return member(this, node);
      case 'NewExpression':
        return `$$.new${nameOf(node.callee)}(${node.arguments.map((each) => this.text(each)).join(', ')})`;
      case 'ArrayExpression':
      case 'CallExpression':
      case 'ObjectExpression':
        return spreads(this, node);
      case 'Property':
        return property(this, node);
      case 'SwitchStatement':
        return choice(this, node);
      default:
        return this.spliced(node.start, node.end, childrenOf(node));
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
      `try {${this.#declareTemporaries()}`;
    this.#temporaries = outer;
    const head =
      body.type === 'BlockStatement'
        ? this.spliced(node.start, body.start, this.#heading(node))
        : this.#arrowHead(node);
    return `${head}${begin}${written}} finally {$$m.depth -= ${frame}}}`;
  }

  #heading(node: FunctionNode): AnyNode[] {
    return childrenOf(node).filter((child) => child !== node.body);
  }

  #arrowHead(node: FunctionNode): string {
    const paramsEnd = node.params.at(-1)?.end ?? node.start;
    const arrow = this.#source.arrows.find((at) => at >= paramsEnd) as number;
    return this.spliced(node.start, arrow + 2, this.#heading(node));
  }

  #inside(block: AnyNode & { type: 'BlockStatement' }): string {
    return this.spliced(block.start + 1, block.end - 1, block.body);
  }

  #returned({ body, end }: FunctionNode): string {
    return `return (${this.text(body)});${this.lines(body.end, end)}`;
  }

  /** Whether nothing that it holds on to can change but what is frozen (realm/meter.ts, U4). */
  #mayDeclare(node: FunctionNode): boolean {
    return node.body.type !== 'BlockStatement' && !this.#names.reassigning.has(node);
  }

  #loop(node: AnyNode & { body: AnyNode }): string {
    const head = childrenOf(node).filter((child) => child !== node.body);
    const step = `{if (($$m.left -= ${stepsOf(node)}) < 0) $$.over();`;
    const body = `${step}${this.text(node.body)}}`;
    if (node.type !== 'DoWhileStatement') {
      return this.spliced(node.start, node.body.start, head) + body;
    }
    const { code } = this;
    const opening = code.slice(node.start, node.body.start);
    return opening + body + this.spliced(node.body.end, node.end, head);
  }

  #try({ block, handler, finalizer }: AnyNode & { type: 'TryStatement' }): string {
    let text = `try ${this.text(block)}`;
    if (handler) {
      const { param } = handler;
      const binding = !param ? '' : `let ${this.text(param)} = `;
      const lines = this.lines(block.end, handler.body.start);
      text += `${lines} catch ($$e) {${binding}$$.caught($$e);${this.text(handler.body)}}`;
    }
    if (!finalizer) return text;
    const lines = this.lines((handler ?? block).end, finalizer.start);
    return `${text}${lines} finally {if ($$m.left < 0) $$.over();${this.text(finalizer)}}`;
  }

  temporary(): string {
    const name = `$$${this.#temporaries.length}`;
    this.#temporaries.push(name);
    return name;
  }
}
