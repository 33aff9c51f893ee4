package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/schollz/progressbar/v3"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/cmd/fliggy/ledger"
)

// billCmd is "fliggy bill".
type billCmd struct {
	File      string   `arg:"" help:"CSV file of money movements: UTF-8, GBK or UTF-16, as a spreadsheet saves it." type:"existingfile"`
	BillNo    string   `help:"Number of the settlement bill." required:"" placeholder:"NO"`
	BatchSize int      `help:"Lines of a batch." default:"500"`
	Remark    string   `help:"Remark of the bill." placeholder:"TEXT"`
	DryRun    bool     `help:"Check and add up, and send nothing."`
	Yes       bool     `help:"Send without asking." short:"y"`
	State     string   `help:"State file, by which an interrupted run goes on. Default: the CSV file's name with .state." type:"path" placeholder:"FILE"`
	Resend    []string `help:"Batch of unknown outcome that Fliggy certainly does not have: send it again." placeholder:"BATCH"`
}

// Run checks the file, shows what it comes to, asks, and sends.
func (c *billCmd) Run(e *env) error {
	if c.BatchSize < 1 || c.BatchSize > 5000 {
		return usage(errors.New("--batch-size: want 1 to 5000"))
	}
	for _, text := range []struct{ flag, value string }{{"--bill-no", c.BillNo}, {"--remark", c.Remark}} {
		if strings.ContainsFunc(text.value, unicode.IsControl) {
			return usage(fmt.Errorf("%s: a control character, such as a line break, is in it", text.flag))
		}
	}
	if strings.TrimSpace(c.BillNo) == "" {
		return usage(errors.New("--bill-no: want the number of the bill, such as ID20261201"))
	}
	file, err := ledger.Open(c.File)
	if err != nil {
		return usage(err)
	}
	preview, err := c.preview(e, file)
	if err != nil {
		return err
	}
	if c.DryRun {
		return e.print(map[string]any{"preview": preview, "dry_run": true}, func() {
			e.printf("Nothing was sent: --dry-run.")
		})
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	run := ledger.Run{
		Digest: file.Digest, BillNo: c.BillNo, BatchSize: c.BatchSize, AppKey: e.profile.AppKey, Channel: e.profile.Channel,
		Gateway: e.gatewayName(), Remark: c.Remark,
	}
	if err := c.confirm(e, preview, run.Gateway); err != nil {
		return err
	}
	if c.State == "" {
		c.State = c.File + ".state"
	}
	journal, err := ledger.OpenJournal(c.State, run)
	if err != nil {
		return usage(err)
	}
	defer journal.Close()
	for _, batch := range c.Resend {
		if journal.Of(batch) == "" {
			return usage(fmt.Errorf("--resend %s: this run has sent no such batch. Nothing was sent", batch))
		}
	}
	return c.send(e, &ledger.Sender{
		File: file, Run: run, Journal: journal, Resend: setOf(c.Resend),
		Notify: func(ctx context.Context, bill *rentcar.Bill) (*rentcar.BillNotifyResult, error) {
			return client.Bills.Notify(ctx, bill)
		},
	}, preview)
}

func setOf(list []string) map[string]bool {
	set := map[string]bool{}
	for _, s := range list {
		set[s] = true
	}
	return set
}

// preview lists every broken line, and prints the sums if there is none.
func (c *billCmd) preview(e *env, file *ledger.File) (*ledger.Preview, error) {
	problems := []ledger.Problem{}
	p, err := file.Preview(c.BatchSize, func(p ledger.Problem) {
		if e.json {
			problems = append(problems, p)
		} else {
			fmt.Fprintln(e.stderr, p)
		}
	})
	switch {
	case err != nil:
		return nil, usage(err)
	case p.Problems > 0:
		err := fmt.Errorf("%s: %s; nothing was sent", c.File, count(p.Problems, "problem", "problems"))
		return nil, errors.Join(usage(err), e.print(map[string]any{"problems": problems}, func() {}))
	case p.Lines == 0:
		return nil, usage(fmt.Errorf("%s has no movements", c.File))
	}
	if e.json {
		return p, nil
	}
	e.printf("%s (%s): %s, %s", c.File, p.Encoding, count(p.Lines, "movement", "movements"),
		count(p.Batches, "batch", "batches"))
	for _, s := range p.Sums {
		e.printf("  %2d  %-36s %8d  %16s", int(s.BizType), s.Name, s.Lines, s.Amount)
	}
	e.printf("  income less refunds %43s", p.Total)
	return p, nil
}

// count is a number of things.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// gatewayName is where calls go, for people and for the state file.
func (e *env) gatewayName() string {
	if e.profile.URL != "" {
		return e.profile.URL
	}
	return e.profile.Environment
}

// confirm asks before money is reported.
func (c *billCmd) confirm(e *env, p *ledger.Preview, gateway string) error {
	if c.Yes {
		return nil
	}
	if !e.isTerminal || e.json {
		return usage(errors.New("there is no terminal to ask on: say --yes to send, or --dry-run to look"))
	}
	fmt.Fprintf(e.stdout, "Send %s of bill %s, %s yuan in all, to %s? [y/N] ", count(p.Batches, "batch", "batches"),
		c.BillNo, p.Total, gateway)
	typed, err := e.wait(func() ([]byte, error) {
		var answer string
		_, _ = fmt.Fscanln(e.stdin, &answer) // no answer is none
		return []byte(answer), nil
	})
	if err != nil {
		return err
	}
	if answer := strings.ToLower(string(typed)); answer != "y" && answer != "yes" {
		return &exit{statusNo, errors.New("nothing was sent")}
	}
	return nil
}

// send sends the batches with a progress bar, and says what became of them.
func (c *billCmd) send(e *env, s *ledger.Sender, p *ledger.Preview) error {
	bar := c.bar(e, p.Batches)
	counts, unknown, outcomes := map[ledger.State]int{}, []string{}, []ledger.Outcome{}
	skipped := 0
	s.Done = func(o ledger.Outcome) {
		counts[o.State]++
		if o.Skipped && o.State == ledger.Confirmed {
			skipped++
		}
		if o.State == ledger.Unknown {
			unknown = append(unknown, o.BatchNo)
		}
		if e.json {
			outcomes = append(outcomes, o)
		}
		_ = bar.Add(1) // a bar that cannot be drawn is no reason to stop
	}
	err := s.Send(e.ctx)
	_ = bar.Exit()
	result := map[string]any{
		"preview": p, "confirmed": counts[ledger.Confirmed], "confirmed_before": skipped, "refused": counts[ledger.Refused],
		"unknown": unknown, "batches": outcomes, "state_file": c.State,
	}
	printed := e.print(result, func() {
		e.printf("%d of %d batches are confirmed, %d of them before this run.", counts[ledger.Confirmed], p.Batches, skipped)
		for _, batch := range unknown {
			e.printf("%s: its outcome is unknown. Ask Fliggy whether it is booked; if not: --resend %s", batch, batch)
		}
	})
	switch {
	case len(unknown) > 0:
		return errors.Join(&exit{statusUnknown, fmt.Errorf(
			"unknown outcomes: %s, not sent again by themselves", count(len(unknown), "batch", "batches"))}, err, printed)
	case err != nil && e.ctx.Err() != nil:
		return &exit{statusInterrupted, errors.New("interrupted: the same command goes on")}
	case err != nil:
		return fmt.Errorf("the same command goes on with the batch that was refused: %w", err)
	}
	return printed
}

// bar is a progress bar on a terminal, and nothing without one.
func (c *billCmd) bar(e *env, batches int) *progressbar.ProgressBar {
	return progressbar.NewOptions(batches,
		progressbar.OptionSetWriter(e.stderr), progressbar.OptionSetDescription("batches"), progressbar.OptionShowCount(),
		progressbar.OptionSetVisibility(e.isErrTerminal && !e.json), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30),
	)
}
