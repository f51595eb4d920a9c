/** A failure of the launcher whose message is all that its user needs: what is wrong, what to do. */
export class LaunchFailure extends Error {
  override readonly name = 'LaunchFailure';
  /** Exit code of the launcher: 1 failure, 2 usage. */
  readonly exitCode: 1 | 2;
  constructor(message: string, exitCode: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
