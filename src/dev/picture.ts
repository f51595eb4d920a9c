/** The cluster in words: a table for a terminal, one line where there is none. Pure functions. */
import type { NodeView } from './node-process.ts';
import type { NodeAnswers, NodeStatus } from './status.ts';

export interface NodeRow extends NodeAnswers {
  readonly process: NodeView;
}

const HEAD = ['node', 'role', 'term', 'height', 'commit', 'TPS', 'p50 ms', 'p99 ms', 'memory', ''];
const FIGURES = 7;

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}

function milliseconds(value: number | null): string {
  return value === null ? '–' : value.toFixed(value < 10 ? 1 : 0);
}

/** What happened to the process; empty while it simply runs. */
function remark({ phase, restarts, lastEnd }: NodeView): string {
  if (phase === 'waiting') return `${lastEnd}; starts again soon`;
  if (phase === 'stopped') return lastEnd;
  return restarts === 0 ? '' : `${lastEnd}; restarted ${restarts}×`;
}

/** A node that takes no part in serving clients must not look as if it did. */
function state({ state: role }: NodeStatus, failed: readonly string[]): string {
  return failed.length === 0 ? role : `not ready: ${failed.join(', ')}`;
}

function cells({ process: node, status, failed }: NodeRow): readonly string[] {
  if (status === null) {
    return [node.id, node.phase, ...Array.from({ length: FIGURES }, () => '–'), remark(node)];
  }
  return [
    node.id,
    state(status, failed),
    String(status.term),
    String(status.executedHeight),
    String(status.commitIndex),
    String(status.tps),
    milliseconds(status.finality.p50Ms),
    milliseconds(status.finality.p99Ms),
    megabytes(status.memoryBytes),
    remark(node),
  ];
}

/** Lines of a table: names to the left, figures to the right. */
export function table(rows: readonly NodeRow[]): readonly string[] {
  const lines = [HEAD, ...rows.map(cells)];
  const widths = HEAD.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const leftAligned = new Set([0, 1, HEAD.length - 1]);
  return lines.map((line) =>
    line
      .map((text, column) =>
        leftAligned.has(column)
          ? text.padEnd(widths[column] ?? 0)
          : text.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** The whole cluster in one line. */
export function line(rows: readonly NodeRow[]): string {
  const known = rows.flatMap(({ status }) => (status === null ? [] : [status]));
  const best = known.toSorted((a, b) => b.commitIndex - a.commitIndex)[0];
  const down = rows.filter(({ status }) => status === null).map(({ process: { id } }) => id);
  const unready = rows.filter(({ status, failed }) => status !== null && failed.length > 0);
  const parts = [`${known.length - unready.length}/${rows.length} nodes ready`];
  if (best) {
    const p50 = milliseconds(worst(known.map(({ finality }) => finality.p50Ms)));
    const p99 = milliseconds(worst(known.map(({ finality }) => finality.p99Ms)));
    parts.push(
      `leader ${best.currentLeader}, term ${best.term}`,
      `commit index ${best.commitIndex}, height ${best.executedHeight}`,
      `${Math.max(...known.map(({ tps }) => tps))} TPS`,
      `finality p50 ${p50} ms, p99 ${p99} ms`,
      `memory ${megabytes(known.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0))}`,
    );
  }
  if (unready.length > 0) parts.push(`not ready: ${unready.map(nameWithReason).join(', ')}`);
  if (down.length > 0) parts.push(`no answer: ${down.join(', ')}`);
  return parts.join(' · ');
}

function nameWithReason({ process: { id }, failed }: NodeRow): string {
  return `${id} (${failed.join(', ')})`;
}

function worst(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}
