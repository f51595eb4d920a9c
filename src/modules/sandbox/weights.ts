/**
 * What straight code costs, by its syntax alone: a step is up to four nodes, and a loop's body is
 * charged each time around, a function's each time it is entered (U1). Branches not taken count too.
 */
import type { AnyNode } from 'acorn';
import { isFunction } from './names.ts';
import { childrenOf } from './syntax.ts';

const NODES_SHIFT = 2;
const FRAME_SHIFT = 6;
/** A spread in a call lays up to 250 arguments on the stack. */
const SPREAD_FRAMES = 4;
/** Numbers that name properties reserve room up to them. */
const ELEMENTS_MAX = 8192;

export function isLoop(node: AnyNode): boolean {
  return ['ForStatement', 'ForOfStatement', 'WhileStatement', 'DoWhileStatement'].includes(
    node.type,
  );
}

function nodesOf(node: AnyNode): number {
  if (isFunction(node) || isLoop(node)) return 2;
  return 1 + extra(node) + sum(childrenOf(node).map(nodesOf));
}

function extra(node: AnyNode): number {
  if (node.type === 'ArrayExpression') return node.elements.length;
  if (node.type !== 'Property' || node.computed || node.key.type !== 'Literal') return 0;
  const index = Number(node.key.value);
  return index > 0 && index < ELEMENTS_MAX ? index >> 3 : 0;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, each) => total + each, 0);
}

/** Steps of one entry of a function, or of one round of a loop. */
export function stepsOf(node: AnyNode): number {
  return 1 + (sum(childrenOf(node).map(nodesOf)) >> NODES_SHIFT);
}

/** Size of a function's frame, at least what the engine may need for it. */
export function frameOf(node: AnyNode): number {
  return 1 + (sum(childrenOf(node).map(slotsOf)) >> FRAME_SHIFT);
}

function slotsOf(node: AnyNode): number {
  if (isFunction(node)) return 1;
  const spread = node.type === 'CallExpression' ? node.arguments.filter(isSpread).length : 0;
  return 1 + spread * (SPREAD_FRAMES << FRAME_SHIFT) + sum(childrenOf(node).map(slotsOf));
}

function isSpread({ type }: AnyNode): boolean {
  return type === 'SpreadElement';
}
