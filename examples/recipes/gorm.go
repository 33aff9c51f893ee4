package recipes

import (
	"context"
	"database/sql"
	"fmt"

	"gorm.io/gorm"

	"github.com/fliggy-go/rentcar/sqlstore"
)

// GORMOf returns a GORM session in the transaction of the event that ctx belongs to: what it writes and the mark of the
// event are one. db is on the database of the store, with PrepareStmt or without.
func GORMOf(ctx context.Context, db *gorm.DB) (*gorm.DB, error) {
	tx, err := sqlstore.Tx(ctx)
	if err != nil {
		return nil, err
	}
	session := db.Session(&gorm.Session{NewDB: true, Context: ctx}) // without Context it would share the Statement of db
	session.Statement.ConnPool = tx
	return session, nil
}

// WithGORM is the other direction. tx is what gorm.DB.Transaction gives to its function: what an outbox adds with the
// context returned is stored when that transaction commits.
func WithGORM(ctx context.Context, tx *gorm.DB) (context.Context, error) {
	pool := tx.Statement.ConnPool
	if prepared, ok := pool.(*gorm.PreparedStmtTX); ok { // PrepareStmt is on
		pool = prepared.Tx
	}
	inner, ok := pool.(*sql.Tx)
	if !ok {
		return nil, fmt.Errorf("no transaction but a %T: call it in gorm.DB.Transaction", pool)
	}
	return sqlstore.WithTx(ctx, inner), nil
}
