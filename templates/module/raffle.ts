import { defineModule, event, refuse, table, Type } from 'althing/module';

const Name = Type.String({ minLength: 1, maxLength: 64 });
const strict = { additionalProperties: false };
const Raffle = Type.Object(
  {
    owner: Type.String(),
    endsAt: Type.Integer(),
    winner: Type.Union([Type.String(), Type.Null()]),
  },
  strict,
);

export default defineModule({
  name: 'raffle',
  version: 1,
  description: 'Raffles: whoever enters in time may win.',
  tables: {
    raffles: table('By name: a raffle.', Raffle, { byOwner: ({ owner }) => owner }),
    tickets: table(
      'By `raffle/sender`: who takes part.',
      Type.Object({ at: Type.Integer() }, strict),
    ),
  },
  events: {
    drawn: event(
      'A raffle is over; without entries nobody has won.',
      Type.Object({ raffle: Name, winner: Type.Union([Type.String(), Type.Null()]) }, strict),
    ),
  },
  refusals: {
    raffle_taken: 'there is a raffle of that name',
    unknown_raffle: 'there is no raffle of that name',
    raffle_over: 'the raffle has its winner',
  },
  timers: ({ timer }) => ({
    draw: timer(
      { description: 'Draws the winner.', args: Type.Object({ raffle: Name }, strict) },
      ({ tables, random, emit }, { raffle }) => {
        const entries = tables.tickets.page({ prefix: `${raffle}/`, limit: 1000 }).rows;
        const [first, second] = random();
        const drawn = entries[(first * 256 + second) % entries.length];
        const winner = drawn === undefined ? null : drawn[0].slice(raffle.length + 1);
        tables.raffles.set(raffle, { ...tables.raffles.get(raffle), winner });
        emit('drawn', { raffle, winner });
      },
    ),
  }),
  commands: ({ command }) => ({
    open: command(
      {
        description: 'Opens a raffle that draws its winner after some time.',
        args: Type.Object({ raffle: Name, forMs: Type.Integer({ minimum: 1 }) }, strict),
      },
      ({ tables, time, sender, schedule }, { raffle, forMs }) => {
        if (tables.raffles.get(raffle) !== undefined) {
          return refuse('raffle_taken', 'there is a raffle of that name');
        }
        tables.raffles.set(raffle, { owner: sender, endsAt: time + forMs, winner: null });
        schedule(time + forMs, 'draw', { raffle });
      },
    ),
    enter: command(
      { description: 'Takes part.', args: Type.Object({ raffle: Name }, strict) },
      ({ tables, time, sender }, { raffle }) => {
        const found = tables.raffles.get(raffle);
        if (found === undefined) return refuse('unknown_raffle', 'there is no raffle of that name');
        if (found.endsAt <= time) return refuse('raffle_over', 'the raffle has its winner');
        tables.tickets.set(`${raffle}/${sender}`, { at: time });
      },
    ),
  }),
  queries: ({ query }) => ({
    raffle: query(
      { description: 'One raffle.', args: Type.Object({ raffle: Name }, strict), result: Raffle },
      ({ tables }, { raffle }) =>
        tables.raffles.get(raffle) ?? refuse('unknown_raffle', 'there is no raffle of that name'),
    ),
    rafflesOf: query(
      {
        description: 'The raffles of an owner.',
        args: Type.Object({ owner: Type.String() }, strict),
        result: Type.Array(Type.String()),
      },
      ({ tables }, { owner }) =>
        tables.raffles.pageBy('byOwner', { equals: owner, limit: 100 }).rows.map(([name]) => name),
    ),
  }),
});
