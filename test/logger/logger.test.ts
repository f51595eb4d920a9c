import test from 'ava';
import { createLogger } from '../../src/logger.ts';

function lines(level: 'info' | 'debug') {
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };
  const logger = createLogger({ level, nodeId: 'node-2', destination });
  const records = () => written.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { logger, records, written };
}

test('writes one JSON record a line, with level, node, time and fields', (t) => {
  const { logger, records } = lines('info');
  logger.debug({}, 'unheard');
  logger.child({ actor: 'voting' }).warn({ peer: 3 }, 'heard');
  const [record] = records();
  t.like(record, { level: 'warn', node: 'node-2', actor: 'voting', peer: 3, msg: 'heard' });
  t.regex(String(record?.['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  t.is(records().length, 1);
});

test('keeps the message and stack of an error', (t) => {
  const { logger, records } = lines('info');
  logger.error({ err: new TypeError('boom') }, 'failed');
  t.like(records()[0], { err: { type: 'TypeError', message: 'boom' } });
});

test('cuts secrets by name, at the top and one level down', (t) => {
  const { logger, written } = lines('info');
  logger.info({ token: 'swordfish', headers: { authorization: 'swordfish' }, user: 'u' }, 'x');
  t.false(written.join('').includes('swordfish'));
  t.true(written.join('').includes('"user":"u"'));
});
