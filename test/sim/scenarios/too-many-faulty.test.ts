/** More faulty validators than the rules can bear: what they did can be proved, and only to them. */
import test from 'ava';
import type { LogEvent } from '../../../protocols/machine.ts';
import type { LocalMessage } from '../../../protocols/messages.ts';
import type { Digest } from '../../../protocols/types.ts';
import { VOTING_STREAM } from '../../../protocols/voting/accusations.ts';
import { evidenceRecord, isEvidenceValid } from '../../../protocols/voting/evidence.ts';
import { unpackStructure } from '../../../protocols/wire.ts';
import type { BehaviourName } from '../byzantine/behaviours.ts';
import type { SimNode } from '../node.ts';
import type { Observer } from '../observer.ts';
import { play } from './scenario.ts';

/** Whether two honest nodes finalised different blocks, and whom evidence in their logs accuses. */
class Inquest implements Observer {
  isForked = false;
  readonly accused = new Set<number>();
  readonly #final = new Map<number, Digest>();

  told(_node: SimNode, _from: string, _to: string, message: LocalMessage): void {
    if (message.kind !== 'finalised') return;
    const { digest, block } = message;
    this.isForked ||= (this.#final.get(block.height) ?? digest) !== digest;
    this.#final.set(block.height, digest);
  }

  synced(node: SimNode, events: readonly LogEvent[]): void {
    for (const { stream, header } of events) {
      const record = stream === VOTING_STREAM ? unpackStructure(evidenceRecord, header) : null;
      if (record?.ok !== true || !isEvidenceValid(node.setup, record.value.evidence)) continue;
      const { validators } = node.setup.cluster.genesis;
      this.accused.add(validators.findIndex((each) => each.publicKey === record.value.accused));
    }
  }
}

function hold(
  seed: number,
  culprits: readonly number[],
  behaviours: readonly BehaviourName[],
): { inquest: Inquest; violation: string | undefined } {
  const inquest = new Inquest();
  const { outcome } = play({
    seed,
    nodes: 3 * (culprits.length - 1) + 1,
    byzantine: Object.fromEntries(culprits.map((culprit) => [culprit, behaviours])),
    observe: inquest,
    // Nothing else can be promised.
    counts: (checker) => checker === 'accusation',
    profile: { faultsMs: 1_000 },
  });
  return { inquest, violation: outcome.violation?.detail };
}

for (const culprits of [
  [0, 1],
  [0, 1, 2],
]) {
  test(`where ${culprits.length} of ${3 * culprits.length - 2} forked the chain, logs prove which (I84, I91)`, (t) => {
    let forks = 0;
    for (let seed = 1; seed <= 5; seed++) {
      const { inquest, violation } = hold(seed, culprits, ['forker']);
      t.is(violation, undefined, `seed ${seed}`);
      const accused = [...inquest.accused];
      t.true(
        accused.every((each) => culprits.includes(each)),
        `seed ${seed}: ${accused.join()}`,
      );
      if (!inquest.isForked) continue;
      t.true(accused.length > 0, `seed ${seed}: a fork, and nobody did it`);
      forks++;
    }
    t.true(forks > 0, 'they can');
  });
}

test('f + 1 that equivocate and vote twice are proved guilty, and nobody else (I84)', (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const culprits = [0, 1];
    const { inquest, violation } = hold(seed, culprits, ['equivocatingLeader', 'doubleVoter']);
    t.is(violation, undefined, `seed ${seed}`);
    t.true(inquest.accused.size > 0, `seed ${seed}`);
    t.true(
      [...inquest.accused].every((each) => culprits.includes(each)),
      `seed ${seed}`,
    );
  }
});
