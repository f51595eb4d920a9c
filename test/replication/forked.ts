/** A node that is shown several branches of one lane by its owner, validator 0. */
import type { Batch } from '../../protocols/replication/lane.ts';
import type { Tip } from '../../protocols/types.ts';
import { Lab, Seat, sent, tells } from './lab.ts';

export type Effects = Parameters<typeof tells>[0];

export const OWNER = 0;
export const held = (effects: Effects) => tells(effects, 'cutHeld').map(({ block }) => block);
export const asked = (effects: Effects) =>
  sent(effects, 'fetchBatch').map(({ message }) => message.digest);
export const reportedTip = (effects: Effects) => tells(effects, 'tipsReported').at(-1)?.tips[OWNER];

/** Validator 3, connected to all; lane 0 is the one that equivocates. */
export function seated(laneBytesMax?: number): { lab: Lab; seat: Seat; cut: (tip: Tip) => Tip[] } {
  const lab = new Lab(4, laneBytesMax === undefined ? {} : { laneBytesMax });
  const seat = new Seat(lab, 3);
  seat.start();
  for (const peer of [0, 1, 2]) seat.step({ kind: 'peerConnected', peer });
  return { lab, seat, cut: (tip) => lab.cut({ [OWNER]: tip }) };
}

/** Lets time pass while `peer` answers what it is asked of these batches by digest. */
export function serving(
  seat: Seat,
  batches: readonly Batch[],
  ms: number,
  peer = 1,
): { effects: Effects; served: number } {
  const byDigest = new Map(batches.map((batch) => [batch.digest, batch]));
  const effects: Effects[number][] = [];
  let served = 0;
  const answer = (first: Effects): void => {
    const news = [...first];
    for (let effect = news.shift(); effect !== undefined; effect = news.shift()) {
      effects.push(effect);
      for (const { to, message } of sent([effect], 'fetchBatch')) {
        const batch = to === peer ? byDigest.get(message.digest) : undefined;
        if (batch === undefined) continue;
        served++;
        news.push(...seat.batch(batch, peer));
      }
    }
  };
  for (let waited = 0; waited < ms; waited += 5) answer(seat.wait(5));
  return { effects, served };
}

export const sized = (
  lab: Lab,
  parent: Batch | undefined,
  name: string,
  bytes: number,
  count: number,
) => {
  const made: Batch[] = [];
  for (let at = 0; at < count; at++) {
    made.push(lab.batch(OWNER, made.at(-1) ?? parent, `${name}${at}`.padEnd(bytes, '.')));
  }
  return made;
};
