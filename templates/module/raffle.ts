import { defineModule, event, refuse, table, Type } from 'althing/module';

/** Without a slash: that ends it in the keys of tickets and entrants. */
const Name = Type.String({ pattern: '^[a-z0-9-]{1,64}$' });
const strict = { additionalProperties: false };
const Raffle = Type.Object(
  {
    owner: Type.String(),
    endsAt: Type.Integer(),
    entries: Type.Integer(),
    winner: Type.Union([Type.String(), Type.Null()]),
  },
  strict,
);

/** A number from 0 below `count`; what lies beyond the last whole multiple of it would favour some. */
function drawBelow(count: number, random: () => Uint8Array): number {
  const all = 2 ** 32;
  for (;;) {
    const [a, b, c, d] = random();
    const drawn = ((a * 256 + b) * 256 + c) * 256 + d;
    if (drawn < all - (all % count)) return drawn % count;
  }
}

/**
 * Clients cannot know or choose what is drawn, but whoever proposes the block can try several: where money
 * hangs on it, let the entrants commit to numbers and reveal them, and draw by all of these.
 */
export default defineModule({
  name: 'raffle',
  version: 1,
  description: 'Raffles: whoever enters in time may win.',
  tables: {
    raffles: table('By name: a raffle.', Raffle, { byOwner: ({ owner }) => owner }),
    tickets: table('By `raffle/number`, from 0 on: whose it is.', Type.String()),
    entrants: table('By `raffle/sender`: the number of the ticket.', Type.Integer()),
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
    raffle_over: 'the raffle takes no more entries',
    entered_before: 'everybody has one ticket',
  },
  timers: ({ timer }) => ({
    draw: timer(
      { description: 'Draws the winner.', args: Type.Object({ raffle: Name }, strict) },
      ({ tables, random, emit }, { raffle }) => {
        const found = tables.raffles.get(raffle);
        // Raffles are never deleted: this one is there.
        if (found === undefined) return;
        const { entries } = found;
        const ticket = entries === 0 ? undefined : `${raffle}/${drawBelow(entries, random)}`;
        const winner = ticket === undefined ? null : (tables.tickets.get(ticket) ?? null);
        tables.raffles.set(raffle, { ...found, winner });
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
        tables.raffles.set(raffle, {
          owner: sender,
          endsAt: time + forMs,
          entries: 0,
          winner: null,
        });
        schedule(time + forMs, 'draw', { raffle });
      },
    ),
    enter: command(
      { description: 'Takes part.', args: Type.Object({ raffle: Name }, strict) },
      ({ tables, time, sender }, { raffle }) => {
        const found = tables.raffles.get(raffle);
        if (found === undefined) return refuse('unknown_raffle', 'there is no raffle of that name');
        if (found.endsAt <= time) return refuse('raffle_over', 'the raffle takes no more entries');
        const entrant = `${raffle}/${sender}`;
        if (tables.entrants.get(entrant) !== undefined) {
          return refuse('entered_before', 'everybody has one ticket');
        }
        tables.entrants.set(entrant, found.entries);
        tables.tickets.set(`${raffle}/${found.entries}`, sender);
        tables.raffles.set(raffle, { ...found, entries: found.entries + 1 });
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
