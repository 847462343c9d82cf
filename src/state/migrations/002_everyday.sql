-- What `list` showed last for an account, so that its rows can be named by their numbers.
CREATE TABLE shown (
    account INTEGER PRIMARY KEY REFERENCES account (id),
    ids     TEXT NOT NULL -- JSON array of activity ids, in the order shown
) STRICT;

-- A listing that was cleared must be read again; against what a loss is measured stays known.
ALTER TABLE inventory ADD COLUMN cleared INTEGER NOT NULL DEFAULT 0;
