/** Whatever is sent, and however time passes, the module does what etcd would. */
import test from 'ava';
import fc from 'fast-check';
import type { Call } from '../../../protocols/transaction/submission.ts';
import type { Value } from '../../../protocols/transaction/values.ts';
import { EtcdModel, type Comparison, type Op } from './etcd-model.ts';
import { call, plain, Store } from './store.ts';

const key = fc.constantFrom('a', 'b', 'b/1', 'b/2');
const value = fc.nat(3);
const lease = fc.constantFrom('x', 'y');
const ttlMs = fc.constantFrom(5, 40, 90, 200);

const setArgs = fc.oneof(
  fc.record({ key, value }),
  fc.record({ key, value, lease }),
  fc.record({ key, value, ttlMs }),
  fc.record({ key, value, lease, ttlMs }),
);
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: setArgs.map((set) => ({ set }) as Op) },
  { weight: 2, arbitrary: key.map((each) => ({ delete: { key: each } })) },
  { weight: 2, arbitrary: key.map((each) => ({ get: { key: each } })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', 'b', 'b/').map((prefix) => ({ deleteRange: { prefix } })),
  },
);
const comparison: fc.Arbitrary<Comparison> = fc
  .record({
    key,
    target: fc.constantFrom('value', 'version', 'createRevision', 'modRevision', 'lease'),
    is: fc.constantFrom('equal', 'notEqual', 'greater', 'less'),
    value: fc.nat(4),
    lease: fc.constantFrom('', 'x', 'n/a'),
  })
  .map(({ lease: id, ...each }) => ({ ...each, value: each.target === 'lease' ? id : each.value }));

type Step = { readonly sent: Call; readonly model: (model: EtcdModel) => unknown };

const txnStep: fc.Arbitrary<Step> = fc
  .record({
    compare: fc.array(comparison, { maxLength: 2 }),
    success: fc.array(op, { maxLength: 3 }),
    failure: fc.array(op, { maxLength: 3 }),
  })
  .map((args) => ({
    sent: call('txn', args as unknown as Record<string, Value>),
    model: (model) => model.txn(args.compare, args.success, args.failure),
  }));
const leaseStep: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(lease, ttlMs).map(([id, ttl]) => ({
    sent: plain('grantLease', { lease: id, ttlMs: ttl }),
    model: (model: EtcdModel) => model.grant(id, ttl),
  })),
  fc
    .oneof(
      lease,
      key.map((each) => `n/${each}`),
    )
    .map((id) => ({
      sent: plain('keepAlive', { lease: id }),
      model: (model: EtcdModel) => model.keepAlive(id),
    })),
  lease.map((id) => ({
    sent: plain('revokeLease', { lease: id }),
    model: (model: EtcdModel) => model.revoke(id),
  })),
);
const block = fc.record({
  waitMs: fc.constantFrom(1, 10, 50, 100),
  steps: fc.array(
    fc.oneof({ weight: 3, arbitrary: txnStep }, { weight: 2, arbitrary: leaseStep }),
    {
      maxLength: 4,
    },
  ),
});

const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : 1);

test('R1, R2, R3, R4, R9: transactions and leases do what etcd does', (t) => {
  const seen = { succeeded: 0, failed: 0, refused: 0, ended: 0 };
  fc.assert(
    fc.property(fc.array(block, { minLength: 3, maxLength: 14 }), (blocks) => {
      const store = new Store();
      const model = new EtcdModel();
      let now = 0;
      for (const { waitMs, steps } of blocks) {
        now += waitMs;
        const leasesBefore = model.leases.size;
        model.goTo(now);
        seen.ended += leasesBefore - model.leases.size;
        const receipts = store.at(
          now,
          steps.map(({ sent }) => sent),
        );
        for (const [index, { sent, model: apply }] of steps.entries()) {
          const receipt = receipts.at(index - steps.length)!;
          const expected = model.do(() => apply(model));
          if (receipt.error !== undefined) {
            t.is(receipt.error.code, expected as string);
            seen.refused++;
          } else if (sent.command === 'txn') {
            t.deepEqual(receipt.result, expected as Value);
            seen[(expected as { succeeded: boolean }).succeeded ? 'succeeded' : 'failed']++;
          } else t.is(expected, null);
        }
        t.deepEqual(store.entries(), [...model.keys.values()].toSorted(byKey) as never);
        t.is(store.revision(), model.revision);
        const { leases } = store.ask('leases') as {
          leases: { lease: string; remainingMs: number }[];
        };
        t.deepEqual(
          leases.map(({ lease: id, remainingMs }) => [id, remainingMs]),
          [...model.leases]
            .map(([id, { endsAt }]) => [id, endsAt - now] as [string, number])
            .toSorted(([a], [b]) => (a < b ? -1 : 1)),
        );
        t.like(store.ask('namespace', { namespace: 'n' }), { keys: model.keys.size });
      }
    }),
    { numRuns: 60 },
  );
  for (const [what, times] of Object.entries(seen)) t.true(times > 10, `${what}: ${times}`);
});
