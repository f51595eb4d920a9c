/**
 * Every option of the node process, once: from this table come flags, environment variables, keys of
 * the configuration file, checks and the help text.
 */
import { LOG_LEVELS } from '../logger.ts';
import { NODE_ID_PATTERN } from '../init/genesis.ts';
import {
  bindAddress,
  databaseUrl,
  integer,
  oneOf,
  paths,
  peers,
  port,
  redisUrl,
  text,
  threads,
  yesOrNo,
  type Parser,
} from './values.ts';

export interface Option<T> {
  readonly parse: Parser<T>;
  /** Stands for the value in the help; null for a switch. */
  readonly placeholder: string | null;
  readonly help: string;
  /** A second environment variable that means the same. */
  readonly alias?: string;
  /** Says nothing in a configuration file, which it helps to find. */
  readonly notInFile?: true;
}

export const OPTIONS = {
  id: {
    parse: text("a validator's id, such as validator-1", new RegExp(NODE_ID_PATTERN)),
    placeholder: 'ID',
    help: 'which validator of the genesis this node is',
    alias: 'ALTHING_NODE_ID',
  },
  config: {
    parse: text('a path'),
    placeholder: 'FILE',
    help: 'configuration file [DATA/ID/config.json]; the files beside it are the node’s',
    notInFile: true,
  },
  data: {
    parse: text('a path'),
    placeholder: 'DIR',
    help: 'data folder, as made by `althing init` [data]',
    notInFile: true,
  },
  state: {
    parse: text('a path'),
    placeholder: 'DIR',
    help: 'where the node remembers how far its log reached; it must be writable [beside the key]',
    notInFile: true,
  },
  host: { parse: bindAddress, placeholder: 'ADDRESS', help: 'address to listen on [127.0.0.1]' },
  peers: {
    parse: peers,
    placeholder: 'LIST',
    help: 'ID=HOST:PORT of the other validators, separated by commas',
  },
  http: { parse: port, placeholder: 'PORT', help: 'HTTP port; 0 takes any free one' },
  grpc: { parse: port, placeholder: 'PORT', help: 'client gRPC port' },
  peer: { parse: port, placeholder: 'PORT', help: 'port for other nodes, mutual TLS only' },
  dev: {
    parse: yesOrNo,
    placeholder: null,
    help: 'development: no API token asked for; listens on loopback only',
  },
  databaseUrl: {
    parse: databaseUrl,
    placeholder: 'URL',
    help: 'PostgreSQL for the log; without it the node runs its own in DATA/postgres',
  },
  redisUrl: {
    parse: redisUrl,
    placeholder: 'URL',
    help: 'Redis as a cache of what can never change; without it, and while it is away, memory',
  },
  postgresPort: {
    parse: port,
    placeholder: 'PORT',
    help: 'port of the embedded PostgreSQL, on loopback [9432]',
  },
  threads: { parse: threads, placeholder: 'N|auto', help: 'threads for the four actors [auto]' },
  electionTimeout: {
    parse: integer(50, 600_000, 'milliseconds'),
    placeholder: 'MS',
    help: 'without progress for so long, another leader is chosen [1000]',
  },
  heartbeat: {
    parse: integer(10, 300_000, 'milliseconds'),
    placeholder: 'MS',
    help: 'an idle leader proposes an empty block this often [250]',
  },
  readModel: {
    parse: oneOf(['on', 'off']),
    placeholder: 'on|off',
    help: 'tables of what became final in the database, served under /api/v11/history [on]',
  },
  modules: {
    parse: paths,
    placeholder: 'LIST',
    help: "files of users' modules, separated by commas; every version that the chain has run",
  },
  logLevel: {
    parse: oneOf(LOG_LEVELS),
    placeholder: 'LEVEL',
    help: `${LOG_LEVELS.join(', ')} [info]`,
  },
  readyFile: {
    parse: text('a path'),
    placeholder: 'FILE',
    help: 'written with the bound ports, as JSON, once the node is ready',
    notInFile: true,
  },
} satisfies Record<string, Option<unknown>>;

export type OptionName = keyof typeof OPTIONS;
export type Values = {
  readonly [K in OptionName]?: ReturnType<(typeof OPTIONS)[K]['parse']>;
};

export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];

/** What interfaces.md names and this version does not have. */
export const NOT_YET: Readonly<Record<string, string>> = {
  role: 'every node is a validator in this version',
  join: 'validators are fixed by the genesis in this version',
  'consul-url': 'name the peers by --peers or in the configuration file',
};

export const flagOf = (name: OptionName): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export const variableOf = (name: OptionName): string =>
  `ALTHING_${flagOf(name).replaceAll('-', '_').toUpperCase()}`;

export function optionOf(name: OptionName): Option<unknown> {
  return OPTIONS[name];
}

/** The known name nearest to a mistyped one, as ` (did you mean …?)`, or nothing. */
export function suggestion(wrong: string, known: readonly string[]): string {
  const ranked = known.map((name) => ({ name, distance: distance(wrong, name) }));
  const best = ranked.toSorted((a, b) => a.distance - b.distance)[0];
  const near = best !== undefined && best.distance <= Math.max(1, Math.floor(wrong.length / 3));
  return near ? ` (did you mean ${best.name}?)` : '';
}

/** Levenshtein. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
