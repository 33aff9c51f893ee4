package sqlstore_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/sqlstore"
)

// arguments are those of the statements, typed as PostgreSQL has to be told for PREPARE.
var arguments = map[string]struct {
	types  string
	values []any
}{
	"claim":  {"text, bigint, bigint, bigint", []any{"q", 500_000, 10, 900_000}},
	"known":  {"text, text", []any{"q", "id-7"}},
	"mark":   {"text, text, integer", []any{"q", "id-7", 1}},
	"retry":  {"bigint, text, text, integer", []any{500_000, "q", "id-7", 1}},
	"park":   {"text, text, text, integer", []any{"reason", "q", "id-7", 1}},
	"parked": {"text, bigint", []any{"q", 10}},
	"sweep":  {"text, bigint, bigint", []any{"q", 500_000, 10}},

	"doc":     {"text, text", []any{"k", "000500"}},
	"docs":    {"text, text", []any{"k", "order/77"}},
	"byKey":   {"text, text, bigint, bigint, text, bigint, bigint", []any{"k", "all", 900, 900, "000900", 1_900, 10}},
	"byState": {"text, text, bigint, bigint, text, bigint, bigint", []any{"k", "s1", 900, 900, "000900", 1_900, 10}},
	"docsDue": {"bigint", []any{10}},
}

// indexes are those that a statement has to go by. That of the unique key has a name of the engine.
var indexes = map[string]string{
	"claim": "rentcar_items_due", "known": "", "mark": "", "retry": "", "park": "",
	"parked": "rentcar_items_ended", "sweep": "rentcar_items_ended",
}

var uniqueKey = map[sqlstore.Dialect]string{
	sqlstore.PostgreSQL: "rentcar_items_queue_id_key", sqlstore.MySQL: "rentcar_items_id",
	sqlstore.SQLite: "sqlite_autoindex_rentcar_items_1",
}

// No statement reads more rows than it needs, however many are done. PostgreSQL has the plan for any arguments,
// which it comes to after some calls of a prepared statement.
func TestPlans(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, db := newStore(t, e)
		fill(t, db, e.dialect)
		statements := s.Statements()
		for name, index := range indexes {
			wantPlan(t, e.dialect, explain(t, db, e.dialect, name, statements[name]), cmp.Or(index, uniqueKey[e.dialect]))
		}
		g := openGate(t, e, db, sqlstore.GateConfig{})
		for i, index := range []string{"rentcar_messages_expires", "rentcar_signatures_expires"} {
			name := fmt.Sprint("sweep_", i)
			wantPlan(t, e.dialect, explain(t, db, e.dialect, name, g.Sweeps()[i]), index)
		}
	})
}

// wantPlan checks that a plan goes by an index, and reads nothing else.
func wantPlan(t *testing.T, d sqlstore.Dialect, plan, index string) {
	t.Helper()
	if !strings.Contains(plan, index) {
		t.Errorf("%s does not go by %s:\n%s", d, index, plan)
	}
	for line := range strings.Lines(plan) {
		isScan := strings.Contains(line, " ALL ") && !strings.Contains(line, "<derived") // that of the chosen rows
		for _, bad := range []string{"Seq Scan", "SCAN ", "filesort", "TEMP B-TREE", "Sort"} {
			isScan = isScan || strings.Contains(line, bad)
		}
		if isScan {
			t.Errorf("%s reads more than it needs: %s:\n%s", d, strings.TrimSpace(line), plan)
		}
	}
}

// fill adds 20,000 done items, 2,000 waiting ones and 200 that are parked.
func fill(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
	t.Helper()
	const rows = 22_200
	series := "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < %d) "
	text := "'id-' || n"
	if d == sqlstore.MySQL {
		text = "CONCAT('id-', n)"
	}
	insert := "INSERT INTO rentcar_items (queue, id, digest, trace, data, state, added, due, ended) "
	values := "SELECT 'q', " + text + ", '', '', NULL, CASE WHEN n <= 20000 THEN 1 WHEN n <= 22000 THEN 0 ELSE 2 END," +
		" n, n * 10, CASE WHEN n <= 20000 OR n > 22000 THEN n * 10 END FROM s"
	query := fmt.Sprintf(series, rows) + insert + values
	analyze := map[sqlstore.Dialect]string{
		sqlstore.PostgreSQL: "ANALYZE rentcar_items", sqlstore.MySQL: "ANALYZE TABLE rentcar_items",
		sqlstore.SQLite: "ANALYZE",
	}[d]
	statements := []string{query, analyze}
	if d == sqlstore.MySQL {
		query = insert + fmt.Sprintf(series, rows) + values
		statements = []string{"SET SESSION max_recursive_iterations = 100000", query, analyze}
		if !isMariaDB(t, db) {
			statements[0] = "SET SESSION cte_max_recursion_depth = 100000"
		}
	}
	statements = append(statements, gateRows(d)...)
	conn := oneConn(t, db)
	defer func() { _ = conn.Close() }()
	for _, statement := range statements {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// gateRows adds 20,000 messages and signatures, of which few have expired.
func gateRows(d sqlstore.Dialect) []string {
	key, now := "CAST(seq AS TEXT)", "4000000000000"
	analyze := []string{"ANALYZE"}
	if d == sqlstore.MySQL {
		key, analyze = "CAST(seq AS CHAR)", []string{"ANALYZE TABLE rentcar_messages", "ANALYZE TABLE rentcar_signatures"}
	}
	expires := "CASE WHEN seq % 1000 = 0 THEN 1 ELSE " + now + " END FROM rentcar_items"
	return append([]string{
		"INSERT INTO rentcar_messages (message, digest, token, expires) SELECT " + key + ", '', '', " + expires,
		"INSERT INTO rentcar_signatures (signature, message, expires) SELECT " + key + ", '', " + expires,
	}, analyze...)
}

func isMariaDB(t *testing.T, db *sql.DB) bool {
	t.Helper()
	var version string
	if err := db.QueryRowContext(t.Context(), "SELECT VERSION()").Scan(&version); err != nil {
		t.Fatal(err)
	}
	return strings.Contains(version, "MariaDB")
}

func oneConn(t *testing.T, db *sql.DB) *sql.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	conn, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// explain returns the plan of a statement, a line for each row.
func explain(t *testing.T, db *sql.DB, d sqlstore.Dialect, name, statement string) string {
	t.Helper()
	conn := oneConn(t, db)
	defer func() { _ = conn.Close() }()
	args := arguments[name]
	query, values := "EXPLAIN "+statement, args.values
	if name == "claim" && d != sqlstore.PostgreSQL {
		values = values[:3]
	}
	switch d {
	case sqlstore.SQLite:
		query = "EXPLAIN QUERY PLAN " + statement
	case sqlstore.PostgreSQL:
		types := ""
		if args.types != "" {
			types = " (" + args.types + ")"
		}
		for _, prepare := range []string{
			"SET plan_cache_mode = force_generic_plan", "PREPARE plan_of_" + name + types + " AS " + statement,
		} {
			if _, err := conn.ExecContext(t.Context(), prepare); err != nil {
				t.Fatalf("%s: %v", prepare, err)
			}
		}
		var literals []string
		for _, value := range values {
			literals = append(literals, fmt.Sprintf("'%v'", value))
		}
		query, values = "EXPLAIN EXECUTE plan_of_"+name, nil
		if literals != nil {
			query += "(" + strings.Join(literals, ", ") + ")"
		}
	}
	rows, err := conn.QueryContext(t.Context(), query, values...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		cells, dest := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range cells {
			dest[i] = &cells[i]
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		for _, cell := range cells {
			plan.WriteString(cell.String + " ")
		}
		plan.WriteString("\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
