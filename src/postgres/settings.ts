/**
 * The configuration of the embedded server: one file, written anew before each start.
 *
 * Durability is not for sale here: fsync, full_page_writes and synchronous_commit stay on. The rest
 * suits an append-only log: rare checkpoints, so that few pages are logged in full; no freezing
 * before it is due, because a vacuum would read the whole log for nothing; no planner extras.
 */
export interface ServerSettings {
  /** TCP port on 127.0.0.1. */
  readonly port: number;
}

/** Text of postgresql.conf. */
export function postgresqlConf({ port }: ServerSettings): string {
  const settings: Record<string, string | number> = {
    listen_addresses: `'127.0.0.1'`,
    port,
    unix_socket_directories: `''`,
    password_encryption: `'scram-sha-256'`,
    max_connections: 200,

    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    wal_compression: 'off',
    wal_buffers: `'16MB'`,
    max_wal_size: `'1GB'`,
    min_wal_size: `'256MB'`,
    checkpoint_timeout: `'15min'`,

    shared_buffers: `'128MB'`,
    work_mem: `'8MB'`,
    huge_pages: 'off',
    dynamic_shared_memory_type: 'posix',
    max_parallel_workers_per_gather: 0,
    jit: 'off',
    autovacuum_freeze_max_age: 1_000_000_000,
    autovacuum_naptime: `'5min'`,

    tcp_keepalives_idle: 10,
    tcp_keepalives_interval: 5,
    tcp_keepalives_count: 3,
    update_process_title: 'off',
    log_line_prefix: `'%m [%p] '`,
    log_timezone: `'UTC'`,
    timezone: `'UTC'`,
    datestyle: `'iso, ymd'`,
    lc_messages: `'C'`,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return `# Written by Althing before each start; changes made here are lost.\n${lines.join('\n')}\n`;
}
