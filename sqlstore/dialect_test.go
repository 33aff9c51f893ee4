package sqlstore_test

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fliggy-go/rentcar/sqlstore"
)

// Errors of the drivers say what to do, where somebody has to do something.
func TestAdvice(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&pgconn.PgError{Code: "53100"}, "no room"},
		{&mysql.MySQLError{Number: 1114}, "no room"},
		{errors.New("database or disk is full (13)"), "no room"},
		{&pgconn.PgError{Code: "53300"}, "lower SetMaxOpenConns"},
		{&mysql.MySQLError{Number: 1040}, "lower SetMaxOpenConns"},
		{&pgconn.PgError{Code: "57P03"}, "does not answer"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: io.EOF}, "does not answer"},
		{io.ErrUnexpectedEOF, "does not answer"},
		{driver.ErrBadConn, "does not answer"},
		{mysql.ErrInvalidConn, "does not answer"},
		{errors.New("conn closed"), "does not answer"},
		{&pgconn.PgError{Code: "42P01"}, "call sqlstore.Migrate"},
		{&mysql.MySQLError{Number: 1146}, "call sqlstore.Migrate"},
		{errors.New("SQL logic error: no such table: rentcar_items (1)"), "call sqlstore.Migrate"},
		{errors.New("sql: database is closed"), "when Run has returned"},
		{&pgconn.PgError{Code: "42501"}, ""},
		{errors.New("another"), ""},
	} {
		got := sqlstore.Advice(fmt.Errorf("something: %w", tt.err))
		if !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%v: %q; want %q", tt.err, got, tt.want)
		}
	}
}
