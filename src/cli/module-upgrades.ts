/** `althing module approve` and `list`: which modules a cluster runs, and from which height on. */
import { Command } from 'commander';
import type { Signer } from '../../protocols/crypto.ts';
import { isSameProgram } from '../../protocols/genesis.ts';
import { UsageError, type CommandContext } from './command.ts';
import { moduleIn } from './module-file.ts';
import { printable } from './output.ts';
import {
  connect,
  Holdings,
  proposalsOf,
  signersOf,
  upgradesOf,
  validatorOptions,
  type Proposed,
  type Upgrade,
  type UpgradeFlags,
} from './upgrades.ts';

interface ApproveFlags extends UpgradeFlags {
  readonly at: string;
}

interface Approval {
  readonly id: string;
  readonly status: 'approved' | 'refused';
  readonly reason?: string;
}

export function approveCommand(context: CommandContext): Command {
  const command = new Command('approve')
    .description('approve that a module takes over at a height, by the keys of validators')
    .argument('<file>', 'of the module')
    .requiredOption('--at <height>', 'the height, or +N for N blocks from now; at least +17');
  return validatorOptions(command).action(async (file: string, flags: ApproveFlags) => {
    const { name, version, digest } = moduleIn(file).module;
    const signers = signersOf(flags);
    const height = await heightOf(flags);
    const upgrade = { name, version, digest, height };
    // At once: blocks go by meanwhile.
    const approvals = await Promise.all(
      signers.map(([id, signer]) => approve(flags, id, signer, upgrade)),
    );
    const holdings = await Holdings.of(flags);
    const { silent } = holdings;
    const missingAt = holdings.lacking(upgrade);
    context.print({ ...upgrade, approvals, missingAt, silent }, () =>
      [
        `${name} ${version} at height ${height}:`,
        ...approvals.map(({ id, status, reason }) =>
          `  ${id}: ${status} ${reason ?? ''}`.trimEnd(),
        ),
        ...warningsOf(missingAt, upgrade, file),
        ...silenceOf(silent),
      ]
        .map(printable)
        .join('\n'),
    );
    if (approvals.some(({ status }) => status === 'refused')) process.exitCode = 1;
  });
}

function warningsOf(nodes: readonly string[], { height }: Proposed, file: string): string[] {
  if (nodes.length === 0) return [];
  return [
    `Warning: ${nodes.join(', ')} will stop at height ${height}, for the module is not there.`,
    `  Give it to them ("althing module add ${file}") and start them again, or withdraw the upgrade before.`,
  ];
}

function silenceOf(nodes: readonly string[]): string[] {
  return nodes.length === 0 ? [] : [`What ${nodes.join(', ')} can run is not known.`];
}

async function approve(
  flags: ApproveFlags,
  id: string,
  signer: Signer,
  upgrade: Proposed,
): Promise<Approval> {
  const client = await connect(flags, signer);
  const { error } = await client.call('programs', 'approve', { ...upgrade });
  // Enough others have approved the same: that is what was asked for.
  if (error === undefined || error.code === 'already_approved') return { id, status: 'approved' };
  const isCommitted = error.code === 'height_taken' && isTaken(await upgradesOf(client), upgrade);
  if (isCommitted) return { id, status: 'approved', reason: '(it is committed)' };
  return { id, status: 'refused', reason: `${error.code}: ${error.message}` };
}

function isTaken(upgrades: readonly Upgrade[], upgrade: Proposed): boolean {
  return upgrades.some((each) => each.height === upgrade.height && isSameProgram(each, upgrade));
}

async function heightOf(flags: ApproveFlags): Promise<number> {
  const { at } = flags;
  const wanted = /^(\+?)([1-9]\d{0,14})$/.exec(at);
  if (wanted === null) throw new UsageError('--at takes a height such as 5000, or +50');
  const [, isAhead, digits] = wanted;
  if (isAhead === '') return Number(digits);
  const client = await connect(flags);
  const { height } = await client.query('programs', 'proposals');
  return height + Number(digits);
}

export function listCommand(context: CommandContext): Command {
  return new Command('list')
    .description(
      'the modules that take over, or took over, by upgrades; what waits for approval; and which nodes lack them',
    )
    .option(
      '--url <list>',
      'addresses of nodes, separated by commas (default: those in the data folder)',
    )
    .option('--data <dir>', 'the folder that "althing init" made', 'data')
    .action(async (flags: UpgradeFlags) => {
      const client = await connect(flags);
      const [all, proposed, holdings] = await Promise.all([
        upgradesOf(client),
        proposalsOf(client),
        Holdings.of(flags),
      ]);
      const upgrades = all.map((each) =>
        each.outcome === 'waiting' ? { ...each, missingAt: holdings.lacking(each) } : each,
      );
      const proposals = proposed.map((each) => ({ ...each, missingAt: holdings.lacking(each) }));
      const { silent } = holdings;
      const lines = [
        ...upgrades.map((each) => line(each, upgradeText(each))),
        ...proposals.map((each) => line(each, `${each.approvals.length} approvals`)),
      ];
      context.print({ upgrades, proposals, silent }, () => {
        if (lines.length === 0) return 'No upgrades: the cluster runs what its genesis names.';
        return [...lines, ...silenceOf(silent)].map(printable).join('\n');
      });
    });
}

function upgradeText({ outcome, reason, withdrawals }: Upgrade): string {
  const against = withdrawals.length === 0 ? '' : `, ${withdrawals.length} for withdrawing it`;
  return outcome === 'waiting' ? `waiting${against}` : `${outcome} ${reason ?? ''}`.trimEnd();
}

function line(each: Proposed & { readonly missingAt?: readonly string[] }, what: string): string {
  const { height, name, version, digest, missingAt = [] } = each;
  const missing = missingAt.length === 0 ? '' : `, missing at ${missingAt.join(', ')}`;
  const which = digest === '' ? 'of this software' : digest;
  return `${String(height).padStart(10)}  ${name} ${version}  ${which}  ${what}${missing}`;
}
