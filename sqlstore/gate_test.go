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

// What has expired is deleted by the first call of a process, and once a minute from there.
func TestGateSweeps(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		const short = 30 * time.Millisecond
		g := newGate(t, e, sqlstore.GateConfig{Age: short, Lease: short})
		begin := func(g *sqlstore.Gate, key string) qimen.Claim {
			t.Helper()
			c, err := g.Begin(t.Context(), key, "digest", "signature of "+key)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		rows := func() (messages, signatures int) {
			t.Helper()
			err := g.DB().QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM rentcar_messages), "+
				"(SELECT COUNT(*) FROM rentcar_signatures)").Scan(&messages, &signatures)
			if err != nil {
				t.Fatal(err)
			}
			return messages, signatures
		}
		for _, key := range []string{"a", "b", "c"} {
			begin(g, key)
		}
		if messages, signatures := rows(); messages != 3 || signatures != 3 {
			t.Errorf("%d messages and %d signatures are stored; want 3 and 3", messages, signatures)
		}
		end := time.Now().Add(10 * time.Second)
		for begin(g, "c").State != qimen.ClaimNew { // now a and b have expired too
			if time.Now().After(end) {
				t.Fatal("a claim of 30 ms has not run out after 10 s")
			}
		}
		begin(openGate(t, e, another(t, g.DB()), sqlstore.GateConfig{}), "d") // which sees to it
		if messages, signatures := rows(); messages > 2 || signatures > 2 {
			t.Errorf("%d messages and %d signatures are stored after those of a and b have expired; want those of c and d",
				messages, signatures)
		}
	})
}
