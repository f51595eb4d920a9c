/** `--proof FILE`: an answer as the node wrote it, for whoever has the genesis document to check. */
import { fromHex, isHex } from '../../protocols/bytes.ts';
import { clusterOf } from '../../protocols/genesis.ts';
import { verifyProof, type Fact } from '../../protocols/proofs/verify.ts';
import type { Taken } from '../client/asking.ts';
import { AlthingError } from '../client/errors.ts';
import { membersOf, type NodeAnswer } from '../client/nodes.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { writeWhole } from '../whole-file.ts';
import { UsageError, type CommandContext } from './command.ts';
import { answerOf, type Connection } from './connection.ts';
import { compared } from './said.ts';

export interface Asked {
  readonly path: string;
  /** What its proof has to be of. */
  readonly isIn: (fact: Fact) => boolean;
  /** Whether its answer says of what its result is: that of a query does not. */
  readonly isNamed: boolean;
}

/** Where nodes are not believed, what does not prove what was asked is no answer, and nothing is written. */
export async function keepProof(
  context: CommandContext,
  cluster: Connection,
  asked: Asked,
  file: string,
): Promise<void> {
  const path = `${asked.path}${asked.path.includes('?') ? '&' : '?'}proof=1`;
  const answer = await answerOf(cluster, path, (each) => checked(cluster, asked, each));
  try {
    await writeWhole(file, (handle) => handle.writeFile(answer.body));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UsageError(`cannot write ${file} (${code})`);
  }
  context.print({ file }, () => `The answer and its proof are in ${file}.`);
}

function checked(
  { genesis }: Connection,
  { isIn, isNamed }: Asked,
  answer: NodeAnswer,
): Taken<NodeAnswer> {
  if (genesis === null) return { kind: 'holds', value: answer };
  const { proof: hex, ...said } = membersOf(answer);
  const proof = proofIn(hex);
  if (proof === null) return unproved('a node gave no proof');
  const cluster = clusterOf(genesis, nodeCrypto);
  const verified = verifyProof({ crypto: nodeCrypto, cluster }, proof);
  if (!verified.ok) return unproved(verified.message);
  if (!verified.facts.some(isIn)) return unproved('a node gave a proof of something else');
  const comparison = compared(said, verified);
  if (comparison.kind === 'other') return unproved(comparison.message);
  if (isNamed && comparison.kind !== 'proved') {
    return unproved('a node did not say of what its result is');
  }
  return { kind: 'holds', value: answer };
}

function unproved(message: string): Taken<never> {
  return { kind: 'unfit', error: new AlthingError('not_proved', message) };
}

function proofIn(hex: unknown): Uint8Array | null {
  return typeof hex === 'string' && isHex(hex, hex.length / 2) ? fromHex(hex) : null;
}
