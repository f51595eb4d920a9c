/**
 * Where a cluster's files lie, for those who write them (init) and those who read them (config).
 *
 *   DIR/genesis.json      what all validators agree on; its hash is the cluster id
 *   DIR/ca/               ca.crt and ca.key: needed to make certificates, not to run
 *   DIR/token             the API token                                       (0600)
 *   DIR/operator.pem      the key of the ledger's first issuer                (0600)
 *   DIR/<id>/             all that one node needs, with its own copies: this folder can be shipped
 *     config.json, genesis.json, ca.crt, tls.crt, key.pem (0600), token (0600)
 *     heads.json          written by the node while it runs, here or in its --state folder
 *   DIR/postgres/         the embedded database server, made at the first start
 */
import { join } from 'node:path';

/**
 * Of DIR itself: only its owner may list it, and others may pass, because PostgreSQL may have to run as
 * one of them (postgres/run-as.ts). So every secret in it is closed by its own mode.
 */
export const DATA_FOLDER_MODE = 0o711;

/** The folder that one node needs. */
export const nodeFiles = (folder: string) => ({
  config: join(folder, 'config.json'),
  genesis: join(folder, 'genesis.json'),
  ca: join(folder, 'ca.crt'),
  certificate: join(folder, 'tls.crt'),
  key: join(folder, 'key.pem'),
  token: join(folder, 'token'),
});

/** What a node writes while it runs. */
export const stateFiles = (folder: string) => ({
  heads: join(folder, 'heads.json'),
  snapshots: join(folder, 'snapshots'),
});

export const clusterFiles = (data: string) => ({
  genesis: join(data, 'genesis.json'),
  ca: join(data, 'ca', 'ca.crt'),
  caKey: join(data, 'ca', 'ca.key'),
  token: join(data, 'token'),
  operator: join(data, 'operator.pem'),
});

/** `validator-1`, `node-2`, `node-3`, … */
export function nodeId(index: number): string {
  return index === 0 ? 'validator-1' : `node-${index + 1}`;
}

/** The named ports of the nodes: HTTP 9003, 9005, 9006 …; gRPC 9004, 9105, 9106 …; peers 9204 …. */
export function nodePorts(index: number) {
  return {
    http: index === 0 ? 9003 : 9004 + index,
    grpc: index === 0 ? 9004 : 9104 + index,
    peer: 9204 + index,
  };
}
