/** How a node finds the blocks that certify a checkpoint, and waits for them. */
import test from 'ava';
import type { ChainEntry } from '../../protocols/chain.ts';
import { isCertificateValid } from '../../protocols/certificates.ts';
import { HEADERS_MAX, type Certification } from '../../protocols/proofs/format.ts';
import { verifyCertification } from '../../protocols/proofs/certification.ts';
import type { Proved, ProofWanted } from '../../protocols/proofs/request.ts';
import { ZERO_DIGEST, type Block, type Executed } from '../../protocols/types.ts';
import { LogError } from '../../src/log/errors.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import type { Answered } from '../../src/edge/port.ts';
import { Certifications, type FinalChain } from '../../src/supervisor/certifications.ts';
import { Proofs } from '../../src/supervisor/proofs.ts';
import { Forge } from '../consensus/forge.ts';

const at = (height: number): Executed => ({
  height,
  stateRoot: ZERO_DIGEST,
  receiptsRoot: ZERO_DIGEST,
  pendingSet: ZERO_DIGEST,
});

/** A final chain that says what its blocks name as executed, and which have their own certificate. */
class Stored implements FinalChain {
  readonly forge = new Forge();
  readonly #stored: ChainEntry[] = [];
  reads = 0;

  get newest(): number {
    return this.#stored.length;
  }

  add(executed: number, hasCertificate = true): void {
    const before = this.#stored.at(-1)?.block;
    const fields = { executed: at(executed) };
    const block: Block =
      before === undefined ? this.forge.block(fields) : this.forge.child(before, fields);
    const certificate = hasCertificate ? this.forge.certificate('commit', block) : null;
    this.#stored.push({ block, certificate });
  }

  fill(to: number, executed: number, hasCertificate = true): void {
    while (this.newest < to) this.add(executed, hasCertificate);
  }

  entries(from: number, to: number): Promise<readonly ChainEntry[]> {
    this.reads++;
    return Promise.resolve(this.#stored.slice(from, to));
  }
}

function heights(found: Certification | 'skipped' | 'waiting'): string | number[] {
  return typeof found === 'string' ? found : found.headers.map(({ height }) => height);
}

test('I113: a checkpoint is certified by a block that names it, under the next certificate', async (t) => {
  const chain = new Stored();
  chain.fill(18, 0);
  chain.add(16, false);
  const certifications = new Certifications(chain);
  t.is(heights(await certifications.of(at(16))), 'waiting');
  chain.add(16, false);
  chain.add(16);
  chain.fill(30, 16);
  const found = await certifications.of(at(16));
  t.deepEqual(heights(found), [21]);
  if (typeof found === 'string') return;
  const trusted = { crypto: nodeCrypto, cluster: chain.forge.cluster };
  t.true(isCertificateValid(trusted, found.certificate));
  const proof = { clusterId: chain.forge.cluster.id, certification: found };
  t.like(verifyCertification(trusted, proof), { ok: true });
  const { reads } = chain;
  await certifications.of(at(16));
  t.is(chain.reads, reads, 'many proofs are of one checkpoint');
});

test('I113: headers lead from the last block that names it to the first with a certificate', async (t) => {
  const chain = new Stored();
  chain.fill(17, 0);
  chain.add(16, false);
  chain.add(32, false);
  chain.add(32, false);
  chain.add(32);
  const found = await new Certifications(chain).of(at(16));
  t.deepEqual(heights(found), [18, 19, 20, 21]);
  if (typeof found === 'string') return;
  const trusted = { crypto: nodeCrypto, cluster: chain.forge.cluster };
  const proof = { clusterId: chain.forge.cluster.id, certification: found };
  t.like(verifyCertification(trusted, proof), { ok: true, certified: { executed: at(16) } });
});

test('a checkpoint that no block names was skipped; one that none names yet is waited for', async (t) => {
  const chain = new Stored();
  chain.fill(20, 0);
  const certifications = new Certifications(chain);
  t.is(await certifications.of(at(16)), 'waiting');
  chain.fill(40, 32);
  t.is(await certifications.of(at(16)), 'skipped');
  t.is(await certifications.of(at(48)), 'waiting');
});

test('a certificate that is further away than a proof may reach is given up', async (t) => {
  const chain = new Stored();
  chain.fill(17, 0);
  chain.add(16, false);
  chain.fill(18 + HEADERS_MAX, 32, false);
  t.is(await new Certifications(chain).of(at(16)), 'skipped');
});

const WANTED: ProofWanted = { kind: 'row', module: 'm', table: 't', key: 'k' };

function provedAt(height: number): Answered {
  const value: Proved = { executed: at(height), claims: [], result: { ok: true, value: null } };
  return { height: height + 1, result: { ok: true, value } };
}

function proofs(
  answers: (Answered | Promise<Answered>)[],
  certified: (executed: Executed) => Promise<Certification | 'skipped' | 'waiting'>,
  waitMs = 10_000,
): { proofs: Proofs; asked: () => number } {
  let asked = 0;
  const made = new Proofs({
    clusterId: ZERO_DIGEST,
    certifications: { of: certified },
    ask: () => Promise.resolve(answers[Math.min(asked++, answers.length - 1)]!),
    waitMs,
  });
  return { proofs: made, asked: () => asked };
}

const NONE = {} as Certification;

test('a proof waits for its block, and is asked for again when its checkpoint was skipped', async (t) => {
  const said: (Certification | 'skipped' | 'waiting')[] = ['waiting', 'waiting', 'skipped', NONE];
  const { proofs: made, asked } = proofs([provedAt(16), provedAt(32)], () =>
    Promise.resolve(said.shift()!),
  );
  t.like(await made.prove(WANTED), { ok: true, executed: { height: 32 } });
  t.is(asked(), 2);
});

test('receipts that are not written yet are asked for again, other refusals are handed on', async (t) => {
  const notYet: Answered = { height: 3, result: { ok: false, code: 'not_logged', message: '' } };
  const later = proofs([notYet, notYet, provedAt(16)], () => Promise.resolve(NONE));
  t.like(await later.proofs.prove(WANTED), { ok: true });
  t.is(later.asked(), 3);
  const refused: Answered = {
    height: 3,
    result: { ok: false, code: 'unknown_table', message: '' },
  };
  const never = proofs([refused], () => Promise.resolve(NONE));
  t.like(await never.proofs.prove(WANTED), { ok: false, height: 3, result: refused.result });
});

test('who waits too long is told so, whatever it was for', async (t) => {
  const notYet: Answered = { height: 3, result: { ok: false, code: 'not_logged', message: '' } };
  const silent = new Promise<Answered>(() => undefined);
  for (const [answer, certified] of [
    [silent, NONE],
    [notYet, NONE],
    [provedAt(16), 'waiting'],
    [provedAt(16), 'skipped'],
  ] as const) {
    const { proofs: made } = proofs([answer], () => Promise.resolve(certified), 5);
    t.like(await made.prove(WANTED), { ok: false, result: { code: 'not_certified' } });
  }
});

test('a log that does not answer is told; one that is wrong is our fault', async (t) => {
  const away = proofs([provedAt(16)], () => Promise.reject(new LogError('unavailable', 'away')));
  t.like(await away.proofs.prove(WANTED), { ok: false, result: { code: 'log_unavailable' } });
  const wrong = new LogError('log_altered', 'changed');
  const altered = proofs([provedAt(16)], () => Promise.reject(wrong));
  await t.throwsAsync(altered.proofs.prove(WANTED), { is: wrong });
});
