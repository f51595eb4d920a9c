/** Every way of being Byzantine that a seed can draw, by name. */
import type { Adversary, Behaviour } from './adversary.ts';
import { laneEquivocator, malformedLane, markLiar, withholder } from './lanes.ts';
import {
  censor,
  equivocatingLeader,
  lawlessLeader,
  mute,
  slowLeader,
  stateDenier,
  twoFirstBlocks,
} from './leaders.ts';
import { babbler, falseWitness, replayer, silent, twin } from './noise.ts';
import { boaster, doubleVoter, forger, hider, quitter } from './voters.ts';

const MAKERS = {
  equivocatingLeader,
  twoFirstBlocks,
  lawlessLeader,
  slowLeader,
  censor,
  stateDenier,
  mute,
  doubleVoter,
  hider,
  boaster,
  quitter,
  forger,
  withholder,
  laneEquivocator,
  malformedLane,
  markLiar,
  replayer,
  babbler,
  falseWitness,
  silent,
  twin,
} satisfies Record<string, (adversary: Adversary) => Behaviour>;

export type BehaviourName = keyof typeof MAKERS;

export const BEHAVIOURS = Object.keys(MAKERS) as readonly BehaviourName[];

export const makeBehaviour = (name: BehaviourName, adversary: Adversary): Behaviour =>
  MAKERS[name](adversary);
