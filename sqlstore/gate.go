package sqlstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/qimen"
)

// A Gate is a [qimen.Gate] on a SQL database, shared by all processes on it: a message that comes to several of them
// runs once. Make it with [NewGate]. Its times are those of the database server.
type Gate struct {
	database
	sql gateStatements

	mu    sync.Mutex
	swept time.Time // when rows that have expired were deleted here
}

var _ qimen.Gate = (*Gate)(nil)

// A GateConfig configures a Gate. The zero GateConfig has the defaults.
type GateConfig struct {
	Config
	// Age is how long replies and signatures are kept: [qimen.DefaultGateAge] by default, and at least twice the window
	// of the handler (see [qimen.WithWindow]), within which a recorded push can be sent again.
	Age time.Duration
	// Lease is how long a claim lasts whose process has died: [DefaultLease] by default, and at least three times the
	// time limit of the handler (see [qimen.WithHandlerTimeout]).
	Lease time.Duration
}

// DefaultLease is the default of [GateConfig.Lease].
const DefaultLease = 3 * qimen.DefaultHandlerTimeout

// NewGate returns a gate on the tables that [Migrate] makes. Like [New] it asks the database whether it can work there.
func NewGate(ctx context.Context, db *sql.DB, dialect Dialect, cfg GateConfig) (*Gate, error) {
	var problems []error
	for field, d := range map[string]time.Duration{"Age": cfg.Age, "Lease": cfg.Lease} {
		if d != 0 && d < time.Millisecond {
			problems = append(problems,
				fmt.Errorf("sqlstore: GateConfig.%s: must be at least a millisecond, or 0 for the default", field))
		}
	}
	if problems != nil {
		return nil, errors.Join(problems...)
	}
	b, err := open(ctx, db, dialect, cfg.Config, "messages", "signatures")
	if err != nil {
		return nil, err
	}
	age, lease := cmp.Or(cfg.Age, qimen.DefaultGateAge), cmp.Or(cfg.Lease, DefaultLease)
	return &Gate{database: b.database, sql: gateStatementsOf(dialect, b.prefix, age, lease)}, nil
}

// gateStatements are those of a dialect, with the prefix of its tables and the times.
type gateStatements struct {
	lock     string // number of the key; empty where no lock is needed
	locks    uint64 // how many numbers there are
	sign     string // signature, message: returns the message that has the signature
	signed   string // signature: for MySQL, which does not return
	claim    string // message, digest, token: returns the token and the reply
	claimed  string // message, digest: for MySQL
	conflict string // message, digest
	finish   string // reply, message, digest, token
	abandon  string // message, digest, token
	unsign   string // signature, message
	sweep    [2]string
}

func gateStatementsOf(d Dialect, prefix string, age, lease time.Duration) gateStatements {
	keep := d.now() + " + " + strconv.FormatInt(age.Milliseconds(), 10)
	hold := d.now() + " + " + strconv.FormatInt(lease.Milliseconds(), 10)
	// A row that has expired is taken over. expires comes last: MySQL assigns from left to right.
	takeOver := func(table string, columns ...string) string {
		name, isNew := "excluded.%s", table+".expires < "+d.now()
		if d == MySQL {
			name = "VALUES(%s)"
		}
		var set []string
		for _, c := range append(columns, "expires") {
			set = append(set, fmt.Sprintf("%s = CASE WHEN %s THEN "+name+" ELSE %s.%s END", c, isNew, c, table, c))
		}
		return strings.Join(set, ", ")
	}
	const messages, signatures = "rentcar_messages", "rentcar_signatures"
	s := gateStatements{
		sign: "INSERT INTO rentcar_signatures (signature, message, expires) VALUES (?, ?, " + keep + ")",
		claim: "INSERT INTO rentcar_messages (message, digest, token, reply, expires) VALUES (?, ?, ?, NULL, " +
			hold + ")",
		conflict: "SELECT COUNT(*) FROM rentcar_messages WHERE message = ? AND digest <> ? AND expires >= " + d.now(),
		finish: "UPDATE rentcar_messages SET reply = ?, expires = " + keep +
			" WHERE message = ? AND digest = ? AND token = ?",
		abandon: "DELETE FROM rentcar_messages WHERE message = ? AND digest = ? AND token = ?",
		unsign:  "DELETE FROM rentcar_signatures WHERE signature = ? AND message = ?",
	}
	size := strconv.Itoa(sweepSize)
	if d == MySQL {
		s.sign += " ON DUPLICATE KEY UPDATE " + takeOver(signatures, "message")
		s.claim += " ON DUPLICATE KEY UPDATE " + takeOver(messages, "token", "reply")
		s.signed = "SELECT message FROM rentcar_signatures WHERE signature = ?"
		s.claimed = "SELECT token, reply FROM rentcar_messages WHERE message = ? AND digest = ?"
		// Two contents of one message would lock each other out.
		s.lock, s.locks = "SELECT n FROM rentcar_locks WHERE n = ? FOR UPDATE", 512
		for i, table := range []string{messages, signatures} {
			s.sweep[i] = "DELETE FROM " + table + " WHERE expires < " + d.now() + " LIMIT " + size
		}
	} else {
		s.sign += " ON CONFLICT (signature) DO UPDATE SET " + takeOver(signatures, "message") + " RETURNING message"
		s.claim += " ON CONFLICT (message, digest) DO UPDATE SET " + takeOver(messages, "token", "reply") +
			" RETURNING token, reply"
		for i, table := range [][2]string{{messages, "message, digest"}, {signatures, "signature"}} {
			s.sweep[i] = "DELETE FROM " + table[0] + " WHERE (" + table[1] + ") IN (SELECT " + table[1] +
				" FROM " + table[0] + " WHERE expires < " + d.now() + " LIMIT " + size + ")"
		}
	}
	if d == PostgreSQL {
		// Two contents of one message would not see each other.
		s.lock, s.locks = "SELECT pg_advisory_xact_lock(?)", math.MaxInt64
		for i, table := range []string{messages, signatures} {
			// IN would compare all rows, and a clock that is not read first goes by no index.
			isOver := " WHERE expires < (SELECT " + d.now() + ")"
			s.sweep[i] = "DELETE FROM " + table + isOver + " AND ctid = ANY (ARRAY(SELECT ctid FROM " + table + isOver +
				" LIMIT " + size + "))"
		}
	}
	for _, text := range []*string{
		&s.lock, &s.sign, &s.signed, &s.claim, &s.claimed, &s.conflict, &s.finish, &s.abandon, &s.unsign,
		&s.sweep[0], &s.sweep[1],
	} {
		*text = d.bind(strings.ReplaceAll(*text, "rentcar_", prefix))
	}
	return s
}

// hash is how a key, a digest or a signature is stored: they are of any length. The lengths of the parts count, so that
// no others give the same.
func hash(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		_, _ = fmt.Fprintf(sum, "%d:%s", len(part), part) // never fails
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// undoTimeout is how long Begin tries to take back a claim of which it heard nothing.
const undoTimeout = time.Second

// Begin is part of [qimen.Gate].
func (g *Gate) Begin(ctx context.Context, key, digest, signature string) (qimen.Claim, error) {
	g.sweep(ctx)
	own := qimen.Claim{Key: key, Digest: digest, Signature: signature, Token: rand.Text()}
	var c qimen.Claim
	err := g.inTx(ctx, false, func(q querier) (err error) {
		c, err = g.begin(ctx, q, own)
		return err
	})
	if err != nil {
		if c.State == qimen.ClaimNew { // the commit failed, or its answer was lost
			undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
			defer cancel()
			_ = g.Abandon(undo, own)
		}
		return qimen.Claim{}, wrap("gate: claiming", err)
	}
	return c, nil
}

// hold lets one transaction at a time deal with a key.
func (g *Gate) hold(ctx context.Context, q querier, message string) error {
	if g.sql.lock == "" {
		return nil
	}
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(message))
	//nolint:gosec // it is less than math.MaxInt64
	_, err := q.ExecContext(ctx, g.sql.lock, int64(sum.Sum64()%g.sql.locks))
	return err
}

// begin claims a message in a transaction.
func (g *Gate) begin(ctx context.Context, q querier, c qimen.Claim) (qimen.Claim, error) {
	message, digest := hash(c.Key), hash(c.Digest)
	if err := g.hold(ctx, q, message); err != nil {
		return c, err
	}
	if c.Signature != "" {
		own, owner := hash(c.Key, c.Digest), ""
		if err := g.upsert(ctx, q, g.sql.sign, []any{hash(c.Signature), own}, g.sql.signed, 1, &owner); err != nil {
			return c, err
		}
		if owner != own {
			c.State = qimen.ClaimRecut
			return c, nil
		}
	}
	var token string
	var reply []byte
	err := g.upsert(ctx, q, g.sql.claim, []any{message, digest, c.Token}, g.sql.claimed, 2, &token, &reply)
	switch {
	case err != nil:
		return c, err
	case token == c.Token:
		c.State = qimen.ClaimNew
		var others int
		err = q.QueryRowContext(ctx, g.sql.conflict, message, digest).Scan(&others)
		c.IsConflict = others > 0
		return c, err
	case reply == nil:
		c.State = qimen.ClaimRunning
		return c, nil
	}
	c.State = qimen.ClaimFinished
	if err := json.Unmarshal(reply, &c.Reply); err != nil {
		return c, fmt.Errorf("the stored reply is not readable: %w", err)
	}
	return c, nil
}

// upsert inserts a row, or takes over one that has expired, and reads what is there then: by the same statement, or by
// another one with the first n arguments.
func (g *Gate) upsert(ctx context.Context, q querier, text string, args []any, read string, n int, dest ...any) error {
	if read == "" {
		return q.QueryRowContext(ctx, text, args...).Scan(dest...)
	}
	if _, err := q.ExecContext(ctx, text, args...); err != nil {
		return err
	}
	return q.QueryRowContext(ctx, read, args[:n]...).Scan(dest...)
}

// Finish is part of [qimen.Gate].
func (g *Gate) Finish(ctx context.Context, c qimen.Claim, reply qimen.Reply) error {
	text, err := json.Marshal(reply)
	if err != nil {
		return wrap("gate: storing a reply", err)
	}
	return wrap("gate: storing a reply", g.inTx(ctx, g.plain, func(q querier) error {
		result, err := q.ExecContext(ctx, g.sql.finish, text, hash(c.Key), hash(c.Digest), c.Token)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return cmp.Or(err, errors.New("the claim has run out: GateConfig.Lease is too short for the handler"))
		}
		return nil
	}))
}

// Abandon is part of [qimen.Gate].
func (g *Gate) Abandon(ctx context.Context, c qimen.Claim) error {
	return wrap("gate: abandoning a claim", g.inTx(ctx, false, func(q querier) error {
		message := hash(c.Key)
		if err := g.hold(ctx, q, message); err != nil {
			return err
		}
		result, err := q.ExecContext(ctx, g.sql.abandon, message, hash(c.Digest), c.Token)
		if err != nil || c.Signature == "" {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 { // the claim has run out: the signature is that of another
			return err
		}
		_, err = q.ExecContext(ctx, g.sql.unsign, hash(c.Signature), hash(c.Key, c.Digest))
		return err
	}))
}

// sweepEvery is how often a process deletes what has expired.
const sweepEvery = time.Minute

// sweep deletes some of the rows that have expired. What fails is tried again a minute later.
func (g *Gate) sweep(ctx context.Context) {
	g.mu.Lock()
	isDue := time.Since(g.swept) >= sweepEvery
	if isDue {
		g.swept = time.Now()
	}
	g.mu.Unlock()
	if !isDue {
		return
	}
	for _, text := range g.sql.sweep {
		_ = g.inTx(ctx, g.plain, func(q querier) error {
			_, err := q.ExecContext(ctx, text)
			return err
		})
	}
}

// String names the dialect.
func (g *Gate) String() string {
	if g == nil {
		return "sqlstore.Gate(nil)"
	}
	return fmt.Sprintf("sqlstore.Gate(%s)", g.dialect)
}

// Format writes String for every verb.
func (g *Gate) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(g.String())) }
