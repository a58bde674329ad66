-- Apps and the hosts they answer on.

create table apps (
    id uuid primary key,
    slug text collate "C" not null check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    name text not null check (length(name) between 1 and 128),
    description text,
    -- Unclaimed hosts belong to it.
    is_default boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- Unreachable from then on; what it owned is swept in batches behind.
    deleted_at timestamptz
);
create unique index apps_slug_key on apps (slug) where deleted_at is null;
create unique index apps_is_default_key on apps (is_default) where is_default and deleted_at is null;
create index apps_deleted_at_idx on apps (deleted_at) where deleted_at is not null;

-- Slugs an app had before: they redirect until another app takes them over.
create table app_old_slugs (
    slug text collate "C" primary key,
    app_id uuid not null references apps,
    created_at timestamptz not null default now()
);
create index app_old_slugs_app_id_idx on app_old_slugs (app_id);

create table domains (
    id uuid primary key,
    app_id uuid not null references apps,
    pattern text collate "C" not null constraint domains_pattern_key unique,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index domains_app_id_idx on domains (app_id);
