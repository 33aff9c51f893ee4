-- version 1
CREATE TABLE rentcar_items (
  seq      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- order of addition
  queue    TEXT COLLATE "C" NOT NULL,
  id       TEXT COLLATE "C" NOT NULL,
  digest   TEXT COLLATE "C" NOT NULL,
  trace    TEXT NOT NULL,                 -- what a tracer lets travel with it
  data     BYTEA,                         -- NULL once done
  state    SMALLINT NOT NULL DEFAULT 0,   -- 0 waiting, 1 done, 2 parked
  claimed  BOOLEAN NOT NULL DEFAULT FALSE,
  attempt  INTEGER NOT NULL DEFAULT 0,
  added    BIGINT NOT NULL,               -- milliseconds since 1970, as all times
  due      BIGINT NOT NULL,
  ended    BIGINT,                        -- when it was done or parked
  reason   TEXT NOT NULL DEFAULT '',      -- of a parked item
  UNIQUE (queue, id)
);
CREATE INDEX rentcar_items_due ON rentcar_items (queue, due, seq) WHERE state = 0;
CREATE INDEX rentcar_items_ended ON rentcar_items (queue, state, ended, seq) WHERE state <> 0;
CREATE TABLE rentcar_messages (
  message  TEXT COLLATE "C" NOT NULL,     -- SHA-256 of the key
  digest   TEXT COLLATE "C" NOT NULL,     -- SHA-256 of the digest
  token    TEXT COLLATE "C" NOT NULL,     -- of the claim that runs
  reply    BYTEA,                         -- NULL while it runs
  expires  BIGINT NOT NULL,               -- end of the lease, or of the reply
  PRIMARY KEY (message, digest)
);
CREATE INDEX rentcar_messages_expires ON rentcar_messages (expires);
CREATE TABLE rentcar_signatures (
  signature TEXT COLLATE "C" PRIMARY KEY, -- SHA-256 of the signature
  message   TEXT COLLATE "C" NOT NULL,    -- SHA-256 of key and digest
  expires   BIGINT NOT NULL
);
CREATE INDEX rentcar_signatures_expires ON rentcar_signatures (expires);
-- version 2
CREATE TABLE rentcar_docs (               -- the journal of package lifecycle
  kind    TEXT COLLATE "C" NOT NULL,
  id      TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  state   TEXT COLLATE "C" NOT NULL,
  at      BIGINT NOT NULL,
  due     BIGINT,                         -- NULL for never
  names   TEXT COLLATE "C" NOT NULL,      -- the keys, as they are in rentcar_keys
  data    BYTEA NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE INDEX rentcar_docs_state ON rentcar_docs (kind, state, at, id);
CREATE INDEX rentcar_docs_due ON rentcar_docs (due) WHERE due IS NOT NULL;
CREATE TABLE rentcar_keys (
  kind TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  at   BIGINT NOT NULL,
  id   TEXT COLLATE "C" NOT NULL,
  sole TEXT COLLATE "C",                  -- the name again if no other document may have it
  PRIMARY KEY (kind, name, at, id),
  UNIQUE (kind, sole)
);
CREATE INDEX rentcar_keys_id ON rentcar_keys (kind, id);
