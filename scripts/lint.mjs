// npm run lint: the linter with types; arguments are handed on to it.
import { requireNode } from './node-version.mjs';

requireNode();
const { main, packageProgram, runNode } = await import('./tools.mjs');
const { install } = await import('./install.mjs');

await main(async () => {
  await install();
  return runNode([packageProgram('oxlint/bin/oxlint'), ...process.argv.slice(2)]);
});
