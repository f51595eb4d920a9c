/** `althing init`: makes a cluster's files and says what to do with them. */
import { Command } from 'commander';
import { faultyMax } from '../../protocols/quorum.ts';
import { InitError, initCluster, type InitResult } from '../init/init.ts';
import { clusterFiles } from '../init/layout.ts';
import { UsageError, type CommandContext } from './command.ts';
import { dataOption, folderOf } from './data-folder.ts';

interface Flags {
  readonly nodes?: string;
  readonly data?: string;
  readonly hosts?: string;
  readonly name?: string;
  readonly module: readonly string[];
}

const EXAMPLES = `
Examples:
  althing init                                  four nodes on this machine, under data/
  althing init --nodes 7 --data /srv/althing    seven nodes
  althing init --hosts 10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4
      one node on each machine: take DATA/<id> to its machine, and nothing else

Run again, it keeps what is there. Keep DATA/ca/ca.key and DATA/operator.pem in a safe place: the
first makes certificates, the second issues money in the ledger.`;

export function initCommand(context: CommandContext): Command {
  return new Command('init')
    .description('make the keys, certificates and configuration of a new cluster')
    .option(
      '--nodes <n>',
      'how many validators: 4, 7 or 10 tolerate 1, 2 or 3 faulty ones (default: 4)',
    )
    .addOption(dataOption('where to'))
    .option('--hosts <list>', "the nodes' machines, separated by commas (default: all on this one)")
    .option('--name <name>', 'name of the cluster (default: althing)')
    .option(
      '--module <file>',
      'a module of yours that runs from the start; for several, again',
      (file: string, before: readonly string[]) => [...before, file],
      [],
    )
    .addHelpText('after', EXAMPLES)
    .action(async (flags: Flags) => {
      const result = await run(flags);
      context.print(result, () => human(result));
      const advice = adviceOnSize(result.nodes.length);
      if (result.created && advice !== null) process.stderr.write(`${advice}\n`);
    });
}

/** Null for a size that is the smallest to tolerate what it tolerates. */
function adviceOnSize(n: number): string | null {
  const f = faultyMax(n);
  if (f === 0) return `A cluster of ${n} tolerates no faulty node: the smallest that does has 4.`;
  const smallest = 3 * f + 1;
  if (n === smallest) return null;
  return `A cluster of ${n} tolerates ${f} faulty, as one of ${smallest} does: ${smallest + 3} nodes tolerate ${f + 1}.`;
}

async function run({ nodes, hosts, name, module, ...place }: Flags): Promise<InitResult> {
  try {
    return await initCluster({
      data: folderOf(place),
      nowMs: Date.now(),
      modules: module,
      ...(nodes === undefined ? {} : { nodes: /^\d+$/.test(nodes) ? Number(nodes) : NaN }),
      ...(hosts === undefined ? {} : { hosts: hosts.split(',').map((host) => host.trim()) }),
      ...(name === undefined ? {} : { name }),
    });
  } catch (error) {
    if (error instanceof InitError) throw new UsageError(error.message);
    throw error;
  }
}

function human({ created, clusterId, data, nodes }: InitResult): string {
  const [first] = nodes;
  return [
    `${created ? 'Made' : 'Kept'} cluster ${clusterId.slice(0, 16)} with ${nodes.length} nodes in ${data}:`,
    ...nodes.map(({ id, folder }) => `  ${id.padEnd(14)} ${folder}`),
    `API token: ${clusterFiles(data).token}`,
    `Start a node: node dist/node.js --data ${data} --id ${first?.id ?? ''}`,
  ].join('\n');
}
