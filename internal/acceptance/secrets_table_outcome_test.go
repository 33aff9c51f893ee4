package acceptance

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

type leakLimiter func(context.Context) error

func (l leakLimiter) Wait(ctx context.Context) error { return l(ctx) }

// secretCause is an error of the user's own in which the secrets are, as in one that
// another library has made of a request.
func secretCause() error {
	return valueError{
		Text: "lost " + markSecret.text + " and " + markSession.text, URL: leakBase + "&session=" + markSession.text,
	}
}

func submit(ctx context.Context, c *rentcar.Client, opts ...rentcar.CallOption) error {
	_, err := c.Renewals.Submit(ctx, leakedSubmit(), opts...)
	return err
}

func query(ctx context.Context, c *rentcar.Client, opts ...rentcar.CallOption) error {
	_, err := c.Orders.Query(
		ctx, &rentcar.OrderQueryRequest{OrderID: fliggy.ID(markDigits.text), OutOrderID: markBody.text}, opts...,
	)
	return err
}

func leakedSubmit() *rentcar.RenewalSubmitRequest {
	return &rentcar.RenewalSubmitRequest{
		OrderID: fliggy.ID(markDigits.text), OutOrderID: markBody.text + "-main", RenewalOutOrderID: markBody.text,
		PayTradeNo: markBody.text,
	}
}

// outcomeRows are what happens between attempts: repeating, bans, limiter, the end of
// a context; and how an unknown outcome is settled.
func outcomeRows() []leakRow {
	three := rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: 3})
	lost := failing(func(r *http.Request) error { return fmt.Errorf("reset: %s", echoes(r)) })
	banned := func(text string) leakResponder {
		return answerJSON(func(r *http.Request) any {
			return object{
				"error_response": object{
					"code": 7, "msg": "App Call Limited " + echoes(r), "sub_code": "accesscontrol.limited-by-api-access-count",
					"sub_msg": text + echoes(r),
				},
			}
		})
	}
	reads := []string{"rentcar.OrderService.Query"}
	writes := []string{"rentcar.RenewalService.Submit"}
	settles := []string{"rentcar.RenewalService.Settle"}
	cancelled := func(t *testing.T, cause error) (context.Context, context.CancelCauseFunc) {
		ctx, cancel := context.WithCancelCause(t.Context())
		return ctx, func(error) { cancel(cause) }
	}
	settle := func(t *testing.T, s *leakStage, req *rentcar.SettleRequest) []any {
		settled, err := s.client().Renewals.Settle(t.Context(), req)
		if settled == nil {
			return all(err)
		}
		return append(all(err, settled.Err), settled, *settled)
	}
	return []leakRow{
		{name: "read sent three times", covers: reads, want: "[after 3 attempts]", run: func(
			t *testing.T, s *leakStage,
		) []any {
			s.respond = lost
			return all(query(t.Context(), s.client(three)))
		}},
		{name: "budget spent", covers: []string{
			"rentcar.OrderService.Query", "rentcar.WithRetry",
		}, want: "budget", run: func(t *testing.T, s *leakStage) []any {
			s.respond = lost
			return all(query(t.Context(), s.client(rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: 5, Budget: 1}))))
		}},
		{name: "deadline before the next attempt", covers: reads, want: "not sent again", run: func(
			t *testing.T, s *leakStage,
		) []any {
			s.respond = banned("This ban will last for 3 more seconds ")
			ctx, cancel := context.WithTimeout(t.Context(), 1<<30)
			defer cancel()
			return all(query(ctx, s.client(three)))
		}},
		{name: "cancelled between attempts", covers: []string{
			"rentcar.RenewalService.Submit", "rentcar.WithSleep",
		}, want: "not sent again", run: func(t *testing.T, s *leakStage) []any {
			ctx, cancel := cancelled(t, secretCause())
			s.respond = func(r *http.Request) (*http.Response, error) {
				cancel(nil)
				return nil, &net.OpError{Op: "dial", Err: fmt.Errorf("no route for %s", echoes(r))}
			}
			return all(submit(ctx, s.client(three)))
		}},
		{name: "cancelled while waiting", covers: []string{
			"rentcar.OrderService.Query", "rentcar.WithSleep",
		}, want: "not sent again", run: func(t *testing.T, s *leakStage) []any {
			s.respond = lost
			return all(
				query(
					t.Context(),
					s.client(three, rentcar.WithSleep(func(context.Context, leakDuration) error { return secretCause() })),
				),
			)
		}},
		{name: "cancelled before", covers: writes, want: "before sending", run: func(t *testing.T, s *leakStage) []any {
			ctx, cancel := cancelled(t, secretCause())
			cancel(nil)
			return all(
				submit(ctx, s.client(three)), s.client().Call(ctx, "x.y", nil, &rentcar.Raw{}),
				s.client().CallQimen(ctx, "x.y", &rentcar.QimenRequest{TargetAppKey: "1"}, &rentcar.Raw{}),
			)
		}},
		{name: "cancelled on the way", covers: writes, want: "sending or waiting", run: func(
			t *testing.T, s *leakStage,
		) []any {
			ctx, cancel := cancelled(t, secretCause())
			s.respond = func(*http.Request) (*http.Response, error) { cancel(nil); return nil, ctx.Err() }
			return all(submit(ctx, s.client(three)))
		}},
		{name: "cancelled while reading", covers: writes, want: "reading the reply", run: func(
			t *testing.T, s *leakStage,
		) []any {
			ctx, cancel := cancelled(t, secretCause())
			s.respond = func(r *http.Request) (*http.Response, error) {
				cancel(nil)
				return leakReply(r, 200, "text/plain", brokenBody{ctx.Err()})
			}
			return all(submit(ctx, s.client(three)))
		}},
		{name: "ban met", covers: writes, want: "rate limited", run: func(t *testing.T, s *leakStage) []any {
			s.respond = banned("This ban will last for 100 more seconds ")
			c := s.client(three)
			return all(submit(t.Context(), c), submit(t.Context(), c))
		}},
		{name: "longer ban met by another call", covers: reads, want: "not sent again", run: func(
			t *testing.T, s *leakStage,
		) []any {
			var c *rentcar.Client
			calls := 0
			s.respond = func(r *http.Request) (*http.Response, error) {
				if calls++; calls > 1 {
					return banned("This ban will last for 100 more seconds ")(r)
				}
				_ = query(t.Context(), c, rentcar.CallAttempts(1))
				return lost(r)
			}
			c = s.client(three)
			return all(query(t.Context(), c))
		}},
		{name: "limiter refuses", covers: []string{
			"rentcar.OrderService.Query", "rentcar.WithLimiter",
		}, want: "rate limited", run: func(t *testing.T, s *leakStage) []any {
			return all(
				query(
					t.Context(), s.client(rentcar.WithLimiter(leakLimiter(func(context.Context) error { return secretCause() }))),
				),
			)
		}},
		{name: "limiter refuses the second attempt", covers: []string{
			"rentcar.OrderService.Query", "rentcar.WithLimiter",
		}, want: "not sent again", run: func(t *testing.T, s *leakStage) []any {
			s.respond = lost
			calls := 0
			return all(query(t.Context(), s.client(three, rentcar.WithLimiter(leakLimiter(func(context.Context) error {
				if calls++; calls > 1 {
					return secretCause()
				}
				return nil
			})))))
		}},
		{name: "write repeated, and then refused", covers: []string{
			"rentcar.RenewalService.Submit", "rentcar.CallRepeatUnknown",
		}, want: "an earlier attempt", run: func(t *testing.T, s *leakStage) []any {
			calls := 0
			s.respond = func(r *http.Request) (*http.Response, error) {
				if calls++; calls > 1 {
					return refusedReply(echo, "ret_msg")(r)
				}
				return lost(r)
			}
			return all(submit(t.Context(), s.client(three), rentcar.CallRepeatUnknown()))
		}, may: leakReasons{markReply: whyMessage}},
		{name: "generic read repeated", covers: []string{
			"rentcar.Client.Call", "rentcar.CallReadOnly",
		}, want: "[after 3 attempts]", run: func(t *testing.T, s *leakStage) []any {
			s.respond = lost
			return all(
				s.client(three).Call(
					t.Context(), "x.y", rentcar.Params{"p": markBody.text}, &rentcar.Raw{}, rentcar.CallReadOnly(),
				),
			)
		}},
		{name: "reply without a status line", covers: writes, want: "malformed", run: func(t *testing.T, s *leakStage) []any {
			c := s.client(
				rentcar.WithHTTPClient(&http.Client{Transport: rawServer(s, markReply.text+" "+markSession.text+"\r\n\r\n")}),
			)
			return all(submit(t.Context(), c))
		}},
		{name: "reply with a broken header", covers: writes, want: "malformed", run: func(t *testing.T, s *leakStage) []any {
			c := s.client(
				rentcar.WithHTTPClient(&http.Client{Transport: rawServer(s, "HTTP/1.1 200 OK\r\n"+markReply.text+"\r\n\r\n")}),
			)
			return all(submit(t.Context(), c))
		}},
		{name: "reply of a length that is none", covers: writes, want: "Content-Length", run: func(
			t *testing.T, s *leakStage,
		) []any {
			c := s.client(
				rentcar.WithHTTPClient(
					&http.Client{Transport: rawServer(s, "HTTP/1.1 200 OK\r\nContent-Length: "+markReply.text+"\r\n\r\n")},
				),
			)
			return all(submit(t.Context(), c))
		}},
		{name: "settle nothing", covers: settles, want: "not valid", run: func(t *testing.T, s *leakStage) []any {
			return append(
				settle(t, s, nil),
				settle(t, s, &rentcar.SettleRequest{Submit: &rentcar.RenewalSubmitRequest{OutOrderID: markBody.text}})...,
			)
		}},
		{name: "settle, the probe is refused", covers: settles, want: "still unknown", may: leakReasons{
			markReply: whyMessage,
		}, run: func(
			t *testing.T, s *leakStage,
		) []any {
			s.respond = refusedReply(echo, "ret_msg")
			return settle(t, s, &rentcar.SettleRequest{Submit: leakedSubmit()})
		}},
		{name: "settle, the probe fails", covers: settles, want: "still unknown", run: func(
			t *testing.T, s *leakStage,
		) []any {
			s.respond = lost
			return settle(t, s, &rentcar.SettleRequest{Submit: leakedSubmit()})
		}},
		{name: "settle, the probe answers nonsense", covers: settles, want: "no verdict", run: func(
			t *testing.T, s *leakStage,
		) []any {
			return settle(
				t, s,
				&rentcar.SettleRequest{
					Submit: leakedSubmit(),
					Probe:  func(context.Context, *rentcar.RenewalSubmitRequest) (rentcar.Verdict, error) { return 77, nil },
				},
			)
		}},
		{name: "settle, the events contradict each other", covers: settles, want: "contradict", run: func(
			t *testing.T, s *leakStage,
		) []any {
			head := events.Envelope{OutOrderID: markBody.text, TraceID: markPush.text}
			return settle(t, s, &rentcar.SettleRequest{Submit: leakedSubmit(), Events: []events.Event{
				&events.RenewalAccepted{Envelope: head, RenewalOrderID: fliggy.ID(markPushID.text), PayTradeNo: markPush.text},
				&events.RenewalRejected{Envelope: head, RenewalOrderID: fliggy.ID(markPushID.text), ErrorMessage: markPush.text},
			}})
		}},
	}
}

// rawServer answers every connection with these bytes.
func rawServer(s *leakStage, answer string) http.RoundTripper {
	return &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer func() { _ = server.Close() }()
			r, err := http.ReadRequest(bufio.NewReader(server))
			if err != nil {
				return
			}
			s.signed(r.URL.RawQuery)
			_, err = io.Copy(io.Discard, r.Body)
			if _, failed := io.Copy(server, strings.NewReader(answer)); err == nil {
				err = failed
			}
			if err != nil && !errors.Is(err, io.ErrClosedPipe) {
				s.t.Errorf("raw server: %v", err)
			}
		}()
		return client, nil
	}}
}
