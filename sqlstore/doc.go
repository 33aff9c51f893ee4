// Package sqlstore keeps durable work, and recognises repeated messages, on the SQL database that you have: PostgreSQL
// 13+, MySQL 8 or MariaDB 10.6+, SQLite 3.35+. It works on database/sql with your own driver and pool.
//
//	err := sqlstore.Migrate(ctx, db, sqlstore.PostgreSQL, sqlstore.Config{}) // at each start
//	store, err := sqlstore.New(ctx, db, sqlstore.PostgreSQL, sqlstore.Config{})
//	inbox, err := durable.NewInbox(store, durable.Config{Workers: 8})
//	gate, err := sqlstore.NewGate(ctx, db, sqlstore.PostgreSQL, sqlstore.GateConfig{})
//	book, err := lifecycle.Open(client, store, ...) // a journal of renewals, in place of inbox and gate
//
// In the function for an event, [Tx] is the transaction in which the event is marked as done: what the function writes
// with it, the mark, and what it adds to an outbox on the same store happen together or not at all.
//
// CI tests PostgreSQL, MariaDB and SQLite. MySQL 8 is meant to work, and tested by whoever sets RENTCAR_TEST_MYSQL.
package sqlstore
