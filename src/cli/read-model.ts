/** `althing read-model`: makes a node's tables of what became final anew. */
import { Command } from 'commander';
import pg from 'pg';
import { NOTHING_REACHED, readReached, resetReadModel } from '../read-model/schema.ts';
import step from '../read-model/worker.ts';
import { UsageError, type CommandContext } from './command.ts';
import { configOf, withPlace, withSource, type Place } from './log.ts';

const EXAMPLES = `
Examples:
  althing read-model rebuild --id validator-1

It empties the tables and fills them from the node's log. It may run while the node runs: both go on from
where the tables stand, and no row comes twice. Interrupted, the node goes on with it, or the next run.`;

const PROGRESS_MS = 2_000;

export function readModelCommand(context: CommandContext): Command {
  return new Command('read-model')
    .description('make the tables of what became final anew')
    .addHelpText('after', EXAMPLES)
    .addCommand(rebuildCommand(context));
}

function rebuildCommand(context: CommandContext): Command {
  return withPlace(new Command('rebuild'))
    .description('empty the tables and fill them from the log')
    .action(async (flags: Place) => {
      if (flags.id === undefined) throw new UsageError('name the node with --id');
      const { cluster } = configOf(flags);
      const validators = cluster.genesis.validators.map(({ id }) => id);
      await withSource(flags, async ({ url, owner }) => {
        const { clusterId, publicKey } = owner!;
        const height = await rebuild({ url, clusterId, publicKey, validators });
        context.print({ height }, () => `The read model is made anew up to height ${height}.`);
      });
    });
}

async function rebuild(task: NonNullable<Parameters<typeof step>[0]>): Promise<number> {
  const client = new pg.Client({ connectionString: task.url });
  await client.connect();
  try {
    await resetReadModel(client);
    const before = await readReached(client);
    if (before.height > 0) process.stderr.write('the node has begun to fill the tables itself\n');
    return await fill(task);
  } finally {
    await step(null);
    await client.end();
  }
}

async function fill(task: NonNullable<Parameters<typeof step>[0]>): Promise<number> {
  let reached = NOTHING_REACHED;
  let next = performance.now() + PROGRESS_MS;
  for (;;) {
    const done = await step(task);
    if (done === null) return reached.height;
    reached = done.reached;
    if (done.isAtEnd) return reached.height;
    if (performance.now() < next) continue;
    next = performance.now() + PROGRESS_MS;
    process.stderr.write(`filled up to height ${reached.height}\n`);
  }
}
