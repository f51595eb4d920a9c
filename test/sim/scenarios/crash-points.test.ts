import test from 'ava';
import type { AppendPhase } from '../storage.ts';
import { play } from './scenario.ts';

const PHASES: readonly AppendPhase[] = ['issued', 'written', 'synced'];
/** With whole safety records as often as can be, of which the one before is pruned to (I150, I151). */
const SHORT = { clients: 1, submissionsPerClient: 3, faultsMs: 400, snapshotWorkMin: 10 };

/** How many appends the node makes in the undisturbed run. */
function countAppends(validator: number): number {
  const { world } = play({ profile: SHORT });
  return world.nodes[validator]?.appends ?? 0;
}

function crashAt(validator: number, append: number, phase: AppendPhase): string | null {
  const { outcome } = play({
    profile: SHORT,
    arrange(world) {
      const node = world.nodes[validator];
      if (node === undefined) return;
      node.appendHook = (number, reached) => {
        if (number !== append || reached !== phase) return;
        node.appendHook = null;
        node.crashFor(30);
      };
    },
  });
  return outcome.violation === null ? null : JSON.stringify(outcome.violation);
}

for (const validator of [0, 1]) {
  const who = validator === 0 ? 'the first leader' : 'a follower';
  for (const phase of PHASES) {
    test(`${who} recovers from a crash at every append: ${phase} (I10, I11, I79, I150)`, (t) => {
      const appends = countAppends(validator);
      t.true(appends > 10);
      for (let append = 1; append <= appends; append++) {
        t.is(crashAt(validator, append, phase), null, `append ${append}`);
      }
    });
  }
}
