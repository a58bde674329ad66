-- The execution log: one row for each attempt that ended.
--
-- It records the past, so its one foreign key is its app: scripts, routes and
-- users are plain ids, and deleting one leaves its history.

create table executions (
    -- Order of recording: the key of paging, of the live stream's resume, and of retention.
    seq bigint generated always as identity primary key,
    execution_id uuid not null,
    attempt integer not null check (attempt >= 1),
    root_execution_id uuid not null,
    app_id uuid not null references apps,
    script_id uuid not null,
    -- Null for a draft that was run unsaved.
    script_version integer,
    source text not null,
    trigger_id uuid,
    route_id uuid,
    -- The principal's user name, null for an anonymous caller.
    principal text,
    started_at timestamptz not null,
    duration_us bigint not null check (duration_us >= 0),
    operations bigint not null check (operations >= 0),
    -- What the caller was answered, or would have been.
    status smallint not null,
    error_kind text,
    error_message text check ((error_message is null) = (error_kind is null)),
    error_line integer,
    error_column integer,
    request_summary text,
    response_summary text,
    trigger_depth integer not null default 0,
    -- json, not jsonb: the log is written once and read whole.
    logs json not null default '[]',
    -- Log lines beyond what one attempt may store.
    lost_log_lines integer not null default 0,
    created_at timestamptz not null default now(),
    constraint executions_execution_id_attempt_key unique (execution_id, attempt)
);
create index executions_app_id_seq_idx on executions (app_id, seq);

-- Successes beyond the log budget: counted by the hour, not stored.
create table execution_overflow (
    app_id uuid not null references apps,
    hour timestamptz not null,
    count bigint not null check (count > 0),
    primary key (app_id, hour)
);
