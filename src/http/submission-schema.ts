/**
 * The body of `POST /api/v11/transactions` as the OpenAPI document describes it; what reads it is
 * src/edge/submission-request.ts.
 */
import { Type, type TSchema } from '@sinclair/typebox';
import type { ModuleCatalog } from '../modules/catalog.ts';
import { referred, schemaName } from './openapi.ts';

const strict = { additionalProperties: false };
const hex = (bytes: number): TSchema => Type.String({ pattern: `^[0-9a-f]{${2 * bytes}}$` });
const Integer = Type.Union([
  Type.Integer({ minimum: 0 }),
  Type.String({ pattern: '^(0|[1-9][0-9]{0,15})$' }),
]);

/** @param max transactions of one submission */
export function submissionSchema(catalog: ModuleCatalog, max: number): TSchema {
  const transaction = Type.Union(
    catalog.modules.flatMap(({ name, commandDefinitions }) =>
      Object.keys(commandDefinitions).map((command) =>
        referred(schemaName.transaction(name, command)),
      ),
    ),
  );
  const transactions = Type.Array(transaction, { minItems: 1, maxItems: max });
  const vouched = Type.Object({ transactions, validUntil: Type.Optional(Integer) }, strict);
  const signed = Type.Object(
    { transactions, client: hex(32), seq: Integer, validUntil: Integer, signature: hex(64) },
    strict,
  );
  return Type.Union([transaction, vouched, signed]);
}
