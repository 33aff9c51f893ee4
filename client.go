package rentcar

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/fliggy-go/rentcar/internal/top"
)

// Version is the version of this package, sent to the gateway as User-Agent and
// partner_id.
const Version = "0.1.0-dev"

// A Client calls the platform for one app. It is immutable and safe for concurrent use. Make one and keep it, since it
// holds the connections. Do not change a request before the method that sends it has returned.
type Client struct {
	Renewals  *RenewalService  // 续租: quote, submit, check a cancellation, cancel
	Orders    *OrderService    // 订单: query, check a cancellation
	Bills     *BillService     // 账单: push settlement bills
	Callbacks *CallbackService // 回调: answer events
	Cities    *CityService     // 城市: list
	Vehicles  *VehicleService  // 车型: list
	Agency    *AgencyService   // 租租车: report orders of the agency

	appKey   string
	secret   func() string // a function, so that no formatting verb reaches the text
	cfg      config
	topURL   string
	qimenURL string
	resty    *resty.Client
	plans    map[string]*operationPlans
	budget   *budget
	bans     *bans
}

// NewClient returns a client for the app key and secret of the open platform's
// console. It fails for an empty key or secret and for options that are wrong or
// contradict each other, and says what to do.
func NewClient(appKey, appSecret string, opts ...Option) (client *Client, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("rentcar: new client: %w", err)
		}
	}()
	switch {
	case top.IsBlank(appKey):
		return nil, errors.New("the app key is empty: take it from the console of the open platform")
	case top.IsBlank(appSecret):
		return nil, errors.New("the app secret is empty: take it from the console of the open platform")
	case strings.TrimSpace(appKey) != appKey || strings.TrimSpace(appSecret) != appSecret:
		return nil, errors.New(`the app key or the app secret has white space around it, which would end in ` +
			`"Invalid signature": was a line break pasted with it?`)
	}
	cfg := defaultConfig()
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("option %d is nil: leave it out", i+1)
		}
		if err := opt(&cfg); err != nil {
			return nil, err
		}
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	plans, err := compilePlans(cfg.names)
	if err != nil {
		return nil, err
	}
	c := &Client{
		appKey: appKey,
		secret: func() string { return appSecret },
		cfg:    cfg,
		resty:  newResty(&cfg),
		plans:  plans,
		budget: newBudget(cfg.retry.Budget),
		bans:   &bans{},
	}
	c.topURL, c.qimenURL = cfg.urls()
	c.Renewals = &RenewalService{c}
	c.Orders = &OrderService{c}
	c.Bills = &BillService{c}
	c.Callbacks = &CallbackService{c}
	c.Cities = &CityService{c}
	c.Vehicles = &VehicleService{c}
	c.Agency = &AgencyService{c}
	return c, nil
}

// Timeout returns the time that one attempt of a call has: see [WithTimeout].
func (c *Client) Timeout() time.Duration { return c.cfg.timeout }

// AppKey returns the app key that the client was made with.
func (c *Client) AppKey() string { return c.appKey }

// String names the app key and what calls look like, never the secret.
func (c *Client) String() string {
	return fmt.Sprintf("rentcar.Client{app key %s, %s, %s}", c.appKey, c.cfg.signMethod, c.cfg.format)
}

// Format writes String for every verb, so that nothing prints the secret.
func (c *Client) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.String())) }

// MarshalText is String: a client has no other form.
func (c *Client) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
