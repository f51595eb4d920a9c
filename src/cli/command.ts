/** What every command of `althing` has in common. */

/** The caller asked for something that cannot be: exit code 2. */
export class UsageError extends Error {}

export interface CommandContext {
  /** The result on stdout: as JSON with --json, else the text. */
  print(result: unknown, text: () => string): void;
}

/** A log that cannot be used has codes of its own (supervisor/supervision.ts). */
export const EXIT = { done: 0, failure: 1, usage: 2, interrupted: 130 } as const;
