/** Where Redis is, as its URL says: `redis[s]://[user:password@]host[:port][/database]`. */

export interface RedisPlace {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | null;
  /** A secret. */
  readonly password: string | null;
  readonly database: number;
}

const PORT = 6379;

/** Null when it is no such URL. What it says is in no error: it may hold a password. */
export function redisPlaceOf(text: string): RedisPlace | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^rediss?:$/.test(url.protocol)) return null;
  const { hostname, pathname, search, hash } = url;
  if (hostname === '' || search !== '' || hash !== '' || !/^(\/\d{0,4})?$/.test(pathname)) {
    return null;
  }
  const [username, password] = [decoded(url.username), decoded(url.password)];
  if (username === undefined || password === undefined) return null;
  return {
    // An IPv6 address stands in brackets there.
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? PORT : Number(url.port),
    tls: url.protocol === 'rediss:',
    username,
    password,
    database: Number(pathname.slice(1)),
  };
}

/** Null for nothing, undefined for what is not percent-encoded UTF-8. */
function decoded(text: string): string | null | undefined {
  try {
    return text === '' ? null : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
