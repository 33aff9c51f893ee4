package lifecycle_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/internal/golden"
	"github.com/fliggy-go/rentcar/lifecycle"
)

// The diagrams of the guide show the tables of table.go. go test ./lifecycle -run TestDiagrams -update draws them anew.
func TestDiagrams(t *testing.T) {
	t.Parallel()
	byPerson := func(r lifecycle.Row) bool { return slices.Contains(r.Causes, string(lifecycle.CauseDecided)) }
	byItself := func(r lifecycle.Row) bool { return !byPerson(r) }
	all := func(lifecycle.Row) bool { return true }
	diagrams := map[string]string{
		"renewals":  diagram(lifecycle.Rows(), byItself),
		"decisions": decisions(lifecycle.Rows(), byPerson),
		"refunds":   diagram(lifecycle.RefundRows(), all),
	}
	for _, file := range []string{"../docs/lifecycle.md", "../docs/lifecycle.zh-CN.md"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		for name, drawn := range diagrams {
			place := regexp.MustCompile("(?s)<!-- diagram: " + name + " -->\n```mermaid\n.*?```\n")
			if n := len(place.FindAllString(text, -1)); n != 1 {
				t.Errorf("%s has %d diagrams of %s, want 1", file, n, name)
			}
			text = place.ReplaceAllLiteralString(text, "<!-- diagram: "+name+" -->\n"+drawn)
		}
		golden.Compare(t, file, []byte(text))
	}
}

// Each state is in a diagram, and the edges are those of the tables.
func TestDiagramEdges(t *testing.T) {
	t.Parallel()
	drawn := diagram(lifecycle.Rows(), func(lifecycle.Row) bool { return true })
	for _, want := range []string{
		"[*] --> submitting: submit asked\n",
		"state \"cancel unknown\" as cancel_unknown\n",
		"cancelling --> cancelled: reply – cancelled [the fee fits]\n",
		"cancelling --> disputed: reply – cancelled [otherwise]<br/>",
		"any --> disputed: another id of Fliggy\n",
		"unknown --> placed: reply – placed<br/>found by a probe<br/>event 142<br/>a person decided [for placed]\n",
	} {
		if !strings.Contains(drawn, want) {
			t.Errorf("no %q in:\n%s", want, drawn)
		}
	}
	if strings.Contains(drawn, "placed --> placed") {
		t.Error("what changes no state is drawn")
	}
}

// diagram draws the rows that are chosen. Edges with the same ends are one, with all causes. A row from every state but
// its own target is one edge from a state named any. What changes no state is left out.
func diagram(rows []lifecycle.Row, chosen func(lifecycle.Row) bool) string {
	d := &drawing{states: statesOf(rows), conditional: map[string]bool{}, labels: map[string][]string{}}
	for _, row := range rows {
		if chosen(row) {
			d.add(row)
		}
	}
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	for _, s := range d.states {
		if strings.Contains(s, " ") && strings.Contains(strings.Join(d.edges, "\n"), nodeOf(s)) {
			fmt.Fprintf(&b, "  state \"%s\" as %s\n", s, nodeOf(s))
		}
	}
	if slices.Contains(d.edges, "any --> disputed") {
		b.WriteString("  state \"any other\" as any\n")
	}
	for _, edge := range d.edges {
		fmt.Fprintf(&b, "  %s: %s\n", edge, strings.Join(d.labels[edge], "<br/>"))
	}
	b.WriteString("```\n")
	return b.String()
}

// decisions draws the rows that are chosen with one node for the states of each row that it is from.
func decisions(rows []lifecycle.Row, chosen func(lifecycle.Row) bool) string {
	var sources, nodes, edges []string
	for _, row := range rows {
		if !chosen(row) {
			continue
		}
		from := strings.Join(row.From, ", ")
		if !slices.Contains(sources, from) {
			sources = append(sources, from)
			nodes = append(nodes, fmt.Sprintf("  state \"%s\" as from%d\n", from, len(sources)))
		}
		edges = append(edges, fmt.Sprintf("  from%d --> %s: %s [%s]\n",
			slices.Index(sources, from)+1, nodeOf(row.To[0]), row.Causes[0], row.When))
	}
	return "```mermaid\nstateDiagram-v2\n" + strings.Join(nodes, "") + strings.Join(edges, "") + "```\n"
}

type drawing struct {
	states      []string
	conditional map[string]bool // a row with a condition has this state and cause
	edges       []string        // in the order of the table
	labels      map[string][]string
}

func (d *drawing) add(row lifecycle.Row) {
	for _, from := range row.From {
		for _, cause := range row.Causes {
			label, place := strings.ReplaceAll(cause, ":", " –"), from+"/"+cause
			switch {
			case row.When != "":
				label += " [" + row.When + "]"
			case d.conditional[place]:
				label += " [otherwise]"
			}
			d.conditional[place] = d.conditional[place] || row.When != ""
			for _, to := range row.To {
				d.edge(row, from, to, label)
			}
		}
	}
}

func (d *drawing) edge(row lifecycle.Row, from, to, label string) {
	if from == to {
		return
	}
	node := nodeOf(from)
	if len(row.From) == len(d.states)-1 && !slices.Contains(row.From, to) {
		node = "any"
	}
	edge := node + " --> " + nodeOf(to)
	if d.labels[edge] == nil {
		d.edges = append(d.edges, edge)
	}
	if !slices.Contains(d.labels[edge], label) {
		d.labels[edge] = append(d.labels[edge], label)
	}
}

// statesOf lists the states of a table, in its order.
func statesOf(rows []lifecycle.Row) (states []string) {
	for _, row := range rows {
		for _, s := range slices.Concat(row.From, row.To) {
			if s != "" && !slices.Contains(states, s) {
				states = append(states, s)
			}
		}
	}
	return states
}

func nodeOf(state string) string {
	if state == "" {
		return "[*]"
	}
	return strings.ReplaceAll(state, " ", "_")
}
