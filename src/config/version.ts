/** The version of this package, from its own package.json. */
import { readFileSync } from 'node:fs';

/** From dist/src/config/ up to the package. */
const manifest = new URL('../../../package.json', import.meta.url);

export const VERSION: string = (
  JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }
).version;
