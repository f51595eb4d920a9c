/** Requests that a node of the tests answers with success, in this order, by the operation's id. */
import type { Sent } from './requests.ts';
import { credential } from './served.ts';

type Example = Pick<Sent, 'path' | 'body'> & Partial<Pick<Sent, 'headers'>>;

const body = (value: unknown): Pick<Sent, 'body' | 'headers'> => ({
  body: JSON.stringify(value),
  headers: { ...credential, 'content-type': 'application/json' },
});
const API = '/api/v11';
const place = { namespace: 'n', key: 'k' };

export const EXAMPLES: readonly (readonly [id: string, example: Example])[] = [
  [
    'submitTransactions',
    {
      path: `${API}/transactions`,
      ...body({
        transactions: [{ module: 'ledger', command: 'open', args: { account: 'carol' } }],
      }),
    },
  ],
  ['getBlock', { path: `${API}/blocks/latest` }],
  ['putKey', { path: `${API}/kv/n/k`, ...body({ any: ['value'] }) }],
  ['getKey', { path: `${API}/kv/n/k` }],
  ['deleteKey', { path: `${API}/kv/n/k`, headers: credential }],
  ['command.kv.set', { path: `${API}/kv/set`, ...body({ ...place, value: 1 }) }],
  ['query.kv.get', { path: `${API}/kv/get?namespace=n&key=k` }],
  ['query.kv.list', { path: `${API}/kv/list?namespace=n&limit=1` }],
  ['command.kv.delete', { path: `${API}/kv/delete`, ...body(place) }],
  ['command.ledger.open', { path: `${API}/ledger/open`, ...body({ account: 'dave' }) }],
  ['query.ledger.account', { path: `${API}/ledger/account?account=alice` }],
  ['query.ledger.account.byName', { path: `${API}/ledger/accounts/alice` }],
  ['query.ledger.accounts', { path: `${API}/ledger/accounts?limit=2` }],
  ['getRow', { path: `${API}/state/ledger/accounts/alice?proof=1` }],
  ['openStream', { path: `${API}/stream?from=1` }],
  ['getConsensusStatus', { path: `${API}/consensus/status` }],
  ['listEvidence', { path: `${API}/consensus/evidence?limit=2` }],
  ...['/health', '/q/health', `${API}/health`].map(health),
  ...['/health/live', '/q/health/live', '/health/ready', '/q/health/ready'].map(health),
  ...['/livez', '/startupz', '/readyz', '/leader'].map(health),
  ['getLimits', { path: `${API}/limits` }],
  ['getMetrics', { path: '/metrics' }],
  ['getRoot', { path: '/' }],
  ['openapi.json', { path: '/openapi.json' }],
  ['docs', { path: '/docs' }],
  ['docs.start.js', { path: '/docs/start.js' }],
  ['docs.swagger.ui.bundle.js', { path: '/docs/swagger-ui-bundle.js' }],
  ['docs.swagger.ui.css', { path: '/docs/swagger-ui.css' }],
];

function health(path: string): readonly [string, Example] {
  return [path.slice(1).replaceAll('/', '.'), { path }];
}

/** Answered with success only after others, or in another state of the node: tested by themselves. */
export const ELSEWHERE: readonly string[] = ['getTransaction', 'follower', 'getHistoryStatus'];
