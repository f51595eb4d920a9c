/**
 * What modules declare of their commands and queries: the built-in ones as they are part of this
 * software, others as nodes tell them in their OpenAPI documents.
 *
 * What is signed follows from these: so f + 1 nodes, or all that there are, have to make the same of the
 * arguments of a command, or to refuse them (X2). Those of a query are taken when one node takes them.
 */
import { encodeValue, type Value } from '../../protocols/transaction/values.ts';
import { toHex } from '../../protocols/bytes.ts';
import { abortable } from '../abortable.ts';
import { AlthingError } from '../client/errors.ts';
import { askAll } from '../client/hedging.ts';
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

type Told = ReadonlyMap<number, OpenApiDeclarations>;
type Convert = (declarations: OpenApiDeclarations) => Value;
type Verdict = { readonly value: Value } | { readonly refusal: UsageError };
/** Null where too few agree. */
type Judge = (told: Told) => Verdict | null;

export class Declarations {
  readonly #connection: Connection;
  /** Documents by node, of those that were asked. */
  #told: Told = new Map();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Arguments in canonical form. Throws UsageError that names what is wrong or what there is; AlthingError
   * where nodes have to be asked and too few answer alike.
   */
  async canonical(member: Member, args: Given, form: Form = 'text'): Promise<Value> {
    const known = builtIn.named(member.module);
    if (known !== undefined) return canonical(shapeIn(known, member), args, form);
    const { client } = this.#connection;
    const most = Math.min(client.nodes.count, client.cluster.faultyMax + 1);
    const enough = { values: member.sort === 'command' ? most : 1, refusals: most };
    const convert: Convert = (declarations) => canonical(declarations.shapeOf(member), args, form);
    const judge: Judge = (told) => verdictOf(told, convert, enough);
    const verdict = judge(this.#told) ?? (await this.#asked(judge));
    if (verdict === null) throw this.#disagreement(member);
    if ('value' in verdict) return verdict.value;
    throw new UsageError(printable(verdict.refusal.message));
  }

  /** Until enough of them agree, or all have told. */
  async #asked(judge: Judge): Promise<Verdict | null> {
    const { client, signal } = this.#connection;
    let verdict: Verdict | null = null;
    const isOver = (told: Told): boolean => (verdict = judge(told)) !== null;
    const asking = askAll(client.nodes, signal, (node, end) => this.#of(node, end), isOver);
    this.#told = await abortable(asking, signal);
    return verdict;
  }

  /** Undefined where it says nothing that can be used, and may later. */
  async #of(node: number, signal: AbortSignal): Promise<OpenApiDeclarations | undefined> {
    const answer = await this.#connection.client.nodes.ask(node, REQUEST, signal);
    if (answer?.status !== 200) return undefined;
    try {
      return new OpenApiDeclarations(new TextDecoder().decode(answer.body));
    } catch {
      return undefined;
    }
  }

  #disagreement({ module, name }: Member): AlthingError {
    const what = `what ${module} ${name} takes`;
    const detail = `too few nodes tell ${what}, or not the same: name others with --url`;
    return new AlthingError('nodes_disagree', detail);
  }
}

/** What is taken is for the nodes to refuse, so it goes before a refusal. */
function verdictOf(
  told: Told,
  convert: Convert,
  enough: { readonly values: number; readonly refusals: number },
): Verdict | null {
  const values = new Map<string, number>();
  const refusals: UsageError[] = [];
  for (const declarations of told.values()) {
    const outcome = outcomeOf(declarations, convert);
    if (outcome === null) continue;
    if ('refusal' in outcome) {
      refusals.push(outcome.refusal);
      continue;
    }
    const key = toHex(encodeValue(outcome.value));
    const count = (values.get(key) ?? 0) + 1;
    values.set(key, count);
    if (count >= enough.values) return outcome;
  }
  const [first] = refusals;
  return first !== undefined && refusals.length >= enough.refusals ? { refusal: first } : null;
}

/** Null for a document that cannot be used: it says nothing. */
function outcomeOf(declarations: OpenApiDeclarations, convert: Convert): Verdict | null {
  try {
    return { value: convert(declarations) };
  } catch (error) {
    return error instanceof UsageError ? { refusal: error } : null;
  }
}

function shapeIn(module: DefinedModule, member: Member): Shape {
  const { sort, name } = member;
  const definitions = sort === 'command' ? module.commandDefinitions : module.queryDefinitions;
  const found = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
  if (found !== undefined) return { name: `${module.name} ${name}`, ...found };
  throw unknownMember(member, Object.keys(definitions));
}
