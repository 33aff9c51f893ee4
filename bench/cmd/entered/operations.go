package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/coverage"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/bench/internal/work"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

// perform does an operation and writes the counters of just that. What it needs is made before.
func perform(ctx context.Context, operation, dir string) error {
	var do func() error
	var err error
	switch operation {
	case "submit":
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json;charset=UTF-8")
			_, _ = io.WriteString(w, submitted)
		}))
		defer server.Close()
		do, err = submit(ctx, server.URL)
	case "push":
		do, err = push(ctx)
	default:
		err = fmt.Errorf("no operation %q", operation)
	}
	if err != nil {
		return err
	}
	if err := coverage.ClearCounters(); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return errors.Join(coverage.WriteMetaDir(dir), coverage.WriteCountersDir(dir))
}

const submitted = `{"successful":true,"ret_code":"0","ret_msg":"成功","renewal_order_id":3187983531024266527,` +
	`"order_id":3104050285204362836,"out_order_id":"RC202212191604667539969978361","request_id":"16kksr4el1bs0"}`

// submit sends a renewal to a server that accepts it.
func submit(ctx context.Context, address string) (func() error, error) {
	client, err := rentcar.NewClient(work.AppKey, work.Secret, rentcar.WithBaseURL(address))
	if err != nil {
		return nil, err
	}
	request := &rentcar.RenewalSubmitRequest{
		OrderID: "3104050285204362836", OutOrderID: "RC202212191604667539969978361",
		RenewalOutOrderID: "RC202212191604667539969978368", ItemID: "quote-1",
		CarUseTime: fliggy.MustTime("2022-11-26 12:30:00"), CarReturnTime: fliggy.MustTime("2022-11-27 12:30:00"),
		TotalFee: fliggy.FenOf(19900).Yuan(), Payment: fliggy.FenOf(19900).Yuan(),
		PayTradeNo: "202212191604667539969978368", CreatedTime: fliggy.MustTime("2022-11-26 09:00:00"),
		SelectedServices: []string{"basic"}, ChannelID: fliggy.ChannelAmap, TraceID: "2147b72e16691938918672871ef815",
	}
	return func() error {
		_, err := client.Renewals.Submit(ctx, request)
		return err
	}, nil
}

// push brings event 103 to a handler that takes it.
func push(ctx context.Context) (func() error, error) {
	handler, err := qimen.NewHandler(qimen.Secrets{work.AppKey: {work.Secret}},
		qimen.OnEvent(func(context.Context, *qimen.Delivery, events.Event) error { return nil }))
	if err != nil {
		return nil, err
	}
	signed, err := work.Push(time.Now(), []byte(accepted))
	if err != nil {
		return nil, err
	}
	request := httptest.NewRequestWithContext(
		ctx, http.MethodPost, "/fliggy?"+signed.RawQuery, bytes.NewReader(signed.Body),
	)
	request.Header = signed.Header
	return func() error {
		reply := httptest.NewRecorder()
		handler.ServeHTTP(reply, request)
		if !strings.Contains(reply.Body.String(), `"success":true`) {
			return fmt.Errorf("refused: %s", reply.Body)
		}
		return nil
	}, nil
}

// accepted is event 103: the merchant took the renewal.
const accepted = `{"channelId":"80001","orderId":"3104050285204362836","outOrderId":"RC202212191604667539969978368",` +
	`"eventType":103,` +
	`"eventData":{"renewalOrderId":"3187983531024266527","createdTime":"2022-11-26 ` +
	`09:00:00","payTradeNo":"202212191604667539969978368"}}`
