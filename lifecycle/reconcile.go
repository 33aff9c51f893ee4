package lifecycle

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
)

// An Entry is a movement of money as another book has it: that of a payment provider, or of Fliggy.
type Entry struct {
	// TradeNo is the number of the movement. Required.
	TradeNo string
	// Amount is in yuan. In the book of a provider it is positive for money from the customer, and negative for money
	// that went back; where BizType is set it is positive. Required.
	Amount fliggy.Yuan
	// BizType is that of a bill line in an export of Fliggy; 0 in the book of a provider.
	BizType fliggy.BillBizType
	// Time is when the money moved. Optional; it says which period the other book covers.
	Time time.Time
	// Ref says where the entry stands, such as a line of a file. Optional.
	Ref string
}

// FindingKind is how ledger and other book differ.
type FindingKind string

// The kinds of findings.
const (
	MissingThere     FindingKind = "missing there" // the ledger has it
	MissingHere      FindingKind = "missing here"  // the other book has it
	AtEdge           FindingKind = "at the edge"   // the ledger has it, within a day of the period's ends
	Double           FindingKind = "double"        // the other book has it more than once
	AmountDiffers    FindingKind = "amount differs"
	DirectionDiffers FindingKind = "direction differs"
)

// A Finding is a difference.
type Finding struct {
	Kind    FindingKind
	TradeNo string
	Line    *Line  // of the ledger; nil for MissingHere
	Entry   *Entry // of the other book; nil for MissingThere and AtEdge
}

// A Report is the result of [Book.Reconcile].
type Report struct {
	From, To time.Time // the period of the entries; zero where they have no times
	Entries  int
	Matched  int // lines that agree, to the fen
	Findings []Finding
}

// Reconcile compares the ledger with another book. Entries without a BizType are compared with the lines whose money
// moved, by the payment provider's trade number; entries with one with the lines that a bill can have, by the bill's
// trade number and business type. Nothing is matched by its amount alone. Lines outside the period of the entries are
// left out. It keeps the entries in memory, and compares each line once, also one that a bill takes meanwhile. The
// first error of entries ends it.
func (b *Book) Reconcile(ctx context.Context, entries iter.Seq2[Entry, error]) (Report, error) {
	var r Report
	there, err := r.read(entries)
	if err != nil {
		return r, err
	}
	// A second time, because a line may go back meanwhile, such as from a refused batch, to a state that was read before.
	for range 2 {
		for _, state := range []LineState{LineWaiting, LineOpen, LineBatched, LineBilled, LineRefused, LineVoid} {
			for l, err := range every[Line](ctx, b.store, Query{Kind: kindLine, State: string(state)}) {
				if err != nil {
					return r, err
				}
				r.compare(l, there)
			}
		}
	}
	r.pair(there)
	return r, nil
}

// A place is where an entry is looked for.
type place struct {
	tradeNo string
	biz     fliggy.BillBizType
}

type otherEntry struct {
	Entry
	matched bool
}

type otherBook struct {
	list     []*otherEntry
	at       map[place][]*otherEntry
	isExport bool            // of Fliggy
	lines    map[place]*Line // one for each place that has entries
	compared map[string]bool // the lines that were compared, by id
	left     []leftLine
}

// A leftLine is a line for whose amount no entry of its place was left.
type leftLine struct {
	*Line
	place
	amount fliggy.Yuan
}

// read reads the entries.
func (r *Report) read(entries iter.Seq2[Entry, error]) (*otherBook, error) {
	there := &otherBook{at: map[place][]*otherEntry{}, lines: map[place]*Line{}, compared: map[string]bool{}}
	if entries == nil {
		return nil, errors.New("lifecycle: reconcile: the entries are nil")
	}
	for e, err := range entries {
		if err != nil {
			return nil, fmt.Errorf("lifecycle: reconcile: entry %d: %w", r.Entries+1, err)
		}
		r.Entries++
		_, fenErr := e.Amount.Fen()
		switch isExport := e.BizType != 0; {
		case e.TradeNo == "":
			return nil, fmt.Errorf("lifecycle: reconcile: entry %d %s has no trade number", r.Entries, e.Ref)
		case fenErr != nil || !e.Amount.IsSet():
			return nil, fmt.Errorf("lifecycle: reconcile: entry %d %s: the amount is missing, or no whole number of fen: %w",
				r.Entries, e.Ref, cmp.Or(fenErr, errors.New("unset")))
		case r.Entries > 1 && isExport != there.isExport:
			return nil, fmt.Errorf("lifecycle: reconcile: entry %d %s: some entries have a business type, others not: "+
				"compare one book at a time", r.Entries, e.Ref)
		default:
			there.isExport = isExport
		}
		if !e.Time.IsZero() {
			if r.From.IsZero() || e.Time.Before(r.From) {
				r.From = e.Time
			}
			r.To = maxTime(r.To, e.Time)
		}
		o := &otherEntry{Entry: e}
		there.list = append(there.list, o)
		p := place{e.TradeNo, e.BizType}
		there.at[p] = append(there.at[p], o)
	}
	return there, nil
}

// compare looks for a line in the other book.
func (r *Report) compare(l *Line, there *otherBook) {
	amount, p := l.Cash, place{cmp.Or(l.ProviderNo, l.TradeNo), 0}
	if there.isExport {
		amount, p = l.Amount, place{l.TradeNo, l.BizType}
	}
	isNone := amount.Equal(fliggy.FenOf(0).Yuan()) || there.isExport && (l.State == LineWaiting || l.State == LineVoid)
	if isNone || there.compared[l.ID] {
		return
	}
	there.compared[l.ID] = true
	found := there.at[p]
	if len(found) == 0 {
		r.lacks(l, p)
		return
	}
	there.lines[p] = l
	i := slices.IndexFunc(found, func(e *otherEntry) bool { return !e.matched && e.Amount.Equal(amount) })
	if i < 0 {
		there.left = append(there.left, leftLine{l, p, amount})
		return
	}
	found[i].matched = true
	r.Matched++
}

// pair adds the lines and entries that agree with none: a line with an entry under its number, or either alone.
func (r *Report) pair(there *otherBook) {
	for _, l := range there.left {
		var other *otherEntry
		for _, e := range there.at[l.place] { // one of the same direction rather
			if !e.matched && (other == nil || e.Amount.IsNegative() == l.amount.IsNegative()) {
				other = e
			}
		}
		if other == nil {
			r.lacks(l.Line, l.place)
			continue
		}
		kind := AmountDiffers
		if other.Amount.Equal(l.amount.Neg()) {
			kind = DirectionDiffers
		}
		other.matched = true
		r.Findings = append(r.Findings, Finding{kind, l.tradeNo, l.Line, &other.Entry})
	}
	for _, e := range there.list {
		if e.matched {
			continue
		}
		kind, l := MissingHere, there.lines[place{e.TradeNo, e.BizType}]
		if l != nil {
			kind = Double
		}
		r.Findings = append(r.Findings, Finding{kind, e.TradeNo, l, &e.Entry})
	}
}

// lacks adds that the other book has no entry for a line, unless the line is outside the period.
func (r *Report) lacks(l *Line, p place) {
	const edge = 24 * time.Hour
	kind := MissingThere
	switch t := l.PayTime; {
	case r.From.IsZero() || t.IsZero():
	case t.Before(r.From.Add(-edge)) || t.After(r.To.Add(edge)):
		return
	case t.Before(r.From) || t.After(r.To):
		kind = AtEdge
	}
	r.Findings = append(r.Findings, Finding{kind, p.tradeNo, l, nil})
}

const byteOrderMark = "\ufeff"

// Columns names the columns of a CSV file by their headings. For what stands in them, see [Entry].
type Columns struct {
	TradeNo string // required
	Amount  string // required; such as -12.50, without a currency and commas between thousands
	Time    string // optional; "2006-01-02 15:04:05" in China time, or RFC 3339; empty in a line for none
	BizType string // optional: with it, the file is an export of Fliggy; 10 to 14 or 20 to 24
}

// ReadEntries reads entries from a CSV file in UTF-8 whose first line has the headings, and whose lines have equally
// many fields. A file that is otherwise, such as with a title above the headings, or with columns of their own for
// money that came and money that went, is for a function of yours in its place. An error names the line.
func ReadEntries(r io.Reader, c Columns) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		text := bufio.NewReader(r)
		if mark, _ := text.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
			_, _ = text.Discard(len(mark))
		}
		in := csv.NewReader(text)
		at, err := c.find(in)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for {
			row, err := in.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			var e Entry
			if err == nil { // else it names the line itself
				line, _ := in.FieldPos(0)
				e, err = readEntry(row, at, c)
				if e.Ref = "line " + strconv.Itoa(line); err != nil {
					err = fmt.Errorf("%s: %w", e.Ref, err)
				}
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// find reads the headings, and returns where a column is; -1 for one without a name.
func (c *Columns) find(in *csv.Reader) (at func(name string) int, err error) {
	if c.TradeNo == "" || c.Amount == "" {
		return nil, errors.New("Columns.TradeNo and Columns.Amount are required")
	}
	head, err := in.Read()
	if err == nil {
		err = checkUTF8(head)
	}
	if err != nil {
		return nil, fmt.Errorf("the headings: %w", err)
	}
	for _, name := range nonEmpty(c.TradeNo, c.Amount, c.Time, c.BizType) {
		if !slices.Contains(head, name) {
			return nil, fmt.Errorf("the file has no column %q: its first line is %.200q", name, strings.Join(head, ","))
		}
	}
	return func(name string) int {
		if name == "" {
			return -1
		}
		return slices.Index(head, name)
	}, nil
}

// checkUTF8 finds what is in another encoding, as many exports are.
func checkUTF8(row []string) error {
	if utf8.ValidString(strings.Join(row, ",")) {
		return nil
	}
	return errors.New("not UTF-8: if it is GBK, read it by the Reader of simplifiedchinese.GBK.NewDecoder()")
}

func readEntry(row []string, at func(string) int, c Columns) (e Entry, err error) {
	if err := checkUTF8(row); err != nil {
		return e, err
	}
	e.TradeNo = row[at(c.TradeNo)]
	if e.Amount, err = fliggy.ParseYuan(row[at(c.Amount)]); err != nil {
		return e, err
	}
	if i := at(c.Time); i >= 0 && row[i] != "" {
		t, err := fliggy.ParseTime(row[i])
		if err != nil {
			return e, err
		}
		e.Time = t.Time
	}
	if i := at(c.BizType); i >= 0 {
		n, err := strconv.Atoi(row[i])
		e.BizType = fliggy.BillBizType(n)
		if err != nil || !e.BizType.IsIncome() && !e.BizType.IsRefund() {
			return e, fmt.Errorf("%s: %.40q: want 10 to 14 or 20 to 24", c.BizType, row[i])
		}
	}
	return e, nil
}
