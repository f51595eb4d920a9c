/** `althing module approve` and `list`: which modules a cluster runs, and from which height on. */
import { Command } from 'commander';
import { isSameProgram } from '../../protocols/genesis.ts';
import { EXIT, UsageError, type CommandContext } from './command.ts';
import { connectionOptions, withCluster, type Connection } from './connection.ts';
import { moduleIn } from './module-file.ts';
import { printableLines } from './output.ts';
import {
  Holdings,
  proposalsOf,
  upgradesOf,
  withValidators,
  type Proposed,
  type Upgrade,
  type Voter,
} from './upgrades.ts';
import { tellVerified, togetherOf, verification } from './verified.ts';

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
  const options = connectionOptions(command, 'votes');
  return command.action(async (file: string, flags: { readonly at: string }) => {
    const { name, version, digest } = moduleIn(file).module;
    const at = heightIn(flags.at);
    await withValidators(options(flags as never), async (connection, voters) => {
      const height = at.isAhead ? (await heightOf(connection)) + at.height : at.height;
      const upgrade = { name, version, digest, height };
      // At once: blocks go by meanwhile.
      const approvals = await Promise.all(
        voters.map((voter) => approve(connection, voter, upgrade)),
      );
      const holdings = await Holdings.of(connection);
      tell(context, file, upgrade, approvals, holdings);
    });
  });
}

function tell(
  context: CommandContext,
  file: string,
  upgrade: Proposed,
  approvals: readonly Approval[],
  holdings: Holdings,
): void {
  const { name, version, height } = upgrade;
  const { silent } = holdings;
  // An upgrade that nobody approves stops no node.
  const isApproved = approvals.some(({ status }) => status === 'approved');
  const missingAt = isApproved ? holdings.lacking(upgrade) : [];
  context.print({ ...upgrade, approvals, missingAt, silent }, () =>
    printableLines([
      `${name} ${version} at height ${height}:`,
      ...approvals.map(({ id, status, reason }) => `  ${id}: ${status} ${reason ?? ''}`.trimEnd()),
      ...warningsOf(missingAt, upgrade, file),
      ...(isApproved ? silenceOf(silent) : []),
    ]),
  );
  if (approvals.some(({ status }) => status === 'refused')) process.exitCode = EXIT.failure;
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
  connection: Connection,
  [id, signer]: Voter,
  upgrade: Proposed,
): Promise<Approval> {
  const client = await connection.as(signer);
  const options = { signal: connection.interrupted };
  const { error } = await client.call('programs', 'approve', { ...upgrade }, options);
  // Enough others have approved the same: that is what was asked for.
  if (error === undefined || error.code === 'already_approved') return { id, status: 'approved' };
  const isCommitted =
    error.code === 'height_taken' && isTaken((await upgradesOf(connection)).rows, upgrade);
  if (isCommitted) return { id, status: 'approved', reason: '(it is committed)' };
  const advice = error.code === 'height_passed' ? ': use --at +50 or more' : '';
  return { id, status: 'refused', reason: `${error.code}: ${error.message}${advice}` };
}

function isTaken(upgrades: readonly Upgrade[], upgrade: Proposed): boolean {
  return upgrades.some((each) => each.height === upgrade.height && isSameProgram(each, upgrade));
}

interface At {
  readonly isAhead: boolean;
  readonly height: number;
}

function heightIn(text: string): At {
  const [, ahead, digits] = /^(\+?)([1-9]\d{0,14})$/.exec(text) ?? [];
  if (digits === undefined) throw new UsageError('--at takes a height such as 5000, or +50');
  return { isAhead: ahead === '+', height: Number(digits) };
}

async function heightOf({ client, signal, timeoutMs }: Connection): Promise<number> {
  const options = { patienceMs: timeoutMs, signal };
  return (await client.query('programs', 'proposals', {}, options)).height;
}

export function listCommand(context: CommandContext): Command {
  const command = new Command('list').description(
    'the modules that take over, or took over, by upgrades; what waits for approval; and which nodes lack them',
  );
  const options = connectionOptions(command, 'reads');
  return command.action((flags: object) =>
    withCluster(options(flags as never), 'reads', async (connection) => {
      const [all, proposed, holdings] = await Promise.all([
        upgradesOf(connection),
        proposalsOf(connection),
        Holdings.of(connection),
      ]);
      const upgrades = all.rows.map((each) =>
        each.outcome === 'waiting' ? { ...each, missingAt: holdings.lacking(each) } : each,
      );
      const proposals = proposed.rows.map((each) => ({
        ...each,
        missingAt: holdings.lacking(each),
      }));
      const { silent } = holdings;
      const lines = [
        ...upgrades.map((each) => line(each, upgradeText(each))),
        ...proposals.map((each) => line(each, `${each.approvals.length} approvals`)),
      ];
      const read = togetherOf([all, proposed]);
      const known = connection.verifies ? verification(read) : {};
      context.print({ ...known, upgrades, proposals, silent }, () => {
        if (lines.length === 0) return 'No upgrades.';
        return printableLines([...lines, ...silenceOf(silent)]);
      });
      if (connection.verifies) tellVerified(read);
    }),
  );
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
