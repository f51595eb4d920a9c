/** `althing status`: what each node says of itself. Ends with exit code 1 if one does not answer. */
import { Command } from 'commander';
import { Nodes } from '../client/nodes.ts';
import { EXIT, type CommandContext } from './command.ts';
import { connectionOptions, urlsOf, withNotice } from './connection.ts';
import { table } from './output.ts';

const EXAMPLES = `
Examples:
  althing status
  althing status --url http://127.0.0.1:9003,http://127.0.0.1:9005 --json

Ends with exit code 0 if every node answers and is ready, else 1.`;

interface Status {
  readonly url: string;
  /** What `GET /api/v11/consensus/status` says; null when there is no answer. */
  readonly consensus: Readonly<Record<string, unknown>> | null;
  readonly health: Readonly<Record<string, unknown>> | null;
}

export function statusCommand(context: CommandContext): Command {
  const command = new Command('status')
    .description('what each node says of itself')
    .addHelpText('after', EXAMPLES);
  const connection = connectionOptions(command, 'reads');
  return command.action(async (given: Readonly<Record<string, unknown>>) => {
    const flags = connection(given);
    const urls = urlsOf(flags);
    const nodes = new Nodes({ urls, attemptMs: flags.timeout * 1000 });
    const asked = Promise.all(nodes.urls.map((_, node) => statusOf(nodes, node)));
    const all = await withNotice(`waiting for ${urls.join(', ')}`, asked);
    context.print(all, () => table(all.map(rowOf)));
    if (!all.every(isUp)) process.exitCode = EXIT.failure;
  });
}

async function statusOf(nodes: Nodes, node: number): Promise<Status> {
  const [consensus, health] = await Promise.all([
    askJson(nodes, node, '/api/v11/consensus/status'),
    askJson(nodes, node, '/api/v11/health'),
  ]);
  return { url: nodes.urls[node]!, consensus, health };
}

/** Also what comes with 503, as health does. */
export async function askJson(nodes: Nodes, node: number, path: string): Promise<Status['health']> {
  const answer = await nodes.ask(node, { method: 'GET', path });
  if (answer === null) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(answer.body));
    return typeof value === 'object' ? (value as Status['health']) : null;
  } catch {
    return null;
  }
}

function isUp({ consensus, health }: Status): boolean {
  return consensus !== null && health?.['status'] === 'UP';
}

function rowOf({ url, consensus, health }: Status): Readonly<Record<string, unknown>> {
  if (consensus === null) return { node: url, health: 'no answer' };
  const { nodeId, state, term, commitIndex, executedHeight, tps, finality, peers } = consensus;
  const connected = (Array.isArray(peers) ? peers : []).filter(
    (peer: unknown) => (Object(peer) as { readonly connected?: unknown }).connected === true,
  );
  return {
    node: nodeId,
    health: healthText(health),
    state,
    term,
    final: commitIndex,
    executed: executedHeight,
    peers: connected.length,
    tps,
    'p50 ms': Object(finality).p50Ms ?? '-',
    'p99 ms': Object(finality).p99Ms ?? '-',
    url,
  };
}

/** `UP`, or what is not. */
function healthText(health: Status['health']): string {
  const checks = Array.isArray(health?.['checks']) ? (health['checks'] as unknown[]) : [];
  const amiss = checks
    .map((check) => Object(check) as { readonly name?: unknown; readonly status?: unknown })
    .filter(({ status }) => status !== 'UP')
    .map(({ name, status }) => `${String(name)} ${String(status)}`);
  if (amiss.length > 0) return amiss.join(', ');
  const status = health?.['status'];
  return typeof status === 'string' ? status : 'no answer';
}
