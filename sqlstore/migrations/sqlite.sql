-- version 1
CREATE TABLE rentcar_items (
  seq      INTEGER PRIMARY KEY AUTOINCREMENT, -- order of addition
  queue    TEXT NOT NULL,
  id       TEXT NOT NULL,
  digest   TEXT NOT NULL,
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
