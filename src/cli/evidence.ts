/** `althing evidence verify`: checks what accuses a validator against the genesis document alone, offline. */
import { Command } from 'commander';
import {
  isEvidenceLike,
  verifyEvidence,
  type EvidenceDocument,
  type EvidenceVerdict,
} from '../../protocols/voting/evidence-document.ts';
import type { EvidenceKind } from '../../protocols/voting/evidence.ts';
import { EXIT, readText, UsageError, type CommandContext } from './command.ts';
import { verifierIn } from './genesis-file.ts';
import { printable } from './output.ts';

const EXAMPLES = `
Examples:
  althing get evidence --json > evidence.json
  althing evidence verify evidence.json --genesis data/genesis.json

FILE is the answer of a node as JSON, or one piece of evidence out of it. Ends with exit code 0 if all in it
is proved, and says who is guilty of what; 1 if a piece does not prove what it says; 2 if there was nothing
to check.`;

export function evidenceCommand(context: CommandContext): Command {
  return new Command('evidence')
    .description('check what a validator is accused of, without trusting who says it')
    .addHelpText('after', EXAMPLES)
    .addCommand(verifyCommand(context));
}

function verifyCommand(context: CommandContext): Command {
  return new Command('verify')
    .description('check evidence against the keys of the genesis document')
    .argument('<file>', 'evidence as JSON, such as "althing get evidence --json" shows')
    .requiredOption('--genesis <file>', 'the genesis document of the cluster')
    .action((file: string, { genesis }: { readonly genesis: string }) => {
      const verifier = verifierIn(genesis);
      const verdicts = piecesIn(file).map((piece) => verifyEvidence(verifier, piece));
      const valid = verdicts.every(({ ok }) => ok);
      context.print({ valid, evidence: verdicts.map(shown) }, () => verdicts.map(human).join('\n'));
      if (!valid) process.exitCode = EXIT.failure;
    });
}

/** One at least. Throws UsageError. */
function piecesIn(file: string): readonly unknown[] {
  const value = jsonIn(file);
  if (isEvidenceLike(value)) return [value];
  const { evidence } = Object(value) as { readonly evidence?: unknown };
  if (!Array.isArray(evidence)) {
    throw new UsageError(`${file} holds no evidence: "althing get evidence --json" shows some`);
  }
  if (evidence.length === 0)
    throw new UsageError(`${file} accuses nobody: there is nothing to check`);
  return evidence;
}

function jsonIn(file: string): unknown {
  const text = readText(file);
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${file} is not JSON`);
  }
}

function shown(verdict: EvidenceVerdict): object {
  if (!verdict.ok) return { valid: false, code: verdict.code, message: verdict.message };
  const { kind, accused, epoch, term, height, seq } = verdict.document;
  return { valid: true, kind, accused, epoch, term, height, seq };
}

const ADVICE: Readonly<Record<Extract<EvidenceVerdict, { ok: false }>['code'], string>> = {
  other_cluster: 'The file, or the genesis document, is of another cluster: name the one meant.',
  malformed: 'The file was changed or damaged: nobody is accused by it.',
  not_evidence: 'Nobody is accused by it: it was made up, or changed.',
  altered: 'The file was changed: ask a node for the evidence again.',
};

function human(verdict: EvidenceVerdict): string {
  if (verdict.ok) return `Proved: ${accusation(verdict.document)}.`;
  return `Not proved (${verdict.code}): ${verdict.message}.\n${ADVICE[verdict.code]}`;
}

const DEEDS: Readonly<Record<EvidenceKind, string>> = {
  doubleVote: 'voted for two blocks of one height and term',
  doubleFirst: 'voted for two first blocks of one term',
  hiddenCommit: 'left a term with less than it had voted to commit',
  doubleBatch: 'put two batches at one place of its lane',
};

/** What a validator did, in one line; of what a node says, too, which may be anything. */
export function accusation(document: EvidenceDocument): string {
  const { kind, accused: named, ...at } = Object(document) as Partial<EvidenceDocument>;
  const accused = Object(named) as Partial<EvidenceDocument['accused']>;
  const deed = Object.hasOwn(DEEDS, String(kind)) ? DEEDS[kind!] : 'is accused';
  const places = (['epoch', 'term', 'height', 'seq'] as const).flatMap((name) =>
    Number.isInteger(at[name]) ? [`${name} ${at[name]}`] : [],
  );
  return printable(
    `${accused.id} (validator ${accused.index}, key ${accused.publicKey}) ${deed} (${kind}, ${places.join(', ')})`,
  );
}
