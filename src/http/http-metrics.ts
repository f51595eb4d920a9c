/**
 * Counts and times of HTTP requests by route, in Prometheus text format. Routes are a closed set, so
 * the series are too. Plain numbers: a request costs two map look-ups.
 */

/** Upper bounds of the duration buckets, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

interface RouteFigures {
  readonly statuses: Map<number, number>;
  readonly buckets: number[];
  seconds: number;
  count: number;
}

export class HttpMetrics {
  readonly #routes = new Map<string, RouteFigures>();

  record(route: string, status: number, seconds: number): void {
    let figures = this.#routes.get(route);
    if (figures === undefined) {
      figures = { statuses: new Map(), buckets: BUCKETS.map(() => 0), seconds: 0, count: 0 };
      this.#routes.set(route, figures);
    }
    figures.statuses.set(status, (figures.statuses.get(status) ?? 0) + 1);
    figures.seconds += seconds;
    figures.count++;
    const at = BUCKETS.findIndex((bound) => seconds <= bound);
    if (at >= 0) figures.buckets[at] = (figures.buckets[at] ?? 0) + 1;
  }

  /** `open`: requests that are not answered yet. */
  render(binding: string, open: number): string {
    const counts = [...this.#routes].flatMap(([route, { statuses }]) =>
      [...statuses].map(
        ([status, count]) =>
          `althing_http_requests_total{route="${route}",status="${status}"} ${count}`,
      ),
    );
    return [
      '# HELP althing_http_requests_total Requests answered over HTTP.',
      '# TYPE althing_http_requests_total counter',
      ...counts,
      '# HELP althing_http_request_seconds Time from request to answer.',
      '# TYPE althing_http_request_seconds histogram',
      ...[...this.#routes].flatMap(([route, figures]) => histogram(route, figures)),
      '# HELP althing_http_requests_open Requests that are not answered yet.',
      '# TYPE althing_http_requests_open gauge',
      `althing_http_requests_open{binding="${binding}"} ${open}`,
      '',
    ].join('\n');
  }
}

function histogram(route: string, { buckets, count, seconds }: RouteFigures): string[] {
  const name = 'althing_http_request_seconds';
  let below = 0;
  const lines = BUCKETS.map((bound, at) => {
    below += buckets[at] ?? 0;
    return `${name}_bucket{route="${route}",le="${bound}"} ${below}`;
  });
  return [
    ...lines,
    `${name}_bucket{route="${route}",le="+Inf"} ${count}`,
    `${name}_sum{route="${route}"} ${seconds}`,
    `${name}_count{route="${route}"} ${count}`,
  ];
}
