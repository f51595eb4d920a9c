/**
 * The OpenAPI document, and a page to browse it. Swagger UI comes from its package, as files of this
 * node: the page loads nothing from anywhere else, runs no script but these, and may not be framed.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Type } from '@sinclair/typebox';
import type { Header } from '../exchange.ts';
import type { Content, Operation } from '../operation.ts';
import { JSON_TYPE, type Reply, type Request } from '../request.ts';
import type { Route } from '../router.ts';

const HTML_TYPE = 'text/html; charset=utf-8';
const SCRIPT_TYPE = 'text/javascript; charset=utf-8';
const STYLE_TYPE = 'text/css; charset=utf-8';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Althing: HTTP interface</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<noscript>This page needs JavaScript; the document itself is <a href="/openapi.json">/openapi.json</a>.</noscript>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/** validatorUrl: nothing of the document goes to a validator elsewhere. */
const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  docExpansion: 'none',
  validatorUrl: null,
});
`;

/** What is served under one path: made when it is first asked for, and kept. */
interface File {
  readonly path: string;
  readonly summary: string;
  readonly type: string;
  readonly make: () => string | Promise<Uint8Array>;
}

export function docsRoutes(document: () => object): Route[] {
  const files: readonly File[] = [
    {
      path: '/openapi.json',
      summary: 'This interface as an OpenAPI 3.1 document.',
      type: JSON_TYPE,
      make: () => JSON.stringify(document()),
    },
    { path: '/docs', summary: 'A page to browse it.', type: HTML_TYPE, make: () => PAGE },
    { path: '/docs/start.js', summary: SCRIPT, type: SCRIPT_TYPE, make: () => START },
    packaged('swagger-ui-bundle.js', SCRIPT, SCRIPT_TYPE),
    packaged('swagger-ui.css', 'The style of the page.', STYLE_TYPE),
  ];
  return files.map(route);
}

const SCRIPT = 'A script of the page.';

function packaged(name: string, summary: string, type: string): File {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('swagger-ui-dist/package.json'));
  return { path: `/docs/${name}`, summary, type, make: () => readFile(join(folder, name)) };
}

function route(file: File): Route {
  let kept: Promise<Kept> | null = null;
  return {
    method: 'GET',
    path: file.path,
    operation: operationOf(file),
    handle: async (request) => {
      kept ??= keep(file);
      try {
        return tell(request, file, await kept);
      } catch (error) {
        kept = null;
        throw error;
      }
    },
  };
}

interface Kept {
  readonly plain: Uint8Array;
  readonly zipped: Uint8Array;
  readonly etag: string;
}

async function keep({ make }: File): Promise<Kept> {
  const plain = Buffer.from(await make());
  const digest = createHash('sha256').update(plain).digest('base64url');
  return { plain, zipped: await promisify(gzip)(plain), etag: `"${digest}"` };
}

function tell(request: Request, { type }: File, { plain, zipped, etag }: Kept): Reply {
  const headers: Header[] = [
    ['etag', etag],
    ['cache-control', 'no-cache'],
    ['vary', 'accept-encoding'],
    ['content-security-policy', POLICY],
    ['x-content-type-options', 'nosniff'],
    ['referrer-policy', 'no-referrer'],
  ];
  if (request.headers.get('if-none-match')?.includes(etag) === true) {
    return { status: 304, body: '', contentType: '', headers };
  }
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(
    request.headers.get('accept-encoding') ?? '',
  );
  if (!takesGzip) return { status: 200, body: plain, contentType: type, headers };
  headers.push(['content-encoding', 'gzip']);
  return { status: 200, body: zipped, contentType: type, headers };
}

function operationOf({ path, summary, type }: File): Operation {
  const content: Content = {
    [type]: type === JSON_TYPE ? Type.Unsafe({ type: 'object' }) : Type.String(),
  };
  return {
    id: path.slice(1).replaceAll(/\W/g, '.'),
    tag: 'node',
    summary,
    answers: {
      200: { description: 'the file', content, headers: { etag: 'of this very content' } },
      304: { description: 'still what the caller has' },
    },
  };
}
