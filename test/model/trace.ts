/** A counterexample in words. */
import { ROOT, type Blocks } from './blocks.ts';
import type { Found } from './explore.ts';
import type { Forge } from './forge.ts';
import { describe } from './inputs.ts';

/** Such as `A@0/1`: the first of those of term 0 and height 1. */
function nameOf(blocks: Blocks, id: number): string {
  if (id === ROOT) return 'nothing';
  if (id < ROOT) return 'a block beyond the bounds';
  const { term, height, parent, reason, variant } = blocks.shape(id);
  const proof = reason.kind === 'epoch' || reason.proof === 'valid' ? '' : `, ${reason.proof}`;
  const on = parent === ROOT ? 'the root' : `#${parent}`;
  const by =
    reason.kind === 'timeouts'
      ? ` by timeouts of ${reason.term}`
      : reason.kind === 'certificate'
        ? ` by the certificate of #${reason.of}`
        : '';
  return `#${id} (term ${term}, height ${height}, on ${on}${by}${proof}, variant ${variant})`;
}

export function traceOf(forge: Forge, { fault, steps }: Found): string {
  const told = new Set<number>();
  const name = (id: number): string => {
    if (told.has(id) || id <= ROOT) return id <= ROOT ? nameOf(forge.blocks, id) : `#${id}`;
    told.add(id);
    return nameOf(forge.blocks, id);
  };
  const lines = steps.map(
    ({ validator, input }, at) =>
      `${String(at + 1).padStart(3)}. validator ${validator} ${describe(input, name)}`,
  );
  return [...lines, `     ${fault}`].join('\n');
}
