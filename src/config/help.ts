/** What `node dist/node.js --help` prints. */
import { flagOf, OPTION_NAMES, optionOf, variableOf } from './options.ts';

export function helpText(): string {
  const left = OPTION_NAMES.map((name) => {
    const { placeholder } = optionOf(name);
    return `--${flagOf(name)}${placeholder === null ? '' : ` ${placeholder}`}`;
  });
  const width = Math.max(...left.map(({ length }) => length));
  const lines = OPTION_NAMES.map(
    (name, at) => `  ${(left[at] ?? '').padEnd(width)}  ${optionOf(name).help}`,
  );
  return [
    'Usage: node dist/node.js --id ID [options]',
    '',
    'Starts one Althing node.',
    '',
    'Options:',
    ...lines,
    `  ${'--help'.padEnd(width)}  this text`,
    `  ${'--version'.padEnd(width)}  the version`,
    '',
    `Each option is also an environment variable (${variableOf('logLevel')}, …; ALTHING_NODE_ID is --id)`,
    'and, but for those that name files, a key of the configuration file (logLevel, …).',
    'A flag goes before the environment, that before the file, that before the default.',
    `A password of the database belongs into ${variableOf('databaseUrl')} or a file named by PGPASSFILE, not`,
    `into --database-url, and one of Redis into ${variableOf('redisUrl')}: everybody on the machine can read the`,
    'arguments of a process.',
    '',
    'Examples:',
    '  npx althing init --nodes 4 --data data     make a cluster of four on this machine',
    '  node dist/node.js --id validator-1         start its first node',
    '  node dist/node.js --config /etc/althing/node-2/config.json --database-url postgres://…',
    '  node dist/node.js --id node-3 --dev --log-level debug',
    '',
    'Exit codes: 0 done, 1 failure, 2 usage or configuration, 3 log corrupt or altered,',
    '            4 state diverged from a certificate, 5 another process holds this identity.',
    '',
  ].join('\n');
}
