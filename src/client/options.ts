/**
 * What callers may give. JavaScript drops a member that nobody reads, and the one that was meant may be the
 * one that makes a client verify: so what is unknown is refused, and what has a few values has one of them.
 */
import { AlthingError } from './errors.ts';

/** Of an option: anything, a list of anything, or one of these. */
type Takes<V> = 'any' | 'list' | readonly (V & string)[];

const BAD_OPTION = 'bad_option';

/** Each option of `T`, none left out, as the compiler checks. */
export type Known<T> = { readonly [Name in keyof Required<T>]: Takes<Exclude<T[Name], undefined>> };

/** Throws AlthingError `bad_option`, with the name of the option as its field. */
export function checkOptions<T extends object>(given: T, known: Known<T>): void {
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (!Object.hasOwn(known, name)) {
      const names = Object.keys(known).join(', ');
      throw new AlthingError(BAD_OPTION, `unknown option ${name}; there are ${names}`, 0, name);
    }
    const takes = known[name as keyof T];
    if (value === undefined || takes === 'any') continue;
    if (takes === 'list') {
      if (!Array.isArray(value)) throw badOption(name, 'give a list');
    } else if (!(takes as readonly unknown[]).includes(value)) {
      const values = (takes as readonly string[]).map((each) => `'${each}'`).join(' or ');
      throw badOption(name, `give ${values}`);
    }
  }
}

export function badOption(field: string, message: string): AlthingError {
  return new AlthingError(BAD_OPTION, `${field}: ${message}`, 0, field);
}
