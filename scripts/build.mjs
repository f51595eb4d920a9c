// npm run build: installs what is missing and compiles; dist/node.js is a node.
import { requireNode } from './node-version.mjs';

requireNode();
const { main } = await import('./tools.mjs');
const { prepare } = await import('./prepare.mjs');

await main(async () => {
  await prepare();
  return 0;
});
