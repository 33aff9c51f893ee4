-- version 1
CREATE TABLE rentcar_items (
  seq      INTEGER PRIMARY KEY AUTOINCREMENT, -- order of addition
  queue    TEXT NOT NULL,
  id       TEXT NOT NULL,
  digest   TEXT NOT NULL,
  trace    TEXT NOT NULL,               -- what a tracer lets travel with it
  data     BLOB,                        -- NULL once done
  state    INTEGER NOT NULL DEFAULT 0,  -- 0 waiting, 1 done, 2 parked
  claimed  INTEGER NOT NULL DEFAULT 0,
  attempt  INTEGER NOT NULL DEFAULT 0,
  added    INTEGER NOT NULL,            -- milliseconds since 1970, as all times
  due      INTEGER NOT NULL,
  ended    INTEGER,                     -- when it was done or parked
  reason   TEXT NOT NULL DEFAULT '',    -- of a parked item
  UNIQUE (queue, id)
);
CREATE INDEX rentcar_items_due ON rentcar_items (queue, due, seq) WHERE state = 0;
CREATE INDEX rentcar_items_ended ON rentcar_items (queue, state, ended, seq) WHERE state <> 0;
CREATE TABLE rentcar_messages (
  message  TEXT NOT NULL,               -- SHA-256 of the key
  digest   TEXT NOT NULL,               -- SHA-256 of the digest
  token    TEXT NOT NULL,               -- of the claim that runs
  reply    BLOB,                        -- NULL while it runs
  expires  INTEGER NOT NULL,            -- end of the lease, or of the reply
  PRIMARY KEY (message, digest)
) WITHOUT ROWID;
CREATE INDEX rentcar_messages_expires ON rentcar_messages (expires);
CREATE TABLE rentcar_signatures (
  signature TEXT PRIMARY KEY,           -- SHA-256 of the signature
  message   TEXT NOT NULL,              -- SHA-256 of key and digest
  expires   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX rentcar_signatures_expires ON rentcar_signatures (expires);
-- version 2
CREATE TABLE rentcar_docs (             -- the journal of package lifecycle
  kind    TEXT NOT NULL,
  id      TEXT NOT NULL,
  version INTEGER NOT NULL,
  state   TEXT NOT NULL,
  at      INTEGER NOT NULL,
  due     INTEGER,                      -- NULL for never
  names   TEXT NOT NULL,                -- the keys, as they are in rentcar_keys
  data    BLOB NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE INDEX rentcar_docs_state ON rentcar_docs (kind, state, at, id);
CREATE INDEX rentcar_docs_due ON rentcar_docs (due) WHERE due IS NOT NULL;
CREATE TABLE rentcar_keys (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  at   INTEGER NOT NULL,
  id   TEXT NOT NULL,
  sole TEXT,                            -- the name again if no other document may have it
  PRIMARY KEY (kind, name, at, id),
  UNIQUE (kind, sole)
) WITHOUT ROWID;
CREATE INDEX rentcar_keys_id ON rentcar_keys (kind, id);
