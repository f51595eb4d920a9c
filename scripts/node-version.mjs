// Runs before anything that an old Node could not even parse: keep the syntax of this file plain.
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

function isOlder(version, wanted) {
  const [major, minor] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = wanted.split('.').map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}

/** Ends the process with a clear message when this Node is older than package.json's `engines`. */
export function requireNode() {
  const wanted = manifest.engines.node.replace('>=', '');
  if (!isOlder(process.versions.node, wanted)) return;
  console.error(
    'Althing needs Node.js ' +
      wanted +
      ' or newer; this is ' +
      process.versions.node +
      ' at ' +
      process.execPath +
      '. Install a newer one (https://nodejs.org) and try again.',
  );
  process.exit(2);
}
