-- The memory of fit_sync. Times are RFC 3339 texts in UTC; JSON is written by the types of `domain`.
PRAGMA application_id = 0x66697453; -- "fitS"

-- Facts about this file itself. `state_id`, 32 random hex digits, tells it from other states that
-- share a home: what its steps claim on the disk bears this id.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
INSERT INTO meta VALUES ('state_id', lower(hex(randomblob(16))));

-- One account of one platform, whatever the manifest calls it.
CREATE TABLE account (
    id       INTEGER PRIMARY KEY,
    profile  TEXT,          -- 32 hex digits; NULL for a directory without a marker
    location TEXT,          -- sha256 of where it was last found, for directories
    name     TEXT NOT NULL, -- what the manifest called it last
    platform TEXT NOT NULL,
    region   TEXT
) STRICT;
CREATE UNIQUE INDEX account_by_profile ON account (profile) WHERE profile IS NOT NULL;
CREATE UNIQUE INDEX account_by_location ON account (location, profile IS NULL)
    WHERE location IS NOT NULL;

-- Which account a name stood for last: what is needed where no account is opened.
CREATE TABLE account_name (
    name    TEXT PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id)
) STRICT;

CREATE TABLE inventory (
    account         INTEGER PRIMARY KEY REFERENCES account (id),
    generation      INTEGER NOT NULL, -- counts the readings that found something new
    count           INTEGER NOT NULL,
    complete        INTEGER NOT NULL,
    refreshed_at    TEXT NOT NULL,
    full_at         TEXT,             -- of the last complete reading of all of it
    last_good_count INTEGER,          -- against which a suspicious loss is measured
    cleared         INTEGER NOT NULL DEFAULT 0 -- a cleared listing must be read again
) STRICT;

CREATE TABLE activity (
    account     INTEGER NOT NULL REFERENCES account (id),
    id          TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    start       TEXT,
    generation  INTEGER NOT NULL, -- in which it was last new or changed
    row         TEXT NOT NULL,    -- JSON of domain::Activity
    PRIMARY KEY (account, id)
) STRICT;

-- What runs removed and when: a listing may show it for a while.
CREATE TABLE removed (
    account INTEGER NOT NULL REFERENCES account (id),
    id      TEXT NOT NULL,
    at      TEXT NOT NULL,
    PRIMARY KEY (account, id)
) STRICT;

-- Facts of originals that were downloaded to be compared.
CREATE TABLE content (
    account     INTEGER NOT NULL REFERENCES account (id),
    id          TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    content     TEXT NOT NULL, -- JSON of domain::Content
    PRIMARY KEY (account, id)
) STRICT;

CREATE TABLE link (
    source           INTEGER NOT NULL REFERENCES account (id),
    source_id        TEXT NOT NULL,
    destination      INTEGER NOT NULL REFERENCES account (id),
    destination_id   TEXT,
    rule             TEXT NOT NULL,
    address          TEXT NOT NULL,
    source_side      TEXT NOT NULL, -- JSON of domain::Side
    destination_side TEXT,          -- the same; NULL while it was not listed
    origin           TEXT NOT NULL,
    pending_since    TEXT,          -- NULL once it was seen
    full_reads       INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (source, source_id, destination),
    CHECK ((destination_id IS NULL) = (destination_side IS NULL))
) STRICT;
CREATE INDEX link_by_destination ON link (destination, destination_id);
CREATE INDEX link_by_address ON link (address);

-- What an account refused: findings with a date.
CREATE TABLE refusal (
    source      INTEGER NOT NULL REFERENCES account (id),
    source_id   TEXT NOT NULL,
    destination INTEGER NOT NULL REFERENCES account (id),
    address     TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    reason      TEXT NOT NULL,
    detail      TEXT NOT NULL,
    candidate   TEXT,             -- the destination's activity that it was refused for
    first_seen  TEXT NOT NULL,
    last_seen   TEXT NOT NULL,
    looks       INTEGER NOT NULL, -- days; 0 where none is needed
    PRIMARY KEY (source, source_id, destination)
) STRICT;
CREATE INDEX refusal_by_address ON refusal (address);

CREATE TABLE run (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    plan       TEXT,
    started_at TEXT NOT NULL,
    ended_at   TEXT,
    exit       INTEGER,
    counts     TEXT -- JSON
) STRICT;

CREATE TABLE step (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    run         INTEGER NOT NULL REFERENCES run (id), -- which began it; a later one may end it
    address     TEXT NOT NULL,
    rule        TEXT NOT NULL,
    action      TEXT NOT NULL,
    source      INTEGER NOT NULL REFERENCES account (id),
    source_id   TEXT NOT NULL,
    destination INTEGER NOT NULL REFERENCES account (id),
    taken_over  INTEGER NOT NULL, -- 1 if a lost state began it
    open        INTEGER NOT NULL DEFAULT 1 -- 0 once its last entry ends it
) STRICT;
CREATE INDEX step_by_address ON step (address);
CREATE INDEX step_by_source ON step (source, source_id, destination);
CREATE INDEX step_open ON step (open) WHERE open = 1;

-- The journal: only ever appended to.
CREATE TABLE entry (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    step  INTEGER NOT NULL REFERENCES step (id),
    run   INTEGER NOT NULL REFERENCES run (id), -- which wrote it
    at    TEXT NOT NULL,
    entry TEXT NOT NULL -- JSON of plan::reconcile::Entry
) STRICT;
CREATE INDEX entry_by_step ON entry (step, id);
CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;
CREATE TRIGGER entry_is_kept BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;

-- Activities whose removal at a destination a finished apply has told.
CREATE TABLE told_removal (
    source      INTEGER NOT NULL REFERENCES account (id),
    source_id   TEXT NOT NULL,
    destination INTEGER NOT NULL REFERENCES account (id),
    PRIMARY KEY (source, source_id, destination)
) STRICT;

-- What `list` showed last for an account, so that its rows can be named by their numbers.
CREATE TABLE shown (
    account INTEGER PRIMARY KEY REFERENCES account (id),
    ids     TEXT NOT NULL -- JSON array of activity ids, in the order shown
) STRICT;
