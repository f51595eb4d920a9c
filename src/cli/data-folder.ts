/**
 * The folder that `althing init` made: which one is meant, and what it tells of its cluster and its nodes.
 * On a machine of its own a node has nothing but its own folder in it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import { runningUrls } from '../dev/running-record.ts';
import { clusterFiles, nodeFiles } from '../init/layout.ts';
import { readText, UsageError } from './command.ts';

export interface DataFlags {
  /** Undefined where nobody named one. */
  readonly data?: string;
  readonly id?: string;
}

/** For every command that has to do with one. It has no default value, so that who names none is known. */
export function dataOption(description = 'the folder that "althing init" made'): Option {
  return new Option('--data <dir>', `${description} (default: "data")`).env('ALTHING_DATA');
}

export function folderOf({ data = 'data' }: DataFlags): string {
  return data;
}

/** Throws UsageError for a folder that somebody named, and that is none. */
export function refuseNoFolder(data: string): never {
  throw new UsageError(`${data} is no data folder: it has no genesis.json`);
}

/** The genesis document of the cluster, or the copy of a node; null where there is none. */
export function genesisFileIn(flags: DataFlags): string | null {
  const data = folderOf(flags);
  const nodes = idsIn(flags).map((id) => nodeFiles(join(data, id)));
  // What has neither is another folder, such as that of another cluster.
  const ours = nodes.filter(({ config, key }) => existsSync(config) || existsSync(key));
  const files = [clusterFiles(data), ...ours].map(({ genesis }) => genesis);
  return files.find((file) => existsSync(file)) ?? null;
}

/** Where the nodes whose folders lie here serve clients, as a launcher or their configurations say. */
export function nodesIn(flags: DataFlags): readonly string[] {
  const data = folderOf(flags);
  const running = runningUrls(data);
  return idsIn(flags).flatMap((id) => {
    if (running[id] !== undefined) return running[id];
    const { config } = nodeFiles(join(data, id));
    return existsSync(config) ? addressIn(config) : [];
  });
}

/** Of all folders in it, or the one that is meant. */
export function idsIn(flags: DataFlags): readonly string[] {
  if (flags.id !== undefined) return [flags.id];
  try {
    return readdirSync(folderOf(flags)).toSorted();
  } catch {
    return [];
  }
}

function addressIn(config: string): readonly string[] {
  let values: { readonly http?: unknown; readonly host?: unknown } | null;
  try {
    values = JSON.parse(readText(config)) as typeof values;
  } catch (error) {
    throw new UsageError(`${config}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { http, host } = values ?? {};
  if (typeof http !== 'number') return [];
  // What listens on every address is reached on this machine's own.
  const isAny = typeof host !== 'string' || host === '0.0.0.0' || host === '::';
  const name = isAny ? '127.0.0.1' : host;
  return [`http://${name.includes(':') ? `[${name}]` : name}:${http}`];
}
