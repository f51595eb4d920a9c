// node scripts/run.mjs PROGRAM ARGS…: prepares, then runs a compiled program with the arguments.
import { requireNode } from './node-version.mjs';

requireNode();
const { main, runNode } = await import('./tools.mjs');
const { prepare } = await import('./prepare.mjs');

await main(async () => {
  await prepare();
  return runNode(['--enable-source-maps', ...process.argv.slice(2)]);
});
