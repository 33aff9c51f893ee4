package ledger

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	textunicode "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A Problem is what is wrong with a line of the file.
type Problem struct {
	Line   int    `json:"line"`             // where the record begins in the file, from 1
	Column string `json:"column,omitempty"` // the heading, empty for the whole line
	Rule   string `json:"rule"`             // what is wrong, or wanted, in words
}

// String names line, column and rule.
func (p Problem) String() string {
	if p.Column == "" {
		return fmt.Sprintf("line %d: %s", p.Line, p.Rule)
	}
	return fmt.Sprintf("line %d, %s: %s", p.Line, p.Column, p.Rule)
}

// A File is a CSV file of money movements: its text encoding, its columns, and a digest of its bytes.
type File struct {
	Path     string
	Encoding string // UTF-8, GBK or UTF-16
	Digest   string // SHA-256 of the file, in hexadecimal
	comma    rune
	columns  []*column // nil for one that is not read
	headings []string
	notUTF8  int // the first line that is not UTF-8, where a line before it has other letters in UTF-8; 0 for none
}

// Open reads a file once, in bounded memory, to find out how it is written. The error says that it cannot be read, or
// lists the headings that are unknown, missing or there twice.
func Open(path string) (*File, error) {
	f := &File{Path: path}
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	if err := f.sniff(r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := f.readHeader(); err != nil {
		return nil, fmt.Errorf("%s, line 1: %w", path, err)
	}
	return f, nil
}

// The encodings that a spreadsheet writes.
var encodings = map[string]encoding.Encoding{
	"UTF-8": textunicode.UTF8BOM, "GBK": simplifiedchinese.GBK,
	"UTF-16": textunicode.UTF16(textunicode.LittleEndian, textunicode.UseBOM),
}

// sniff tells the encoding of a file and its digest.
func (f *File) sniff(r io.Reader) error {
	sum := sha256.New()
	all := bufio.NewReader(io.TeeReader(r, sum))
	start, err := all.Peek(2)
	if len(start) == 0 {
		if errors.Is(err, io.EOF) {
			err = errors.New("the file is empty")
		}
		return err
	}
	f.Encoding = "UTF-8"
	if bytes.Equal(start, []byte{0xFF, 0xFE}) || bytes.Equal(start, []byte{0xFE, 0xFF}) {
		f.Encoding = "UTF-16"
	} else {
		var seen lines
		_, err := io.Copy(&seen, transform.NewReader(all, encoding.UTF8Validator))
		switch {
		case errors.Is(err, encoding.ErrInvalidUTF8):
			f.Encoding = "GBK"
			if seen.foreign {
				f.notUTF8 = seen.ends + 1
			}
		case err != nil:
			return err
		}
	}
	if _, err := io.Copy(io.Discard, all); err != nil { // the digest is that of all bytes
		return err
	}
	f.Digest = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// lines counts lines, and looks for letters that are not ASCII.
type lines struct {
	ends    int
	foreign bool
}

func (l *lines) Write(p []byte) (int, error) {
	l.ends += bytes.Count(p, []byte("\n"))
	l.foreign = l.foreign || bytes.ContainsFunc(p, func(r rune) bool { return r > unicode.MaxASCII && r != '\ufeff' })
	return len(p), nil
}

// check reports ErrChanged if the file is not the one that was opened.
func (f *File) check() error {
	r, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.Digest {
		return ErrChanged
	}
	return nil
}

// maxRecord bounds what is read for one line of the file.
const maxRecord = 1 << 20

// errLongRecord says that a line does not end.
var errLongRecord = errors.New("it is longer than 1 MB: is a quotation mark not closed?")

// A source is a file that is being read.
type source struct {
	csv  *csv.Reader
	file *os.File
	text *io.LimitedReader
	line int // of the last record
}

func (s *source) Close() { _ = s.file.Close() }

// Read reads a record. It reads no more than maxRecord for it: one that does not end would be held whole.
func (s *source) Read() ([]string, error) {
	s.text.N = maxRecord
	record, err := s.csv.Read()
	if s.text.N <= 0 && (err == nil || errors.Is(err, io.EOF) || errors.As(err, new(*csv.ParseError))) {
		return nil, fmt.Errorf("the record after line %d: %w", s.line, errLongRecord)
	}
	if err == nil {
		s.line, _ = s.csv.FieldPos(0)
	}
	return record, err
}

// open begins to read the text.
func (f *File) open(comma rune) (*source, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	text := &io.LimitedReader{R: transform.NewReader(file, encodings[f.Encoding].NewDecoder())}
	r := csv.NewReader(text)
	r.Comma, r.FieldsPerRecord, r.ReuseRecord, r.LazyQuotes = comma, -1, true, false
	return &source{csv: r, file: file, text: text}, nil
}

// readHeader finds the separator and the columns.
func (f *File) readHeader() error {
	best := -1
	var unread error
	for _, comma := range []rune{',', '\t', ';'} {
		r, err := f.open(comma)
		if err != nil {
			return err
		}
		record, err := r.Read()
		r.Close()
		if err != nil {
			unread = err
			continue
		}
		found := make([]*column, len(record))
		known := 0
		for i, heading := range record {
			if found[i] = columnOf(clean(heading)); found[i] != nil {
				known++
			}
		}
		if known > best {
			best, f.comma, f.columns, f.headings = known, comma, found, cloneAll(record)
		}
	}
	if best < 0 {
		return fmt.Errorf("the headings cannot be read: %w", unread)
	}
	return f.checkHeader()
}

func cloneAll(record []string) []string {
	out := make([]string, len(record))
	for i := range record {
		out[i] = clean(strings.Clone(record[i]))
	}
	return out
}

// checkHeader names headings that are unknown, missing, or there twice. A column that is not understood might be money.
func (f *File) checkHeader() error {
	if slices.ContainsFunc(f.headings, func(h string) bool { return strings.Contains(h, "\r") }) {
		return errors.New("the lines end in a carriage return alone: save the file as CSV UTF-8 again")
	}
	var problems []string
	seen := map[*column]bool{}
	for i, c := range f.columns {
		switch {
		case c == nil && f.headings[i] != "":
			problems = append(problems, fmt.Sprintf("heading %q is unknown", f.headings[i]))
		case c != nil && seen[c]:
			problems = append(problems, fmt.Sprintf("heading %q is there twice", f.headings[i]))
		}
		seen[c] = true
	}
	for i := range columns {
		if c := &columns[i]; c.required && !seen[c] {
			problems = append(problems, fmt.Sprintf("heading %q (%s) is missing", c.name, c.headings[0]))
		}
	}
	if problems != nil && f.notUTF8 > 1 {
		return fmt.Errorf("the text before line %d of the file is UTF-8, and that line is not: save it in one encoding",
			f.notUTF8)
	}
	if problems != nil {
		return fmt.Errorf("%s. Read as %s; see fliggy bill --help for the headings", strings.Join(problems, "; "), f.Encoding)
	}
	return nil
}

// clean takes off what spreadsheets put around a text to keep it one: white space, an apostrophe, ="...".
func clean(s string) string {
	s = strings.TrimSpace(s)
	if inner, ok := strings.CutPrefix(s, `="`); ok && strings.HasSuffix(inner, `"`) {
		return strings.TrimSpace(strings.TrimSuffix(inner, `"`))
	}
	return strings.TrimPrefix(s, "'")
}

// Lines reads the movements in order and calls each with the number of the line, from 1, and what it says. A line that
// is wrong is left out, and broken is called with every problem of it. The error is that of the file, or the first of
// each, which ends the reading.
func (f *File) Lines(broken func(Problem), each func(number int, line *rentcar.BillLine) error) error {
	r, err := f.open(f.comma)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := r.Read(); err != nil { // the headings
		return err
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			broken(Problem{Line: wrong.StartLine, Rule: "the quotation marks: " + wrong.Err.Error()})
			continue
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", f.Path, err)
		}
		number, _ := r.csv.FieldPos(0)
		line := new(rentcar.BillLine)
		problems, isBlank := f.parse(number, record, line)
		switch {
		case isBlank:
			continue
		case problems != nil:
			for _, p := range problems {
				broken(p)
			}
			continue
		}
		if err := each(number, line); err != nil {
			return err
		}
	}
}

// parse reads a record into a line.
func (f *File) parse(number int, record []string, line *rentcar.BillLine) (problems []Problem, isBlank bool) {
	isBlank = true
	for _, text := range record {
		isBlank = isBlank && clean(text) == ""
	}
	if isBlank {
		return nil, true
	}
	if len(record) != len(f.columns) {
		return []Problem{{Line: number, Rule: fmt.Sprintf("%d fields, and there are %d headings", len(record),
				len(f.columns))}},
			false
	}
	for i, c := range f.columns {
		text := strings.Clone(clean(record[i]))
		switch {
		case c == nil && text != "":
			problems = append(problems, Problem{number, fmt.Sprintf("column %d", i+1), "a value without a heading"})
		case c == nil || text == "" && !c.required:
		case text == "":
			problems = append(problems, Problem{number, f.headings[i], "missing"})
		case strings.ContainsRune(text, utf8.RuneError):
			problems = append(problems, Problem{number, f.headings[i], "not text in " + f.Encoding})
		default:
			if err := c.set(line, text); err != nil {
				problems = append(problems, Problem{number, f.headings[i], err.Error()})
			}
		}
	}
	if problems == nil {
		problems = f.checkLine(number, line)
	}
	return problems, false
}

// checkLine settles the trade type, which follows from the business type, and checks what the members say together.
func (f *File) checkLine(number int, line *rentcar.BillLine) []Problem {
	want := fliggy.TradeIncome
	if line.BizType.IsRefund() {
		want = fliggy.TradeRefund
	}
	if line.TradeType == 0 {
		line.TradeType = want
	}
	var problems []Problem
	if line.TradeType != want {
		problems = append(problems, Problem{number, f.headingOf("trade_type"),
			"contradicts biz_type: 10 to 14 are income, 20 to 24 refunds"})
	}
	if !line.OrderAmount.IsPositive() {
		problems = append(problems, Problem{number, f.headingOf("order_amount"),
			"must be above zero: biz_type says whether it is a refund"})
	}
	return problems
}

// headingOf is what the file calls a column.
func (f *File) headingOf(name string) string {
	for i, c := range f.columns {
		if c != nil && c.name == name {
			return f.headings[i]
		}
	}
	return name
}
