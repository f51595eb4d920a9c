// What every command needs first: dependencies installed and code compiled, each only when needed.
import { compile } from './compile.mjs';
import { install } from './install.mjs';

export async function prepare() {
  await install();
  await compile();
}
