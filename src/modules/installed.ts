/** The modules that every node runs. Each line is one of them. */
export { kv } from './kv/kv.ts';
export { bridge } from './bridge/bridge.ts';
export { ledger } from './ledger/ledger.ts';
export { programs } from './programs/programs.ts';
export { voting } from './voting/voting.ts';
