/** What the routes of keys say of themselves (kv.ts). */
import { Type } from '@sinclair/typebox';
import { JSON_FORM } from '../../modules/schema.ts';
import { eitherFormat } from '../negotiation.ts';
import { schemaName } from '../openapi.ts';
import { OTHERS, PROBLEMS, type Operation, type Parameter } from '../operation.ts';
import { READ_PARAMETERS, READ_PROBLEMS } from '../reads.ts';
import { ACCEPTED, WRITE_PARAMETERS, WRITE_PROBLEMS } from '../writes.ts';

const TAG = 'kv';
const PLACE: readonly Parameter[] = [
  {
    name: 'namespace',
    in: 'path',
    description: 'the namespace',
    schema: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' }),
  },
  {
    name: 'key',
    in: 'path',
    description: 'the key, percent-encoded',
    schema: Type.String({ minLength: 1, maxLength: 512 }),
  },
];
const ETAG = { etag: 'the version of the key' };
const REFUSED = { 404: ['key_not_found'], 422: ['invalid_args', 'module_fault', OTHERS] };

const Changed = Type.Object({
  namespace: Type.String(),
  key: Type.String(),
  version: Type.Integer({ minimum: 0 }),
  id: Type.String(),
  height: Type.Integer({ minimum: 0 }),
  exactlyOnce: Type.Boolean(),
});

const conditions: readonly Parameter[] = [
  {
    name: 'If-Match',
    in: 'header',
    description: 'only at this version, as `ETag` gave it',
    schema: Type.String({ pattern: '^"[1-9][0-9]{0,15}"$' }),
  },
  {
    name: 'If-None-Match',
    in: 'header',
    description: '`*`: only if there is no such key',
    schema: Type.Literal('*'),
  },
];

const written = {
  tag: TAG,
  parameters: [...PLACE, ...WRITE_PARAMETERS, ...conditions],
  answers: {
    200: { description: 'it is final', content: eitherFormat(Changed), headers: ETAG },
    202: ACCEPTED,
  },
  problems: [...WRITE_PROBLEMS, REFUSED, { 412: ['version_mismatch'] }],
  credential: 'token',
} as const;

export const READ: Operation = {
  id: 'getKey',
  tag: TAG,
  summary: 'The value and the version of a key.',
  parameters: [
    ...PLACE,
    ...READ_PARAMETERS,
    {
      name: 'If-None-Match',
      in: 'header',
      description: 'the versions that the caller has already',
      schema: Type.String(),
    },
  ],
  answers: {
    200: {
      description: 'the key',
      content: eitherFormat(schemaName.result(TAG, 'get')),
      headers: ETAG,
    },
    304: { description: 'still at a version that the caller has', headers: ETAG },
  },
  problems: [...READ_PROBLEMS, PROBLEMS.state, { 404: ['key_not_found'], 422: ['invalid_args'] }],
};

export const WRITE: Operation = {
  ...written,
  id: 'putKey',
  summary: 'Writes a key.',
  body: {
    description: 'the value',
    content: eitherFormat(
      Type.Unsafe({ [JSON_FORM]: 'value', description: 'any value without fractions' }),
    ),
  },
  problems: [...written.problems, PROBLEMS.body],
};

export const REMOVE: Operation = { ...written, id: 'deleteKey', summary: 'Removes a key.' };
