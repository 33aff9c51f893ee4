package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
)

var errNoDB = errors.New("sqlstore: the *sql.DB is nil")

// New returns a store on the tables that [Migrate] makes. It asks the database whether it can work there. The error
// says what is wrong, and what to do.
func New(ctx context.Context, db *sql.DB, dialect Dialect, cfg Config) (*Store, error) {
	b, err := open(ctx, db, dialect, cfg, "items", "docs", "keys")
	if err != nil {
		return nil, err
	}
	return &Store{b.database, statementsOf(dialect, b.prefix), b.limit}, nil
}

// A base is what is known of a database.
type base struct {
	database
	prefix string
	limit  int
}

// open checks a database, and that it has these tables.
func open(ctx context.Context, db *sql.DB, dialect Dialect, cfg Config, tables ...string) (b base, err error) {
	b.database = database{db: db, dialect: dialect}
	b.prefix, err = cfg.prefix()
	if err = errors.Join(dialect.check(), err); err != nil {
		return b, err
	}
	if db == nil {
		return b, errNoDB
	}
	if err := ping(ctx, db, dialect); err != nil {
		return b, err
	}
	if err := checkDriver(ctx, db); err != nil {
		return b, fmt.Errorf("sqlstore: %w", err)
	}
	if most := db.Stats().MaxOpenConnections; dialect != SQLite && most == 1 {
		return b, errors.New("sqlstore: the pool has one connection: while a transaction has it, everything else would " +
			"wait for ever; set SetMaxOpenConns to at least the number of workers plus 2")
	}
	check := map[Dialect]func(context.Context, *sql.DB, *base) error{
		PostgreSQL: checkPostgreSQL, MySQL: checkMySQL, SQLite: checkSQLite,
	}[dialect]
	if err := check(ctx, db, &b); err != nil {
		return b, fmt.Errorf("sqlstore: %w", err)
	}
	if err := checkVersion(ctx, db, dialect, b.prefix); err != nil {
		return b, err
	}
	return b, wrap("looking at the tables", checkTables(ctx, db, b.prefix, tables))
}

// checkDriver refuses a driver whose statements do not end with their context, so that a lost server would stop the
// workers for ever. It has no isolation levels either.
func checkDriver(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(c any) error {
		_, begins := c.(driver.ConnBeginTx)
		_, queries := c.(driver.QueryerContext)
		_, prepares := c.(driver.ConnPrepareContext)
		if !begins || !queries && !prepares {
			return fmt.Errorf("the driver (%T) has no support for contexts, so that a statement might never end: "+
				"use another one", c)
		}
		return nil
	})
}

// ping asks whether the database is there.
func ping(ctx context.Context, db *sql.DB, dialect Dialect) error {
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("sqlstore: the %s database does not answer: check that it runs, and the data source name: %w",
			dialect, err)
	}
	return nil
}

// checkTables finds a table that is not there although the schema has its version.
func checkTables(ctx context.Context, db *sql.DB, prefix string, tables []string) error {
	for _, table := range tables {
		var none int
		err := db.QueryRowContext(ctx, "SELECT 1 FROM "+prefix+table+" WHERE 1 = 0").Scan(&none)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	return nil
}

// checkVersion compares the version of the schema with that of this package.
func checkVersion(ctx context.Context, db *sql.DB, dialect Dialect, prefix string) error {
	steps, err := Migrations(dialect, Config{Prefix: prefix})
	if err != nil {
		return err
	}
	version, err := versionOf(ctx, db, prefix)
	switch want := len(steps); {
	case err != nil:
		return fmt.Errorf("sqlstore: the table %sschema cannot be read: has sqlstore.Migrate been called? %w", prefix, err)
	case version < want:
		return fmt.Errorf("sqlstore: the schema has version %d and this program needs %d: call sqlstore.Migrate",
			version, want)
	case version > want:
		return fmt.Errorf("sqlstore: the schema has version %d and this program knows %d: use a newer version of sqlstore",
			version, want)
	}
	return nil
}

func checkPostgreSQL(ctx context.Context, db *sql.DB, b *base) error {
	var isolation string
	var version int
	err := db.QueryRowContext(ctx, "SELECT current_setting('transaction_isolation'), "+
		"CAST(current_setting('server_version_num') AS INTEGER)").Scan(&isolation, &version)
	if err != nil {
		return fmt.Errorf("is this PostgreSQL? %w", err)
	}
	if version < 130000 {
		return fmt.Errorf("PostgreSQL %d is too old: 13 or newer is needed", version/10000)
	}
	b.plain = isolation == "read committed"
	b.limit = 512 << 20 // half of what a bytea holds, since the text form of bytes has two characters for each
	return nil
}

func checkMySQL(ctx context.Context, db *sql.DB, b *base) error {
	var autocommit, packet int
	var version string
	const settings = "SELECT @@autocommit, @@max_allowed_packet, VERSION()"
	err := db.QueryRowContext(ctx, settings).Scan(&autocommit, &packet, &version)
	if err != nil {
		return fmt.Errorf("is this MySQL or MariaDB? %w", err)
	}
	oldest := [2]int{8, 0}
	if strings.Contains(version, "MariaDB") {
		oldest = [2]int{10, 6}
	}
	if err := checkAge(version, oldest); err != nil {
		return err
	}
	if autocommit == 0 {
		return errors.New("autocommit is off, so that nothing would be stored: remove autocommit=0 from the data source name")
	}
	var isolation string
	err = db.QueryRowContext(ctx, "SELECT @@transaction_isolation").Scan(&isolation)
	if err != nil { // MariaDB before 11.1
		err = db.QueryRowContext(ctx, "SELECT @@tx_isolation").Scan(&isolation)
	}
	b.plain = err == nil && strings.EqualFold(isolation, "READ-COMMITTED")
	const others = 4096 // of the other columns and the statement
	b.limit = packet - others
	return nil
}

// checkAge refuses a server that is older than a version.
func checkAge(version string, oldest [2]int) error {
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return fmt.Errorf("version %.40q of the database cannot be read: %w", version, err)
	}
	if major < oldest[0] || major == oldest[0] && minor < oldest[1] {
		return fmt.Errorf("version %.40s of the database is too old: %d.%d or newer is needed", version, oldest[0], oldest[1])
	}
	return nil
}

func checkSQLite(ctx context.Context, db *sql.DB, b *base) (err error) {
	b.plain = true
	b.limit = 500_000_000 // half of SQLITE_MAX_LENGTH
	if most := db.Stats().MaxOpenConnections; most != 1 {
		return errors.New("SQLite has one writer at a time: call SetMaxOpenConns(1) on the *sql.DB")
	}
	var timeout int
	var version string
	if err := db.QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&timeout); err != nil {
		return fmt.Errorf("is this SQLite? %w", err)
	}
	if timeout < 1000 {
		return fmt.Errorf("busy_timeout is %d ms, so that another process would make writes fail: "+
			"add _pragma=busy_timeout(10000) to the data source name", timeout)
	}
	if err := db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if err := checkAge(version, [2]int{3, 35}); err != nil {
		return err
	}
	// A transaction that begins with a read fails when another process has written before it writes itself.
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("the database cannot be written to: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	var busy, log, moved int
	if err := tx.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &log, &moved); err == nil {
		return errors.New("transactions begin without a lock: add _txlock=immediate to the data source name")
	}
	return nil
}
