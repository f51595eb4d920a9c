/** What the log says of the quorum, and how its loss is explained. */
import test from 'ava';
import { Problem } from '../../src/edge/problem.ts';
import { quorumReason } from '../../src/edge/quorum-reason.ts';
import { QuorumSight } from '../../src/supervisor/quorum-sight.ts';

const validators = ['validator-1', 'node-2', 'node-3', 'node-4'];
const info = { validators, quorum: 3, index: 0 };

function looking() {
  const lines: string[] = [];
  const seen = { now: 10_000, connected: [] as number[], finalHeight: 5 };
  const sight = new QuorumSight({
    info,
    logger: {
      info: (_, text) => void lines.push(`info ${text}`),
      warn: (fields, text) => void lines.push(`warn ${text} ${JSON.stringify(fields)}`),
    },
    connected: () => seen.connected,
    consensus: () => ({ finalHeight: seen.finalHeight, baseTimeoutMs: 1_000 }),
    now: () => seen.now,
  });
  /** Four looks a second. */
  const pass = (seconds: number): string[] => {
    for (let look = 0; look < seconds * 4; look++) {
      seen.now += 250;
      sight.look();
    }
    return lines.splice(0);
  };
  return { seen, sight, pass };
}

test('the log has a line when the quorum is lost and one when it is back, however often', (t) => {
  const { seen, sight, pass } = looking();
  seen.connected = [1, 2, 3];
  t.deepEqual(pass(1), []);
  for (let time = 0; time < 3; time++) {
    seen.connected = [1];
    const lost = pass(30);
    t.is(lost.length, 1);
    t.regex(
      lost[0]!,
      /^warn the quorum is lost: .*2 of the 3 validators .* node-3 since 20.*node-4 since/,
    );
    t.not(sight.state().lostSinceMs, null);
    seen.connected = [1, 2, 3];
    t.deepEqual(pass(5), []);
    seen.finalHeight++;
    t.deepEqual(pass(1), ['info the quorum is back: writes are taken again']);
    t.is(sight.state().lostSinceMs, null);
  }
});

test('a node that starts before the others has lost nothing, and takes no writes', (t) => {
  const { seen, sight, pass } = looking();
  t.deepEqual(pass(30), []);
  t.not(sight.state().lostSinceMs, null);
  t.false(sight.look());
  seen.connected = [1, 2];
  seen.finalHeight++;
  t.deepEqual(pass(1), []);
  t.true(sight.look());
});

test('a reason names as many as fit into the detail of a problem, and counts the others', (t) => {
  const since = Date.UTC(2026, 0, 31, 12);
  const many = Array.from({ length: 40 }, (_, index) => `a-validator-with-a-long-name-${index}`);
  for (let lost = 0; lost < 40; lost++) {
    const unheard = many.slice(0, lost).map((_, index) => ({ index, sinceMs: since }));
    for (const lostSinceMs of [null, since]) {
      const reason = quorumReason({ validators: many, quorum: 27 }, { lostSinceMs, unheard });
      t.is(new Problem(503, 'no_quorum', reason).detail, reason, 'nothing is cut off');
      const named = reason.match(/a-validator/g)?.length ?? 0;
      const more = Number(/ and (\d+) more$/.exec(reason)?.[1] ?? 0);
      if (lostSinceMs !== null) t.is(named + more, lost);
    }
  }
  const unheard = [{ index: 2, sinceMs: since }];
  t.is(
    quorumReason(info, { lostSinceMs: since, unheard }),
    'no block became final since 2026-01-31T12:00:00Z; not heard: node-3 since 2026-01-31T12:00:00Z',
  );
});
