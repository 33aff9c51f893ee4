package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Dialect is the kind of database behind a *sql.DB.
type Dialect string

// The dialects.
const (
	PostgreSQL Dialect = "postgres" // PostgreSQL 13 or newer
	MySQL      Dialect = "mysql"    // MySQL 8, MariaDB 10.6, or newer
	SQLite     Dialect = "sqlite"   // SQLite 3.35 or newer
)

func (d Dialect) check() error {
	switch d {
	case PostgreSQL, MySQL, SQLite:
		return nil
	}
	return fmt.Errorf("sqlstore: dialect %.40q: want sqlstore.PostgreSQL, MySQL or SQLite", string(d))
}

// bind puts the placeholders of the dialect in the place of each question mark.
func (d Dialect) bind(query string) string {
	if d != PostgreSQL {
		return query
	}
	var b strings.Builder
	n := 0
	for _, part := range strings.SplitAfter(query, "?") {
		text, isParam := strings.CutSuffix(part, "?")
		b.WriteString(text)
		if isParam {
			n++
			b.WriteString("$" + strconv.Itoa(n))
		}
	}
	return b.String()
}

// txOptions are those of claims, marks and migrations. At REPEATABLE READ, the default of MySQL, workers that add and
// claim at the same time lock each other out; see docs/scaling.md. SQLite has one writer at a time, and one level.
func (d Dialect) txOptions() *sql.TxOptions {
	if d == SQLite {
		return nil
	}
	return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
}

// now returns the expression for the clock of the server in milliseconds since 1970. SQLite has that of the host.
func (d Dialect) now() string {
	switch d {
	case PostgreSQL: // now() would be the start of the transaction
		return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
	case MySQL:
		return "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000)"
	}
	return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
}

// mysqlError finds the number in the text of an error of go-sql-driver/mysql, which this module does not import.
var mysqlError = regexp.MustCompile(`^Error (\d+)\b`)

// codeOf returns the error code of the database in err: SQLSTATE for PostgreSQL, the number for MySQL.
func codeOf(err error) string {
	var state interface{ SQLState() string } // pgx and lib/pq
	if errors.As(err, &state) {
		return state.SQLState()
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if m := mysqlError.FindStringSubmatch(err.Error()); m != nil {
			return m[1]
		}
	}
	return ""
}

// isConflict reports whether err is a deadlock, a lock that did not come in time, or a serialization failure: the same
// statement can succeed later.
func isConflict(err error) bool {
	switch codeOf(err) {
	case "40001", "40P01", "55P03", "1205", "1213", "1020":
		return true
	}
	return false
}

// isDuplicate reports whether err says that a row of the same key is there.
func isDuplicate(err error) bool {
	code := codeOf(err)
	return code == "1062" || code == "23505"
}

// advice says what to do about an error, as the beginning of a text, or nothing.
func advice(err error) string {
	const (
		away = "the database does not answer: what it has stored is worked on when it is back: "
		full = "the database has no room: nothing that it has stored is lost, and work goes on when its disk has room: "
		gone = "a table is missing: restore it, or drop those that are left, that of the schema too, " +
			"and call sqlstore.Migrate for empty ones: "
		over = "the transaction ended before, with what was written in it: " +
			"return the errors of its statements, and change no tables in it: "
		many = "the database has no connection left: lower SetMaxOpenConns, or raise its max_connections: "
	)
	switch code := codeOf(err); code {
	case "53100", "1021", "1114": // disk full
		return full
	case "42P01", "1146":
		return gone
	case "1305":
		return over
	case "53300", "1040", "1203": // too many connections
		return many
	case "57P01", "57P02", "57P03", "1053": // it stops, or starts
		return away
	}
	var dial *net.OpError
	if errors.As(err, &dial) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF) {
		return away
	}
	for _, text := range []string{"invalid connection", "conn closed"} { // of go-sql-driver/mysql and pgx
		if strings.HasSuffix(err.Error(), text) {
			return away
		}
	}
	switch text := err.Error(); {
	case strings.Contains(text, "disk is full"): // of any driver for SQLite
		return full
	case strings.Contains(text, "no such table"):
		return gone
	case strings.Contains(text, "no such savepoint"):
		return over
	case strings.HasSuffix(text, "sql: database is closed"):
		return "the *sql.DB was closed: do that when Run has returned: "
	}
	return ""
}

// conflicts is how often a statement of this package is tried again after a conflict.
const conflicts = 5

// again calls f until it ends without a conflict, with a short random wait between, so that those who met do not meet
// again.
func again(ctx context.Context, f func() error) error {
	for n := 1; ; n++ {
		err := f()
		if err == nil || !isConflict(err) || n > conflicts {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rand.N(time.Duration(n) * 10 * time.Millisecond)):
		}
	}
}
