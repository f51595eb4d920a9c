import { dirname, join } from 'node:path/posix';
import test from 'ava';
import { below, repositoryFiles, type SourceFile } from './sources.ts';

const files = repositoryFiles();
const pages = new Map(
  files.filter(({ path }) => path.endsWith('.md')).map(({ path, text }) => [path, text]),
);

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

function isThere(from: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const page = path === '' ? from : join(dirname(from), path);
  if (anchor !== undefined) return anchorsOf(pages.get(page) ?? '').includes(anchor);
  const folder = page.endsWith('/') ? page : `${page}/`;
  return files.some(({ path: file }) => file === page || file.startsWith(folder));
}

test('every link between the pages leads to a file, and to a heading in it', (t) => {
  const broken = [...pages].flatMap(([from, text]) =>
    [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)]
      .filter(([, target = '']) => !isThere(from, target))
      .map(([, target]) => `${from}: ${target}`),
  );
  t.deepEqual(broken, []);
});

test('every page that a message or a comment names is there, and some messages name one', (t) => {
  const named = ({ path, text }: SourceFile): readonly string[] =>
    [...text.matchAll(/docs\/[\w/-]+\.md/g)].map(([page]) => `${path}: ${page}`);
  const all = below(files, 'protocols', 'actors', 'src').flatMap(named);
  t.deepEqual(
    all.filter((each) => !pages.has(each.split(': ')[1] ?? '')),
    [],
  );
  for (const each of [
    'protocols/transaction/submission-reader.ts: docs/http.md',
    'src/edge/edge.ts: docs/http.md',
    'src/log/errors.ts: docs/operating.md',
  ]) {
    t.true(all.includes(each), each);
  }
});
