/** `--proof FILE`: an answer as the node wrote it, for whoever has the genesis document to check. */
import { isDeepStrictEqual } from 'node:util';
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
import { compared, nameOf, type Proved, type Said } from './said.ts';

export interface Asked {
  readonly path: string;
  /** A row by its table and key, receipts by their id, or a query, whose answer names nothing, by its module. */
  readonly of:
    | { readonly kind: 'named'; readonly name: readonly string[] }
    | { readonly kind: 'query'; readonly module: string };
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
  if (cluster.genesis !== null && asked.of.kind === 'query') {
    process.stderr.write(
      'not verified: the result is as a node says it, beside rows that are proved\n',
    );
  }
}

function checked({ genesis }: Connection, asked: Asked, answer: NodeAnswer): Taken<NodeAnswer> {
  if (genesis === null) return { kind: 'holds', value: answer };
  const { proof: hex, ...said } = membersOf(answer);
  const proof = proofIn(hex);
  if (proof === null) return unproved('a node gave no proof');
  const cluster = clusterOf(genesis, nodeCrypto);
  const verified = verifyProof({ crypto: nodeCrypto, cluster }, proof);
  if (!verified.ok) return unproved(verified.message);
  const fault = faultIn(asked, said, verified);
  return fault === null ? { kind: 'holds', value: answer } : unproved(fault);
}

/** Why this is no answer to what was asked, or not what is proved; null where it is both. */
export function faultIn({ of }: Pick<Asked, 'of'>, said: Said, proved: Proved): string | null {
  const { facts } = proved;
  const name = of.kind === 'named' ? of.name : null;
  if (!isDeepStrictEqual(nameOf(said, facts), name)) return 'a node answered something else';
  const isOfModule = of.kind === 'named' || facts.some((fact) => isOf(of.module, fact));
  if (!isOfModule) return 'a node gave a proof of something else';
  const comparison = compared(said, proved);
  if (comparison.kind === 'none') return 'a node gave no result';
  return comparison.kind === 'other' ? comparison.message : null;
}

function isOf(module: string, fact: Fact): boolean {
  return fact.kind !== 'receipts' && fact.table.startsWith(`${module}/`);
}

function unproved(message: string): Taken<never> {
  return { kind: 'unfit', error: new AlthingError('not_proved', message) };
}

function proofIn(hex: unknown): Uint8Array | null {
  return typeof hex === 'string' && isHex(hex, hex.length / 2) ? fromHex(hex) : null;
}
