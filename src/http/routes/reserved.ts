/** Names that will be served, so that who tries them learns that they are not wrong but early. */
import { Problem } from '../../edge/problem.ts';
import type { Route } from '../router.ts';

const RESERVED: Readonly<Record<string, string>> = {
  '/api/v11/stream': 'subscriptions are not there yet: ask GET /api/v11/blocks/latest now and then',
};

export function reservedRoutes(): Route[] {
  return Object.entries(RESERVED).map(([path, detail]) => ({
    method: 'GET',
    path,
    operation: null,
    handle: () => new Problem(404, 'not_there_yet', detail),
  }));
}
