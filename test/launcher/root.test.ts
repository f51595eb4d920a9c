/** `npm start` as root, where user namespaces are forbidden as in most containers. */
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { newFolder } from '../folder.ts';
import { processesOn } from '../processes.ts';
import { nobodyCanRunThis } from '../users.ts';
import { freePortBase, Launcher } from './launcher.ts';

const asRoot = nobodyCanRunThis() ? test : test.skip;

/** All below `folder` that somebody may read who knows its name and may pass `folder` alone. */
function readable(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    const { mode } = statSync(path);
    if (!entry.isDirectory()) return (mode & 0o004) === 0 ? [] : [path];
    return (mode & 0o001) === 0 ? [] : readable(path);
  });
}

asRoot('npm start as root without user namespaces runs, and keeps its secrets', async (t) => {
  const forbidding = newFolder('bin');
  writeFileSync(join(forbidding, 'unshare'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const dataDir = join(newFolder('root'), 'data');
  const port = String(await freePortBase());
  const env = { ...process.env, PATH: `${forbidding}:${process.env['PATH']}` };
  const launcher = new Launcher(['--data', dataDir, '--port-base', port], env);
  t.teardown(() => launcher.kill('SIGTERM'));
  await launcher.until(/all four nodes are ready/);
  const postgres = join(dataDir, 'postgres');
  t.not(statSync(join(postgres, 'data')).uid, 0);
  t.deepEqual(
    readable(dataDir).toSorted(),
    ['genesis.json', 'running.json'].map((name) => join(dataDir, name)),
  );
  launcher.kill('SIGTERM');
  t.is(await launcher.ended, 0, launcher.output);
  t.deepEqual(processesOn(dataDir), []);
});
