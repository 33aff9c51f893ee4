package sqlstore_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/fliggy-go/rentcar/sqlstore"
)

// Any number of processes may migrate at once, and again.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		db := e.open(t)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if err := sqlstore.Migrate(t.Context(), db, e.dialect, sqlstore.Config{}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if _, err := sqlstore.New(t.Context(), db, e.dialect, sqlstore.Config{}); err != nil {
			t.Error(err)
		}
	})
}

// Two prefixes are two stores in one database.
func TestPrefix(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		db := e.open(t)
		var stores []*sqlstore.Store
		for _, cfg := range []sqlstore.Config{{}, {Prefix: "second_"}} {
			if err := sqlstore.Migrate(t.Context(), db, e.dialect, cfg); err != nil {
				t.Fatal(err)
			}
			s, err := sqlstore.New(t.Context(), db, e.dialect, cfg)
			if err != nil {
				t.Fatal(err)
			}
			stores = append(stores, s)
		}
		for _, s := range stores {
			if known, err := s.Add(t.Context(), item("in", "a")); known != nil || err != nil {
				t.Error(known, err)
			}
		}
	})
	for _, prefix := range []string{"Upper_", "9a_", "a-b", "a;", strings.Repeat("a", 31)} {
		_, err := sqlstore.Migrations(sqlstore.SQLite, sqlstore.Config{Prefix: prefix})
		wantError(t, err, "Config.Prefix", "lower-case letters")
	}
}

// The schema by hand is that of Migrate.
func TestMigrations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		db := e.open(t)
		steps, err := sqlstore.Migrations(e.dialect, sqlstore.Config{})
		if err != nil {
			t.Fatal(err)
		}
		for n, step := range steps {
			if step.Version != n+1 {
				t.Errorf("step %d has version %d", n, step.Version)
			}
			for _, statement := range step.Statements {
				if _, err := db.ExecContext(t.Context(), statement); err != nil {
					t.Fatalf("%s: %v", statement, err)
				}
			}
		}
		if _, err := sqlstore.New(t.Context(), db, e.dialect, sqlstore.Config{}); err != nil {
			t.Error(err)
		}
		if err := sqlstore.Migrate(t.Context(), db, e.dialect, sqlstore.Config{}); err != nil {
			t.Error(err)
		}
	})
}
