/** Names that will be served, so that who tries them learns that they are not wrong but early. */
import { Problem } from '../../edge/problem.ts';
import type { Route } from '../router.ts';

const RESERVED: Readonly<Record<string, string>> = {
  '/openapi.json': 'the OpenAPI description is not there yet: GET / names routes and commands',
  '/docs': 'the documentation of this interface is not there yet: GET / names routes and commands',
};

export function reservedRoutes(): Route[] {
  return Object.entries(RESERVED).map(([path, detail]) => ({
    method: 'GET',
    path,
    handle: () => new Problem(404, 'not_there_yet', detail),
  }));
}
