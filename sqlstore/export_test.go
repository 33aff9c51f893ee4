package sqlstore

import "database/sql"

// DB returns the pool of a store.
func (s *Store) DB() *sql.DB { return s.db }

// Sweeps returns the SQL that deletes what has expired.
func (g *Gate) Sweeps() []string { return g.sql.sweep[:] }

// DB returns the pool of a gate.
func (g *Gate) DB() *sql.DB { return g.db }

// Statements returns the SQL of a store by what it does.
func (s *Store) Statements() map[string]string {
	return map[string]string{
		"claim": s.sql.claim, "claimed": s.sql.claimed, "known": s.sql.known, "mark": s.sql.mark, "retry": s.sql.retry,
		"park": s.sql.park, "parked": s.sql.parked, "sweep": s.sql.sweep,
		"doc": s.sql.doc, "docs": s.sql.docs, "byKey": s.sql.byKey, "byState": s.sql.byState, "docsDue": s.sql.docsDue,
	}
}

// CheckAge is checkAge.
var CheckAge = checkAge

// Advice is advice.
var Advice = advice
