-- Scripts, their versions, and the routes that lead to them.

create table scripts (
    id uuid primary key,
    app_id uuid not null references apps,
    name text not null check (length(name) between 1 and 128),
    description text,
    enabled boolean not null default true,
    timeout_seconds integer not null check (timeout_seconds between 1 and 300),
    -- Overrides of the sandbox limits, as they were clamped.
    sandbox json not null default '{}',
    -- The version that runs: always the highest.
    version integer not null check (version >= 1),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- What the rows of an app refer to, so that the database refuses a reference across apps.
    constraint scripts_app_id_id_key unique (app_id, id),
    constraint scripts_app_id_name_key unique (app_id, name)
);

create table script_versions (
    app_id uuid not null,
    script_id uuid not null,
    version integer not null check (version >= 1),
    source text not null check (octet_length(source) <= 262144),
    -- The author's user name as it was: history outlives the user.
    author text,
    created_at timestamptz not null default now(),
    primary key (script_id, version),
    foreign key (app_id, script_id) references scripts (app_id, id) on delete cascade
);

create table routes (
    id uuid primary key,
    app_id uuid not null,
    script_id uuid not null,
    host_kind text not null check (host_kind in ('any', 'exact', 'wildcard')),
    host text collate "C" check ((host is null) = (host_kind = 'any')),
    host_param_name text check (host_param_name is null or host_kind = 'wildcard'),
    path_kind text not null check (path_kind in ('exact', 'prefix', 'param')),
    path text collate "C" not null,
    -- The path with parameter names erased: what two routes must not share.
    path_shape text collate "C" not null,
    -- Null answers every method.
    method text collate "C",
    dispatch_mode text not null default 'sync' check (dispatch_mode in ('sync', 'async')),
    enabled boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (app_id, script_id) references scripts (app_id, id),
    constraint routes_shape_key unique nulls not distinct (app_id, host, path_shape, method)
);
create index routes_script_id_idx on routes (script_id);
