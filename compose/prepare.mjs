// node compose/prepare.mjs [DIR]: see USAGE.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODES = ['validator-1', 'node-2', 'node-3', 'node-4'];
/** What a node may open at once; its pool stays below. */
const CONNECTIONS_MAX = 20;
/** By which clients on this machine call the edge; for other names it needs another certificate. */
const EDGE_HOSTS = ['localhost', '127.0.0.1', '::1'];
/** Containers run as whoever owns the files; as root neither PostgreSQL nor a node should. */
const UNPRIVILEGED = 1000;

const USAGE = `Usage: node compose/prepare.mjs [DIR]

Makes what compose.yaml mounts, once: the cluster's keys, certificates and configuration (althing
init), a folder for each node's state, a database role with a password for each node, and the edge's
certificate. Run again, it keeps all of that. DIR is the folder of the Compose project; default: the
one of this file.
`;

const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  process.stdout.write(USAGE);
  process.exit();
}
const wrong = args.find((arg) => arg === '' || arg.startsWith('-')) ?? args[1];
if (wrong !== undefined) {
  process.stderr.write(`"${wrong}" is not understood: give one folder, or nothing\n\n${USAGE}`);
  process.exit(2);
}
const project = resolve(args[0] ?? fileURLToPath(new URL('.', import.meta.url)));
const data = join(project, 'data');
const database = join(data, 'database');
const edge = join(data, 'edge');
const code = new URL('../dist/src/', import.meta.url);
const cli = fileURLToPath(new URL('cli/main.js', code));

function newPassword() {
  return randomBytes(32).toString('base64url');
}

function writeSecret(folder, name, content) {
  writeFileSync(join(folder, name), content, { mode: 0o600, flag: 'wx' });
}

function rolesSql(passwords) {
  return [...passwords]
    .map(([id, password]) => {
      const name = id.replaceAll('-', '_');
      return [
        `CREATE ROLE ${name} LOGIN PASSWORD '${password}' CONNECTION LIMIT ${CONNECTIONS_MAX};`,
        `CREATE DATABASE ${name} OWNER ${name};`,
        `REVOKE ALL ON DATABASE ${name} FROM PUBLIC;`,
      ].join('\n');
    })
    .join('\n\n');
}

/** All files of a folder or none, and only once: `files` gives their contents by name. */
async function makeSecrets(folder, files) {
  if (existsSync(folder)) return;
  const contents = Object.entries(await files());
  const partial = `${folder}.${process.pid}`;
  mkdirSync(partial, { mode: 0o700 });
  for (const [name, content] of contents) writeSecret(partial, name, content);
  renameSync(partial, folder);
}

/** PostgreSQL reads these at its first start only. */
function databaseSecrets() {
  const passwords = new Map(NODES.map((id) => [id, newPassword()]));
  const ofNodes = [...passwords].map(([id, password]) => {
    const name = id.replaceAll('-', '_');
    return [`${id}.pgpass`, `postgres:5432:${name}:${name}:${password}\n`];
  });
  return {
    'admin-password': `${newPassword()}\n`,
    'roles.sql': `${rolesSql(passwords)}\n`,
    ...Object.fromEntries(ofNodes),
  };
}

/** Signed by the cluster's CA, whose key is needed here for the last time. */
async function edgeSecrets() {
  const { issueLeaf } = await import(new URL('init/certificates.js', code));
  const { generateKey } = await import(new URL('crypto/keys.js', code));
  const [certificatePem, keyPem] = ['ca.crt', 'ca.key'].map((name) =>
    readFileSync(join(data, 'ca', name), 'utf8'),
  );
  const key = generateKey().pem;
  const request = { id: 'edge', keyPem: key, hosts: EDGE_HOSTS };
  const certificate = await issueLeaf({ certificatePem, keyPem }, request, Date.now());
  return { 'tls.crt': certificate, 'tls.key': key };
}

function chownAll(path, uid, gid) {
  chownSync(path, uid, gid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) chownAll(below, uid, gid);
    else chownSync(below, uid, gid);
  }
}

if (!existsSync(cli)) {
  console.error('Run npm run build first: this needs the althing command.');
  process.exit(1);
}
const init = ['init', '--data', data, '--nodes', String(NODES.length), '--hosts', NODES.join(',')];
execFileSync(process.execPath, [cli, ...init], { stdio: 'inherit' });
await makeSecrets(database, databaseSecrets);
await makeSecrets(edge, edgeSecrets);
for (const id of NODES) mkdirSync(join(data, 'state', id), { recursive: true, mode: 0o700 });
const isRoot = process.getuid() === 0;
const uid = isRoot ? UNPRIVILEGED : process.getuid();
const gid = isRoot ? UNPRIVILEGED : process.getgid();
if (isRoot) chownAll(data, uid, gid);
writeFileSync(
  join(project, '.env'),
  `COMPOSE_PROJECT_NAME=althing\nALTHING_UID=${uid}\nALTHING_GID=${gid}\n`,
);
console.log(`Ready: docker compose -f ${join(project, 'compose.yaml')} up -d --build --wait`);
