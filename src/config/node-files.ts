/** Reads a node's own files (init/layout.ts) and checks that they belong together. */
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { clusterOf, type Cluster } from '../../protocols/genesis.ts';
import type { PublicKey, ValidatorIndex } from '../../protocols/types.ts';
import { publicKeyOfSpki } from '../crypto/keys.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { loadSigner } from '../crypto/signer.ts';
import { parseGenesis } from '../init/genesis.ts';
import { nodeFiles } from '../init/layout.ts';

/** Shorter tokens are guessed. */
const TOKEN_LENGTH_MIN = 16;

/** What each file is and where it is to be had, for when it is missing. */
const SOURCES: Readonly<Record<Exclude<keyof ReturnType<typeof nodeFiles>, 'config'>, string>> = {
  genesis:
    'the genesis, the same for all nodes of the cluster: copy it from the folder of another node',
  ca: "the certificate of the cluster's CA: copy it from the folder of another node",
  token: 'the API token: copy it from the folder of another node',
  certificate:
    "this node's certificate: put it back from where `althing init` made it, or from a backup",
  key: "this node's private key: put it back from where `althing init` made it, or from a backup; another key is another node",
};

export interface NodeFiles {
  readonly paths: ReturnType<typeof nodeFiles>;
  readonly cluster: Cluster;
  readonly index: ValidatorIndex;
  readonly apiToken: string | null;
  readonly warnings: readonly string[];
}

/** Null when something is amiss, which is then in `problems`. */
export function readNodeFiles(
  folder: string,
  id: string,
  dev: boolean,
  problems: string[],
): NodeFiles | null {
  const paths = nodeFiles(folder);
  const attempt = <T>(name: keyof typeof SOURCES, read: (path: string) => T): T | null => {
    const path = paths[name];
    if (!existsSync(path)) {
      problems.push(`${path} does not exist; it is ${SOURCES[name]}`);
      return null;
    }
    try {
      return read(path);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      problems.push(reason.includes(path) ? reason : `${path}: ${reason}`);
      return null;
    }
  };
  const cluster = attempt('genesis', (path) =>
    clusterOf(parseGenesis(readFileSync(path, 'utf8')), nodeCrypto),
  );
  const key = attempt('key', (path) => loadSigner(path).publicKey);
  const certificate = attempt('certificate', readCertificate);
  const ca = attempt('ca', readCertificate);
  const apiToken = dev ? null : attempt('token', readToken);
  if (cluster === null || key === null || certificate === null || ca === null) return null;
  if (apiToken === null && !dev) return null;
  if (!certificate.verify(ca.publicKey)) {
    problems.push(`${paths.certificate} is not issued by ${paths.ca}`);
  }
  if (keyOf(certificate) !== key) problems.push(`${paths.certificate} is not for ${paths.key}`);
  const index = indexOf(cluster, id, key, paths, problems);
  const warnings = [paths.key, ...(dev ? [] : [paths.token])].flatMap(openToOthers);
  return { paths, cluster, index, apiToken, warnings };
}

function indexOf(
  cluster: Cluster,
  id: string,
  key: PublicKey,
  paths: NodeFiles['paths'],
  problems: string[],
): ValidatorIndex {
  const { validators } = cluster.genesis;
  const index = validators.findIndex((validator) => validator.id === id);
  if (index === -1) {
    const ids = validators.map((validator) => validator.id).join(', ');
    problems.push(`--id ${id} is none of the validators in ${paths.genesis}: ${ids}`);
  } else if (validators[index]?.publicKey !== key) {
    problems.push(`${paths.key} is not the key of ${id} in ${paths.genesis}`);
  }
  return index;
}

function readCertificate(path: string): X509Certificate {
  try {
    return new X509Certificate(readFileSync(path));
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error;
    throw new Error('not a certificate in PEM', { cause: error });
  }
}

function keyOf(certificate: X509Certificate): PublicKey | null {
  return publicKeyOfSpki(certificate.publicKey.export({ type: 'spki', format: 'der' }));
}

function readToken(path: string): string {
  const token = readFileSync(path, 'utf8').trim();
  if (token.length < TOKEN_LENGTH_MIN) {
    throw new Error(`an API token has at least ${TOKEN_LENGTH_MIN} characters`);
  }
  return token;
}

function openToOthers(path: string): string[] {
  return (statSync(path).mode & 0o077) === 0
    ? []
    : [`${path} can be read by other users of this machine: chmod 600 ${path}`];
}
