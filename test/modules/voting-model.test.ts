/** Voting against a model that keeps every vote and counts them all again each time. */
import test from 'ava';
import fc from 'fast-check';
import { scratch, put } from '../transaction/modules.ts';
import { TimedWorld } from './timed-world.ts';
import { cast, name, open, signers, view } from './voters.ts';

interface Ballot {
  readonly round: string;
  readonly voter: number;
  readonly choice: 'approve' | 'reject';
}

interface Model {
  readonly weights: readonly number[];
  readonly required: number;
  readonly deadline: number;
  readonly votes: Map<number, 'approve' | 'reject'>;
  readonly twice: Set<number>;
  status: string;
}

const ROUNDS = ['x', 'y', 'z'];
const weights = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
const opening = fc.record({
  weights,
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  lasts: fc.integer({ min: 5, max: 60 }),
});
const ballot: fc.Arbitrary<Ballot> = fc.record({
  round: fc.constantFrom(...ROUNDS),
  voter: fc.integer({ min: 0, max: 4 }),
  choice: fc.constantFrom('approve', 'reject'),
});
const step = fc.oneof({ arbitrary: ballot, weight: 5 }, { arbitrary: fc.nat(20), weight: 1 });

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);

function weightOf({ weights: all, votes }: Model, choice: string): number {
  return sum([...votes].filter(([, voted]) => voted === choice).map(([voter]) => all[voter]!));
}

function settle(model: Model, time: number): void {
  if (model.status !== 'open') return;
  const total = sum(model.weights);
  if (weightOf(model, 'approve') >= model.required) model.status = 'approved';
  else if (total - weightOf(model, 'reject') < model.required) model.status = 'rejected';
  else if (time >= model.deadline) model.status = 'expired';
}

/** What the vote is answered with, at block time `time`. */
function vote(model: Model, { voter, choice }: Ballot, time: number): string {
  settle(model, time);
  if (model.weights[voter] === undefined) return 'not_eligible';
  const earlier = model.votes.get(voter);
  if (earlier !== undefined) {
    if (earlier === choice || model.twice.has(voter)) return 'already_voted';
    model.twice.add(voter);
    return 'ok';
  }
  if (model.status !== 'open') return 'round_closed';
  model.votes.set(voter, choice);
  settle(model, time);
  return 'ok';
}

test('V3, V4, V5: whatever is voted and when, rounds are as a simple count says', (t) => {
  fc.assert(
    fc.property(
      fc.tuple(opening, opening, opening),
      fc.array(step, { maxLength: 40 }),
      (openings, steps) => {
        const w = new TimedWorld({}, [scratch]);
        const models = new Map<string, Model>();
        for (const [at, each] of openings.entries()) {
          const round = ROUNDS[at]!;
          const required = 1 + Math.floor(each.share * (sum(each.weights) - 1));
          const deadline = w.time + 10 + each.lasts;
          const voters = each.weights.map((weight, who) => ({
            voter: name(signers[who]!),
            weight,
          }));
          w.run([open(round, { voters, required, deadline, bound: put(round, true) })]);
          const state = { votes: new Map(), twice: new Set<number>(), status: 'open' };
          models.set(round, { weights: each.weights, required, deadline, ...state });
        }
        for (const each of steps) {
          if (typeof each === 'number') w.at(w.time + 1 + each);
          else {
            const { digest } = view(w, each.round);
            const calls = [cast(each.round, each.choice, digest)];
            const outcome = w.run(calls, signers[each.voter]!);
            t.deepEqual(outcome, [vote(models.get(each.round)!, each, w.time)]);
          }
          for (const [round, model] of models) {
            settle(model, w.time);
            const { status, approvals, rejections, release } = view(w, round);
            t.is(status, model.status);
            t.is(approvals, weightOf(model, 'approve'));
            t.is(rejections, weightOf(model, 'reject'));
            const isReleased = status === 'approved';
            t.deepEqual(release, isReleased ? { ok: true, code: null } : null);
            t.is(w.ask('scratch', 'get', round), isReleased ? true : 'row_not_found');
          }
        }
        const { evidence } = w.ask('voting', 'evidence', {}) as { evidence: unknown[] };
        t.is(evidence.length, sum([...models.values()].map(({ twice }) => twice.size)));
      },
    ),
    { numRuns: 60 },
  );
  t.pass();
});
