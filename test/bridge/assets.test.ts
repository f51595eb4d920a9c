/** What the genesis says of the bridge, and which assets of the ledger move over it. */
import test from 'ava';
import { asset, call, Crossing, issuer, ledger, name, other, user } from './crossing.ts';

test('J4: each asset moves in its own; what another account asks for stays open', (t) => {
  const c = new Crossing({ assets: [asset, other] });
  const enroll = call('enroll', { asset: other });
  const [deposit] = c.world
    .receipts([enroll], user)
    .map(({ result }) => (result as { account: string }).account);
  const { reserveAccount } = c.world.ask('bridge', 'supply', { asset: other }) as {
    reserveAccount: string;
  };
  t.deepEqual(
    c.world.run([
      ledger('open', { account: 'silver', owner: name(user), asset: other }),
      ledger('issue', { account: deposit!, amount: 7 }),
      ledger('issue', { account: reserveAccount, amount: 300 }),
    ]),
    ['ok', 'ok', 'ok'],
  );
  const assetOf = (account: string) =>
    (c.world.ask('ledger', 'account', { account }) as { asset: string }).asset;
  t.deepEqual([c.deposit, deposit!, reserveAccount].map(assetOf), [asset, other, other]);
  // Its reserve pays, and not the one of the first.
  const said = { asset: other, to: 'silver', amount: 70, deadline: c.soon };
  for (const at of [0, 1, 2]) c.arrive('tx-1', at, said);
  t.is(c.balance('silver'), 70);
  t.is(c.balance(reserveAccount), 230);
  t.deepEqual(c.balances(), [500, 0, 1000, 500]);
  for (const at of [0, 1, 2]) c.arrive('tx-2', at, { ...said, to: 'user' });
  t.deepEqual(c.balances(), [500, 0, 1000, 500]);
  const take = (to: string) => call('withdraw', { asset: other, to, amount: 7 });
  t.deepEqual(c.world.run([take('user'), take('silver')], user), [
    'accounts_must_have_the_same_ledger',
    'ok',
  ]);
  t.is(c.balance('silver'), 77);
});

test('an asset that the ledger does not have is not enrolled for, until it is added', (t) => {
  const c = new Crossing({ assets: [asset, 'tin'] });
  const enroll = call('enroll', { asset: 'tin' });
  const [refused] = c.world.receipts([enroll], user);
  t.deepEqual(refused!.error, {
    code: 'asset_not_found',
    message: 'the ledger has no asset of that name',
  });
  t.deepEqual(c.world.run([ledger('addAsset', { asset: 'tin' })], issuer), ['ok']);
  t.deepEqual(c.world.run([enroll], user), ['ok']);
});

const badConfigs: readonly (readonly [Record<string, unknown>, RegExp])[] = [
  [{ required: 6 }, /bridge required/],
  [{ required: 0 }, /bridge required/],
  [{ attesters: [] }, /bridge attesters/],
  [{ attesters: ['principal:api'] }, /bridge attesters/],
  [{ keepMs: 1 }, /bridge keepMs/],
  [{ assets: [] }, /bridge assets/],
  [{ assets: ['gold', 'gold'] }, /bridge assets/],
  [{ assets: ['fools gold'] }, /bridge assets/],
  [{ colour: 'red' }, /bridge colour/],
];
for (const [config, message] of badConfigs) {
  test(`a genesis with ${JSON.stringify(config)} is refused by name`, (t) => {
    t.throws(() => new Crossing(config), { message });
  });
}
