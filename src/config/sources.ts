/**
 * Where option values come from: flags, environment, file, in this order of precedence. Collects raw
 * values with their origin and every problem; nothing is thrown before all are known.
 */
import {
  flagOf,
  NOT_YET,
  OPTION_NAMES,
  optionOf,
  suggestion,
  variableOf,
  type OptionName,
  type Values,
} from './options.ts';
import { BadValue } from './values.ts';

interface Raw {
  readonly value: unknown;
  /** For messages: `--http`, `ALTHING_HTTP`, `"http" in data/x/config.json`. */
  readonly origin: string;
}

export type RawValues = Map<OptionName, Raw>;

export interface Flags {
  readonly values: RawValues;
  readonly help: boolean;
  readonly version: boolean;
}

export function readFlags(argv: readonly string[], problems: string[]): Flags {
  const values: RawValues = new Map();
  let [help, version] = [false, false];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '--help' || word === '-h') help = true;
    else if (word === '--version') version = true;
    else if (!word.startsWith('--')) problems.push(`unexpected argument "${word}"`);
    else at += readFlag(word, argv[at + 1], values, problems);
  }
  return { values, help, version };
}

/** Takes one flag; returns how many words after it belong to it. */
function readFlag(
  word: string,
  next: string | undefined,
  values: RawValues,
  problems: string[],
): number {
  const equals = word.indexOf('=');
  const flag = equals === -1 ? word.slice(2) : word.slice(2, equals);
  const name = OPTION_NAMES.find((each) => flagOf(each) === flag);
  const hasOwn = equals !== -1;
  const takesNext = !hasOwn && next !== undefined && !next.startsWith('--');
  if (name === undefined) {
    problems.push(
      unknownName(
        flag,
        `--${flag}`,
        OPTION_NAMES.map((each) => `--${flagOf(each)}`),
      ),
    );
    return takesNext ? 1 : 0;
  }
  const origin = `--${flag}`;
  if (values.has(name)) problems.push(`${origin} is given twice`);
  if (hasOwn) values.set(name, { value: word.slice(equals + 1), origin });
  else if (optionOf(name).placeholder === null) values.set(name, { value: true, origin });
  else if (takesNext) values.set(name, { value: next, origin });
  else problems.push(`${origin} needs a value: ${origin} ${optionOf(name).placeholder}`);
  return takesNext && optionOf(name).placeholder !== null ? 1 : 0;
}

function unknownName(flag: string, said: string, known: readonly string[]): string {
  const later = NOT_YET[flag];
  return later === undefined
    ? `unknown: ${said}${suggestion(said, known)}`
    : `${said} is not in this version: ${later}`;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of ours that are set and not empty. Others are left alone: orchestrators add theirs. */
export function readEnvironment(env: Environment, problems: string[]): RawValues {
  const values: RawValues = new Map();
  for (const name of OPTION_NAMES) {
    const { alias } = optionOf(name);
    const set = [variableOf(name), ...(alias === undefined ? [] : [alias])].filter(
      (variable) => (env[variable] ?? '') !== '',
    );
    const [first, second] = set;
    if (first === undefined) continue;
    if (second !== undefined && env[first] !== env[second]) {
      problems.push(`${first} and ${second} contradict each other: unset one`);
    }
    values.set(name, { value: env[first], origin: first });
  }
  for (const flag of Object.keys(NOT_YET)) {
    const variable = `ALTHING_${flag.replaceAll('-', '_').toUpperCase()}`;
    if ((env[variable] ?? '') !== '') problems.push(unknownName(flag, variable, []));
  }
  return values;
}

/** The text of a configuration file: one JSON object with options as keys. */
export function readFileValues(text: string, path: string, problems: string[]): RawValues {
  const values: RawValues = new Map();
  const known = OPTION_NAMES.filter((name) => optionOf(name).notInFile !== true);
  const parsed = parseObject(text);
  if (typeof parsed === 'string') {
    problems.push(`${path}: ${parsed}`);
    return values;
  }
  for (const [key, value] of Object.entries(parsed)) {
    const name = known.find((each) => each === key);
    const flag = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (name === undefined) problems.push(`${path}: ${unknownName(flag, key, known)}`);
    else values.set(name, { value, origin: `"${key}" in ${path}` });
  }
  return values;
}

function parseObject(text: string): object | string {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = value !== null && typeof value === 'object' && !Array.isArray(value);
    return isObject ? value : 'expected a JSON object';
  } catch {
    // Its message may quote the file, and the file may hold a database password.
    return 'not valid JSON';
  }
}

export interface Parsed {
  readonly values: Values;
  /** Options that were given and are not usable: nothing more is to be said about them. */
  readonly bad: ReadonlySet<OptionName>;
  /** Options whose value is that of the last source: the file. */
  readonly inFile: ReadonlySet<OptionName>;
}

/** The first of `sources` that has a value wins; every value that is looked at is checked. */
export function parseValues(sources: readonly RawValues[], problems: string[]): Parsed {
  const values: Record<string, unknown> = {};
  const bad = new Set<OptionName>();
  const inFile = new Set<OptionName>();
  for (const name of OPTION_NAMES) {
    const source = sources.find((each) => each.has(name));
    const raw = source?.get(name);
    if (raw === undefined) continue;
    if (source === sources.at(-1)) inFile.add(name);
    try {
      values[name] = optionOf(name).parse(raw.value);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      problems.push(`${raw.origin}: expected ${error.message}`);
      bad.add(name);
    }
  }
  return { values: values as Values, bad, inFile };
}
