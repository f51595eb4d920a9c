/**
 * A node's snapshots of the executed state, a file each:
 *
 *   8 bytes `althing1` · for each part u32 length, part · u32 0 · u32 length, head · BLAKE3-256 of the head
 *
 * The parts are bound by the head, whose checkpoint certifies them (protocols/transaction/snapshot.ts).
 *
 * L20. A file has its name, `<height>.snapshot`, once all of it is on disk. Until then it is `<height>.partial`,
 *      which the next start removes.
 * L21. The newest KEPT_MAX stay: one that cannot be used is passed over for the one before.
 */
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeptSnapshot, SnapshotPart, SnapshotStore } from '../../actors/host.ts';
import { bytesEqual, fromHex } from '../../protocols/bytes.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { syncFolder } from '../whole-file.ts';

const MAGIC = new TextEncoder().encode('althing1');
const KEPT_MAX = 2;
const SNAPSHOT = /^(\d{1,16})\.snapshot$/;
const PARTIAL = /^\d{1,16}\.partial$/;
/** A part is a quarter of a megabyte and a row more. */
const RECORD_BYTES_MAX = 64 * 1024 * 1024;
const DIGEST = 32;

export class SnapshotFiles implements SnapshotStore {
  readonly #folder: string;
  /** The one that is written. */
  #open: { readonly height: number; readonly file: FileHandle } | null = null;

  /** @param folder of this node alone; it is made when the first snapshot is */
  constructor(folder: string) {
    this.#folder = folder;
  }

  keepSnapshot(part: SnapshotPart, done: (error?: Error) => void): void {
    this.#keep(part).then(() => done(), done);
  }

  readSnapshot(
    upTo: number,
    part: (bytes: Uint8Array) => void,
    done: (error: Error | null, found: KeptSnapshot | null) => void,
  ): void {
    this.#read(upTo, part).then(
      (found) => done(null, found),
      (error: unknown) => done(error as Error, null),
    );
  }

  async #keep({ height, index, part, head }: SnapshotPart): Promise<void> {
    try {
      if (index === 0) await this.#begin(height);
      const { file } = this.#open!;
      await append(file, lengthOf(part), part);
      if (head !== null) await this.#complete(height, file, head);
    } catch (error) {
      await this.#open?.file.close().catch(() => undefined);
      this.#open = null;
      await rm(this.#path(height, 'partial'), { force: true }).catch(() => undefined);
      throw error;
    }
  }

  async #begin(height: number): Promise<void> {
    await this.#open?.file.close();
    this.#open = null;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#folder)) {
      if (PARTIAL.test(name)) await rm(join(this.#folder, name), { force: true });
    }
    const file = await open(this.#path(height, 'partial'), 'w', 0o600);
    this.#open = { height, file };
    await append(file, MAGIC);
  }

  async #complete(height: number, file: FileHandle, head: Uint8Array): Promise<void> {
    const digest = fromHex(nodeCrypto.hash(head));
    await append(file, new Uint8Array(4), lengthOf(head), head, digest);
    await file.sync();
    await file.close();
    this.#open = null;
    await rename(this.#path(height, 'partial'), this.#path(height, 'snapshot'));
    syncFolder(this.#folder);
    for (const old of (await this.#heights()).slice(KEPT_MAX)) {
      await rm(this.#path(old, 'snapshot'), { force: true });
    }
  }

  async #read(upTo: number, part: (bytes: Uint8Array) => void): Promise<KeptSnapshot | null> {
    const height = (await this.#heights()).find((each) => each <= upTo);
    if (height === undefined) return null;
    const file = await open(this.#path(height, 'snapshot'), 'r');
    try {
      // A file that is not what was written has no head, and so is passed over.
      return { height, head: (await readRecords(file, part)) ?? new Uint8Array(0) };
    } finally {
      await file.close();
    }
  }

  /** Of the complete ones, the newest first. */
  async #heights(): Promise<number[]> {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const heights = names.flatMap((name) => SNAPSHOT.exec(name)?.[1] ?? []).map(Number);
    return heights.sort((a, b) => b - a);
  }

  #path(height: number, kind: 'snapshot' | 'partial'): string {
    return join(this.#folder, `${height}.${kind}`);
  }
}

/** All of it: a single write may take less than it is given, on a disk that fills up. */
async function append(file: FileHandle, ...parts: readonly Uint8Array[]): Promise<void> {
  for (const part of parts) await file.appendFile(part);
}

function lengthOf(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return length;
}

/** Gives the parts, and returns the head; null where the file is not what was written. */
async function readRecords(
  file: FileHandle,
  part: (bytes: Uint8Array) => void,
): Promise<Uint8Array | null> {
  const magic = await readBytes(file, MAGIC.length);
  if (magic === null || !bytesEqual(magic, MAGIC)) return null;
  for (;;) {
    const bytes = await readRecord(file);
    if (bytes === null) return null;
    if (bytes.length === 0) break;
    part(bytes);
  }
  const head = await readRecord(file);
  const digest = await readBytes(file, DIGEST);
  if (head === null || digest === null) return null;
  return bytesEqual(digest, fromHex(nodeCrypto.hash(head))) ? head : null;
}

async function readRecord(file: FileHandle): Promise<Uint8Array | null> {
  const length = await readBytes(file, 4);
  if (length === null) return null;
  return readBytes(file, new DataView(length.buffer).getUint32(0));
}

/** Null where there are not so many, or more than there can be. */
async function readBytes(file: FileHandle, length: number): Promise<Uint8Array | null> {
  if (length > RECORD_BYTES_MAX) return null;
  const bytes = new Uint8Array(length);
  const { bytesRead } = await file.read(bytes, 0, length);
  return bytesRead === length ? bytes : null;
}
