/** A cluster whose keys the test holds: its transaction machine executes, and the test certifies. */
import { emptyCut, EXECUTED_NOTHING } from '../../protocols/chain.ts';
import { clusterOf, DEFAULT_LIMITS, type Genesis } from '../../protocols/genesis.ts';
import type { AnswerResult } from '../../protocols/messages.ts';
import { encodeProof, type Claim, type Proof } from '../../protocols/proofs/format.ts';
import type { Proved, ProofWanted } from '../../protocols/proofs/request.ts';
import { blockDigest, voteBytes, type BlockContent } from '../../protocols/structures.ts';
import { signSubmission, type Call } from '../../protocols/transaction/submission.ts';
import {
  ZERO_DIGEST,
  type Certificate,
  type Digest,
  type Executed,
} from '../../protocols/types.ts';
import { crypto } from '../transaction/crypto.ts';
import { alice, idOf, nodes, payloadOf, START_MS } from '../transaction/fixture.ts';
import { put } from '../transaction/modules.ts';
import { Node } from '../transaction/node.ts';

export const genesis: Genesis = {
  version: 1,
  name: 'proofs',
  createdAtMs: START_MS,
  validators: nodes.map(({ publicKey }, at) => ({ id: `validator-${at + 1}`, publicKey })),
  limits: { ...DEFAULT_LIMITS, checkpointInterval: 4 },
  modules: {},
};
export const cluster = clusterOf(genesis, crypto);
export const trusted = { crypto, cluster };

export interface Voting {
  readonly voters?: readonly number[];
  readonly signers?: typeof nodes;
  readonly over?: Partial<Certificate>;
}

/** Votes for the last of the headers. */
export function certificateOf(
  header: BlockContent,
  { voters = [0, 2, 3], signers = nodes, over = {} }: Voting = {},
): Certificate {
  const { epoch, term, height } = header;
  const block = blockDigest(crypto, cluster.id, header);
  const content = { kind: 'commit', epoch, term, height, block, first: false, ...over } as const;
  const bytes = voteBytes(cluster.id, content);
  const votes = voters.map((voter) => ({ voter, signature: signers[voter]!.sign(bytes) }));
  return { ...content, votes };
}

/** The first certifies `executed`; each extends the one before it. */
export function headersFor(executed: Executed, count = 2): BlockContent[] {
  const headers: BlockContent[] = [];
  for (let at = 0; at < count; at++) {
    const before = headers.at(-1);
    headers.push({
      epoch: 0,
      term: 2,
      height: executed.height + 3 + at,
      parent: before === undefined ? ZERO_DIGEST : blockDigest(crypto, cluster.id, before),
      justify: { kind: 'epoch' },
      cut: emptyCut(4),
      timestamp: START_MS + (executed.height + 3 + at) * 10,
      executed: at === 0 ? executed : EXECUTED_NOTHING,
      endsEpoch: null,
    });
  }
  return headers;
}

export function proofOf(executed: Executed, claims: readonly Claim[], voting?: Voting): Proof {
  const headers = headersFor(executed);
  const certificate = certificateOf(headers.at(-1)!, voting);
  return { clusterId: cluster.id, certification: { headers, certificate }, claims };
}

export class World {
  readonly node: Node;
  /** By height, of the blocks that are not empty. */
  readonly #payloads = new Map<number, Uint8Array>();
  #end = 0;
  #seq = 0;
  #requests = 1000;

  constructor(log: Node['log'] = []) {
    this.node = new Node(cluster, log);
  }

  /** A submission of `alice`, in a block of its own unless more come with it; their ids. */
  run(...submissions: (readonly Call[])[]): Digest[] {
    const signed = submissions.map((transactions) =>
      signSubmission(
        {
          kind: 'client',
          clusterId: cluster.id,
          key: alice.publicKey,
          seq: this.#seq++,
          validUntil: START_MS + 600_000,
          transactions,
        },
        alice,
      ),
    );
    const payload = payloadOf(signed);
    this.node.execute([{ lane: 1, payload }]);
    this.#payloads.set(this.node.height, payload);
    return signed.map((bytes) => idOf(bytes));
  }

  /** The same node after a restart, which has executed so many blocks of its log again. */
  restarted(height: number): World {
    const world = new World(this.node.log.slice());
    for (const [at, payload] of this.#payloads) world.#payloads.set(at, payload);
    world.#end = this.node.height;
    world.replay(height);
    return world;
  }

  replay(to = this.#end): void {
    while (this.node.height < to) {
      const payload = this.#payloads.get(this.node.height + 1);
      this.node.execute(payload === undefined ? [] : [{ lane: 1, payload }]);
    }
  }

  put(...keys: string[]): void {
    this.run(keys.map((key) => put(key, key.length)));
  }

  /** Empty blocks up to the next checkpoint. */
  checkpoint(): void {
    do this.node.execute();
    while (this.node.height % genesis.limits.checkpointInterval !== 0);
  }

  /** What the machine answers; undefined while it waits. */
  ask(wanted: ProofWanted): AnswerResult | undefined {
    const request = this.#requests++;
    this.node.step({ kind: 'prove', request, wanted });
    return this.answerTo(request);
  }

  answerTo(request: number): AnswerResult | undefined {
    this.node.fireTimers();
    const said = this.node.told.find((each) => each.kind === 'answer' && each.request === request);
    return said?.kind === 'answer' ? said.result : undefined;
  }

  get lastRequest(): number {
    return this.#requests - 1;
  }

  proved(wanted: ProofWanted): Proved {
    const answer = this.ask(wanted);
    if (answer?.ok !== true) throw new Error(`not proved: ${JSON.stringify(answer)}`);
    return answer.value as Proved;
  }

  proof(wanted: ProofWanted, voting?: Voting): Proof {
    const { executed, claims } = this.proved(wanted);
    return proofOf(executed, claims, voting);
  }

  bytes(wanted: ProofWanted): Uint8Array {
    return encodeProof(this.proof(wanted));
  }
}

export const row = (key: string) =>
  ({ kind: 'row', module: 'scratch', table: 'rows', key }) as const;
export const ROWS = 'scratch/rows';
