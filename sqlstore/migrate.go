package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A Config configures the tables. The zero Config has the defaults.
type Config struct {
	// Prefix begins the names of the tables and indexes: "rentcar_" by default. Lower-case letters, digits and
	// underscores, 30 at most, not beginning with a digit.
	Prefix string
}

// DefaultPrefix is the default of [Config.Prefix].
const DefaultPrefix = "rentcar_"

var prefixes = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,29}$`)

// prefix returns the prefix of the tables.
func (c Config) prefix() (string, error) {
	if c.Prefix == "" {
		return DefaultPrefix, nil
	}
	if !prefixes.MatchString(c.Prefix) {
		return "", fmt.Errorf("sqlstore: Config.Prefix: %.40q: want lower-case letters, digits and underscores, "+
			"30 at most, not beginning with a digit", c.Prefix)
	}
	return c.Prefix, nil
}

// A Migration is a step of the schema.
type Migration struct {
	Version    int      // from 1 on
	Statements []string // to be executed in this order
}

// Migrations returns the schema in steps, for whoever executes it with a tool of their own. Each step ends with the
// statement that records its version, which [New] looks at.
func Migrations(dialect Dialect, cfg Config) ([]Migration, error) {
	prefix, err := cfg.prefix()
	if err = errors.Join(dialect.check(), err); err != nil {
		return nil, err
	}
	text, err := migrations.ReadFile("migrations/" + string(dialect) + ".sql")
	if err != nil {
		return nil, err
	}
	var list []Migration
	for n, step := range regexp.MustCompile(`(?m)^-- version \d+\n`).Split(string(text), -1) {
		if n == 0 {
			continue // what is before the first
		}
		m := Migration{Version: n}
		for statement := range strings.SplitSeq(strings.TrimSpace(step), ";\n") {
			m.Statements = append(m.Statements, strings.TrimSuffix(strings.ReplaceAll(statement, "rentcar_", prefix), ";"))
		}
		m.Statements = append(m.Statements, fmt.Sprintf("INSERT INTO %sschema (version) VALUES (%d)", prefix, n))
		list = append(list, m)
	}
	list[0].Statements = append([]string{versionTable(prefix)}, list[0].Statements...)
	return list, nil
}

func versionTable(prefix string) string {
	return "CREATE TABLE IF NOT EXISTS " + prefix + "schema (version INTEGER NOT NULL PRIMARY KEY)"
}

// migrationTime bounds a migration that others wait for.
const migrationTime = 5 * time.Minute

// Migrate creates the tables, or brings them up to the version of this package. It may be called at each start, and by
// any number of processes at once: one does the work, the others wait.
func Migrate(ctx context.Context, db *sql.DB, dialect Dialect, cfg Config) error {
	steps, err := Migrations(dialect, cfg)
	if err != nil {
		return err
	}
	if db == nil {
		return errNoDB
	}
	prefix, _ := cfg.prefix()
	if err := ping(ctx, db, dialect); err != nil {
		return err
	}
	if err := checkDriver(ctx, db); err != nil {
		return wrap("migrating", err)
	}
	ctx, cancel := context.WithTimeout(ctx, migrationTime)
	defer cancel()
	conn, err := db.Conn(ctx)
	if err != nil {
		return wrap("migrating: connecting", err)
	}
	defer func() { _ = conn.Close() }()
	m := migrator{conn: conn, dialect: dialect, prefix: prefix}
	unlock, err := m.lock(ctx)
	if err != nil {
		return wrap("migrating: waiting for others", err)
	}
	defer unlock()
	return wrap("migrating", m.run(ctx, steps))
}

// A migrator brings the schema up to date on one connection.
type migrator struct {
	conn    *sql.Conn
	dialect Dialect
	prefix  string
}

// key is that of the lock which keeps other processes from migrating at the same time.
func (m *migrator) key() int64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte("github.com/fliggy-go/rentcar/sqlstore " + m.prefix))
	return int64(hash.Sum64()) //nolint:gosec // any 64 bits do
}

// unlockTime bounds the statement that gives the lock back.
const unlockTime = 10 * time.Second

// lock takes the lock on MySQL, for the connection. On PostgreSQL each step takes it for its transaction, since behind
// a pooler the next statement may run on another connection. On SQLite a transaction that writes is lock enough.
func (m *migrator) lock(ctx context.Context) (unlock func(), err error) {
	if m.dialect != MySQL {
		return func() {}, nil
	}
	var got sql.NullInt64
	name := "rentcar" + strconv.FormatInt(m.key(), 36)
	err = m.conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", name, int(migrationTime.Seconds())).Scan(&got)
	if err == nil && got.Int64 != 1 {
		err = errors.New("GET_LOCK was not granted in time")
	}
	return func() { // ctx may be over; if this fails, closing the connection does it
		unlocking, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTime)
		defer cancel()
		_, _ = m.conn.ExecContext(unlocking, "DO RELEASE_LOCK(?)", name)
	}, err
}

// run executes the steps that are missing, each in a transaction. MySQL commits at each statement of the schema
// whatever the transaction is, so each of its statements may be executed again.
func (m *migrator) run(ctx context.Context, steps []Migration) error {
	for _, step := range steps {
		err := again(ctx, func() error { return m.step(ctx, step) })
		if err != nil {
			return fmt.Errorf("version %d: %w", step.Version, err)
		}
	}
	return nil
}

func (m *migrator) step(ctx context.Context, step Migration) (err error) {
	// At READ COMMITTED: whoever has waited for the lock has to see what the other has done.
	tx, err := m.conn.BeginTx(ctx, m.dialect.txOptions())
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	if m.dialect == PostgreSQL {
		if _, err = tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", m.key()); err != nil {
			return err
		}
	}
	if _, err = tx.ExecContext(ctx, versionTable(m.prefix)); err != nil {
		return err
	}
	version, err := versionOf(ctx, tx, m.prefix)
	if err != nil {
		return err
	}
	if version < step.Version {
		for _, statement := range step.Statements {
			if _, err = tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

// versionOf returns the version of the schema, 0 for none.
func versionOf(ctx context.Context, q querier, prefix string) (version int, err error) {
	err = q.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM "+prefix+"schema").Scan(&version)
	return version, err
}
