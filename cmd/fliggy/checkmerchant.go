package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/merchantcheck"
)

// checkMerchantCmd is "fliggy check-merchant".
type checkMerchantCmd struct {
	URL      string        `arg:"" name:"url" help:"URL of the merchant's endpoint."`
	Order    string        `help:"Fliggy's id of a rental that is picked up." placeholder:"ID"`
	OutOrder string        `help:"The merchant's id of it." placeholder:"ID"`
	Start    string        `help:"Its present return time, yyyy-MM-dd HH:mm in GMT+8." required:"" placeholder:"TIME"`
	Submit   bool          `help:"Book renewals too, and cancel them."`
	Timeout  time.Duration `help:"How long each answer may take." default:"10s"`
}

// Run tests the endpoint and prints the report.
func (c *checkMerchantCmd) Run(e *env) error {
	if err := checkURL("<url>", c.URL); err != nil {
		return err
	}
	start, err := fliggy.ParseTime(c.Start)
	switch {
	case err != nil:
		return usage(errors.New("--start: want yyyy-MM-dd HH:mm in GMT+8, such as 2026-12-01 10:00"))
	case c.Order == "" && c.OutOrder == "":
		return usage(errors.New("which rental? Say --order, --out-order or both"))
	case c.Timeout <= 0:
		return usage(errors.New("--timeout: want more than zero"))
	}
	key, secret, err := e.app()
	if err != nil {
		return err
	}
	caller, err := merchantcheck.New(c.URL, key, secret)
	if err != nil {
		return usage(errors.New(strings.TrimPrefix(err.Error(), "merchantcheck: ")))
	}
	defer caller.Close()
	report := merchantcheck.Run(e.ctx, caller, merchantcheck.Config{
		Orders: []merchantcheck.Order{{OrderID: fliggy.ID(c.Order), OutOrderID: c.OutOrder, Start: start}},
		Submit: c.Submit, PressureTest: true, Timeout: c.Timeout, Clock: e.now,
	})
	if err := e.print(report, func() { c.show(e, report) }); err != nil {
		return err
	}
	switch {
	case e.ctx.Err() != nil:
		return &exit{statusInterrupted, nil}
	case isDead(report):
		return &exit{statusNoAnswer, nil}
	case !report.OK():
		return no()
	}
	return nil
}

// isDead reports whether the endpoint cannot be reached. Of one that answers with an error page the answer is no.
func isDead(r *merchantcheck.Report) bool {
	return slices.ContainsFunc(r.Results, func(m merchantcheck.Result) bool {
		return m.Rule == "endpoint" && m.Status == merchantcheck.Failed && strings.HasPrefix(m.Got, "it cannot be reached")
	})
}

// show prints the report for people, its headings in colour.
func (c *checkMerchantCmd) show(e *env, report *merchantcheck.Report) {
	for line := range strings.Lines(report.String()) {
		text := strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(text, "FAILED "), strings.HasPrefix(text, "NOT OK"), strings.HasPrefix(text, "BOOKINGS "):
			text = e.paint(red, text)
		case strings.HasPrefix(text, "OK: "):
			text = e.paint(green, text)
		}
		fmt.Fprintln(e.stdout, text)
	}
}
