/** The pages under docs/, as tests read them. */
import { readFileSync } from 'node:fs';
import { ROOT } from './sources.ts';

/** What stands below `## heading`, up to the next heading of that rank. */
export function sectionOf(page: string, heading: string): string {
  const text = readFileSync(`${ROOT}docs/${page}`, 'utf8');
  const section = text.split(/^## /m).find((each) => each.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`docs/${page} has no section "${heading}"`);
  return section;
}
