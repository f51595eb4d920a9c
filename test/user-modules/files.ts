/** Files of users' modules for tests. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testWorld, type TestWorld } from '../../src/module-testing.ts';
import { newFolder } from '../folder.ts';

export const RAFFLE = fileURLToPath(
  new URL('../../../templates/module/raffle.ts', import.meta.url),
);

export const raffleText = (): string => readFileSync(RAFFLE, 'utf8');

/** A file with the text of a module. */
export function moduleFile(text: string, name = 'made.ts'): string {
  const file = join(newFolder('user-modules'), name);
  writeFileSync(file, text);
  return file;
}

/** `body` is the rest of the declaration of module `made`. */
export function madeText(body: string, top = ''): string {
  return `import { AnyValue, Amount, Bytes, configOf, defineModule, event, refuse, refusalOf, table, Type } from 'althing/module';
const strict = { additionalProperties: false };
const Any = Type.Object({ value: Type.Optional(AnyValue) }, strict);
${top}
export default defineModule({ name: 'made', version: 1, description: 'Made for a test.', ${body} });
`;
}

export function worldOf(body: string, top = '', genesis?: unknown): TestWorld {
  return testWorld(moduleFile(madeText(body, top)), genesis === undefined ? {} : { genesis });
}
