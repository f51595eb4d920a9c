/**
 * Who may ask this node to sign for them (rule E3): the holder of the API token, or, in dev mode on
 * a loopback address, anybody. A submission that its client signed needs no credential here.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Problem } from './problem.ts';

export interface Auth {
  /** The token that `init` wrote; null when this node has none, so that nobody can hold it. */
  readonly apiToken: string | null;
}

/** On whose behalf the node signs; part of what it signs. */
export interface Principal {
  readonly name: string;
}

const CHALLENGE = [['www-authenticate', 'Bearer realm="althing"']] as const;

export class Credentials {
  readonly #expected: Uint8Array | null;
  readonly #devMode: boolean;

  constructor(auth: Auth, devMode: boolean) {
    this.#expected = auth.apiToken === null ? null : fingerprint(auth.apiToken);
    this.#devMode = devMode;
  }

  /** `authorization` as it came in the header or the metadata. */
  principal(authorization: string | undefined): Principal | Problem {
    if (authorization === undefined || authorization === '') {
      if (this.#devMode) return { name: 'dev' };
      return new Problem(
        401,
        'credential_missing',
        'this node signs for you only with its API token: send "Authorization: Bearer …", ' +
          'or sign the submission yourself',
        { field: 'Authorization', headers: CHALLENGE },
      );
    }
    const token = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1];
    if (token === undefined) {
      return new Problem(401, 'credential_malformed', 'expected "Bearer" and a token', {
        field: 'Authorization',
        headers: CHALLENGE,
      });
    }
    return this.#matches(token) ? { name: 'api' } : this.#refused();
  }

  /** Compares digests of equal length, so that time tells nothing about the token. */
  #matches(token: string): boolean {
    return this.#expected !== null && timingSafeEqual(this.#expected, fingerprint(token));
  }

  #refused(): Problem {
    return new Problem(403, 'credential_refused', 'this is not the API token of this node', {
      field: 'Authorization',
    });
  }
}

function fingerprint(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}
