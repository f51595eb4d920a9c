/** `althing module approve` and `list`: which modules a cluster runs, and from which height on. */
import { Command } from 'commander';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Signer } from '../../protocols/crypto.ts';
import type { Program } from '../../protocols/genesis.ts';
import { Client } from '../client/client.ts';
import type { Answer } from '../client/reads.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { loadSigner } from '../crypto/signer.ts';
import { nodeFiles } from '../init/layout.ts';
import { UsageError, type CommandContext } from './command.ts';
import { urlsOf } from './connection.ts';
import { moduleIn } from './module-file.ts';

interface ApproveFlags {
  readonly at: string;
  readonly url?: string;
  readonly data: string;
  readonly id?: string;
}

interface Approval {
  readonly id: string;
  readonly status: 'approved' | 'refused';
  readonly reason?: string;
}

export function approveCommand(context: CommandContext): Command {
  return new Command('approve')
    .description('approve that a module takes over at a height, by the keys of validators')
    .argument('<file>', 'of the module')
    .requiredOption('--at <height>', 'the height, or +N for N blocks from now; at least +17')
    .option('--data <dir>', 'the folder that has the keys of validators', 'data')
    .option('--id <id>', 'only this validator of those in the data folder')
    .option(
      '--url <list>',
      'addresses of nodes, separated by commas (default: those in the data folder)',
    )
    .action(async (file: string, flags: ApproveFlags) => {
      const { name, version, digest } = moduleIn(file).module;
      const signers = signersOf(flags);
      const height = await heightOf(flags);
      const args = { name, version, digest, height };
      // At once: blocks go by meanwhile.
      const approvals = await Promise.all(
        signers.map(([id, signer]) => approve(flags, id, signer, args)),
      );
      context.print({ ...args, approvals }, () =>
        [
          `${name} ${version} at height ${height}:`,
          ...approvals.map(({ id, status, reason }) =>
            `  ${id}: ${status} ${reason ?? ''}`.trimEnd(),
          ),
        ].join('\n'),
      );
      if (approvals.some(({ status }) => status === 'refused')) process.exitCode = 1;
    });
}

function urls({ url, data }: Pick<ApproveFlags, 'url' | 'data'>): readonly string[] {
  return urlsOf({ url: url === undefined ? [] : url.split(',').map((each) => each.trim()), data });
}

async function approve(
  flags: ApproveFlags,
  id: string,
  signer: Signer,
  args: Readonly<Record<string, string | number>>,
): Promise<Approval> {
  const client = await Client.connect({ urls: urls(flags), crypto: nodeCrypto, signer });
  const { error } = await client.call('programs', 'approve', args);
  // Enough others have approved the same: that is what was asked for.
  if (error === undefined || error.code === 'already_approved') return { id, status: 'approved' };
  const isCommitted = error.code === 'height_taken' && (await isTaken(client, args));
  if (isCommitted) return { id, status: 'approved', reason: '(it is committed)' };
  return { id, status: 'refused', reason: `${error.code}: ${error.message}` };
}

interface UpgradesPage {
  readonly upgrades: readonly Upgrade[];
  readonly next: number | null;
}

interface Upgrade extends Program {
  readonly height: number;
  readonly outcome: string;
  readonly reason?: string;
}

async function isTaken(
  client: Client,
  args: Readonly<Record<string, string | number>>,
): Promise<boolean> {
  const upgrades = await upgradesOf(client);
  return upgrades.some(
    ({ height, digest }) => height === args['height'] && digest === args['digest'],
  );
}

async function upgradesOf(client: Client): Promise<readonly Upgrade[]> {
  const all: Upgrade[] = [];
  let after: number | null = 0;
  while (after !== null) {
    const { result }: Answer<UpgradesPage> = await client.query<UpgradesPage>(
      'programs',
      'upgrades',
      { after },
    );
    all.push(...result.upgrades);
    after = result.next;
  }
  return all;
}

async function heightOf(flags: ApproveFlags): Promise<number> {
  const { at } = flags;
  const wanted = /^(\+?)([1-9]\d{0,14})$/.exec(at);
  if (wanted === null) throw new UsageError('--at takes a height such as 5000, or +50');
  const [, isAhead, digits] = wanted;
  if (isAhead === '') return Number(digits);
  const client = await Client.connect({ urls: urls(flags), crypto: nodeCrypto });
  const { height } = await client.query('programs', 'proposals');
  return height + Number(digits);
}

/** Of the validators whose folders lie here: on their own machines, each has one. */
function signersOf({ data, id }: ApproveFlags): (readonly [string, Signer])[] {
  const ids = id === undefined ? foldersIn(data) : [id];
  const keys = ids.map((each) => [each, nodeFiles(join(data, each)).key] as const);
  const there = keys.filter(([, key]) => existsSync(key));
  if (there.length === 0) {
    const where = id === undefined ? data : join(data, id);
    throw new UsageError(`${where} has no key of a validator: name its folder by --data and --id`);
  }
  return there.map(([each, key]) => [each, loadSigner(key)]);
}

function foldersIn(data: string): string[] {
  return existsSync(data) ? readdirSync(data).toSorted() : [];
}

export function listCommand(context: CommandContext): Command {
  return new Command('list')
    .description(
      'the modules that take over, or took over, by upgrades; and what waits for approval',
    )
    .option(
      '--url <list>',
      'addresses of nodes, separated by commas (default: those in the data folder)',
    )
    .option('--data <dir>', 'the folder that "althing init" made', 'data')
    .action(async (flags: Pick<ApproveFlags, 'url' | 'data'>) => {
      const client = await Client.connect({ urls: urls(flags), crypto: nodeCrypto });
      const upgrades = await upgradesOf(client);
      const { result } = await client.query<{
        proposals: (Program & { height: number; approvals: string[] })[];
      }>('programs', 'proposals');
      const { proposals } = result;
      context.print(
        { upgrades, proposals },
        () =>
          [
            ...upgrades.map((each) =>
              `${line(each)}  ${each.outcome} ${each.reason ?? ''}`.trimEnd(),
            ),
            ...proposals.map((each) => `${line(each)}  ${each.approvals.length} approvals`),
          ].join('\n') || 'No upgrades: the cluster runs what its genesis names.',
      );
    });
}

function line({ height, name, version, digest }: Program & { readonly height: number }): string {
  return `${String(height).padStart(10)}  ${name} ${version}  ${digest === '' ? 'of this software' : digest}`;
}
