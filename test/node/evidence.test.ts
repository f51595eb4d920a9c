/** A real node, to which a validator says two things: it shows that, keeps it, and anybody can check it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { Cluster, getJson } from '../../bench/cluster.ts';
import { clusterOf, type Cluster as Members } from '../../protocols/genesis.ts';
import type { Digest } from '../../protocols/types.ts';
import type { EvidenceDocument } from '../../protocols/voting/evidence-document.ts';
import { packMessage } from '../../protocols/wire.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { loadSigner } from '../../src/crypto/signer.ts';
import { parseGenesis } from '../../src/init/genesis.ts';
import { nodeFiles } from '../../src/init/layout.ts';
import { createLogger } from '../../src/logger.ts';
import { createPeerNetwork } from '../../src/peers/network.ts';
import { run } from '../cli/program.ts';
import { newFolder } from '../folder.ts';
import { voteOf } from '../http/evidence.ts';
import { statusOf } from './load.ts';

const LIAR = 3;
const WITNESS = 0;

interface Page {
  readonly evidence: readonly EvidenceDocument[];
  readonly next: string | null;
}

/** Takes the place of a validator that was stopped, and votes twice for one height, until that is known. */
async function voteTwice(nodes: Cluster, cluster: Members): Promise<Page> {
  const files = nodeFiles(join(nodes.folder, nodes.id(LIAR)));
  let met = (): void => {};
  const meeting = new Promise<void>((resolve) => (met = resolve));
  const network = createPeerNetwork({
    cluster,
    index: LIAR,
    signerPemPath: files.key,
    tlsCrt: files.certificate,
    caCrt: files.ca,
    listen: { host: '127.0.0.1', port: Number(nodes.peerAddress(LIAR).split(':')[1]) },
    addressOf: (peer) => nodes.peerAddress(peer),
    logger: createLogger({ level: 'silent', nodeId: 'liar' }),
    onFrames: () => {},
    onConnected: (peer) => (peer === WITNESS ? met() : undefined),
    onDisconnected: () => {},
  });
  await network.start();
  await meeting;
  const { term, commitIndex } = await statusOf(nodes, WITNESS);
  const by = { cluster, signer: loadSigner(files.key), index: LIAR };
  const height = commitIndex + 400;
  const messages = ['1', '2'].map((byte) => {
    const vote = voteOf(by, { term, height, block: byte.repeat(64) as Digest });
    return packMessage({ kind: 'vote', vote });
  });
  // A connection may end before all that was sent on it has arrived (K1).
  const again = setInterval(() => {
    for (const message of messages) network.send(WITNESS, 'control', message);
  }, 100);
  try {
    return await evidenceAt(nodes);
  } finally {
    clearInterval(again);
    await network.close();
  }
}

async function evidenceAt(nodes: Cluster): Promise<Page> {
  for (;;) {
    const page = await getJson<Page>(`${nodes.urls[WITNESS]}/api/v11/consensus/evidence`);
    if (page.evidence.length > 0) return page;
    await pause(50);
  }
}

const warnings = (nodes: Cluster): readonly string[] =>
  readFileSync(nodes.logFile(WITNESS), 'utf8')
    .split('\n')
    .filter(
      (line) => line.includes('"level":"warn"') && line.includes('there is evidence against'),
    );

test('a validator that votes twice is shown with proof, also after a restart, and the proof holds offline', async (t) => {
  const folder = newFolder('evidence');
  const nodes = await Cluster.create({ folder, dev: true });
  t.teardown(() => nodes.close());
  await nodes.start();
  const genesisFile = join(folder, 'genesis.json');
  const cluster = clusterOf(parseGenesis(readFileSync(genesisFile, 'utf8')), nodeCrypto);
  const url = nodes.urls[WITNESS];
  t.deepEqual(await getJson<Page>(`${url}/api/v11/consensus/evidence`), {
    evidence: [],
    next: null,
  });

  await nodes.end(LIAR);
  const page = await voteTwice(nodes, cluster);
  t.is(page.evidence.length, 1);
  const [{ accused, kind }] = page.evidence as [EvidenceDocument];
  t.is(kind, 'doubleVote');
  t.deepEqual(accused, { index: LIAR, ...cluster.genesis.validators[LIAR]! });
  while (warnings(nodes).length === 0) await pause(50);
  t.is(warnings(nodes).length, 1);
  t.true(warnings(nodes)[0]!.includes(accused.id));
  // Figures are some time behind.
  const figure = async (): Promise<string | undefined> =>
    /^althing_voting_evidence_total\S* (\d+)$/m.exec(
      await (await fetch(`${url}/metrics`)).text(),
    )?.[1];
  while ((await figure()) === '0') await pause(50);
  t.is(await figure(), '1');

  await nodes.end(WITNESS, 'SIGKILL');
  await nodes.start([WITNESS]);
  t.deepEqual(await evidenceAt(nodes), page);
  t.deepEqual(await getJson<Page>(`${nodes.urls[1]}/api/v11/consensus/evidence`), {
    evidence: [],
    next: null,
  });

  const file = join(folder, 'evidence.json');
  const verify = (text: string) => {
    writeFileSync(file, text);
    return run(['evidence', 'verify', file, '--genesis', genesisFile]);
  };
  const text = JSON.stringify(page);
  const proved = await verify(text);
  t.is(proved.code, 0, proved.stderr);
  t.true(proved.stdout.startsWith(`Proved: ${accused.id} `), proved.stdout);
  const changed = text.replace(`"${'1'.repeat(64)}"`, `"${'1'.repeat(63)}3"`);
  t.not(changed, text);
  t.is((await verify(changed)).code, 1);
});
