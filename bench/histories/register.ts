/**
 * A key as clients see it: what it may be asked, what it may be told, and what of that can follow from
 * what. Values are numbers that no two writes share, so that a read tells whose write it saw.
 */

/** Null: there is no such key. */
export type State = number | null;

export type Asked =
  | { readonly kind: 'put'; readonly value: number }
  | { readonly kind: 'cas'; readonly expected: number; readonly value: number }
  | { readonly kind: 'delete' }
  | { readonly kind: 'get' };

/** Of a write whether it was done, or was refused by what it found; of a read what it saw. */
export type Told =
  | { readonly kind: 'done'; readonly done: boolean }
  | { readonly kind: 'read'; readonly value: State };

export interface KeyOperation {
  /** Who asked, and the how manieth time. */
  readonly label: string;
  readonly key: string;
  readonly asked: Asked;
  /** Milliseconds of one clock. */
  readonly askedAt: number;
  readonly answeredAt: number;
  /** Null when nobody told what became of it: it may happen whenever after it was asked, or never. */
  readonly told: Told | null;
}

/** The state after the operation, or undefined when it cannot have been told this in that state. */
export function stateAfter(
  state: State,
  { asked, told }: Pick<KeyOperation, 'asked' | 'told'>,
): State | undefined {
  if (told?.kind === 'read') return told.value === state ? state : undefined;
  const isFit = asked.kind === 'put' || hits(state, asked);
  if (told !== null && told.done !== isFit) return undefined;
  if (isFit) return asked.kind === 'put' || asked.kind === 'cas' ? asked.value : null;
  // What nobody told of, and would change nothing, need not have happened.
  return told === null ? undefined : state;
}

function hits(state: State, asked: Exclude<Asked, { readonly kind: 'put' }>): boolean {
  return asked.kind === 'cas' ? state === asked.expected : state !== null;
}

export function textOf({ label, asked, told, askedAt, answeredAt }: KeyOperation): string {
  const { kind, ...args } = asked;
  const said =
    told === null ? 'unknown' : JSON.stringify(told.kind === 'read' ? told.value : told.done);
  const end = told === null ? '…' : answeredAt.toFixed(1);
  return `${label} ${kind} ${JSON.stringify(args)} → ${said} in ${askedAt.toFixed(1)}–${end} ms`;
}
