/** `althing module withdraw`: the way back from an upgrade, before its height. */
import { Command } from 'commander';
import type { Signer } from '../../protocols/crypto.ts';
import { EXIT, UsageError, type CommandContext } from './command.ts';
import { printable } from './output.ts';
import {
  connect,
  proposalsOf,
  signersOf,
  upgradesOf,
  validatorOptions,
  type Proposed,
  type UpgradeFlags,
} from './upgrades.ts';

const DETAILS = `
A quorum of validators withdraws an upgrade that a quorum has approved; before that a validator takes its own
approval back. It has to be final in a block below the height: from there on nodes that lack the module
have stopped, and go on only with its file.

Examples:
  althing module withdraw raffle --at 5000
  althing module withdraw raffle --at 5000 --data /srv/althing --id validator-1`;

interface WithdrawFlags extends UpgradeFlags {
  readonly at: string;
}

interface Vote {
  readonly id: string;
  readonly status: 'withdrawn' | 'refused';
  readonly reason?: string;
}

/** Whose key asks for what. */
interface Ballot {
  readonly id: string;
  readonly signer: Signer;
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
  return validatorOptions(command)
    .addHelpText('after', DETAILS)
    .action(async (name: string, flags: WithdrawFlags) => {
      const height = heightOf(flags);
      const ballots = await ballotsOf(flags, name, height);
      // At once: blocks go by meanwhile.
      const said = await Promise.all(ballots.map((each) => withdraw(flags, each)));
      const votes = said.map(({ vote }) => vote);
      const outcome = outcomeOf(said.map(({ event }) => event));
      context.print({ name, height, outcome, votes }, () =>
        [
          `${name} at height ${height}: ${OUTCOMES[outcome]}`,
          ...votes.map(({ id, status, reason }) => `  ${id}: ${status} ${reason ?? ''}`.trimEnd()),
        ]
          .map(printable)
          .join('\n'),
      );
      if (votes.some(({ status }) => status === 'refused')) process.exitCode = EXIT.failure;
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
  flags: WithdrawFlags,
  name: string,
  height: number,
): Promise<readonly Ballot[]> {
  const signers = signersOf(flags);
  const client = await connect(flags);
  const isMeant = (each: Proposed): boolean => each.name === name && each.height === height;
  const committed = (await upgradesOf(client)).find(isMeant);
  if (committed !== undefined) {
    return signers.map(([id, signer]) => ({ id, signer, upgrade: committed }));
  }
  const proposals = (await proposalsOf(client)).filter(isMeant);
  const ballots = signers.flatMap(([id, signer]) =>
    proposals
      .filter(({ approvals }) => approvals.includes(signer.publicKey))
      .map((upgrade) => ({ id, signer, upgrade })),
  );
  if (ballots.length > 0) return ballots;
  throw new UsageError(
    `no upgrade of ${name} at height ${height} is committed, nor approved by ` +
      `${signers.map(([id]) => id).join(', ')}: "althing module list" shows what is`,
  );
}

async function withdraw(
  flags: WithdrawFlags,
  { id, signer, upgrade }: Ballot,
): Promise<{ readonly vote: Vote; readonly event: Outcome }> {
  const { name, version, digest, height } = upgrade;
  const args = { name, version, digest, height };
  const client = await connect(flags, signer);
  const { error, events } = await client.call('programs', 'withdraw', args);
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

function heightOf({ at }: WithdrawFlags): number {
  if (/^[1-9]\d{0,14}$/.test(at)) return Number(at);
  throw new UsageError('--at takes the height of the upgrade, such as 5000');
}
