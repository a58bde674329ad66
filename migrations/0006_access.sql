-- Access: who belongs to which app, keys for programs, sign-ins that failed,
-- and a record of who changed what.

-- The memberships of apps; owners and admins of the instance need none.
create table members (
    app_id uuid not null references apps on delete cascade,
    user_id uuid not null references users on delete cascade,
    role text not null check (role in ('viewer', 'editor', 'app_admin')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (app_id, user_id)
);
create index members_user_id_idx on members (user_id);

-- Keys a person makes for programs. They do what their owner may, as far as a scope covers it.
create table api_keys (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    name text not null check (length(name) between 1 and 128),
    -- 'pic_' and eight characters: what a list shows, and how the key is found.
    prefix text collate "C" not null constraint api_keys_prefix_key unique,
    -- SHA-256 of the whole key; the key itself is nowhere.
    key_hash bytea not null check (octet_length(key_hash) = 32),
    scopes text[] not null check (cardinality(scopes) > 0),
    -- Bound to one app: nothing else can be reached with it.
    app_id uuid references apps on delete cascade,
    expires_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index api_keys_user_id_idx on api_keys (user_id);
create index api_keys_app_id_idx on api_keys (app_id) where app_id is not null;

-- Sessions that began before the clock was known to be right end when it is set by more than an hour.
alter table sessions
    add column clock_was_right boolean not null default true,
    add column clock_stepped boolean not null default false;

-- Failed sign-ins in a row of a user, and those of an address: they slow further tries down, over a restart too.
create table sign_in_failures (
    -- 'user_at' counts those of one user from one address: key is the user name, a space, the address.
    kind text not null check (kind in ('user', 'user_at', 'address')),
    key text collate "C" not null,
    failures integer not null check (failures > 0),
    first_at timestamptz not null default now(),
    last_at timestamptz not null default now(),
    primary key (kind, key)
);
create index sign_in_failures_last_at_idx on sign_in_failures (last_at);

-- Where people have signed in from: failures elsewhere do not slow them down there.
create table sign_in_addresses (
    user_id uuid not null references users on delete cascade,
    address text collate "C" not null,
    last_at timestamptz not null default now(),
    primary key (user_id, address)
);

-- Who changed what, when and from where. Each entry carries the hash of the one before it,
-- so that one that is changed, taken out or put in shows. Users, apps and targets are
-- plain values: the record outlives them.
create table audit (
    seq bigint primary key,
    id uuid not null constraint audit_id_key unique,
    at timestamptz not null,
    actor_id uuid,
    actor text not null,
    address text,
    action text not null check (action ~ '^[a-z_]+\.[a-z_]+$'),
    target text,
    app_id uuid,
    details json not null,
    previous bytea not null check (octet_length(previous) = 32),
    hash bytea not null check (octet_length(hash) = 32)
);
create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is append only';
end $$;
create trigger audit_append_only before update or delete or truncate on audit
    for each statement execute function audit_is_append_only();

-- The newest entry: whoever appends locks this row, so that numbers have no gap and the chain
-- no fork; and entries that are missing at the end show too.
create table audit_head (
    singleton boolean primary key default true check (singleton),
    seq bigint not null check (seq >= 0),
    hash bytea not null check (octet_length(hash) = 32)
);
insert into audit_head (seq, hash) values (0, decode(repeat('00', 32), 'hex'));

-- What other origins may ask of an app's routes; null leaves OPTIONS to the routes.
alter table apps add column cors json;

alter table instance
    -- What the tokens in forms are made with.
    add column form_key bytea not null default sha256(convert_to(
        gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'
    )),
    -- The power-up in which PiCloud started for the first time of all, and the milliseconds since then: what
    -- opens the claim window must not depend on a clock that is yet to be set.
    add column first_boot text,
    add column first_uptime_ms bigint check (first_uptime_ms >= 0),
    -- SHA-256 of the code that claiming asks for, where it asks for one.
    add column claim_code_hash bytea check (octet_length(claim_code_hash) = 32),
    -- Stored while the clock is known to be right, as a floor for judging expiry after a power cut.
    add column last_good_time timestamptz,
    -- How the wall clock stood when last looked at: which start of the machine that was, the time, and
    -- the time less that since power-up. A clock that was set in between shows.
    add column clock_boot text,
    add column clock_seen_at timestamptz,
    add column clock_offset_ms bigint;
