/** Entry of the generator process: does what the bench asks over IPC, one request at a time. */
import { signerFromPem } from '../src/crypto/signer.ts';
import type { Digest } from '../protocols/types.ts';
import { closedLoop, newSender, openLoop, type RunResult } from './generator.ts';
import { fundings, newWorkload, openings, transfers, type Workload } from './workload.ts';

export type GeneratorRequest =
  | {
      readonly kind: 'prepare';
      readonly clusterId: Digest;
      readonly urls: readonly string[];
      readonly issuerPem: string;
      readonly clients: number;
      readonly accounts: number;
    }
  | { readonly kind: 'sign'; readonly submissions: number; readonly txPerSubmission: number }
  | { readonly kind: 'closedLoop'; readonly outstanding: number; readonly secondsMax: number }
  | { readonly kind: 'openLoop'; readonly perSecond: number; readonly warmUpSeconds: number };

export type GeneratorAnswer =
  | { readonly kind: 'done'; readonly cpuSeconds: number; readonly result: RunResult | null }
  | { readonly kind: 'failed'; readonly message: string };

const SETUP_TX_PER_SUBMISSION = 500;
const SETUP_OUTSTANDING = 16;
const CONNECTIONS_PER_NODE = 64;

let workload: Workload | null = null;
let sender: ReturnType<typeof newSender> | null = null;
let signed: Uint8Array[] = [];
let txPerSubmission = 1;

async function prepare(request: Extract<GeneratorRequest, { kind: 'prepare' }>): Promise<void> {
  workload = newWorkload(request.clusterId, request.clients, request.accounts);
  sender = newSender(request.urls, CONNECTIONS_PER_NODE);
  const steps = [
    openings(workload, SETUP_TX_PER_SUBMISSION),
    fundings(workload, signerFromPem(request.issuerPem), SETUP_TX_PER_SUBMISSION),
  ];
  for (const submissions of steps) {
    const options = { txPerSubmission: 1, outstanding: SETUP_OUTSTANDING, secondsMax: 120 };
    const { failed, firstError, answered } = await closedLoop(sender, submissions, options);
    if (failed > 0 || answered < submissions.length) {
      throw new Error(`the accounts could not be made: ${firstError ?? 'out of time'}`);
    }
  }
}

async function handle(request: GeneratorRequest): Promise<RunResult | null> {
  if (request.kind === 'prepare') {
    await prepare(request);
    return null;
  }
  if (workload === null || sender === null) throw new Error('prepare comes first');
  switch (request.kind) {
    case 'sign':
      txPerSubmission = request.txPerSubmission;
      signed = transfers(workload, request.submissions, txPerSubmission);
      return null;
    case 'closedLoop':
      return closedLoop(sender, signed, { ...request, txPerSubmission });
    case 'openLoop':
      return openLoop(sender, signed, { ...request, txPerSubmission });
  }
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

process.on('message', (request: GeneratorRequest) => {
  const before = cpuSeconds();
  handle(request).then(
    (result) => process.send?.({ kind: 'done', cpuSeconds: cpuSeconds() - before, result }),
    (error: Error) => process.send?.({ kind: 'failed', message: error.message }),
  );
});
process.on('disconnect', () => process.exit(0));
