-- version 1
CREATE TABLE IF NOT EXISTS rentcar_items (
  seq      BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, -- order of addition
  queue    VARBINARY(100) NOT NULL,
  id       VARBINARY(300) NOT NULL,
  digest   VARBINARY(64) NOT NULL,
  trace    VARBINARY(1000) NOT NULL,       -- what a tracer lets travel with it
  data     LONGBLOB,                       -- NULL once done
  state    TINYINT NOT NULL DEFAULT 0,     -- 0 waiting, 1 done, 2 parked
  claimed  TINYINT NOT NULL DEFAULT 0,
  attempt  INT NOT NULL DEFAULT 0,
  added    BIGINT NOT NULL,                -- milliseconds since 1970, as all times
  due      BIGINT NOT NULL,
  ended    BIGINT,                         -- when it was done or parked
  reason   VARBINARY(1000) NOT NULL DEFAULT '', -- of a parked item
  UNIQUE KEY rentcar_items_id (queue, id),
  KEY rentcar_items_due (queue, state, due, seq),
  KEY rentcar_items_ended (queue, state, ended, seq)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
CREATE TABLE IF NOT EXISTS rentcar_messages (
  message  VARBINARY(64) NOT NULL,         -- SHA-256 of the key
  digest   VARBINARY(64) NOT NULL,         -- SHA-256 of the digest
  token    VARBINARY(64) NOT NULL,         -- of the claim that runs
  reply    LONGBLOB,                       -- NULL while it runs
  expires  BIGINT NOT NULL,                -- end of the lease, or of the reply
  PRIMARY KEY (message, digest),
  KEY rentcar_messages_expires (expires)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
CREATE TABLE IF NOT EXISTS rentcar_signatures (
  signature VARBINARY(64) NOT NULL PRIMARY KEY, -- SHA-256 of the signature
  message   VARBINARY(64) NOT NULL,        -- SHA-256 of key and digest
  expires   BIGINT NOT NULL,
  KEY rentcar_signatures_expires (expires)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
CREATE TABLE IF NOT EXISTS rentcar_locks ( -- whoever begins a message holds the row of its hash meanwhile
  n INT NOT NULL PRIMARY KEY
) ENGINE=InnoDB;
INSERT IGNORE INTO rentcar_locks (n)
  WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 511) SELECT n FROM s;
-- version 2
CREATE TABLE IF NOT EXISTS rentcar_docs (  -- the journal of package lifecycle
  kind    VARBINARY(32) NOT NULL,
  id      VARBINARY(255) NOT NULL,
  version BIGINT NOT NULL,
  state   VARBINARY(32) NOT NULL,
  at      BIGINT NOT NULL,
  due     BIGINT,                          -- NULL for never
  names   MEDIUMBLOB NOT NULL,             -- the keys, as they are in rentcar_keys
  data    LONGBLOB NOT NULL,
  PRIMARY KEY (kind, id),
  KEY rentcar_docs_state (kind, state, at, id),
  KEY rentcar_docs_due (due)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
CREATE TABLE IF NOT EXISTS rentcar_keys (
  kind VARBINARY(32) NOT NULL,
  name VARBINARY(255) NOT NULL,
  at   BIGINT NOT NULL,
  id   VARBINARY(255) NOT NULL,
  sole VARBINARY(255),                     -- the name again if no other document may have it
  PRIMARY KEY (kind, name, at, id),
  UNIQUE KEY rentcar_keys_sole (kind, sole),
  KEY rentcar_keys_id (kind, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
