/** What the routes of keys say of themselves (kv.ts). */
import { Type } from '@sinclair/typebox';
import { JSON_FORM } from '../../modules/schema.ts';
import { eitherFormat } from '../negotiation.ts';
import { referred, schemaName } from '../openapi.ts';
import { OTHERS, PROBLEMS, type Operation, type Parameter } from '../operation.ts';
import { provable, STATE_PARAMETERS, STATE_PROBLEMS } from '../reads.ts';
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
const ETAG = { etag: 'the revision of the last change of the key' };
const REFUSED = { 404: ['key_not_found'], 422: ['invalid_args', 'module_fault', OTHERS] };

const Count = Type.Integer({ minimum: 0 });
const receipt = {
  namespace: Type.String(),
  key: Type.String(),
  id: Type.String(),
  height: Count,
  exactlyOnce: Type.Boolean(),
};
const Written = Type.Object({
  ...receipt,
  version: Count,
  createRevision: Count,
  modRevision: Count,
});
const Removed = Type.Object({ ...receipt, revision: Count, deleted: Count });

const lifetime: readonly Parameter[] = [
  {
    name: 'lease',
    in: 'query',
    description: 'the lease of the sender that the key is given to',
    schema: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' }),
  },
  {
    name: 'ttlMs',
    in: 'query',
    description: 'milliseconds after which the key goes away by itself',
    schema: Type.Integer({ minimum: 1, maximum: 31_536_000_000 }),
  },
];

const conditions: readonly Parameter[] = [
  {
    name: 'If-Match',
    in: 'header',
    description: 'only at this revision, as `ETag` gave it',
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
  problems: [...WRITE_PROBLEMS, REFUSED, { 412: ['revision_mismatch'] }],
  credential: 'token',
} as const;

export const READ: Operation = {
  id: 'getKey',
  tag: TAG,
  summary: 'A key with its value and its revisions.',
  parameters: [
    ...PLACE,
    ...STATE_PARAMETERS,
    {
      name: 'If-None-Match',
      in: 'header',
      description: 'the revisions that the caller has already',
      schema: Type.String(),
    },
  ],
  answers: {
    200: {
      description: 'the key',
      content: eitherFormat(provable(referred(schemaName.result(TAG, 'get')))),
      headers: ETAG,
    },
    304: { description: 'still at a revision that the caller has', headers: ETAG },
  },
  problems: [...STATE_PROBLEMS, { 404: ['key_not_found'], 422: ['invalid_args'] }],
};

export const WRITE: Operation = {
  ...written,
  id: 'putKey',
  summary: 'Writes a key.',
  parameters: [...PLACE, ...WRITE_PARAMETERS, ...lifetime, ...conditions],
  body: {
    description: 'the value',
    content: eitherFormat(
      Type.Unsafe({ [JSON_FORM]: 'value', description: 'any value without fractions' }),
    ),
  },
  answers: {
    200: { description: 'it is final', content: eitherFormat(Written), headers: ETAG },
    202: ACCEPTED,
  },
  problems: [...written.problems, PROBLEMS.body],
};

export const REMOVE: Operation = {
  ...written,
  id: 'deleteKey',
  summary: 'Removes a key.',
  parameters: [...PLACE, ...WRITE_PARAMETERS, ...conditions],
  answers: { 200: { description: 'it is final', content: eitherFormat(Removed) }, 202: ACCEPTED },
};
