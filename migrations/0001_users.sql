-- The instance, its people, and their sign-ins.

-- One row: what is true of the whole instance.
create table instance (
    singleton boolean primary key default true check (singleton),
    -- Set once, by the first owner; the row's lock decides a race of two claims.
    claimed_at timestamptz,
    -- argon2id, measured on this machine at first start.
    password_memory_kib integer check (password_memory_kib >= 19456),
    password_iterations integer check (password_iterations >= 2),
    password_parallelism integer check (password_parallelism >= 1),
    created_at timestamptz not null default now()
);
insert into instance default values;

create table users (
    id uuid primary key,
    username text collate "C" not null
        constraint users_username_key unique
        check (username ~ '^[a-z0-9._-]{1,63}$'),
    display_name text,
    email text,
    password_hash text not null,
    instance_role text not null check (instance_role in ('owner', 'admin', 'member')),
    active boolean not null default true,
    last_login_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table sessions (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    -- SHA-256 of the token; the token itself is nowhere.
    token_hash bytea not null constraint sessions_token_hash_key unique check (octet_length(token_hash) = 32),
    address text not null,
    user_agent text,
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    -- Slides with use, never past ends_at.
    expires_at timestamptz not null,
    ends_at timestamptz not null check (expires_at <= ends_at)
);
create index sessions_user_id_idx on sessions (user_id);
create index sessions_expires_at_idx on sessions (expires_at);
