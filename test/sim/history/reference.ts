/** The models of all modules, as one: what executes the total order beside the cluster. */
import type { Genesis } from '../../../protocols/genesis.ts';
import type { Value } from '../../../protocols/transaction/values.ts';
import { BridgeModel, type BridgeConfig } from './bridge-model.ts';
import { ClockworkModel } from './clockwork-model.ts';
import { KvModel } from './kv-model.ts';
import { LedgerModel, type Opening } from './ledger-model.ts';
import { outcomeOf, type Args, type Asking, type ModuleModel, type Outcome } from './model.ts';
import { ProgramsModel } from './programs-model.ts';
import { VotingModel } from './voting-model.ts';

export interface Configs {
  readonly ledger: { readonly accounts: readonly Opening[] };
  readonly bridge: BridgeConfig;
}

const NOTHING_BRIDGED: BridgeConfig = { attesters: [], required: 1, assets: [] };

export class Reference {
  readonly #models: ReadonlyMap<string, ModuleModel>;
  #time = 0;
  #height = 0;

  constructor({ modules, validators }: Genesis) {
    const { ledger, bridge = NOTHING_BRIDGED } = modules as unknown as Partial<Configs>;
    const keys = validators.map(({ publicKey }) => publicKey);
    const call = (module: string, command: string, args: Args, sender: string): Outcome =>
      this.run({ module, command, args }, sender, undefined);
    const programs = new ProgramsModel(keys);
    this.#models = new Map<string, ModuleModel>([
      ['kv', new KvModel()],
      ['ledger', new LedgerModel(ledger?.accounts ?? [])],
      ['voting', new VotingModel(keys, call)],
      ['bridge', new BridgeModel(bridge, call)],
      ['programs', programs],
      ['clockwork', new ClockworkModel(() => programs.version)],
    ]);
  }

  /** By module: the timers that must run at the start of the block, where that is known. */
  startBlock(block: {
    readonly height: number;
    readonly time: number;
  }): Map<string, readonly string[]> {
    this.#time = block.time;
    this.#height = block.height;
    const timers = new Map<string, readonly string[]>();
    for (const [name, model] of this.#models) {
      const due = model.startBlock(block);
      if (due !== null) timers.set(name, due);
    }
    return timers;
  }

  /** @param said the result in the receipt (Asking) */
  run(
    {
      module,
      command,
      args,
    }: { readonly module: string; readonly command: string; readonly args: Value },
    sender: string,
    said: Value | undefined,
  ): Outcome {
    const model = this.#models.get(module);
    if (model === undefined) return { ok: false, code: 'unknown_module' };
    const asking: Asking = { time: this.#time, height: this.#height, sender, said };
    return outcomeOf(() => model.run(command, args as Args, asking));
  }

  /** As of the end of the block. */
  answer(module: string, query: string, args: Args): Outcome {
    const model = this.#models.get(module)!;
    return outcomeOf(() => model.answer(query, args, this.#time));
  }
}
