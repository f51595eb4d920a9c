/**
 * Loaded before a node's own code, in each of its threads: its clock is as far from the machine's as
 * the file says that BENCH_CLOCK names. The monotonic clock stays as it is, as when somebody sets the
 * time of a machine.
 */
import { readFileSync } from 'node:fs';

const LOOK_MS = 50;
const file = process.env['BENCH_CLOCK'];

if (file !== undefined) {
  const Real = Date;
  let offsetMs = 0;
  const look = (): void => {
    try {
      offsetMs = Number(readFileSync(file, 'utf8'));
    } catch {
      offsetMs = 0;
    }
  };
  look();
  setInterval(look, LOOK_MS).unref();
  globalThis.Date = new Proxy(Real, {
    get: (target, name) =>
      name === 'now' ? () => Real.now() + offsetMs : (Reflect.get(target, name) as unknown),
    construct: (target, args, self) =>
      Reflect.construct(target, args.length === 0 ? [Real.now() + offsetMs] : args, self) as Date,
  });
}
