package redisstate

import (
	"cmp"
	"context"
	_ "embed" // the script
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fliggy-go/rentcar"
)

// Bans are [rentcar.Bans] on Redis: what flow control says to one process holds for all processes of the app. Make them
// with [NewBans], give them to clients by [rentcar.WithBans], and Close them.
//
// A call asks no server. Each process keeps a copy, and exchanges it with Redis every BansConfig.Refresh and at once
// when it was told of a ban. So others may still send calls for that long. Where Redis answers, what it says holds:
// bans that it has lost are forgotten.
type Bans struct {
	client redis.UniversalClient
	cfg    BansConfig
	status status

	mu   sync.Mutex
	apps map[string]*appBans

	exchange sync.Mutex    // one exchange at a time
	wake     chan struct{} // says that there is something to tell
	stop     func()
	stopped  chan struct{}
}

var _ rentcar.Bans = (*Bans)(nil)

// appBans are the bans of an app as far as this process knows.
type appBans struct {
	until  map[string]time.Time
	noted  map[string]time.Time // what Redis has not been told yet
	lifted bool                 // before noted
}

// A BansConfig configures Bans. The zero BansConfig has the defaults.
type BansConfig struct {
	Config
	// Apps are the app keys whose bans are fetched by NewBans. Those of another app are fetched when it is first
	// called.
	Apps []string
	// Refresh is how often bans are fetched: [DefaultRefresh] by default.
	Refresh time.Duration
}

// DefaultRefresh is the default of [BansConfig.Refresh].
const DefaultRefresh = time.Second

// exchangeTimeout is how long Redis has for an exchange in the background.
const exchangeTimeout = 3 * time.Second

// maxBan bounds how long a ban lasts, as the client does.
const maxBan = 24 * time.Hour

// NewBans fetches the bans and returns them. It asks the server whether it can work there. The error says what is
// wrong, and what to do. ctx is for NewBans alone.
func NewBans(ctx context.Context, client redis.UniversalClient, cfg BansConfig) (*Bans, error) {
	problems := cfg.problems("BansConfig", cfg.Apps...)
	if cfg.Refresh < 0 {
		problems = append(problems, errors.New("redisstate: BansConfig.Refresh: must not be negative"))
	}
	if problems != nil {
		return nil, errors.Join(problems...)
	}
	if err := cfg.check(ctx, client); err != nil {
		return nil, err
	}
	background, stop := context.WithCancel(context.Background())
	b := &Bans{
		client: client, cfg: cfg, apps: map[string]*appBans{},
		wake: make(chan struct{}, 1), stop: stop, stopped: make(chan struct{}),
	}
	for _, app := range cfg.Apps {
		b.app(app)
	}
	if err := b.Sync(ctx); err != nil {
		stop()
		return nil, err
	}
	go b.run(background)
	return b, nil
}

// run exchanges bans until Close is called.
func (b *Bans) run(ctx context.Context) {
	defer close(b.stopped)
	tick := time.NewTicker(cmp.Or(b.cfg.Refresh, DefaultRefresh))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
		case <-tick.C:
		}
		limited, cancel := context.WithTimeout(ctx, exchangeTimeout)
		_ = b.Sync(limited) // Err tells, and the next round tries again
		cancel()
	}
}

// Close tells Redis what it has not been told yet, and ends the exchange. What is known by then still holds.
func (b *Bans) Close() {
	b.stop()
	<-b.stopped
	ctx, cancel := context.WithTimeout(context.Background(), exchangeTimeout)
	defer cancel()
	_ = b.Sync(ctx)
}

// Err returns what is wrong with the exchange, or nil after one that worked: for a health check.
func (b *Bans) Err() error { return b.status.get() }

// app returns the bans of an app. The caller holds mu, or is NewBans.
func (b *Bans) app(app string) *appBans {
	a := b.apps[app]
	if a == nil {
		a = &appBans{until: map[string]time.Time{}, noted: map[string]time.Time{}}
		b.apps[app] = a
		b.wakeUp()
	}
	return a
}

func (b *Bans) wakeUp() {
	select {
	case b.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Ban is part of [rentcar.Bans].
func (b *Bans) Ban(app, api string, d time.Duration) {
	if d <= 0 {
		return
	}
	end := time.Now().Add(min(d, maxBan))
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.app(app)
	if end.After(a.until[api]) {
		a.until[api], a.noted[api] = end, end
		b.wakeUp()
	}
}

// Left is part of [rentcar.Bans].
func (b *Bans) Left(app, api string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	end, ok := b.app(app).until[api]
	if !ok {
		return 0
	}
	return max(0, time.Until(end))
}

// Lift is part of [rentcar.Bans]. Other processes hear of it as of a ban.
func (b *Bans) Lift(app string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.app(app)
	clear(a.until)
	clear(a.noted)
	a.lifted = true
	b.wakeUp()
}

// Sync exchanges bans with Redis now: after it returned nil, this process knows what others have told, and they can
// know what it has. There is no need to call it, except where the next Refresh is too late.
func (b *Bans) Sync(ctx context.Context) error {
	b.exchange.Lock()
	defer b.exchange.Unlock()
	b.mu.Lock()
	apps := make([]string, 0, len(b.apps))
	for app := range b.apps {
		apps = append(apps, app)
	}
	b.mu.Unlock()
	var err error
	for _, app := range apps {
		err = errors.Join(err, b.sync(ctx, app))
	}
	b.status.set(err)
	return err
}

//go:embed bans.lua
var bansText string

var bansScript = redis.NewScript(bansText)

// sync exchanges the bans of an app. What fails is noted again.
func (b *Bans) sync(ctx context.Context, app string) error {
	b.mu.Lock()
	a := b.app(app)
	noted, lifted := a.noted, a.lifted
	a.noted, a.lifted = map[string]time.Time{}, false
	b.mu.Unlock()
	now := time.Now()
	args := []any{lifted}
	for api, end := range noted {
		if left := end.Sub(now).Milliseconds(); left > 0 {
			args = append(args, api, left)
		}
	}
	answer, err := bansScript.Run(ctx, b.client, []string{b.cfg.base(app) + "bans"}, args...).Slice()
	now = time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		if !a.lifted { // meanwhile
			a.lifted = lifted
			maps.Copy(noted, a.noted)
			a.noted = noted
		}
		return wrap("bans", err)
	}
	if a.lifted {
		return nil // what was fetched is out of date
	}
	a.until = maps.Clone(a.noted)
	for i := 0; i+1 < len(answer); i += 2 {
		api, _ := answer[i].(string)
		left, _ := answer[i+1].(int64)
		if end := now.Add(time.Duration(left) * time.Millisecond); end.After(a.until[api]) {
			a.until[api] = end
		}
	}
	return nil
}

// String names the keys.
func (b *Bans) String() string {
	if b == nil {
		return "redisstate.Bans(nil)"
	}
	return fmt.Sprintf("redisstate.Bans(%sbans)", b.cfg.base("*"))
}

// Format writes String for every verb.
func (b *Bans) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(b.String())) }
