package sqlstore_test

import (
	"testing"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/durable/storetest"
	"github.com/fliggy-go/rentcar/sqlstore"
)

func TestStore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		storetest.Run(t, storetest.Subject{
			Transactions: true,
			New: func(t *testing.T) durable.Store {
				s, _ := newStore(t, e)
				return s
			},
			Reopen: func(t *testing.T, s durable.Store) durable.Store {
				again, err := sqlstore.New(t.Context(), s.(*sqlstore.Store).DB(), e.dialect, sqlstore.Config{})
				if err != nil {
					t.Fatal(err)
				}
				return again
			},
		})
	})
}
