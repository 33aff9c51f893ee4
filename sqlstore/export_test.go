package sqlstore

import "database/sql"

// DB returns the pool of a store.
func (s *Store) DB() *sql.DB { return s.db }

// DB returns the pool of a gate.
func (g *Gate) DB() *sql.DB { return g.db }
