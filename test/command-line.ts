/** What the command lines of the programs under test/ have in common. */

/** One line that names the flag. */
export class UsageError extends Error {}

/** What `parse` gives; throws UsageError for whatever it throws. */
export function orUsage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(reason.replaceAll('\n', ' '), { cause: error });
  }
}
