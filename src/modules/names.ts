/**
 * What the names in a module may be: they stand in paths of HTTP, in names of gRPC and OpenAPI, and in
 * code of clients, so each is an identifier everywhere.
 */

const MODULE = /^[a-z][a-z0-9-]{0,31}$/;
const MEMBER = /^[a-z][A-Za-z0-9]{0,47}$/;
/** Sections of the API that are no modules, and packages that the module's own would hide in its .proto file. */
const TAKEN = new Set([
  'althing',
  'google',
  'transactions',
  'blocks',
  'stream',
  'consensus',
  'health',
  'history',
  'limits',
  'state',
]);

/** Throws an Error that says which name is at fault, and what it may be. */
export function checkNames(
  name: string,
  version: number,
  sections: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): void {
  if (!MODULE.test(name)) {
    throw new Error(
      `module ${JSON.stringify(name)}: a name is 1 to 32 lower-case letters, digits and dashes, a letter first`,
    );
  }
  if (TAKEN.has(name)) throw new Error(`module ${name}: the name is taken by the API itself`);
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new Error(`module ${name}: the version is a whole number from 1 on`);
  }
  for (const [section, members] of Object.entries(sections)) {
    for (const member of Object.keys(members)) {
      if (MEMBER.test(member)) continue;
      throw new Error(
        `module ${name}, ${section}: ${JSON.stringify(member)} is no name: 1 to 48 letters and digits, a small letter first`,
      );
    }
  }
}
