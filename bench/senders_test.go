package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/fliggy-go/rentcar"
)

const (
	accept   = "application/json,text/javascript,text/xml"
	formType = "application/x-www-form-urlencoded;charset=UTF-8"
)

func newPeer(format string, post func(ctx context.Context, address, form string) ([]byte, error)) *peer {
	return &peer{format: format, partnerID: "rentcar-go-" + rentcar.Version, now: time.Now, post: post}
}

// newStd returns the peer on net/http.
func newStd(rt http.RoundTripper, format string) *peer {
	client := &http.Client{Transport: rt}
	return newPeer(format, func(ctx context.Context, address, form string) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", formType)
		req.Header.Set("Accept", accept)
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("HTTP status %d", resp.StatusCode)
		}
		return io.ReadAll(resp.Body)
	})
}

// newResty returns the peer on resty, used as leanly as it can be: what it does with
// content types, bodies and results is switched off.
func newResty(rt http.RoundTripper, format string) *peer {
	client := resty.NewWithClient(&http.Client{Transport: rt}).SetHeader("Accept", accept)
	return newPeer(format, func(ctx context.Context, address, form string) ([]byte, error) {
		resp, err := client.R().
			SetContext(ctx).
			SetDoNotParseResponse(true).
			SetHeader("Content-Type", formType).
			SetBody([]byte(form)).
			Post(address)
		if err != nil {
			return nil, err
		}
		body := resp.RawBody()
		defer func() { _ = body.Close() }()
		if resp.StatusCode() != http.StatusOK {
			return nil, fmt.Errorf("HTTP status %d", resp.StatusCode())
		}
		return io.ReadAll(body)
	})
}
