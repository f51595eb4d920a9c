/** What every command of `althing` has in common. */
import { closeSync, openSync, readFileSync } from 'node:fs';

/** The caller asked for something that cannot be: exit code 2. */
export class UsageError extends Error {}

export interface CommandContext {
  /** The result on stdout: as JSON with --json, else the text. */
  print(result: unknown, text: () => string): void;
  /** One of many results: with --json as JSON on one line, else the text. Waits for a slow reader. */
  line(result: unknown, text: () => string): Promise<void>;
}

/** A log that cannot be used has codes of its own (supervisor/supervision.ts). */
export const EXIT = { done: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** Throws UsageError when it cannot be read. */
export function readText(file: string): string {
  return reading(file, () => readFileSync(file, 'utf8'));
}

/** Throws UsageError when it cannot be read. */
export function readBytes(file: string): Buffer {
  return reading(file, () => readFileSync(file));
}

/** Throws UsageError when it cannot be: for a file that is read bit by bit later. */
export function checkReadable(file: string): void {
  reading(file, () => closeSync(openSync(file, 'r')));
}

function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UsageError(`cannot read ${file} (${code})`);
  }
}
