/** The supervisor on real processes: small programs that behave as a node would. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { NodeProcess, type NodePhase, type NodeView } from '../../src/dev/node-process.ts';
import { identify, isRunning } from '../../src/process-identity.ts';
import { newFolder } from '../folder.ts';

const BACKOFF = { firstMs: 10, maxMs: 20, settledMs: 60_000 };
const READY = "require('fs').writeFileSync(process.argv[1], '{}');";
const STAYS = 'setInterval(() => {}, 1000);';

class Watched {
  readonly process: NodeProcess;
  readonly folder = newFolder('supervisor');
  readonly seen: NodePhase[] = [];
  #waiting: { readonly holds: (view: NodeView) => boolean; readonly resolve: () => void }[] = [];

  constructor(t: ExecutionContext, program: string) {
    const readyFile = join(this.folder, 'ready.json');
    const command = {
      id: 'node-2',
      args: ['-e', program, readyFile],
      logFile: join(this.folder, 'node.log'),
      readyFile,
    };
    this.process = new NodeProcess(command, (view) => this.#changed(view), BACKOFF);
    t.teardown(() => this.process.kill());
  }

  until(holds: (view: NodeView) => boolean): Promise<void> {
    if (holds(this.process.view)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ holds, resolve }));
  }

  #changed(view: NodeView): void {
    this.seen.push(view.phase);
    for (const { resolve } of this.#waiting.filter(({ holds }) => holds(view))) resolve();
    this.#waiting = this.#waiting.filter(({ holds }) => !holds(view));
  }
}

test('a node is ready when its ready file says so, and gone when it was stopped', async (t) => {
  const node = new Watched(t, READY + STAYS);
  node.process.start();
  await node.process.whenReady();
  const identity = identify(node.process.view.pid ?? 0);
  t.truthy(identity);
  await node.process.stop();
  t.is(node.process.view.phase, 'stopped');
  t.false(identity !== null && isRunning(identity));
});

test('a node is not ready while its ready file is half written', async (t) => {
  const slowly = `const write = (text) => require('fs').writeFileSync(process.argv[1], text);
    write('{'); setTimeout(() => write('{"http":1}'), 200);`;
  const node = new Watched(t, slowly + STAYS);
  node.process.start();
  await node.process.whenReady();
  t.is(readFileSync(join(node.folder, 'ready.json'), 'utf8'), '{"http":1}');
});

test('a node that is killed comes back and says why it ended', async (t) => {
  const node = new Watched(t, READY + STAYS);
  node.process.start();
  await node.process.whenReady();
  const first = node.process.view.pid;
  process.kill(first ?? 0, 'SIGKILL');
  await node.until(({ phase, restarts }) => phase === 'ready' && restarts === 1);
  t.not(node.process.view.pid, first);
  t.is(node.process.view.lastEnd, 'was ended by SIGKILL');
});

test('a node whose log was altered is not started again, and the reason is told', async (t) => {
  const node = new Watched(t, 'process.exit(3)');
  node.process.start();
  const error = await t.throwsAsync(node.process.whenReady());
  t.regex(error.message, /node-2 ended with exit code 3 \(its log is corrupt .*node\.log/);
  t.is(node.process.view.restarts, 0);
});

test('a node that never gets ready is given up after a few starts', async (t) => {
  const node = new Watched(t, 'console.error("no"); process.exit(1)');
  node.process.start();
  await t.throwsAsync(node.process.whenReady(), { message: /exit code 1.*with:(\n {2}no){4}$/ });
  t.is(readFileSync(join(node.folder, 'node.log'), 'utf8'), 'no\n'.repeat(4));
});

test('a node that waits for its next start is not started after stop', async (t) => {
  const node = new Watched(t, `${READY}setTimeout(() => process.exit(1), 100)`);
  node.process.start();
  await node.until(({ phase }) => phase === 'waiting');
  await node.process.stop();
  t.is(node.process.view.phase, 'stopped');
  t.is(node.process.view.pid, null);
});

test('kill ends a node that ignores SIGTERM, and what it started', async (t) => {
  const pidFile = join(newFolder('group'), 'pid');
  writeFileSync(pidFile, '');
  const grandchild = `require('child_process').spawn('sleep', ['600']).pid`;
  const node = new Watched(
    t,
    `process.on('SIGTERM', () => {});require('fs').writeFileSync('${pidFile}', String(${grandchild}));${READY}${STAYS}`,
  );
  node.process.start();
  await node.process.whenReady();
  const child = identify(Number(readFileSync(pidFile, 'utf8')));
  t.truthy(child);
  const gone = node.process.stop();
  node.process.kill();
  await gone;
  t.is(node.process.view.phase, 'stopped');
  // The signal reaches the whole group, but not every member in the same instant.
  while (child !== null && isRunning(child)) await nextTurn();
});
