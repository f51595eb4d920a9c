/** How clients ask for more than what a node has executed, in whatever interface. */
import type { ReadOptions } from './edge.ts';
import { Problem } from './problem.ts';

export interface StateReadOptions extends ReadOptions {
  /** The answer is to come with a proof. */
  readonly proof: boolean;
}

/** What the interface calls them. */
export interface OptionNames {
  readonly proof: string;
  readonly atHeight: string;
  readonly linearizable: string;
}

/** One option at most: none of them says what two would mean. */
export function oneOption(
  options: StateReadOptions,
  names: OptionNames,
): StateReadOptions | Problem {
  const { proof, linearizable = false, atHeight } = options;
  if ([proof, linearizable, atHeight !== undefined].filter(Boolean).length <= 1) return options;
  const detail = `choose one of ${names.proof}, ${names.atHeight} and ${names.linearizable}`;
  const [field = ''] = (atHeight === undefined ? names.linearizable : names.atHeight).split('=');
  return new Problem(400, 'unsupported_parameter', detail, { field });
}
