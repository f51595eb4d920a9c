/** `althing proof verify`: checks a proof against the genesis document alone, offline. */
import { Command } from 'commander';
import { PROOF_BYTES_MAX } from '../../protocols/proofs/format.ts';
import { verifyProof, type Fact, type Verified } from '../../protocols/proofs/verify.ts';
import { isHex } from '../../protocols/bytes.ts';
import { parseTransactionId } from '../../protocols/transaction/submission.ts';
import { plain } from '../edge/representation.ts';
import { EXIT, readBytes, UsageError, type CommandContext } from './command.ts';
import { verifierIn } from './genesis-file.ts';
import { jsonText } from './output.ts';
import { compared, type Comparison, type Said } from './said.ts';

const EXAMPLES = `
Examples:
  curl -s 'http://127.0.0.1:9003/api/v11/kv/demo/greeting?proof=1' > answer.json
  althing proof verify answer.json --genesis data/genesis.json
  althing proof verify answer.json --genesis data/genesis.json --row kv/entries demo/greeting

FILE is an answer of a node as JSON, or the bytes of a proof. What is proved is shown: whoever does not
read it names what has to be, with --row, --absence or --transaction. The height of an answer, and the
result of one that names its row or is of receipts, have to be what is proved; a result without a name, as
that of a query, is not checked. Ends with exit code 0 if everything holds, 1 if a check failed or
something else is proved, 2 if there was nothing to check.`;

interface Flags {
  readonly genesis: string;
  readonly row?: readonly string[];
  readonly absence?: readonly string[];
  readonly transaction?: string;
}

export function proofCommand(context: CommandContext): Command {
  return new Command('proof')
    .description('check what a node answered, without trusting it')
    .addHelpText('after', EXAMPLES)
    .addCommand(verifyCommand(context));
}

function verifyCommand(context: CommandContext): Command {
  return new Command('verify')
    .description('check a proof against the keys of the genesis document')
    .argument('<file>', 'an answer with a proof, or the proof itself')
    .requiredOption('--genesis <file>', 'the genesis document of the cluster')
    .option('--row <table and key...>', 'a row that has to be proved, such as kv/entries demo/a')
    .option('--absence <table and key...>', 'a row of which has to be proved that there is none')
    .option('--transaction <id>', 'a transaction or submission whose receipts have to be proved')
    .action((file: string, flags: Flags) => {
      const wanted = wantedBy(flags);
      const { bytes, said } = answerIn(file);
      const proved = demanding(verifyProof(verifierIn(flags.genesis), bytes), wanted);
      const result = proved.ok ? compared(said, proved) : NOTHING_SAID;
      const verified: Judged =
        result.kind === 'other'
          ? { ok: false, code: 'other_result', message: result.message }
          : proved;
      context.print(shown(verified, result), () => human(verified, result));
      if (!verified.ok) process.exitCode = EXIT.failure;
    });
}

/** Refused, too, where the file says something else than its proof. */
type Judged =
  Verified | { readonly ok: false; readonly code: 'other_result'; readonly message: string };

/** Something that has to be among the facts. */
interface Wanted {
  readonly text: string;
  readonly isIn: (fact: Fact) => boolean;
}

/** Throws UsageError. */
function wantedBy({ row, absence, transaction }: Flags): readonly Wanted[] {
  return [
    ...(row === undefined ? [] : [wantedRow('row', row)]),
    ...(absence === undefined ? [] : [wantedRow('absence', absence)]),
    ...(transaction === undefined ? [] : [wantedReceipts(transaction)]),
  ];
}

function wantedRow(kind: 'row' | 'absence', words: readonly string[]): Wanted {
  const [table, key] = words;
  if (table === undefined || key === undefined || words.length > 2) {
    throw new UsageError(`--${kind} takes a table and a key, such as kv/entries demo/a`);
  }
  return {
    text: `that ${table} has ${kind === 'row' ? '' : 'no '}${jsonText(key)}`,
    isIn: (fact) => fact.kind === kind && fact.table === table && fact.key === key,
  };
}

function wantedReceipts(id: string): Wanted {
  const named = isHex(id, 32) ? { submission: id, index: 0 } : parseTransactionId(id);
  if (named === null) {
    throw new UsageError(`"${id}" is no id: 64 lower-case hex digits, and -<index> for one`);
  }
  return {
    text: `that ${id} was executed`,
    isIn: (fact) =>
      fact.kind === 'receipts' &&
      fact.submission.id === named.submission &&
      fact.receipts.length > named.index,
  };
}

/** Refused, too, where something that is wanted is not proved. Throws UsageError where nothing is. */
function demanding(verified: Verified, wanted: readonly Wanted[]): Verified {
  if (!verified.ok) return verified;
  const { facts } = verified;
  if (facts.length === 0) throw new UsageError('the proof holds no claim: nothing is proved by it');
  const missing = wanted.find(({ isIn }) => !facts.some(isIn));
  if (missing === undefined) return verified;
  return { ok: false, code: 'not_claimed', message: `it does not say ${missing.text}` };
}

interface AnswerFile {
  /** Of the proof. */
  readonly bytes: Uint8Array;
  readonly said: Said;
}

/** JSON begins with a brace; a proof begins with the length of its tag, a zero byte. */
function answerIn(file: string): AnswerFile {
  const bytes = readBytes(file);
  if (bytes[0] === 0) return { bytes, said: {} };
  const { proof, ...said } = membersIn(file, bytes);
  if (typeof proof !== 'string') {
    throw new UsageError(`${file} has no member "proof": ask the node with ?proof=1`);
  }
  if (proof.length > 2 * PROOF_BYTES_MAX || !/^(?:[0-9a-f]{2})+$/.test(proof)) {
    throw new UsageError(`${file}: "proof" is not lower-case hex of a proof`);
  }
  return { bytes: new Uint8Array(Buffer.from(proof, 'hex')), said };
}

function membersIn(file: string, bytes: Buffer): Said {
  try {
    return Object(JSON.parse(bytes.toString())) as Said;
  } catch {
    throw new UsageError(`${file} is neither JSON nor the bytes of a proof`);
  }
}

function shown(verified: Judged, { kind }: Comparison): unknown {
  if (!verified.ok) return { valid: false, code: verified.code, message: verified.message };
  const { certified, facts } = verified;
  return plain({ valid: true, result: kind, ...certified, facts: facts.map(shownFact) });
}

function shownFact(fact: Fact): object {
  if (fact.kind !== 'receipts') return fact;
  const { id, height } = fact.submission;
  return { kind: fact.kind, id, height, receipts: fact.receipts };
}

const CHANGED =
  'The file was changed or damaged, or a node lied: fetch the answer again, or from another node.';
/** Where the fault need not lie in the file. */
const ADVICE: Readonly<Record<string, string>> = {
  other_cluster:
    'The file, or the genesis document, is of another cluster: name the one that is meant.',
  not_claimed: 'Ask for what has to be proved.',
};
const NOTHING_SAID: Comparison = { kind: 'none' };
const RESULTS: Readonly<Record<Comparison['kind'], readonly string[]>> = {
  proved: ['The result in the file is what is proved.'],
  unchecked: ['The result in the file is not checked: it does not say of which of these it is.'],
  none: [],
  other: [],
};

function human(verified: Judged, { kind }: Comparison): string {
  if (!verified.ok) {
    const { code, message } = verified;
    return `Not proved (${code}): ${message}.\n${ADVICE[code] ?? CHANGED}`;
  }
  const { executed, block } = verified.certified;
  return [
    `Proved, as of height ${executed.height}:`,
    ...verified.facts.map((fact) => `  ${sentence(fact)}`),
    ...RESULTS[kind],
    `Certified by block ${block.height} (${block.digest}) of ${new Date(block.timestamp).toISOString()}.`,
  ].join('\n');
}

/** On one line and without control characters, whatever a key or a row holds. */
function sentence(fact: Fact): string {
  switch (fact.kind) {
    case 'row':
      return `${fact.table} has ${jsonText(fact.key)}: ${jsonText(fact.row)}`;
    case 'absence':
      return `${fact.table} has no ${jsonText(fact.key)}`;
    case 'receipts': {
      const { id, height } = fact.submission;
      return `submission ${id} was executed at height ${height}: ${jsonText(fact.receipts)}`;
    }
  }
}
