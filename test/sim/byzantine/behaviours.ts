/** Every way of being Byzantine that a seed can draw, by name. */
import type { Adversary, Behaviour } from './adversary.ts';
import { backwardsOwner } from './backwards-owner.ts';
import { branchJumper } from './branch-jumper.ts';
import { dripper } from './dripper.ts';
import { forker } from './forker.ts';
import {
  copycat,
  flooder,
  impostor,
  laneEquivocator,
  leaderDeceiver,
  malformedLane,
  markLiar,
  withholder,
} from './lanes.ts';
import { lawlessContent, lawlessCut, lawlessPlace } from './lawless.ts';
import {
  censor,
  equivocatingLeader,
  hoarder,
  lazyLeader,
  mute,
  slowLeader,
  stateDenier,
  twoFirstBlocks,
} from './leaders.ts';
import { babbler, falseWitness, replayer, silent, twin } from './noise.ts';
import { secretCertificate } from './secret-certificate.ts';
import { badCommitter, boaster, doubleVoter, forger, hider, quitter } from './voters.ts';

const MAKERS = {
  equivocatingLeader,
  twoFirstBlocks,
  lawlessContent,
  lawlessCut,
  lawlessPlace,
  lazyLeader,
  slowLeader,
  censor,
  stateDenier,
  mute,
  hoarder,
  doubleVoter,
  hider,
  boaster,
  quitter,
  forger,
  badCommitter,
  withholder,
  laneEquivocator,
  malformedLane,
  markLiar,
  branchJumper,
  flooder,
  copycat,
  impostor,
  replayer,
  babbler,
  falseWitness,
  dripper,
  silent,
  twin,
  leaderDeceiver,
  backwardsOwner,
  secretCertificate,
} satisfies Record<string, (adversary: Adversary) => Behaviour>;

/** What only scripts ask for: f or fewer of these are as good as silent. */
const TOGETHER = { forker } satisfies Record<string, (adversary: Adversary) => Behaviour>;

export type DrawnName = keyof typeof MAKERS;
export type BehaviourName = DrawnName | keyof typeof TOGETHER;

/** What a seed draws from. */
export const BEHAVIOURS = Object.keys(MAKERS) as readonly DrawnName[];

export const makeBehaviour = (name: BehaviourName, adversary: Adversary): Behaviour =>
  ({ ...MAKERS, ...TOGETHER })[name](adversary);
