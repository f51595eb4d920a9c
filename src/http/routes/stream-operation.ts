/** What the route of the stream says of itself (stream.ts). */
import { Type } from '@sinclair/typebox';
import { PROBLEMS, type Operation, type Parameter } from '../operation.ts';

export const EVENTS_TYPE = 'text/event-stream';

const FLAG = Type.Union(['0', '1', 'false', 'true'].map((each) => Type.Literal(each)));
const flag = (name: string, description: string): Parameter => ({
  name,
  in: 'query',
  description,
  schema: FLAG,
});
const PLACE = Type.String({ pattern: '^(0|[1-9][0-9]{0,14})([.](0|[1-9][0-9]{0,8}))?$' });

export const STREAM: Operation = {
  id: 'openStream',
  tag: 'stream',
  summary: 'What becomes final, from any height on: Server-Sent Events, or a WebSocket.',
  description:
    'Events of modules, unless asked otherwise: `x-althing-events` of this document lists them. Who ' +
    'goes on with the id of the last item that came misses none.',
  parameters: [
    {
      name: 'from',
      in: 'query',
      description:
        'the height to begin with; what comes next where neither this nor a place is given',
      schema: Type.Integer({ minimum: 1 }),
    },
    { name: 'after', in: 'query', description: 'the id of the last item that came', schema: PLACE },
    {
      name: 'Last-Event-ID',
      in: 'header',
      description: 'the same, as browsers send it',
      schema: PLACE,
    },
    {
      name: 'modules',
      in: 'query',
      description: 'names of modules, with commas between them: of these only',
      schema: Type.String(),
    },
    {
      name: 'topics',
      in: 'query',
      description: '`module.event` or `module.*`, with commas between them: of these only',
      schema: Type.String({ pattern: '^[^.,]+[.][^.,]+(,[^.,]+[.][^.,]+)*$' }),
    },
    flag('blocks', 'whether blocks come'),
    flag('transactions', 'whether transactions come'),
    flag('events', 'whether events come'),
  ],
  answers: {
    101: {
      description: 'a WebSocket, with `althing.v1.json` or another protocol that was offered',
    },
    200: { description: 'Server-Sent Events', content: { [EVENTS_TYPE]: Type.String() } },
  },
  problems: [
    PROBLEMS.parameters,
    PROBLEMS.negotiated,
    {
      403: ['foreign_origin'],
      422: ['unknown_module', 'unknown_event'],
      426: ['upgrade_required'],
      429: ['too_many_streams'],
      503: ['draining', 'too_many_streams', 'log_unavailable'],
    },
  ],
};
