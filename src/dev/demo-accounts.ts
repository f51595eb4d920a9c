/**
 * The ledger accounts of the demonstration: each bound to a key of its own, kept under `data/demo/`
 * so that the next start goes on with the same ones.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Signer } from '../../protocols/crypto.ts';
import { generateKey } from '../crypto/keys.ts';
import { loadSigner } from '../crypto/signer.ts';

export const DEMO_ACCOUNTS = 8;

export interface DemoAccount {
  readonly name: string;
  readonly signer: Signer;
}

export function demoAccounts(dataDir: string): readonly DemoAccount[] {
  const folder = join(dataDir, 'demo');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return Array.from({ length: DEMO_ACCOUNTS }, (_, index) => {
    const name = `demo-${index + 1}`;
    const file = join(folder, `${name}.pem`);
    if (!existsSync(file)) writeFileSync(file, generateKey().pem, { mode: 0o600 });
    return { name, signer: loadSigner(file) };
  });
}
