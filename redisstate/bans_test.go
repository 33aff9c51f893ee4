package redisstate_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/redisstate"
)

// newBans makes bans that exchange nothing by themselves within a test, except what they are told.
func newBans(t testing.TB, client *redis.Client, prefix string, apps ...string) *redisstate.Bans {
	t.Helper()
	b, err := redisstate.NewBans(t.Context(), client, redisstate.BansConfig{
		Config: redisstate.Config{Prefix: prefix}, Apps: apps, Refresh: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func exchange(t testing.TB, bans ...*redisstate.Bans) {
	t.Helper()
	for _, b := range bans {
		if err := b.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// wantLeft checks that a ban lasts for a time, less what a test takes.
func wantLeft(t testing.TB, b *redisstate.Bans, app, api string, want time.Duration) {
	t.Helper()
	left, slack := b.Left(app, api), 5*time.Minute
	if left > want+time.Second || want > 0 && left < want-slack || want == 0 && left != 0 {
		t.Errorf("%s %q is banned for %v, want %v", app, api, left, want)
	}
}

func TestBans(t *testing.T) {
	prefix := freshPrefix(t)
	a, b := newBans(t, server(t), prefix, "1"), newBans(t, server(t), prefix, "1", "2")
	a.Ban("1", "x.y", time.Hour)
	a.Ban("1", "", 2*time.Hour)
	a.Ban("1", "x.y", -1)
	wantLeft(t, a, "1", "x.y", time.Hour)
	exchange(t, a, b)
	wantLeft(t, b, "1", "x.y", time.Hour)
	wantLeft(t, b, "1", "", 2*time.Hour)
	wantLeft(t, b, "1", "x.z", 0)
	wantLeft(t, b, "2", "", 0)

	b.Ban("1", "x.y", 30*time.Minute) // the longer one stays
	b.Ban("1", "x.z", time.Hour)
	exchange(t, b, a)
	wantLeft(t, a, "1", "x.y", time.Hour)
	wantLeft(t, a, "1", "x.z", time.Hour)

	late := newBans(t, server(t), prefix, "1") // knows from the start
	wantLeft(t, late, "1", "", 2*time.Hour)
	later := newBans(t, server(t), prefix)
	wantLeft(t, later, "1", "", 0) // and now of the app
	exchange(t, later)
	wantLeft(t, later, "1", "", 2*time.Hour)

	a.Ban("2", "", time.Hour)
	b.Lift("1")
	b.Ban("1", "x.w", time.Hour)
	exchange(t, a, b, a, late)
	for _, x := range []*redisstate.Bans{a, b, late} {
		wantLeft(t, x, "1", "", 0)
		wantLeft(t, x, "1", "x.y", 0)
		wantLeft(t, x, "1", "x.w", time.Hour)
	}
	wantLeft(t, b, "2", "", time.Hour) // another app
}

// Bans that end are forgotten, by the server too.
func TestBansEnd(t *testing.T) {
	prefix, client := freshPrefix(t), server(t)
	b := newBans(t, client, prefix, "1")
	b.Ban("1", "x.y", time.Millisecond)
	b.Ban("1", "x.z", time.Hour)
	eventually(t, "the ban ends", func() bool { return b.Left("1", "x.y") == 0 })
	exchange(t, b)
	keys := client.HKeys(t.Context(), prefix+":{1}:bans").Val()
	ttl := client.PTTL(t.Context(), prefix+":{1}:bans").Val()
	if len(keys) != 1 || keys[0] != "x.z" || ttl <= 0 || ttl > time.Hour {
		t.Errorf("keys %q for %v", keys, ttl)
	}
	b.Ban("1", "", 1000*time.Hour)
	wantLeft(t, b, "1", "", 24*time.Hour)
	b.Lift("1")
	exchange(t, b)
	if n := client.Exists(t.Context(), prefix+":{1}:bans").Val(); n != 0 {
		t.Error("lifted bans are kept")
	}
}

// What is told is passed on at once, without Sync, and by Close.
func TestBansArePassedOn(t *testing.T) {
	prefix := freshPrefix(t)
	a := newBans(t, server(t), prefix, "1")
	b, err := redisstate.NewBans(t.Context(), server(t), redisstate.BansConfig{
		Config: redisstate.Config{Prefix: prefix}, Refresh: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	a.Ban("1", "", time.Hour)
	eventually(t, "the ban arrives", func() bool { return b.Left("1", "") > 0 })
	c := newBans(t, server(t), prefix, "1")
	c.Ban("1", "x", time.Hour)
	c.Close()
	exchange(t, a)
	wantLeft(t, a, "1", "x", time.Hour)
}

// A ban that one process met holds the client of another one, of the same app.
func TestBansHoldTheOtherClient(t *testing.T) {
	for _, scope := range []string{fliggytest.BanApp, fliggytest.BanAPI} {
		prefix := freshPrefix(t)
		var clients []*rentcar.Client
		var shared []*redisstate.Bans
		var gateways []*fliggytest.Gateway
		for range 2 {
			gw := fliggytest.NewGateway()
			t.Cleanup(gw.Close)
			b := newBans(t, server(t), prefix, gw.AppKey())
			client, err := gw.Client(rentcar.WithBans(b))
			if err != nil {
				t.Fatal(err)
			}
			clients = append(clients, client)
			shared, gateways = append(shared, b), append(gateways, gw)
		}
		gateways[0].Fail(fliggytest.Banned(time.Hour, scope))
		query := func(i int) error {
			_, err := clients[i].Cities.Query(t.Context(), &rentcar.CityQueryRequest{ChannelID: fliggy.ChannelAmap})
			return err
		}
		var gatewayError *rentcar.GatewayError
		if err := query(0); !errors.As(err, &gatewayError) {
			t.Fatal(err)
		}
		exchange(t, shared...)
		var limited *rentcar.RateLimitError
		if err := query(1); !errors.As(err, &limited) || limited.RetryAfter < 50*time.Minute {
			t.Fatalf("%s: %v", scope, err)
		}
		clients[0].LiftBans()
		exchange(t, shared...)
		if err := query(1); err != nil {
			t.Errorf("%s, lifted: %v", scope, err)
		}
	}
}
