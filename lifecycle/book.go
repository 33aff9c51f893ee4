package lifecycle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/internal/contain"
	"github.com/fliggy-go/rentcar/qimen"
)

// A Book is the journal of the renewals of one app. Make it with [Open], and keep [Book.Run] running.
type Book struct {
	client  *rentcar.Client
	store   Store
	config  *config
	inbox   *durable.Inbox
	outbox  *durable.Queue
	handler atomic.Pointer[qimen.Handler]
	wake    chan struct{}

	failures sync.Map // how often the work on a document has failed, as *atomic.Int64, by kind and id
	sent     sync.Map // what Fliggy has answered to an item, as attempt, by its id, until that is stored
	busy     sync.Map // the documents that Run works on, by kind and id
	failing  sync.Map // the items that OnOverdue was told of, by id
}

// formatVersion is that of the documents.
const formatVersion = 1

// The queues of a book in its store, such as for DropDone and Parked of a sqlstore.Store: InboxQueue has the events
// that Fliggy pushed, OutboxQueue the answers and batches of bills.
const (
	InboxQueue  = "lifecycle.inbox"
	OutboxQueue = "lifecycle.outbox"
)

type meta struct {
	AppKey  string
	Version int
}

// Open opens the journal of a store, or begins one. A journal belongs to the app key of the client that began it. The
// error says what is wrong with store, client or options; a *[JournalError] that the journal is another app's, or that
// of a newer version of this package.
func Open(client *rentcar.Client, store Store, opts ...Option) (*Book, error) {
	if client == nil || isNil(store) {
		return nil, errors.New("lifecycle: open: the client or the store is nil")
	}
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	b := &Book{client: client, store: store, config: c, wake: make(chan struct{}, 1)}
	b.inbox, err = durable.NewInbox(store, durable.Config{
		Name: InboxQueue, Workers: c.workers, Logger: c.logger, Poll: poll, Observer: b.observe,
	})
	if err == nil {
		b.outbox, err = durable.NewQueue(OutboxQueue, store, durable.Config{
			Timeout: max(durable.DefaultTimeout, client.Timeout()), Workers: c.workers, Logger: c.logger,
			Poll: poll, Observer: b.observe,
		})
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := b.openJournal(ctx); err != nil {
		return nil, err
	}
	// Run works on stored events also where no handler was made: what it stored was verified.
	_, err = b.Handler(qimen.Secrets{client.AppKey(): {"not used"}})
	return b, err
}

// observe wakes Run after an item has changed the journal: before the commit, Run would see nothing. It tells of an
// event that fails again and again, and of an item that is set aside.
func (b *Book) observe(ctx context.Context, o durable.Observation) {
	switch {
	case o.Done:
		b.sent.Delete(o.ID)
		b.failing.Delete(o.ID)
		b.nudge()
	case o.Parked || o.Queue == InboxQueue && o.Attempt >= failingAttempts && !o.Lost:
		b.tellFailing(ctx, o)
	}
}

func isNil(s Store) bool {
	v := reflect.ValueOf(s)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// openJournal checks whose journal it is, and begins one where there is none.
func (b *Book) openJournal(ctx context.Context) error {
	want := meta{b.client.AppKey(), formatVersion}
	return b.atomically(ctx, func(ctx context.Context, tx Tx) error {
		have, doc, err := get[meta](ctx, tx, kindMeta, "journal")
		switch {
		case err != nil:
			return err
		case doc == nil:
			return put(ctx, tx, &Doc{Kind: kindMeta, ID: "journal", State: "open"}, want)
		case have.AppKey != want.AppKey:
			return &JournalError{"app key", have.AppKey, want.AppKey}
		case have.Version > want.Version:
			return &JournalError{"version", fmt.Sprint(have.Version), fmt.Sprint(want.Version)}
		}
		return nil
	})
}

// Handler makes the endpoint for the events that Fliggy pushes: each is stored before it is acknowledged, and applied
// by [Book.Run]. The options are those of qimen.NewHandler; WithStore and OnEvent are the book's. Several
// handlers, and processes without one, are fine.
func (b *Book) Handler(secrets qimen.Secrets, opts ...qimen.Option) (http.Handler, error) {
	own := []qimen.Option{qimen.OnEvent(b.onEvent), qimen.WithStore(b.inbox.Add)}
	h, err := qimen.NewHandler(secrets, slices.Concat(opts, own)...)
	if err != nil {
		return nil, err
	}
	b.handler.Store(h)
	return h, nil
}

// attempts is how often a transaction is tried again that another has overtaken.
const attempts = 20

// atomically runs f in a transaction, again while another overtakes it. Within a Do the queue tries again.
func (b *Book) atomically(ctx context.Context, f func(ctx context.Context, tx Tx) error) error {
	for n := 1; ; n++ {
		err := contain.Call("the store", func() error { return b.store.Atomically(ctx, f) })
		if n >= attempts || ctx.Err() != nil || ctx.Value(doKey{}) != nil ||
			!errors.Is(err, ErrStale) && !errors.Is(err, ErrExists) {
			return err
		}
	}
}

// doKey marks the context of a Do.
type doKey struct{}

// get reads a document with the value that is its data; both are nil where there is none.
func get[T any](ctx context.Context, tx Tx, kind, id string) (*T, *Doc, error) {
	doc, err := tx.Get(ctx, kind, id)
	if err != nil || doc == nil {
		return nil, nil, err
	}
	value, err := decode[T](doc)
	return value, doc, err
}

// put stores a value as the data of a document.
func put(ctx context.Context, tx Tx, doc *Doc, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("lifecycle: storing %s %s: %w", doc.Kind, doc.ID, err)
	}
	doc.Data = data
	return tx.Put(ctx, doc)
}

// A reader is a [Store], or a [Tx] of one.
type reader interface {
	Get(ctx context.Context, kind, id string) (*Doc, error)
}

// load reads the record of an id.
func load(ctx context.Context, from reader, id string) (*record, *Doc, error) {
	doc, err := from.Get(ctx, kindRenewal, docID(id))
	if err == nil && (doc == nil || doc.State == string(purged)) {
		err = fmt.Errorf("%w: renewal %q", ErrNotFound, id)
	}
	if err != nil {
		return nil, nil, err
	}
	r, err := recordOf(doc)
	return r, doc, err
}

// recordOf reads a renewal.
func recordOf(doc *Doc) (*record, error) {
	r, err := decode[record](doc)
	if err == nil {
		r.Version = doc.Version
	}
	return r, err
}

// update applies an input to the renewal of an id, in a transaction of its own, and returns it as it is then.
func (b *Book) update(ctx context.Context, id string, in input) (Renewal, error) {
	var t *turn
	err := b.atomically(ctx, func(ctx context.Context, tx Tx) (err error) {
		t, err = b.change(ctx, tx, id, func(t *turn) error { return t.apply(ctx, tx, in) })
		return err
	})
	b.nudge()
	if err != nil {
		return Renewal{}, err
	}
	return t.Renewal, nil
}

// apply makes a step. An input that names an id of Fliggy which another renewal has is about two ids.
func (t *turn) apply(ctx context.Context, tx Tx, in input) error {
	if in.id != "" && in.id != t.RenewalOrderID {
		docs, err := tx.Find(ctx, kindRenewal, key("fliggy", in.id))
		if err != nil {
			return err
		}
		if len(docs) > 0 && docs[0].ID != docID(t.ID) {
			in.cause, in.note = CauseOtherID, fmt.Sprintf("renewal %s has Fliggy's id %s", docs[0].ID, in.id)
			in.id = ""
		}
	}
	t.step(in)
	return nil
}

// alter lets f change the renewal of an id, in a transaction of its own, and returns it as it is then. f may be called
// again.
func (b *Book) alter(ctx context.Context, id string, f func(t *turn) error) (r *record, err error) {
	err = b.atomically(ctx, func(ctx context.Context, tx Tx) error {
		t, err := b.change(ctx, tx, id, f)
		if err == nil {
			r = t.record
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// change loads the renewal of an id, lets f change it, and stores what has become of it.
func (b *Book) change(ctx context.Context, tx Tx, id string, f func(t *turn) error) (*turn, error) {
	before, doc, err := load(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	now, err := tx.Now(ctx)
	if err != nil {
		return nil, err
	}
	t := before.turn(now, b.config)
	if err := f(t); err != nil {
		return nil, err
	}
	return t, b.save(ctx, tx, doc, before, t)
}

// save stores a turn, unless it has changed neither the record nor when something is due, which depends on the options
// too. The record comes first, because its version decides who was first; then the lines, the answers, and what the
// user writes.
func (b *Book) save(ctx context.Context, tx Tx, doc *Doc, before *record, t *turn) error {
	due := t.due(b.config)
	if doc.Version > 0 && doc.Due.UnixMilli() == due.UnixMilli() && reflect.DeepEqual(before, t.record) {
		return nil
	}
	t.Version = doc.Version + 1
	answers := b.prepare(t)
	doc.State, doc.Due = string(t.State), t.due(b.config)
	doc.Keys, doc.Unique = t.keys(b.config)
	if err := put(ctx, tx, doc, t.record); err != nil {
		return err
	}
	for _, l := range t.lines {
		if err := b.putLine(ctx, tx, &l); err != nil {
			return err
		}
	}
	for _, a := range answers {
		if err := b.add(ctx, answerItem+"/"+docID(a.RenewalID)+"/"+docID(a.PayTradeNo), a); err != nil {
			return err
		}
	}
	if err := b.wakeStrays(ctx, tx, before, t.record, t.now); err != nil {
		return err
	}
	own, after := before.Renewal.clone(), t.Renewal.clone()
	if b.config.onChange == nil || isSame(own, after) {
		return nil
	}
	return contain.Call("the function of OnChange", func() error { return b.config.onChange(ctx, own, after) })
}

// isSame reports whether two forms of a renewal differ in their histories at most.
func isSame(a, b Renewal) bool {
	a.History, b.History, a.Version, b.Version = nil, nil, 0, 0
	return reflect.DeepEqual(a, b)
}

// keys are those by which a renewal is found.
func (r *record) keys(c *config) (keys, unique []string) {
	if r.State != purged || r.isNameless() { // then a late event of it names the main order only
		keys = nonEmpty(key("order", r.Request.OrderID), key("out", strings.TrimSpace(r.Request.OutOrderID)))
	}
	if r.needsPerson(c) {
		keys = append(keys, keyNeedsPerson)
	}
	unique = nonEmpty(key("fliggy", r.RenewalOrderID), key("trade", r.Request.PayTradeNo))
	isOpen, open := r.State == Submitting || r.State == Unknown, key("open", r.Request.OrderID)
	if isOpen && r.BesideOpen {
		keys = append(keys, open)
	}
	if isOpen && !r.BesideOpen {
		unique = append(unique, open)
	}
	for i := range r.Refunds { // of a trade number, which Fliggy knows it by
		unique = append(unique, nonEmpty(key("refund", r.Refunds[i].PayTradeNo))...)
	}
	return keys, unique
}

const keyNeedsPerson = "needs-person"

func nonEmpty(list ...string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// key is a key for a value from outside; empty for an empty value.
func key[S ~string](kind string, value S) string {
	if value == "" {
		return ""
	}
	return kind + "/" + docID(string(value))
}

// docID is an id for a document: the value itself where it is printable and short.
func docID(value string) string {
	if isName(value) && len(value) <= 100 {
		return value
	}
	return "sha256-" + digestOf([]byte(value))
}

// isName reports whether s is printable ASCII without spaces.
func isName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// isBlank reports whether nothing of s can be seen: no bill takes it.
func isBlank(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r != ' ' && unicode.IsPrint(r) })
}

// nudge lets Run look at once, after a commit.
func (b *Book) nudge() {
	b.outbox.Wake()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// String names the client, never what is stored.
func (b *Book) String() string { return fmt.Sprintf("lifecycle.Book{%v}", b.client) }

// Format writes String for every verb.
func (b *Book) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(b.String())) }

// Get returns a renewal by your id of it. The error matches [ErrNotFound] where the journal does not have it.
func (b *Book) Get(ctx context.Context, id string) (Renewal, error) {
	r, _, err := load(ctx, b.store, id)
	if err != nil {
		return Renewal{}, err
	}
	return r.Renewal, nil
}

// digestOf is the digest of what an id stands for.
func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
