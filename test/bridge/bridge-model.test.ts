/**
 * The bridge against a model of both sides: what was locked outside and what the attesters that do not lie
 * say of it. Fewer than it takes lie, in whatever way and order.
 */
import test from 'ava';
import fc from 'fast-check';
import { codeOf, Crossing, HOUR, REQUIRED, RESERVE } from './crossing.ts';

const HONEST = [0, 1, 2] as const;
const LIARS = [3, 4] as const;
const amount = fc.integer({ min: 1, max: 60 });

type Step =
  | { readonly kind: 'lock'; readonly amount: number; readonly minutes: number }
  | { readonly kind: 'deposit'; readonly amount: number; readonly minutes: number }
  | { readonly kind: 'honest'; readonly by: number; readonly which: number }
  | {
      readonly kind: 'lie';
      readonly by: number;
      readonly which: number;
      readonly amount: number;
      readonly minutes: number;
    }
  | { readonly kind: 'wait'; readonly minutes: number };

const minutes = fc.integer({ min: 1, max: 100 });
const which = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('lock' as const), amount, minutes }),
  fc.record({ kind: fc.constant('deposit' as const), amount, minutes }),
  {
    arbitrary: fc.record({
      kind: fc.constant('honest' as const),
      by: fc.constantFrom(...HONEST),
      which,
    }),
    weight: 6,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('lie' as const),
      by: fc.constantFrom(...LIARS),
      which,
      amount,
      minutes,
    }),
    weight: 3,
  },
  fc.record({ kind: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 40 }) }),
);

interface Side {
  readonly direction: 'in' | 'out';
  /** Of a lock here, or outside. */
  readonly id: string;
  readonly amount: number;
  readonly deadline: number;
  readonly honest: Set<number>;
  status: 'open' | 'released' | 'refunded';
}

const MINUTE = HOUR / 60;

test('J1, J2, J4: no money comes from nowhere, none is lost, and few liars change nothing', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const c = new Crossing();
      const sides: Side[] = [];
      const settle = (): void => {
        for (const side of sides) {
          if (side.status === 'open' && c.world.time >= side.deadline) side.status = 'refunded';
        }
      };
      const speak = (side: Side, by: number): void => {
        const { amount, deadline } = side;
        const receipt =
          side.direction === 'out'
            ? c.accept(side.id, by)
            : c.arrive(side.id, by, { amount, deadline });
        settle();
        const spoken = side.honest.has(by);
        if (spoken) t.is(codeOf(receipt), 'already_attested');
        else if (side.status !== 'open')
          t.true(['too_late', 'transfer_ended'].includes(codeOf(receipt)));
        else {
          t.is(codeOf(receipt), 'ok');
          side.honest.add(by);
          if (side.honest.size >= REQUIRED) side.status = 'released';
        }
      };
      for (const each of steps) {
        const deadline = c.world.time + ('minutes' in each ? each.minutes : 1) * MINUTE;
        const side = 'which' in each ? sides[each.which % Math.max(1, sides.length)] : undefined;
        if (each.kind === 'wait') c.world.at(deadline);
        else if (each.kind === 'lock') {
          if (c.balance(c.deposit) < each.amount) continue;
          const id = c.lock(each.amount, deadline);
          sides.push({
            direction: 'out',
            id,
            amount: each.amount,
            deadline,
            honest: new Set(),
            status: 'open',
          });
        } else if (each.kind === 'deposit') {
          const id = `tx-${sides.length}`;
          sides.push({
            direction: 'in',
            id,
            amount: each.amount,
            deadline,
            honest: new Set(),
            status: 'open',
          });
        } else if (side === undefined) continue;
        else if (each.kind === 'honest') speak(side, each.by);
        else {
          const lie = { amount: side.amount + each.amount, deadline };
          if (side.direction === 'out') c.accept(side.id, each.by, { amount: lie.amount });
          else c.arrive(side.id, each.by, lie);
        }
        settle();
        const sum = (direction: string, status: string): number =>
          sides
            .filter((one) => one.direction === direction && one.status === status)
            .reduce((total, one) => total + one.amount, 0);
        const [locked, out, came] = [
          sum('out', 'open'),
          sum('out', 'released'),
          sum('in', 'released'),
        ];
        t.deepEqual(c.balances(), [500 - locked - out, locked, RESERVE + out - came, 500 + came]);
        t.like(c.supply(), { locked: `${locked}`, out: `${out}`, in: `${came}` });
      }
    }),
    { numRuns: 60 },
  );
  t.pass();
});
