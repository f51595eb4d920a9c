/**
 * The edge's own nginx.conf under a real nginx, with other addresses behind it, on a socket in a
 * folder of its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls, type SecureVersion, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { generateKey } from '../../src/crypto/keys.ts';
import { createAuthority, issueLeaf } from '../../src/init/certificates.ts';
import { newFolder } from '../folder.ts';
import { installed } from '../installed.ts';

const CONF = fileURLToPath(new URL('../../../compose/nginx/nginx.conf', import.meta.url));
const POLL_MS = 10;

/** Null where nginx is not installed. */
export const NGINX = installed('nginx');

/** `server NAME:PORT` of an upstream, in the order of the file. */
export function serversOf(upstream: string): readonly string[] {
  const block = new RegExp(`upstream ${upstream} \\{([^}]*)\\}`).exec(readFileSync(CONF, 'utf8'));
  return [...(block?.[1] ?? '').matchAll(/server (\S+:\d+) /g)].map(([, server = '']) => server);
}

export interface Behind {
  /** Ports on loopback, for as many servers as the file has. */
  readonly http?: readonly number[];
  readonly grpc?: readonly number[];
}

/** Nothing listens on it. */
export const CLOSED_PORT = 1;

/** `text` with these ports behind it; what is not told is closed. */
function withUpstreams(text: string, { http = [], grpc = [] }: Behind): string {
  const replace = (from: string, upstream: string, ports: readonly number[]): string =>
    serversOf(upstream).reduce(
      (conf, server, at) =>
        conf.replace(`server ${server} `, `server 127.0.0.1:${ports[at] ?? CLOSED_PORT} `),
      from,
    );
  return replace(replace(text, 'althing_cluster', http), 'althing_grpc', grpc);
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export class TestEdge {
  readonly caPem: string;
  readonly socket: string;

  private constructor(caPem: string, socket: string) {
    this.caPem = caPem;
    this.socket = socket;
  }

  static async start(t: ExecutionContext, behind: Behind): Promise<TestEdge> {
    const folder = newFolder('edge');
    // Started by root, nginx works as another user.
    chmodSync(folder, 0o711);
    const socket = join(folder, 'edge.sock');
    const conf = join(folder, 'nginx.conf');
    const text = withUpstreams(readFileSync(CONF, 'utf8'), behind);
    writeFileSync(conf, text.replace('listen 8443 ', `listen unix:${socket} `));
    const caPem = await writeCertificate(join(folder, 'edge'));
    const args = ['-e', 'stderr', '-p', folder, '-c', conf];
    const child = spawn(NGINX ?? 'nginx', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = once(child, 'exit');
    t.teardown(async () => {
      child.kill('SIGTERM');
      await ended;
    });
    const edge = new TestEdge(caPem, socket);
    while (!(await edge.#answers())) {
      if (child.exitCode !== null) throw new Error(`nginx ended: ${said}`);
      await pause(POLL_MS);
    }
    return edge;
  }

  /** False before nginx listens; rejects when it speaks no HTTP/2. */
  async #answers(): Promise<boolean> {
    const socket = this.connect();
    try {
      await once(socket, 'secureConnect');
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ECONNREFUSED') return false;
      throw error;
    } finally {
      socket.destroy();
    }
  }

  connect(maxVersion: SecureVersion = 'TLSv1.3'): TLSSocket {
    return connectTls({
      path: this.socket,
      ca: this.caPem,
      servername: 'localhost',
      ALPNProtocols: ['h2'],
      maxVersion,
    });
  }

  /** A session over HTTP/2, closed when the test ends. */
  session(t: ExecutionContext): ClientHttp2Session {
    const session = connect('https://localhost', { createConnection: () => this.connect() });
    t.teardown(() => session.destroy());
    return session;
  }
}

/** One request over HTTP/2. */
export async function request(
  session: ClientHttp2Session,
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const all = { ':method': method, ':path': path, ...headers };
  const stream = session.request(all, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const [answered] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return { status: Number(answered[':status']), headers: answered, body: text };
}

/** A certificate for localhost, as prepare.mjs makes it; returns the CA's. */
async function writeCertificate(folder: string): Promise<string> {
  const nowMs = Date.now();
  const authority = await createAuthority('test', generateKey().pem, nowMs);
  const { pem: keyPem } = generateKey();
  const leaf = { id: 'edge', keyPem, hosts: ['localhost'] };
  mkdirSync(folder);
  writeFileSync(join(folder, 'tls.crt'), await issueLeaf(authority, leaf, nowMs));
  writeFileSync(join(folder, 'tls.key'), keyPem, { mode: 0o600 });
  return authority.certificatePem;
}
