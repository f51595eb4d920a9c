/**
 * X.509 for the peer port: one CA for each cluster, one leaf for each validator. The leaf's key IS
 * the validator's key, so the certificate adds transport trust and no second identity.
 */
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
  type Extension,
} from '@peculiar/x509';
import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';

const ED25519 = { name: 'Ed25519' };
const YEAR_MS = 365.25 * 24 * 60 * 60 * 1000;
/** Clocks differ: a certificate is valid from a little before it was made. */
const EARLIER_MS = 60 * 60 * 1000;
const AUTHORITY_YEARS = 20;
const LEAF_YEARS = 10;

cryptoProvider.set(webcrypto as typeof crypto);

export interface Authority {
  readonly certificatePem: string;
  /** PKCS#8 PEM. */
  readonly keyPem: string;
}

export interface LeafRequest {
  /** The validator's name: subject and first alternative name. */
  readonly id: string;
  /** The validator's private key in PKCS#8 PEM; only its public half is used. */
  readonly keyPem: string;
  /** Addresses or names under which it is reached. */
  readonly hosts: readonly string[];
}

/** A self-signed CA for the key in `keyPem`. */
export async function createAuthority(
  clusterName: string,
  keyPem: string,
  nowMs: number,
): Promise<Authority> {
  const name = `CN=Althing CA ${nameValue(clusterName)}`;
  const certificatePem = await issue(name, name, keyPem, keyPem, nowMs, AUTHORITY_YEARS, [
    new BasicConstraintsExtension(true, 0, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ]);
  return { certificatePem, keyPem };
}

/** A certificate for a validator, for both ends of TLS, in PEM. */
export async function issueLeaf(
  authority: Authority,
  request: LeafRequest,
  nowMs: number,
): Promise<string> {
  const issuer = new X509Certificate(authority.certificatePem).subject;
  const names = [...new Set([request.id, ...request.hosts])];
  const subject = `CN=${nameValue(request.id)}`;
  return issue(subject, issuer, request.keyPem, authority.keyPem, nowMs, LEAF_YEARS, [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
    new SubjectAlternativeNameExtension(
      names.map((value) => ({
        type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const),
        value,
      })),
    ),
  ]);
}

async function issue(
  subject: string,
  issuer: string,
  subjectKeyPem: string,
  signerKeyPem: string,
  nowMs: number,
  years: number,
  extensions: Extension[],
): Promise<string> {
  const spki = createPublicKey(subjectKeyPem).export({ type: 'spki', format: 'der' });
  const pkcs8 = createPrivateKey(signerKeyPem).export({ type: 'pkcs8', format: 'der' });
  const { subtle } = webcrypto;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer,
    notBefore: new Date(nowMs - EARLIER_MS),
    notAfter: new Date(nowMs + years * YEAR_MS),
    publicKey: await subtle.importKey('spki', spki, ED25519, true, ['verify']),
    signingKey: await subtle.importKey('pkcs8', pkcs8, ED25519, false, ['sign']),
    signingAlgorithm: ED25519,
    extensions,
  });
  return `${certificate.toString('pem')}\n`;
}

/** 127 random bits, positive. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

/** Characters that mean something in a distinguished name are not in names that `init` takes. */
function nameValue(name: string): string {
  return name.replace(/[^\w .-]/g, '');
}
