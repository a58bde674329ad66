-- Dispatch: what waits to run, who runs it, and what became of it.
--
-- The foreign keys cascade for a release that does not know these tables and
-- sweeps an app that was deleted; this one sweeps them in batches first.

-- Nodes that are alive. A node holds a session advisory lock on its epoch for
-- its whole life; an epoch that is not here, or whose lock is free, is dead.
create table nodes (
    epoch bigint primary key,
    name text not null,
    version text not null,
    -- The kernel's id of this boot: tells a crash from a power cut.
    boot_id text not null,
    started_at timestamptz not null default now(),
    -- Raised every 20 s while another node is registered.
    beat bigint not null default 0
);
create sequence node_epochs;

-- One row for each run that is to be made. Durable rows (reply_to is null)
-- wait here until they have run to their end; rows with reply_to stand for
-- synchronous runs under way, recorded behind, and die with their caller's connection.
--
-- It records the waiting, so its one foreign key is its app: scripts, routes,
-- triggers and users are plain ids, checked when the row runs.
create table outbox (
    id uuid primary key,
    -- The same for all rows that one event causes, and for its replays.
    event_id uuid not null,
    app_id uuid not null references apps on delete cascade,
    source_kind text not null,
    op text not null,
    -- A route's id for http; null for a manual run.
    trigger_id uuid,
    script_id uuid not null,
    reply_to uuid,
    -- json, not jsonb: the text as it came.
    payload json not null,
    body bytea,
    origin_principal uuid,
    trigger_depth integer not null default 0,
    root_execution_id uuid not null,
    execution_id uuid not null,
    retry_max_attempts integer not null check (retry_max_attempts between 1 and 20),
    retry_backoff text not null check (retry_backoff in ('exponential', 'linear', 'constant')),
    retry_base_ms integer not null check (retry_base_ms between 10 and 86400000),
    -- The number of the run that is under way or was the last.
    attempt integer not null default 0,
    -- Runs that ended in failure: what the policy counts.
    attempt_count integer not null default 0,
    -- Claims since the last outcome: runs whose process ended under them.
    lost_count integer not null default 0,
    -- Of each failed run: [{"attempt", "at", "kind", "message"}].
    errors json not null default '[]',
    first_attempt_at timestamptz,
    next_attempt_at timestamptz not null default now(),
    -- How long the wait until next_attempt_at is: what bounds it when the clock steps.
    wait_ms bigint not null default 0,
    claimed_epoch bigint,
    created_at timestamptz not null default now()
) with (
    -- Long gone rows are in the way of every claim: clear them away early.
    autovacuum_vacuum_scale_factor = 0.0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0.2,
    autovacuum_analyze_scale_factor = 0.0,
    autovacuum_analyze_threshold = 20000,
    autovacuum_vacuum_cost_delay = 1
);
-- What a claim walks: fair between apps, and blind to kinds this program does not know.
create index outbox_due_idx on outbox (app_id, source_kind, next_attempt_at)
    where claimed_epoch is null and lost_count < 2;
-- Rows that were lost twice and are run alone: few, if any.
create index outbox_suspect_idx on outbox (next_attempt_at)
    where claimed_epoch is null and lost_count >= 2;
-- What a node has in its hands.
create index outbox_claimed_idx on outbox (claimed_epoch)
    where claimed_epoch is not null;

-- Events whose every attempt failed, with all it takes to replay them.
create table dead_letters (
    id uuid primary key,
    app_id uuid not null references apps on delete cascade,
    original_event_id uuid not null,
    source text not null,
    op text not null,
    trigger_id uuid,
    script_id uuid not null,
    payload json not null,
    body bytea,
    origin_principal uuid,
    retry_max_attempts integer not null,
    retry_backoff text not null,
    retry_base_ms integer not null,
    attempt_count integer not null,
    first_attempt_at timestamptz,
    last_attempt_at timestamptz,
    last_error text not null,
    errors json not null default '[]',
    execution_id uuid not null,
    root_execution_id uuid not null,
    trigger_depth integer not null,
    created_at timestamptz not null default now(),
    resolved_at timestamptz,
    resolved_by uuid,
    resolution text check (resolution in ('replayed', 'ignored', 'handled_by_script', 'handler_failed'))
);
create index dead_letters_app_id_idx on dead_letters (app_id, id);
create index dead_letters_created_at_idx on dead_letters (created_at);

-- Synchronous runs whose caller had gone when they ended, or whose process ended under them.
create table abandoned_executions (
    id uuid primary key,
    app_id uuid not null references apps on delete cascade,
    outbox_id uuid not null,
    inbox_id uuid not null,
    script_id uuid not null,
    execution_id uuid not null,
    status smallint not null,
    summary text not null,
    created_at timestamptz not null default now(),
    constraint abandoned_executions_outbox_id_key unique (outbox_id)
);
create index abandoned_executions_app_id_idx on abandoned_executions (app_id, id);
create index abandoned_executions_created_at_idx on abandoned_executions (created_at);

-- What can be changed without a restart.
create table settings (
    name text primary key collate "C",
    value json not null,
    updated_at timestamptz not null default now()
);
