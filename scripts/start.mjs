// npm start: prepares, then runs the four-node cluster's launcher (src/dev/) in this process, so that
// one process only answers a terminal's signals.
import { requireNode } from './node-version.mjs';

requireNode();
const { main } = await import('./tools.mjs');
const { prepare } = await import('./prepare.mjs');

await main(async () => {
  await prepare();
  const { launch } = await import('../dist/src/dev/main.js');
  return launch(process.argv.slice(2));
});
