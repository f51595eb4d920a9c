/** `althing module withdraw`: the way back from an upgrade, before its height. */
import { Command } from 'commander';
import { EXIT, UsageError, type CommandContext } from './command.ts';
import { connectionOptions, type Connection } from './connection.ts';
import { printableLines } from './output.ts';
import { proposalsOf, upgradesOf, withValidators, type Proposed, type Voter } from './upgrades.ts';

const DETAILS = `
A quorum of validators withdraws an upgrade that a quorum has approved; before that a validator takes its own
approval back. It has to be final in a block below the height: from there on nodes that lack the module
have stopped, and go on only with its file.

Examples:
  althing module withdraw raffle --at 5000
  althing module withdraw raffle --at 5000 --data /srv/althing --id validator-1`;

interface Vote {
  readonly id: string;
  readonly status: 'withdrawn' | 'refused';
  readonly reason?: string;
}

/** Whose key asks for what. */
interface Ballot {
  readonly voter: Voter;
  readonly upgrade: Proposed;
}

export function withdrawCommand(context: CommandContext): Command {
  const command = new Command('withdraw')
    .description('withdraw the approval of an upgrade before its height, by the keys of validators')
    .argument('<name>', 'of the module')
    .requiredOption(
      '--at <height>',
      'the height of the upgrade, as "althing module list" shows it',
    );
  command.addHelpText('after', DETAILS);
  const options = connectionOptions(command, 'votes');
  return command.action(async (name: string, flags: { readonly at: string }) => {
    const height = heightOf(flags);
    await withValidators(options(flags as never), async (connection, voters) => {
      const ballots = await ballotsOf(connection, voters, name, height);
      // At once: blocks go by meanwhile.
      const said = await Promise.all(ballots.map((each) => withdraw(connection, each)));
      const votes = said.map(({ vote }) => vote);
      const outcome = outcomeOf(said.map(({ event }) => event));
      context.print({ name, height, outcome, votes }, () =>
        printableLines([
          `${name} at height ${height}: ${OUTCOMES[outcome]}`,
          ...votes.map(({ id, status, reason }) => `  ${id}: ${status} ${reason ?? ''}`.trimEnd()),
        ]),
      );
      const isRefused = outcome === 'refused' || votes.some(({ status }) => status === 'refused');
      if (isRefused) process.exitCode = EXIT.failure;
    });
  });
}

/** By the event that tells of it. */
const OUTCOMES = {
  withdrawn: 'a quorum has withdrawn it',
  opposed: 'it takes place unless a quorum withdraws it',
  takenBack: 'no quorum has approved it',
  refused: 'nothing has changed',
} as const;
type Outcome = keyof typeof OUTCOMES;

function outcomeOf(events: readonly string[]): Outcome {
  const all = Object.keys(OUTCOMES) as Outcome[];
  return all.find((outcome) => events.includes(outcome)) ?? 'refused';
}

/** What each validator has approved there, or all of them together. */
async function ballotsOf(
  connection: Connection,
  voters: readonly Voter[],
  name: string,
  height: number,
): Promise<readonly Ballot[]> {
  const isMeant = (each: Proposed): boolean => each.name === name && each.height === height;
  const committed = (await upgradesOf(connection)).rows.find(isMeant);
  if (committed !== undefined) return voters.map((voter) => ({ voter, upgrade: committed }));
  const proposals = (await proposalsOf(connection)).rows.filter(isMeant);
  const ballots = voters.flatMap((voter) =>
    proposals
      .filter(({ approvals }) => approvals.includes(voter[1].publicKey))
      .map((upgrade) => ({ voter, upgrade })),
  );
  if (ballots.length > 0) return ballots;
  throw new UsageError(
    `no upgrade of ${name} at height ${height} is committed, nor approved by ` +
      `${voters.map(([id]) => id).join(', ')}: "althing module list" shows what is`,
  );
}

async function withdraw(
  connection: Connection,
  { voter: [id, signer], upgrade }: Ballot,
): Promise<{ readonly vote: Vote; readonly event: Outcome }> {
  const { name, version, digest, height } = upgrade;
  const args = { name, version, digest, height };
  const client = await connection.as(signer);
  const options = { signal: connection.interrupted };
  const { error, events } = await client.call('programs', 'withdraw', args, options);
  if (error === undefined) {
    const event = outcomeOf(events.map((each) => each.name));
    return { vote: { id, status: 'withdrawn' }, event };
  }
  if (error.code === 'already_opposed')
    return { vote: { id, status: 'withdrawn' }, event: 'opposed' };
  // It was there a moment ago: enough others have withdrawn it, or this validator has by itself.
  if (error.code === 'not_approved') {
    const reason = '(there is nothing left to withdraw)';
    return { vote: { id, status: 'withdrawn', reason }, event: 'refused' };
  }
  return {
    vote: { id, status: 'refused', reason: `${error.code}: ${error.message}` },
    event: 'refused',
  };
}

function heightOf({ at }: { readonly at: string }): number {
  if (/^[1-9]\d{0,14}$/.test(at)) return Number(at);
  throw new UsageError('--at takes the height of the upgrade, such as 5000');
}
