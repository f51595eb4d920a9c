/**
 * What modules declare of their commands and queries: the built-in ones as they are part of this
 * software, others as nodes tell them in their OpenAPI documents.
 *
 * Where arguments do not fit what a node tells, or it knows no such command, that is its word alone (X2): the
 * documents of other nodes are asked, until one takes them or as many as it takes refuse.
 */
import type { Value } from '../../protocols/transaction/values.ts';
import { abortable } from '../abortable.ts';
import { ask, type Taken } from '../client/asking.ts';
import { AlthingError } from '../client/errors.ts';
import { notTaken } from '../client/reads.ts';
import { builtInModules } from '../modules/built-in.ts';
import { ModuleCatalog } from '../modules/catalog.ts';
import type { DefinedModule } from '../modules/define.ts';
import { canonical, type Form, type Given } from './arguments.ts';
import { UsageError } from './command.ts';
import type { Connection } from './connection.ts';
import { OpenApiDeclarations } from './openapi-declarations.ts';
import { printable } from './output.ts';
import { unknownMember, type Member, type Shape } from './shape.ts';

const builtIn = new ModuleCatalog(builtInModules);
const REQUEST = {
  method: 'GET',
  path: '/openapi.json',
  headers: { accept: 'application/json' },
} as const;

/** Of a node that tells why arguments do not fit. */
class Refused extends AlthingError {}

export class Declarations {
  readonly #connection: Connection;
  /** By which arguments were taken last: the next ones are tried there first. */
  #last: OpenApiDeclarations | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Arguments in canonical form. Throws UsageError that names what is wrong or what there is; AlthingError
   * where nodes have to be asked and too few answer.
   */
  async canonical(member: Member, args: Given, form: Form = 'text'): Promise<Value> {
    const known = builtIn.named(member.module);
    if (known !== undefined) return canonical(shapeIn(known, member), args, form);
    const convert = (declarations: OpenApiDeclarations): Value => {
      const value = canonical(declarations.shapeOf(member), args, form);
      this.#last = declarations;
      return value;
    };
    const last = this.#last;
    const again = last === null ? null : taken(() => convert(last));
    return again?.kind === 'holds' ? again.value : this.#asked(convert);
  }

  async #asked(convert: (declarations: OpenApiDeclarations) => Value): Promise<Value> {
    const { client, interrupted: signal, timeoutMs: ms } = this.#connection;
    const patience = { ms, signal, refusals: client.cluster.faultyMax + 1 };
    const asking = ask<Value>(client.nodes, REQUEST, patience, (answer) =>
      answer.status === 200
        ? taken(() => convert(new OpenApiDeclarations(new TextDecoder().decode(answer.body))))
        : notTaken(answer),
    );
    try {
      return await abortable(asking, signal);
    } catch (error) {
      if (error instanceof Refused) throw new UsageError(printable(error.message));
      throw error;
    }
  }
}

function shapeIn(module: DefinedModule, member: Member): Shape {
  const { sort, name } = member;
  const definitions = sort === 'command' ? module.commandDefinitions : module.queryDefinitions;
  const found = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
  if (found !== undefined) return { name: `${module.name} ${name}`, ...found };
  throw unknownMember(member, Object.keys(definitions));
}

/** What `convert` makes of a node's document: a document that cannot be used says nothing. */
function taken(convert: () => Value): Taken<Value> {
  try {
    return { kind: 'holds', value: convert() };
  } catch (error) {
    if (error instanceof UsageError) {
      return { kind: 'refused', error: new Refused('refused', error.message), isProved: false };
    }
    const unfit = new AlthingError('bad_answer', 'its OpenAPI document cannot be used');
    return { kind: 'unfit', error: unfit };
  }
}
