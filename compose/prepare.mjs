// node compose/prepare.mjs [DIR]: makes what compose.yaml mounts, once: the cluster's keys,
// certificates and configuration (althing init), and a database role with a password for each node.
// Run again, it keeps all of that. DIR is the folder of the Compose project; default: this one.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODES = ['validator-1', 'node-2', 'node-3', 'node-4'];
/** What a node may open at once; its pool stays below. */
const CONNECTIONS_MAX = 20;
/** Containers run as whoever owns the files; as root neither PostgreSQL nor a node should. */
const UNPRIVILEGED = 1000;

const project = resolve(process.argv[2] ?? fileURLToPath(new URL('.', import.meta.url)));
const data = join(project, 'data');
const database = join(data, 'database');
const cli = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));

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

/** All or nothing: PostgreSQL reads these files at its first start only. */
function makeDatabaseSecrets() {
  if (existsSync(database)) return;
  const passwords = new Map(NODES.map((id) => [id, newPassword()]));
  const folder = `${database}.${process.pid}`;
  mkdirSync(folder, { mode: 0o700 });
  writeSecret(folder, 'admin-password', `${newPassword()}\n`);
  writeSecret(folder, 'roles.sql', `${rolesSql(passwords)}\n`);
  for (const [id, password] of passwords) {
    const name = id.replaceAll('-', '_');
    writeSecret(folder, `${id}.pgpass`, `postgres:5432:${name}:${name}:${password}\n`);
  }
  renameSync(folder, database);
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
makeDatabaseSecrets();
const isRoot = process.getuid() === 0;
const uid = isRoot ? UNPRIVILEGED : process.getuid();
const gid = isRoot ? UNPRIVILEGED : process.getgid();
if (isRoot) chownAll(data, uid, gid);
writeFileSync(
  join(project, '.env'),
  `COMPOSE_PROJECT_NAME=althing\nALTHING_UID=${uid}\nALTHING_GID=${gid}\n`,
);
console.log(`Ready: docker compose -f ${join(project, 'compose.yaml')} up -d --build --wait`);
