/**
 * For the tests of modules: `import { testWorld } from 'althing/module/testing'`. A world executes
 * blocks as a cluster does, in this process and without a network; the same calls give the same
 * receipts, always.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { utf8 } from '../protocols/bytes.ts';
import { clusterOf } from '../protocols/genesis.ts';
import { Executor } from '../protocols/transaction/executor.ts';
import { buildPayload } from '../protocols/transaction/payload.ts';
import { Queries } from '../protocols/transaction/queries.ts';
import { decodeReceipts, type Receipt } from '../protocols/transaction/receipts.ts';
import { encodeSubmission } from '../protocols/transaction/submission.ts';
import type { Value } from '../protocols/transaction/values.ts';
import { ZERO_DIGEST, type Block, type PublicKey } from '../protocols/types.ts';
import { nodeCrypto } from './crypto/node-crypto.ts';
import { createGenesis } from './init/genesis.ts';
import { builtInModules } from './modules/built-in.ts';
import { ModuleCatalog } from './modules/catalog.ts';
import { loadUserModule } from './modules/user/load.ts';

/** 2025-01-01: when a world begins. */
const START_MS = 1_735_689_600_000;
const BLOCK_MS = 1;
const VALID_MS = 60_000;

export interface TestReceipt extends Pick<Receipt, 'status' | 'result' | 'error' | 'events'> {
  /** What a handler threw when the code is `module_fault`: not part of a real receipt. */
  readonly fault?: string;
}

export interface TestWorldOptions {
  /** The module's part of the genesis document. */
  readonly genesis?: unknown;
}

export interface TestWorld {
  /** Block time in milliseconds. */
  readonly time: number;
  readonly height: number;
  /**
   * Has `sender` (`principal:<sender>` in the module) run a command in a block of its own. `command` is
   * one of the module, or `other.command` of another; the arguments are as in JSON.
   */
  readonly run: (sender: string, command: string, args?: unknown) => TestReceipt;
  /** What a query answers. Throws an Error with the code when it is refused. */
  readonly ask: (query: string, args?: unknown) => unknown;
  /** Lets time pass; the receipts of the timers that were due. */
  readonly advance: (ms: number) => TestReceipt[];
}

/** @param file of the module: a path, or a URL such as `new URL('./raffle.ts', import.meta.url)` */
export function testWorld(file: string | URL, options: TestWorldOptions = {}): TestWorld {
  const path = file instanceof URL ? fileURLToPath(file) : file;
  return new World(path, options);
}

class World implements TestWorld {
  time = START_MS;
  readonly #executor: Executor;
  readonly #queries: Queries;
  readonly #catalog: ModuleCatalog;
  readonly #name: string;
  #faults: string[] = [];
  #sent = 0;

  constructor(file: string, { genesis: config }: TestWorldOptions) {
    const source = { file, text: readFileSync(file, 'utf8') };
    const module = loadUserModule(source, (place, reason) => {
      this.#faults.push(`${place}: ${reason}`);
    });
    this.#name = module.name;
    const modules = [...builtInModules.filter(({ name }) => name !== module.name), module];
    this.#catalog = new ModuleCatalog(modules);
    const genesis = createGenesis({
      name: 'test',
      nowMs: START_MS,
      validators: [1, 2, 3, 4].map((n) => ({ id: `validator-${n}`, publicKey: keyOf(n) })),
      issuers: [],
    });
    const settings = config === undefined ? {} : { [module.name]: config };
    const cluster = clusterOf(
      { ...genesis, programs: undefined!, modules: { ...genesis.modules, ...settings } },
      nodeCrypto,
    );
    const ignore = (): void => undefined;
    this.#executor = new Executor(nodeCrypto, cluster, modules, {
      isChecked: () => false,
      executed: ignore,
      repeated: ignore,
      refused: ignore,
      tooFar: ignore,
      batchDone: ignore,
      programsChanged: ignore,
    });
    this.#queries = new Queries(this.#executor);
  }

  get height(): number {
    return this.#executor.height;
  }

  readonly run = (sender: string, command: string, args: unknown = {}): TestReceipt => {
    const [module, name] = command.includes('.')
      ? (command.split('.') as [string, string])
      : [this.#name, command];
    const parsed = this.#catalog.commandArgs(module, name, args);
    if (!parsed.ok) {
      const message = `${parsed.field} ${parsed.message}`.trim();
      return { status: 'failed', error: { code: parsed.code, message }, events: [] };
    }
    const submission = encodeSubmission({
      kind: 'node',
      clusterId: this.#executor.clusterId,
      key: keyOf(1),
      principal: sender,
      idempotencyKey: utf8(`test-${this.#sent++}`),
      validUntil: this.time + VALID_MS,
      transactions: [{ module, command: name, args: parsed.args }],
    });
    return this.#block([submission], BLOCK_MS).at(-1)!;
  };

  readonly ask = (query: string, args: unknown = {}): unknown => {
    const parsed = this.#catalog.queryArgs(this.#name, query, args, false);
    if (!parsed.ok) throw new Error(`${parsed.code}: ${parsed.field} ${parsed.message}`);
    const answer = this.#queries.run({ module: this.#name, query, args: parsed.args });
    if (answer.ok) return answer.value;
    const fault = this.#faults.splice(0).join('; ');
    throw new Error(`${answer.code}: ${fault === '' ? answer.message : fault}`);
  };

  readonly advance = (ms: number): TestReceipt[] => this.#block([], ms);

  /** The receipts of timers, and of the submissions after them. */
  #block(submissions: readonly Uint8Array[], ms: number): TestReceipt[] {
    this.time += ms;
    this.#faults = [];
    const bytes = submissions.reduce((sum, { length }) => sum + length + 4, 0);
    const batches = bytes === 0 ? [] : [{ lane: 0, payload: buildPayload(submissions, bytes) }];
    const block = blockAt(this.height + 1, this.time);
    const digest = nodeCrypto.hash(utf8(`block ${block.height}`));
    const budget = { left: Infinity };
    this.#executor.begin({ block, digest, batches }, budget);
    const { receipts } = this.#executor.advance(budget)!;
    const fault = this.#faults.splice(0).join('; ');
    return receipts
      .flatMap((each) => decodeReceipts(each) ?? [])
      .map(({ status, result, error, events }) => ({
        status,
        events,
        ...(result === undefined ? {} : { result }),
        ...(error === undefined ? {} : { error }),
        ...(error?.code === 'module_fault' ? { fault } : {}),
      }));
  }
}

function keyOf(n: number): PublicKey {
  return n.toString(16).padStart(64, '0') as PublicKey;
}

function blockAt(height: number, timestamp: number): Block {
  const executed = {
    height: 0,
    stateRoot: ZERO_DIGEST,
    receiptsRoot: ZERO_DIGEST,
    pendingSet: ZERO_DIGEST,
  };
  const chain = {
    epoch: 0,
    term: 0,
    height,
    parent: ZERO_DIGEST,
    justify: { kind: 'epoch' },
  } as const;
  const signature = new Uint8Array(64);
  return { ...chain, cut: [], timestamp, executed, endsEpoch: null, signature };
}

export type { Value };
