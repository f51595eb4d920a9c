/** `althing get evidence`: what the node that answers has found against validators. */
import { Command } from 'commander';
import { clusterOf } from '../../protocols/genesis.ts';
import { verifyEvidence, type EvidenceDocument } from '../../protocols/voting/evidence-document.ts';
import type { Taken } from '../client/asking.ts';
import { AlthingError } from '../client/errors.ts';
import { membersOf, type NodeAnswer } from '../client/nodes.ts';
import { pathWith } from '../client/reads.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { CommandContext } from './command.ts';
import { answerOf, connectionOptions, withCluster, type Connection } from './connection.ts';
import { accusation } from './evidence.ts';
import { printable } from './output.ts';

const PATH = '/api/v11/consensus/evidence';

interface Flags {
  readonly cursor?: string;
  readonly limit?: string;
}

interface Page {
  readonly evidence: readonly EvidenceDocument[];
  readonly next: string | null;
}

export function getEvidenceCommand(context: CommandContext): Command {
  const command = new Command('evidence')
    .description('proofs that validators broke a rule, as far as the node that answers has any')
    .option('--limit <pieces>', 'no more than so many: 50 without it')
    .option('--cursor <place>', 'go on there: the "next" of the page before');
  const connection = connectionOptions(command, 'reads');
  return command.action(async (flags: Flags) => {
    await withCluster(connection(flags as never), 'reads', async (cluster) => {
      const path = pathWith(PATH, { cursor: flags.cursor, limit: flags.limit });
      const answer = await answerOf(cluster, path, (each) => checked(cluster, each));
      const page = membersOf(answer) as unknown as Page;
      context.print(page, () => text(page));
      if (cluster.verifies) process.stderr.write('verified: each piece proves what it says\n');
    });
  });
}

/** Where nodes are not believed, a piece that proves nothing makes the whole answer none. */
function checked({ genesis }: Connection, answer: NodeAnswer): Taken<NodeAnswer> {
  const { evidence } = membersOf(answer);
  if (!Array.isArray(evidence)) return unfit('bad_answer', 'a node gave no list of evidence');
  if (genesis === null) return { kind: 'holds', value: answer };
  const verifier = { cluster: clusterOf(genesis, nodeCrypto), crypto: nodeCrypto };
  for (const piece of evidence) {
    const verdict = verifyEvidence(verifier, piece);
    if (!verdict.ok) return unfit('not_proved', verdict.message);
  }
  return { kind: 'holds', value: answer };
}

function unfit(code: string, message: string): Taken<never> {
  return { kind: 'unfit', error: new AlthingError(code, message) };
}

function text({ evidence, next }: Page): string {
  if (evidence.length === 0) return 'This node has no evidence against anybody.';
  const more = next === null ? [] : [`There is more: --cursor ${printable(next)}`];
  return [...evidence.map(accusation), ...more].join('\n');
}
