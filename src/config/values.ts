/**
 * Parsers of single values, for flags and variables (always text) as well as for JSON. Each returns
 * the value or throws BadValue with what was expected; load.ts says where the value came from.
 */
import { isIP } from 'node:net';
import { redisPlaceOf, type RedisPlace } from '../cache/redis-place.ts';

/** `expected …`, without the value: it may be a secret. */
export class BadValue extends Error {}

export type Parser<T> = (raw: unknown) => T;

export function integer(min: number, max: number, what: string): Parser<number> {
  return (raw) => {
    const value = typeof raw === 'string' && /^\d{1,15}$/.test(raw) ? Number(raw) : raw;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      throw new BadValue(`${what} from ${min} to ${max}`);
    }
    return value;
  };
}

export const port = integer(0, 65_535, 'a port');

export function text(what: string, fits: RegExp = /^[^\0\n]+$/): Parser<string> {
  return (raw) => {
    if (typeof raw !== 'string' || !fits.test(raw)) throw new BadValue(what);
    return raw;
  };
}

export function oneOf<const T extends string>(choices: readonly T[]): Parser<T> {
  return (raw) => {
    const found = choices.find((choice) => choice === raw);
    if (found === undefined) throw new BadValue(`one of ${choices.join(', ')}`);
    return found;
  };
}

export const yesOrNo: Parser<boolean> = (raw) => {
  if (raw === true || raw === 'true' || raw === '1') return true;
  if (raw === false || raw === 'false' || raw === '0') return false;
  throw new BadValue('true or false');
};

const countOfThreads = integer(1, 4, '"auto" or a number');

export const threads: Parser<number | 'auto'> = (raw) =>
  raw === 'auto' ? 'auto' : countOfThreads(raw);

export const bindAddress: Parser<string> = (raw) => {
  if (raw === 'localhost') return '127.0.0.1';
  if (typeof raw !== 'string' || isIP(raw) === 0) {
    throw new BadValue('an IP address of this machine, such as 127.0.0.1 or 0.0.0.0');
  }
  return raw;
};

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** Paths: an array in a file, separated by commas elsewhere. */
export const paths: Parser<readonly string[]> = (raw) => {
  const list: unknown = typeof raw === 'string' ? raw.split(',') : raw;
  const isPaths = Array.isArray(list) && list.every((each) => typeof each === 'string');
  const all = isPaths ? (list as readonly string[]).map((path) => path.trim()) : [];
  if (!isPaths || all.some((path) => !/^[^\0\n]+$/.test(path))) {
    throw new BadValue('a list of paths, such as raffle.ts,auction.ts');
  }
  return all;
};

/** Peers by validator id, or in the order of the genesis when no ids are given. */
export type PeerList =
  | { readonly kind: 'byId'; readonly addresses: ReadonlyMap<string, string> }
  | { readonly kind: 'inOrder'; readonly addresses: readonly string[] };

const EXPECTED_PEERS =
  'a list like "validator-1=10.0.0.1:9204,node-2=10.0.0.2:9205", or addresses alone in the order of the validators';

export const peers: Parser<PeerList> = (raw) => {
  const entries =
    typeof raw === 'string'
      ? raw.split(',').map((entry): readonly [string, string] => splitEntry(entry.trim()))
      : objectEntries(raw);
  if (!entries.every(([, address]) => isAddress(address))) throw new BadValue(EXPECTED_PEERS);
  if (entries.every(([id]) => id === '')) {
    return { kind: 'inOrder', addresses: entries.map(([, address]) => address) };
  }
  const addresses = new Map(entries);
  if (addresses.has('') || addresses.size !== entries.length) throw new BadValue(EXPECTED_PEERS);
  return { kind: 'byId', addresses };
};

function splitEntry(entry: string): readonly [string, string] {
  const at = entry.indexOf('=');
  return at === -1 ? ['', entry] : [entry.slice(0, at), entry.slice(at + 1)];
}

function objectEntries(raw: unknown): readonly (readonly [string, string])[] {
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) {
    throw new BadValue(EXPECTED_PEERS);
  }
  return Object.entries(raw).map(([id, address]) => [id, String(address)]);
}

/** `host:port`, an IPv6 host in brackets. */
function isAddress(address: string): boolean {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9][a-z0-9.-]*)):(\d{1,5})$/i.exec(address);
  if (match === null) return false;
  const [, ipv6, , portText] = match;
  if (ipv6 !== undefined && isIP(ipv6) !== 6) return false;
  return Number(portText) > 0 && Number(portText) <= 65_535;
}

export const databaseUrl: Parser<string> = (raw) => {
  const url = typeof raw === 'string' && URL.canParse(raw) ? new URL(raw) : null;
  if (typeof raw !== 'string' || url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new BadValue('a URL like postgres://user:password@host:5432/database');
  }
  if (url.pathname.length < 2) throw new BadValue('the URL of a server and a database on it');
  return raw;
};

export const redisUrl: Parser<RedisPlace> = (raw) => {
  const place = typeof raw === 'string' ? redisPlaceOf(raw) : null;
  if (place === null) {
    throw new BadValue('a URL like redis://user:password@host:6379/0, or rediss:// for TLS');
  }
  return place;
};
