/**
 * What this machine remembers by the wall clock, when that clock is set, either way. It is stepped many
 * times a second, so STEP_MS_MAX between two steps is no time that it waited: the clock was set, or the
 * node stood still. Then everything counts as having happened as long before this step as before the last one.
 *
 * I95. A clock that is set back puts off nothing that this validator owes or waits for, and one that is
 *      set forward by more than STEP_MS_MAX ends nobody's patience; by less, it may cost a change of term.
 */
import type { Millis } from '../types.ts';
import type { State } from './state.ts';

const STEP_MS_MAX = 10_000;

export function clockMoved(state: State, now: Millis): void {
  const step = now - state.now;
  const isFirst = state.now === 0;
  state.now = now;
  if (isFirst || (step >= 0 && step <= STEP_MS_MAX)) return;
  state.due.shift(step);
  state.lastProposedAt += step;
  state.catchUp.turnEndsAt += step;
  // To be set anew: those under way were meant for another time.
  state.proposeTimerAt = null;
  state.catchUp.timerAt = null;
  for (const [lane, wait] of state.laneWaits) {
    state.laneWaits.set(lane, { ...wait, since: wait.since + step });
  }
}
