import test from 'ava';
import type { Value } from '../../protocols/transaction/values.ts';
import { TimedWorld } from './timed-world.ts';
import { a, b, cast, d, name, open, stranger, view, voters } from './voters.ts';

test('V6: rounds that have ended are kept for a time', (t) => {
  const w = new TimedWorld({ voting: { keepMs: 1000 } });
  const decide = (round: string): void => {
    t.deepEqual(w.run([open(round, { voters, required: 1 }), cast(round, 'approve')]), [
      'ok',
      'ok',
    ]);
  };
  for (const round of ['a', 'b', 'c', 'd']) decide(round);
  w.run([open('open', { voters, required: 1 })]);
  w.at(w.time + 1001);
  decide('e');
  t.is(w.ask('voting', 'round', { round: 'b' }), 'round_not_found');
  t.like(view(w, 'c'), { status: 'approved' });
  decide('f');
  t.is(w.ask('voting', 'round', { round: 'd' }), 'round_not_found');
  t.like(view(w, 'e'), { status: 'approved' });
  t.like(view(w, 'open'), { status: 'open' });
});

test('V6: no more than so many rounds that have ended are kept, the latest', (t) => {
  const w = new TimedWorld({ voting: { keepRounds: 100 } });
  for (let at = 0; at < 130; at++) {
    const round = `r${String(at).padStart(3, '0')}`;
    w.run([open(round, { voters, required: 1 }), cast(round, 'approve')]);
  }
  t.is(w.ask('voting', 'round', { round: 'r029' }), 'round_not_found');
  t.like(view(w, 'r030'), { status: 'approved' });
});

test('V6: evidence is kept for its own time, longer than the round', (t) => {
  const w = new TimedWorld({ voting: { keepMs: 10, keepEvidenceMs: 1000 } });
  const both = (round: string): void => {
    w.run([open(round, { voters, required: 1 }), cast(round, 'approve'), cast(round, 'reject')]);
  };
  const kept = (): string[] =>
    (w.ask('voting', 'evidence', {}) as { evidence: { round: string }[] }).evidence.map(
      ({ round }) => round,
    );
  both('a');
  w.at(w.time + 500);
  both('b');
  t.is(w.ask('voting', 'round', { round: 'a' }), 'round_not_found');
  t.deepEqual(kept(), ['a', 'b']);
  w.at(w.time + 600);
  both('c');
  t.deepEqual(kept(), ['b', 'c']);
});

test('a genesis with a setting that is none is refused by name', (t) => {
  for (const [setting, field] of [
    [{ keepRounds: 1 }, 'keepRounds'],
    [{ keepMs: -1 }, 'keepMs'],
    [{ keep: 1 }, 'keep'],
  ] as const) {
    t.throws(() => new TimedWorld({ voting: setting }), {
      message: new RegExp(`genesis: modules.voting ${field}`),
    });
  }
});

test('many rounds run at once, and each is found by status, committee and voter, in pages', (t) => {
  const w = new TimedWorld();
  const small = voters.slice(0, 2);
  for (let at = 10; at < 35; at++) {
    w.run([
      open(`r${at}`, at % 2 === 0 ? { voters, required: 3 } : { voters: small, required: 2 }),
    ]);
  }
  w.run([open('z', { voters: voters.slice(2), required: 2 })]);
  for (const signer of [a, b]) w.run([cast('r11', 'approve')], signer);
  const all = (query: string, args: Record<string, Value>, limit: number): string[] => {
    const found: string[] = [];
    let next: string | null | undefined;
    do {
      const page = w.ask('voting', query, {
        ...args,
        limit,
        ...(next === undefined ? {} : { after: next }),
      }) as { rounds: { round: string }[]; next: string | null };
      found.push(...page.rounds.map(({ round }) => round));
      next = page.next;
    } while (next !== null);
    return found;
  };
  const { committee } = view(w, 'r11');
  const odd = [...Array(12).keys()].map((at) => `r${11 + 2 * at}`);
  const even = [...Array(13).keys()].map((at) => `r${10 + 2 * at}`);
  for (const limit of [1, 3, 100]) {
    t.deepEqual(all('rounds', { status: 'approved' }, limit), ['r11']);
    t.deepEqual(all('openRounds', { committee }, limit), odd.slice(1));
    t.is(all('rounds', { status: 'open' }, limit).length, 25);
    t.deepEqual(
      all('openRoundsOfVoter', { voter: name(a) }, limit).toSorted(),
      [...even, ...odd.slice(1)].toSorted(),
    );
    t.deepEqual(all('openRoundsOfVoter', { voter: name(d) }, limit).toSorted(), [...even, 'z']);
    t.deepEqual(all('openRoundsOfVoter', { voter: name(stranger) }, limit), []);
    t.is(all('rounds', {}, limit).length, 26);
  }
});
