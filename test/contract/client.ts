/** Sends requests as they are, and reads whole answers. */
import { Client } from 'undici';
import type { Answered } from './checker.ts';
import type { Sent } from './requests.ts';

export class RawClient {
  readonly #client: Client;

  constructor(url: string) {
    this.#client = new Client(url, { pipelining: 1 });
  }

  async send({ method, path, headers, body }: Omit<Sent, 'isBad' | 'note'>): Promise<Answered> {
    const answer = await this.#client.request({
      method: method as 'GET',
      path,
      headers,
      body: body ?? null,
    });
    const names = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
    const isEndless = answer.headers['content-type'] === 'text/event-stream';
    if (isEndless) answer.body.on('error', () => undefined).destroy();
    return {
      status: answer.statusCode,
      headers: Object.fromEntries(names) as Record<string, string>,
      body: isEndless ? new Uint8Array(0) : new Uint8Array(await answer.body.arrayBuffer()),
    };
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
