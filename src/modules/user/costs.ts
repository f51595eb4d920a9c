/**
 * What the host does for modules of users, in steps (U11). A step is some nanoseconds; what leaves a
 * transaction for good, as rows and in receipts, costs more than what passes by.
 */
import { Kind } from '@sinclair/typebox';
import type { Value } from '../../../protocols/transaction/values.ts';
import type { Weight } from './types.ts';

export const CALL_STEPS = 256;
export const LOOK_STEPS = 16;
export const WRITE_STEPS = 64;
const BYTES_PER_STEP_READ = 8;
const STEPS_PER_BYTE_WRITTEN = 4;
/** A transaction with a million steps leaves less than 64 KiB in its receipt. */
const STEPS_PER_BYTE_TOLD = 16;
const STEPS_PER_CHECK = 16;
const KEY_MAX = 1024;
const DEPTH_MAX = 32;

export interface Size {
  /** Values in it. */
  readonly nodes: number;
  /** About as many as it has when encoded. */
  readonly bytes: number;
}

/** Throws a TypeError for what is no plain data: a declaration that a handler returns, or stores. */
export function sizeOf(value: unknown): Size {
  const size = { nodes: 0, bytes: 0 };
  add(value, size, 0);
  return size;
}

function add(value: unknown, size: { nodes: number; bytes: number }, depth: number): void {
  if (value === undefined) throw new TypeError('nothing is no value');
  size.nodes++;
  size.bytes += 4;
  if (typeof value === 'string') size.bytes += value.length;
  if (typeof value !== 'object' || value === null) return;
  if (value instanceof Uint8Array) {
    size.bytes += value.length;
    return;
  }
  if (depth >= DEPTH_MAX) throw new TypeError('nested too deeply');
  if (Array.isArray(value)) {
    for (const each of value) add(each, size, depth + 1);
    return;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype || Kind in value) {
    throw new TypeError('no plain data');
  }
  for (const [key, each] of Object.entries(value)) {
    size.bytes += key.length;
    add(each, size, depth + 1);
  }
}

export function readSteps(value: Value | undefined): number {
  return value === undefined ? 0 : Math.ceil(sizeOf(value).bytes / BYTES_PER_STEP_READ);
}

export function writeSteps({ bytes }: Size): number {
  return bytes * STEPS_PER_BYTE_WRITTEN;
}

export function toldSteps({ bytes }: Size): number {
  return bytes * STEPS_PER_BYTE_TOLD;
}

/** What it takes to see whether a value fits a schema. */
export function checkSteps({ nodes, bytes }: Size, { width, program }: Weight): number {
  return nodes * width * STEPS_PER_CHECK + (program === 0 ? 0 : bytes * (8 + program));
}

/** Throws a TypeError unless it is text that can be a row's key. */
export function keyOf(value: unknown, what = 'a key'): string {
  if (typeof value === 'string' && value.length <= KEY_MAX) return value;
  throw new TypeError(`${what} is text of at most ${KEY_MAX} characters`);
}
