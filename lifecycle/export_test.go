package lifecycle

import "time"

// SetPoll changes how often Run looks when nothing tells it, and returns what undoes that.
func SetPoll(d time.Duration) (undo func()) {
	before := poll
	poll = d
	return func() { poll = before }
}

// A Row is one of the tables of transitions, without what is done. An empty state is that before the first.
type Row struct {
	From, Causes []string
	When         string   // the condition; empty for none
	To           []string // none where the state stays, two where it depends on where a cancellation began
}

// Rows are those of the table of renewals.
func Rows() (list []Row) {
	for _, row := range transitions {
		r := Row{From: texts(row.from), Causes: texts(row.on), When: row.when.text}
		switch {
		case row.back:
			r.To = texts([]State{Placed, Accepted})
		case row.to != none:
			r.To = texts([]State{row.to})
		}
		list = append(list, r)
	}
	return list
}

// RefundRows are those of the table of refunds.
func RefundRows() (list []Row) {
	for _, row := range refundTransitions {
		r := Row{From: texts(row.from), Causes: []string{string(row.on)}, When: row.when.text}
		if row.to != "" {
			r.To = []string{string(row.to)}
		}
		list = append(list, r)
	}
	return list
}

func texts[S ~string](list []S) (out []string) {
	for _, s := range list {
		out = append(out, string(s))
	}
	return out
}
