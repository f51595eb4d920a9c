/** Modules for tests, with imports of all kinds. */
import {
  declares,
  loadModuleSource,
  type LoadedModule,
  offers,
  opaque,
  reads,
  type Ran,
} from '../../src/modules/sandbox/load.ts';

export type Call = (...args: readonly unknown[]) => unknown;

export class Refusal {
  readonly code: string;
  constructor(code: string) {
    this.code = code;
  }
}

export const imports = {
  'althing/module': {
    define: declares((definition: unknown) => definition),
    schema: declares((options: object) => ({ kind: 'schema', ...options })),
    twice: offers((value: unknown) => [value, value]),
    fails: offers(() => {
      throw new Error('of the host');
    }),
    none: offers(() => null),
    codeOf: reads((value: unknown) => (value instanceof Refusal ? value.code : null)),
    refuse: opaque((code: string) => new Refusal(code)),
    limits: { most: 7, names: ['a', 'b'] },
  },
};

export function load(text: string, file = 'module.js'): LoadedModule {
  return loadModuleSource(file, text, imports);
}

/** Runs `run(…args)` of a module with `text`. */
export function runText(text: string, steps = 100_000, ...args: readonly unknown[]): Ran<unknown> {
  const module = load(text);
  return module.run(steps, () => (module.exports['run'] as Call)(...args));
}

/** The result of a function body. */
export function result(body: string, ...args: readonly unknown[]): unknown {
  const ran = runText(`export function run(a, b) { ${body} }`, 1_000_000, ...args);
  if (ran.kind === 'done') return ran.value;
  return ran.kind === 'threw' ? ran.fault.message : `stopped: ${ran.reason}`;
}
