package merchantcheck

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/qimen"
)

// TestForms sends typed requests in all forms that a handler reads.
func TestForms(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var got []any
	h, err := qimen.NewHandler(qimen.Secrets{testAppKey: {markedSecret}}, qimen.WithClock(fixedClock),
		qimen.OnRenewalPrices(func(
			_ context.Context, _ *qimen.Delivery, r *qimen.RenewalPricesRequest,
		) (*qimen.RenewalPricesReply, error) {
			got = append(got, r)
			return nil, qimen.Refuse("1", "no")
		}),
		qimen.OnRenewalSubmit(func(
			_ context.Context, _ *qimen.Delivery, r *qimen.RenewalSubmitRequest,
		) (*qimen.RenewalSubmitReply, error) {
			got = append(got, r)
			return nil, qimen.Refuse("1", "no")
		}),
		qimen.OnRenewalCancel(func(
			_ context.Context, _ *qimen.Delivery, r *qimen.RenewalCancelRequest,
		) (*qimen.RenewalCancelReply, error) {
			got = append(got, r)
			return nil, qimen.Refuse("1", "no")
		}))
	noError(t, err)
	m := connectMerchant(t, h)
	for _, contentType := range []string{
		"application/json;charset=utf-8", "application/json; charset=GBK", "text/plain;charset=utf-8",
		"text/xml;charset=utf-8",
		"application/xml;charset=gb18030", "application/x-www-form-urlencoded;charset=UTF-8",
		"application/x-www-form-urlencoded; charset=gbk",
	} {
		got = nil
		m := m.Vary(Variant{ContentType: contentType})
		var refused *qimen.Refusal
		_, err := m.Prices(ctx, merchantPrices())
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", contentType, err)
		}
		_, err = m.Submit(ctx, merchantSubmit())
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", contentType, err)
		}
		_, err = m.Cancel(ctx, merchantCancel("88"))
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", contentType, err)
		}
		if diff := cmp.Diff([]any{merchantPrices(), merchantSubmit(), merchantCancel("88")}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", contentType, diff)
		}
	}
	for _, contentType := range []string{"image/png", "application/json;charset=klingon"} {
		got = nil
		if _, err := m.Vary(Variant{ContentType: contentType}).Prices(ctx, merchantPrices()); err == nil || got != nil {
			t.Errorf("%q: %v", contentType, err)
		}
	}
	bad := merchantCancel("88")
	bad.CancelMessage = "\xff"
	for _, contentType := range []string{"application/json", "text/xml", "application/x-www-form-urlencoded"} {
		if _, err := m.Vary(
			Variant{ContentType: contentType},
		).Cancel(ctx, bad); err == nil || strings.Contains(err.Error(), "\xff") {
			t.Errorf("%s: text that is not UTF-8: %v", contentType, err)
		}
	}
}
