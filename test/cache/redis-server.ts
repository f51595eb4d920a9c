/** A real Redis on loopback, with nothing on disk, for as long as a test runs. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { newFolder } from '../folder.ts';
import { freePort } from '../../bench/free-port.ts';
import { installed } from '../installed.ts';

/** Null where Redis is not installed. */
export const REDIS = installed('redis-server');

/** A test that needs it; where it is missing, it says so. */
export const redisTest: (title: string, run: (t: ExecutionContext) => Promise<void>) => void =
  REDIS === null
    ? (title) => test.skip(`${title} (install Debian's package redis-server)`, () => {})
    : (title, run) => test.serial(title, run);

const QUIET = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];

export class RedisServer {
  readonly port: number;
  readonly #folder = newFolder('redis');
  readonly #args: readonly string[];
  #process: ChildProcess | null = null;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  static async start(t: ExecutionContext, ...args: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), args);
    t.teardown(() => server.end('SIGKILL'));
    await server.start();
    return server;
  }

  /** Empty, on the same port as before. */
  async start(): Promise<void> {
    const args = [...QUIET, '--port', String(this.port), '--dir', this.#folder, ...this.#args];
    const child = spawn(REDIS ?? 'redis-server', args, { stdio: 'ignore' });
    this.#process = child;
    while (!(await this.#answers())) {
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
      await pause(5);
    }
  }

  /** One command, as people type it; what comes back. */
  async say(command: string): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      socket.write(`${command}\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      return answer.toString();
    } finally {
      socket.destroy();
    }
  }

  async #answers(): Promise<boolean> {
    try {
      return /^[+-]/.test(await this.say('PING'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return false;
      throw error;
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}
