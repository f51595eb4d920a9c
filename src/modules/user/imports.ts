/** What modules of users import from 'althing/module': what src/module.ts exports, as a sandbox takes it. */
import { Kind, type TSchema } from '@sinclair/typebox';
import { ModuleRefusal, refuse } from '../../../protocols/transaction/module.ts';
import { configOf } from '../config.ts';
import { defineWith, event, table } from '../define.ts';
import { declares, offers, opaque, reads, type Imports } from '../sandbox/load.ts';
import { BoundedChecker } from './checks.ts';
import { typeImports, weightOf } from './types.ts';

const CODE = /^[a-z][a-z0-9_]{0,63}$/;
const MESSAGE_MAX = 1000;
const DESCRIPTION_MAX = 4096;

function described(description: unknown): string {
  if (typeof description === 'string' && description.length <= DESCRIPTION_MAX) return description;
  throw new Error('a description is one sentence of text');
}

export const moduleImports: Imports = {
  'althing/module': {
    ...typeImports,
    defineModule: declares((declaration: Parameters<typeof defineWith>[1]) => {
      const { name, version } = declaration;
      if (typeof name !== 'string' || typeof version !== 'number') {
        throw new Error('defineModule takes a name and a version');
      }
      described(declaration.description);
      const module = defineWith((schema) => new BoundedChecker(schema), declaration);
      for (const { description, result } of Object.values(module.commandDefinitions)) {
        described(description);
        if (result !== null) weightOf(result);
      }
      for (const { description, result } of Object.values(module.queryDefinitions)) {
        described(description);
        weightOf(result);
      }
      return module;
    }),
    table: declares((description: unknown, schema: TSchema, indexes?: object) => {
      weightOf(schema);
      for (const each of Object.values(indexes ?? {})) {
        if (typeof each !== 'function') throw new Error('an index is a function of a row');
      }
      return table(described(description), schema, (indexes ?? {}) as Record<string, never>);
    }),
    event: declares((description: unknown, schema: TSchema) => {
      weightOf(schema);
      return event(described(description), schema);
    }),
    refuse: opaque((code: unknown, message: unknown) => {
      if (typeof code !== 'string' || !CODE.test(code)) {
        throw new TypeError('a refusal has a code of lower-case letters, digits and _');
      }
      if (typeof message !== 'string' || message.length > MESSAGE_MAX) {
        throw new TypeError(`a refusal has a message of at most ${MESSAGE_MAX} characters`);
      }
      return refuse(code, message);
    }),
    refusalOf: reads((outcome: unknown) => {
      if (!(outcome instanceof ModuleRefusal)) return null;
      return { code: outcome.code, message: outcome.message };
    }),
    configOf: offers((module: string, schema: TSchema, json: unknown) => {
      if (!(Kind in schema)) throw new TypeError('configOf takes a schema');
      return configOf(module, schema, json, (each) => new BoundedChecker(each));
    }),
  },
};
