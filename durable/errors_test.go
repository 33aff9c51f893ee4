package durable_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fliggy-go/rentcar/durable"
)

func TestPermanent(t *testing.T) {
	t.Parallel()
	if durable.Permanent(nil) != nil {
		t.Error("Permanent(nil) is an error")
	}
	if err := durable.Permanent(errWork); err.Error() != errWork.Error() || !errors.Is(err, errWork) {
		t.Errorf("Permanent(err) is %v; want what it marks", err)
	}
}

// badError is an error whose method panics.
type badError struct{}

func (badError) Error() string { panic("no text") }

func TestReasonsAreWordsThatAStoreCanKeep(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"zero bytes": {errors.New("a\x00b"), "a?b"},
		"not UTF-8":  {errors.New("a\xff\xfeb退"), "a?b退"},
		"long":       {errors.New(strings.Repeat("退款", 10_000)), strings.Repeat("退款", 166) + "退?"},
		"panics":     {badError{}, "an error of type durable_test.badError, whose Error method panics"},
	} {
		synctest.Test(t, func(t *testing.T) {
			store := durable.NewMemoryStore()
			q := newQueue(t, store, durable.Config{})
			add(t, q, "a")
			stop := run(t, q, func(context.Context, *durable.Item) error { return durable.Permanent(c.err) })
			synctest.Wait()
			_ = stop()
			parked := store.Parked("test.queue")
			if len(parked) != 1 || parked[0].Reason != c.want || len(parked[0].Reason) > 1000 {
				t.Errorf("%s: parked: %q; want %q", name, parked, c.want)
			}
		})
	}
}
