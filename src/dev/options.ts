/** The command line of `npm start --`. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { LaunchFailure, messageOf } from './failure.ts';
import { DEFAULT_PORT_BASE, planCluster, PORT_BASE_MAX, type ClusterPlan } from './plan.ts';
import { portsOf } from './ports.ts';

export interface LaunchOptions {
  readonly dataDir: string;
  readonly portBase: number;
  /** Undefined: follows from the base. */
  readonly postgresPort: number | undefined;
  /** Files of users' modules. */
  readonly modules: readonly string[];
  readonly once: boolean;
  readonly help: boolean;
}

export const USAGE = `Usage: npm start -- [options]

Starts a cluster of four nodes with one PostgreSQL server, on this machine and for this machine
only (loopback, development mode), submits a demonstration load, and shows the cluster live.

  --once                ends after the demonstration with a summary; exit code 0 if all went well
  --data DIR            keys, genesis, logs and databases; default: data
  --port-base PORT      moves all ports: HTTP base, base+2 to +4; gRPC base+1, base+102 to +104;
                        peers base+201 to +204; PostgreSQL base+429; default: ${DEFAULT_PORT_BASE}
  --postgres-port PORT  moves PostgreSQL alone
  --module FILE         a module of yours; for several, again (npx althing module new NAME makes one)
  --help                shows this text

Examples:
  npm start
  npm start -- --once
  npm start -- --data /tmp/second --port-base 19003
`;

const CONFIG = {
  data: { type: 'string', default: 'data' },
  'port-base': { type: 'string', default: String(DEFAULT_PORT_BASE) },
  'postgres-port': { type: 'string' },
  module: { type: 'string', multiple: true, default: [] as string[] },
  once: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Throws LaunchFailure (usage) that names the flag. */
export function parseOptions(args: readonly string[]): LaunchOptions {
  const { values } = parse(args);
  const postgres = values['postgres-port'];
  const dataDir = folderOf('--data', values.data);
  const portBase = portOf('--port-base', values['port-base'], PORT_BASE_MAX);
  const postgresPort =
    postgres === undefined ? undefined : portOf('--postgres-port', postgres, 65_535);
  requireOwnPort(planCluster(dataDir, portBase, postgresPort), portBase);
  const modules = values.module.map((file) => resolve(file));
  return { dataDir, portBase, postgresPort, modules, once: values.once, help: values.help };
}

function requireOwnPort(plan: ClusterPlan, portBase: number): void {
  const same = portsOf(plan).find(({ port }) => port === plan.postgresPort);
  if (same === undefined) return;
  throw new LaunchFailure(
    `--postgres-port ${same.port} is, by --port-base ${portBase}, the port for ${same.use}: choose another`,
    2,
  );
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: CONFIG, strict: true });
  } catch (error) {
    throw new LaunchFailure(`${messageOf(error)}\n\n${USAGE}`, 2);
  }
}

function folderOf(flag: string, text: string): string {
  if (text !== '') return resolve(text);
  throw new LaunchFailure(`${flag} takes a folder, such as data, and is empty`, 2);
}

function portOf(flag: string, text: string, max: number): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1024 && port <= max) return port;
  throw new LaunchFailure(`${flag} takes a port from 1024 to ${max}, not "${text}"`, 2);
}
