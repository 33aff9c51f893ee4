package sqlstore

import "database/sql"

// DB returns the pool of a store.
func (s *Store) DB() *sql.DB { return s.db }
