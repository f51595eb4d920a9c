/** What voting's handlers see. */
import { Type, type Context, type ReadContext, type TimerDefinition } from '../../module.ts';
import { RoundId, strict, type events, type tables } from './rows.ts';

export const Deadline = Type.Object({ round: RoundId }, strict);

export type Commands = Context<
  typeof tables,
  typeof events,
  { readonly expire: TimerDefinition<typeof Deadline> }
>;
export type Queries = ReadContext<typeof tables>;
