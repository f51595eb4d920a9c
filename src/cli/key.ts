/** `althing key`: the name by which a cluster knows who has a key. */
import { createPublicKey } from 'node:crypto';
import { Command } from 'commander';
import { publicKeyOfSpki } from '../crypto/keys.ts';
import { readText, UsageError, type CommandContext } from './command.ts';

const EXAMPLES = `
Examples:
  openssl genpkey -algorithm ed25519 -out client.pem
  althing key client.pem
  openssl pkey -in client.pem -pubout -out client.pub && althing key client.pub`;

export function keyCommand(context: CommandContext): Command {
  return new Command('key')
    .description('print the name of a key: what an account, a vote or a limit is given to')
    .argument('<file>', 'a private or a public key, in a PEM file')
    .addHelpText('after', EXAMPLES)
    .action((file: string) => {
      const name = `key:${publicKeyIn(file)}`;
      context.print({ key: name }, () => name);
    });
}

/** Throws UsageError that says nothing of what is in the file: it may be a secret. */
function publicKeyIn(file: string): string {
  const pem = readText(file);
  try {
    const publicKey = publicKeyOfSpki(createPublicKey(pem).export({ type: 'spki', format: 'der' }));
    if (publicKey !== null) return publicKey;
  } catch {
    // The parser's message may quote the file.
  }
  throw new UsageError(
    `${file} holds no Ed25519 key in PEM: ` +
      '"openssl genpkey -algorithm ed25519 -out client.pem" makes one',
  );
}
