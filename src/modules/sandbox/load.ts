/**
 * Loads a module of a user from its source: checked, instrumented, evaluated in a context of its own.
 * What stands in the source decides its digest, by which nodes agree on what they run; how it is
 * instrumented is part of this program's version.
 */
import { Script } from 'node:vm';
import type { Digest } from '../../../protocols/types.ts';
import { nodeCrypto } from '../../crypto/node-crypto.ts';
import { checkGrammar } from './grammar.ts';
import {
  Guest,
  type Budget,
  type HostFunction,
  type Importable,
  type Port,
  type Ran,
  type Shape,
} from './guest.ts';
import { Instrumenter } from './instrument.ts';
import { resolve } from './names.ts';
import {
  type AnyNode,
  childrenOf,
  errorAt,
  parseSource,
  type Source,
  SourceError,
} from './syntax.ts';

export { declares, offers, opaque, Passed, reads, ScriptFault } from './guest.ts';
export type { Budget, HostFunction, Importable, Port, Ran, Shape } from './guest.ts';
export { SourceError } from './syntax.ts';

/** What can be imported from where. */
export type Imports = Readonly<Record<string, Readonly<Record<string, Importable>>>>;

export interface LoadedModule {
  /** BLAKE3-256 of the source as it was written, in UTF-8. */
  readonly digest: Digest;
  /** Functions of the module among them can be called within `run`. */
  readonly exports: Readonly<Record<string, unknown>>;
  /** Calls functions of the module; together they take at most `steps`. */
  run<T>(steps: number, work: () => T): Ran<T>;
  /** The same with what `budget` has left, and afterwards has left still. */
  runIn<T>(budget: Budget, work: () => T): Ran<T>;
  readonly isRunning: boolean;
  /** Only while it runs: takes steps for what the host does. */
  charge(steps: number): void;
  /** Only while it runs: what `work` calls takes its steps from `budget`, which are the module's. */
  lend<T>(budget: Budget, work: () => T): T;
  /** A function of the host, or an object of them, that can be passed to those of the module. */
  port(shape: Shape | HostFunction): Port;
}

/** Where a module finds what it looks for in vain. */
const INSTEAD: Readonly<Record<string, string>> = {
  Date: 'the time is in the context',
  Promise: 'handlers are synchronous',
  RegExp: 'the cost of regular expressions cannot be counted',
  JSON: 'values are passed as they are',
  Symbol: 'use text for keys',
  process: 'a module sees its arguments and tables alone',
  console: 'emit an event',
  fetch: 'a module sees its arguments and tables alone',
  setTimeout: 'schedule by the time in the context',
  eval: 'a module is what stands in its file',
  Function: 'a module is what stands in its file',
  arguments: 'name the parameters',
  parseInt: 'use Number.parseInt',
};

/**
 * Loads `text`, TypeScript when `file` ends in `.ts`. Throws SourceError with the place of what modules
 * are not written with, ScriptFault when its declarations fail, and what the imports throw.
 */
export function loadModuleSource(file: string, text: string, imports: Imports): LoadedModule {
  const source = parseSource(file, text);
  checkGrammar(source);
  const guest = new Guest();
  const { globals } = guest;
  const names = resolve(source.program, new Set(globals));
  for (const node of names.shadowing) {
    throw errorAt(source, node, `\`${node.name}\` has its meaning in every module: rename this`);
  }
  for (const node of names.fixed) {
    throw errorAt(source, node, `\`${node.name}\` is no variable: nothing is assigned to it`);
  }
  for (const node of names.free) {
    if (globals.includes(node.name)) continue;
    const instead = INSTEAD[node.name] ?? 'neither declared nor imported';
    throw errorAt(source, node, `\`${node.name}\` is not there for modules: ${instead}`);
  }
  checkGlobalUse(source, source.program, guest);
  const header = `(function ($$, $$m, $$imports, ${globals.join(', ')}) {'use strict';`;
  const script = compile(
    source,
    `${header}${importsOf(source, imports)}${new Instrumenter(source, names).module()}\n})`,
  );
  const exports = guest.load(script, imports) as LoadedModule['exports'];
  return {
    digest: nodeCrypto.hash(new TextEncoder().encode(text)),
    exports,
    run: (steps, work) => guest.run({ left: steps, depth: 0 }, work),
    runIn: (budget, work) => guest.run(budget, work),
    get isRunning() {
      return guest.isRunning;
    },
    charge: (steps) => guest.charge(steps),
    lend: (budget, work) => guest.lend(budget, work),
    port: (shape) => guest.port(shape),
  };
}

/** Declarations of the imported names; throws SourceError for what there is not. */
function importsOf(source: Source, imports: Imports): string {
  let text = '';
  for (const node of source.program.body) {
    if (node.type !== 'ImportDeclaration') continue;
    const from = String(node.source.value);
    const offered = Object.hasOwn(imports, from) ? imports[from] : undefined;
    if (offered === undefined) {
      const all = Object.keys(imports).join(', ');
      throw errorAt(source, node, `modules import from ${all} and nothing else`);
    }
    for (const specifier of node.specifiers) {
      if (specifier.type !== 'ImportSpecifier') continue;
      const { imported, local } = specifier;
      const name = imported.type === 'Identifier' ? imported.name : String(imported.value);
      if (!Object.hasOwn(offered, name)) {
        const all = Object.keys(offered).join(', ');
        throw errorAt(source, specifier, `${from} has no \`${name}\`, but ${all}`);
      }
      text += `const ${local.name} = $$imports[${JSON.stringify(from)}].${name};`;
    }
  }
  return text;
}

/** `Math.random` and the like: said when the module loads, not when it runs. */
function checkGlobalUse(source: Source, node: AnyNode, guest: Guest): void {
  if (node.type === 'MemberExpression' && !node.computed && node.object.type === 'Identifier') {
    const { object, property } = node;
    const name = property.type === 'Identifier' ? property.name : '';
    if (guest.globals.includes(object.name) && !guest.offers(object.name, name)) {
      throw errorAt(source, node, `\`${object.name}.${name}\` is not there for modules`);
    }
  }
  for (const child of childrenOf(node)) checkGlobalUse(source, child, guest);
}

function compile(source: Source, code: string): Script {
  try {
    return new Script(code, { filename: source.file });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SourceError(source.file, 1, 1, reason);
  }
}
