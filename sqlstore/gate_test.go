package sqlstore_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable/storetest"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/sqlstore"
)

func TestGate(t *testing.T) {
	t.Parallel()
	const short = 30 * time.Millisecond
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		storetest.TestGate(t, storetest.GateSubject{
			New: func(t *testing.T) qimen.Gate { return newGate(t, e, sqlstore.GateConfig{}) },
			Another: func(t *testing.T, g qimen.Gate) qimen.Gate {
				return openGate(t, e, another(t, g.(*sqlstore.Gate).DB()), sqlstore.GateConfig{})
			},
			ShortLease: func(t *testing.T) qimen.Gate { return newGate(t, e, sqlstore.GateConfig{Lease: short}) },
			ShortAge:   func(t *testing.T) qimen.Gate { return newGate(t, e, sqlstore.GateConfig{Age: short}) },
		})
	})
}

// newGate makes a gate on tables of its own.
func newGate(t testing.TB, e engine, cfg sqlstore.GateConfig) *sqlstore.Gate {
	t.Helper()
	db := e.open(t)
	if err := sqlstore.Migrate(t.Context(), db, e.dialect, sqlstore.Config{}); err != nil {
		t.Fatal(err)
	}
	return openGate(t, e, db, cfg)
}

func openGate(t testing.TB, e engine, db *sql.DB, cfg sqlstore.GateConfig) *sqlstore.Gate {
	t.Helper()
	g, err := sqlstore.NewGate(t.Context(), db, e.dialect, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
