package durable_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/durable"
)

// An outcome is what happens to one attempt.
type outcome string

const (
	succeeds  outcome = "succeeds"
	fails     outcome = "fails"
	refuses   outcome = "refuses" // for good
	panics    outcome = "panics"
	waits     outcome = "waits"    // for the end of its time
	overruns  outcome = "overruns" // its claim
	dieClaim  outcome = "dies when it is claimed"
	dieWork   outcome = "dies in the work"
	dieMark   outcome = "dies before the mark"
	dieMarked outcome = "dies after the mark"
	dieBack   outcome = "fails, and dies before it is put back"
)

var outcomes = []outcome{
	succeeds, fails, refuses, panics, waits, overruns, dieClaim, dieWork, dieMark, dieMarked, dieBack,
}

// A plan is what happens to every item and process.
type plan struct {
	Items     []planned
	Processes []place
}

type planned struct {
	At       time.Duration
	Dies     string    // the process that adds it, "before", "after" or not
	Outcomes []outcome // of its attempts; later ones succeed
}

func (p planned) at(attempt int) outcome {
	if attempt > len(p.Outcomes) {
		return succeeds
	}
	return p.Outcomes[attempt-1]
}

// A place is where one process runs at a time.
type place struct {
	Workers    int
	Skew, Down time.Duration
}

func drawPlan(t *rapid.T) plan {
	return plan{
		Items: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) planned {
			return planned{
				At:       time.Duration(rapid.IntRange(0, 90_000).Draw(t, "at")) * time.Millisecond,
				Dies:     rapid.SampledFrom([]string{"", "before", "after"}).Draw(t, "dies"),
				Outcomes: rapid.SliceOfN(rapid.SampledFrom(outcomes), 0, 5).Draw(t, "outcomes"),
			}
		}), 1, 8).Draw(t, "items"),
		Processes: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) place {
			return place{
				Workers: rapid.IntRange(1, 3).Draw(t, "workers"),
				Skew:    time.Duration(rapid.IntRange(-15, 15).Draw(t, "skew")) * time.Second,
				Down:    time.Duration(rapid.IntRange(0, 120).Draw(t, "down")) * time.Second,
			}
		}), 1, 3).Draw(t, "processes"),
	}
}

var errDead = errors.New("this process is dead")

// A world is one store, which outlives the processes, and what has been seen.
type world struct {
	plan  plan
	store *durable.MemoryStore

	mu       sync.Mutex
	problems []string
	isNew    map[string]int
	done     map[string]int
	attempts map[string][]int
	holders  map[string][]*process // whose work ends with its context
}

func (w *world) problem(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

func (w *world) outcome(i *durable.Item) outcome {
	var n int
	if i.Queue != "test.queue" {
		return succeeds
	}
	_, _ = fmt.Sscanf(i.ID, "item-%d", &n)
	return w.plan.Items[n].at(i.Attempt)
}

// A process is a Store until it dies.
type process struct {
	*world
	effects *durable.Queue
	mu      sync.Mutex
	isDead  bool
	stop    context.CancelFunc
}

func (p *process) die() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isDead = true
	p.stop()
}

func (p *process) alive() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isDead {
		return errDead
	}
	return nil
}

// dieIf dies where the item's outcome is that.
func (p *process) dieIf(i *durable.Item, o outcome) {
	if p.outcome(i) == o && p.alive() == nil {
		p.die()
	}
}

func (p *process) Add(ctx context.Context, i *durable.Item) (*durable.Item, error) {
	if err := p.alive(); err != nil {
		return nil, err
	}
	return p.store.Add(ctx, i)
}

func (p *process) Claim(ctx context.Context, queue string, now, until time.Time) (*durable.Item, error) {
	if err := p.alive(); err != nil {
		return nil, err
	}
	i, err := p.store.Claim(ctx, queue, now, until)
	if i != nil {
		p.dieIf(i, dieClaim)
	}
	return i, errors.Join(err, p.alive())
}

func (p *process) Do(ctx context.Context, i *durable.Item, work func(context.Context) error) error {
	if err := p.alive(); err != nil {
		return err
	}
	err := p.store.Do(ctx, i, func(ctx context.Context) error {
		err := work(ctx)
		p.dieIf(i, dieMark)
		return errors.Join(err, p.alive())
	})
	if err == nil {
		p.world.mu.Lock()
		p.done[i.ID]++
		p.world.mu.Unlock()
		p.dieIf(i, dieMarked)
	}
	if p.alive() != nil {
		return errDead
	}
	return err
}

func (p *process) Retry(ctx context.Context, i *durable.Item, due time.Time) error {
	p.dieIf(i, dieBack)
	if err := p.alive(); err != nil {
		return err
	}
	return p.store.Retry(ctx, i, due)
}

func (p *process) Park(ctx context.Context, i *durable.Item, reason string) error {
	if err := p.alive(); err != nil {
		return err
	}
	return p.store.Park(ctx, i, reason)
}

// work is that of the item's plan. Its effect is an item of another queue.
func (p *process) work(ctx context.Context, i *durable.Item) error {
	o := p.outcome(i)
	defer p.hold(i, o)()
	switch o {
	case fails, dieBack:
		return errWork
	case refuses:
		return durable.Permanent(errWork)
	case panics:
		panic("boom")
	case waits:
		<-ctx.Done()
		return ctx.Err()
	case overruns:
		<-time.After(10 * time.Minute)
	case dieWork:
		p.die()
		return errDead
	}
	_, err := p.effects.Add(ctx, fmt.Sprintf("%s#%d", i.ID, i.Attempt), "", nil)
	<-time.After(time.Second)
	return err
}

// hold notes that an item is worked on, until what it returns is called.
func (p *process) hold(i *durable.Item, o outcome) (release func()) {
	w := p.world
	w.mu.Lock()
	w.attempts[i.ID] = append(w.attempts[i.ID], i.Attempt)
	others := slices.Clone(w.holders[i.ID])
	if o != overruns {
		w.holders[i.ID] = append(w.holders[i.ID], p)
	}
	w.mu.Unlock()
	for _, other := range others {
		if other.alive() == nil {
			w.problem("attempt %d of %s began while another was worked on", i.Attempt, i.ID)
		}
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if n := slices.Index(w.holders[i.ID], p); n >= 0 && o != overruns {
			w.holders[i.ID] = slices.Delete(w.holders[i.ID], n, n+1)
		}
	}
}

// boot begins a process in a place.
func (w *world) boot(ctx context.Context, at place) (*process, *durable.Queue, context.Context) {
	p := &process{world: w}
	ctx, p.stop = context.WithCancel(ctx)
	cfg := durable.Config{
		Workers: at.Workers, Timeout: 10 * time.Second,
		MinDelay: time.Second, MaxDelay: time.Minute, Clock: func() time.Time { return time.Now().Add(at.Skew) },
	}
	q, err := durable.NewQueue("test.queue", p, cfg)
	if err != nil {
		w.problem("NewQueue: %v", err)
	}
	if p.effects, err = durable.NewQueue("effects", p, durable.Config{}); err != nil {
		w.problem("NewQueue: %v", err)
	}
	return p, q, ctx
}

// add adds an item until that has been confirmed.
func (w *world) add(ctx context.Context, n int) {
	item, id := w.plan.Items[n], fmt.Sprintf("item-%d", n)
	<-time.After(item.At)
	for try := 1; ; try++ {
		p, q, ctx := w.boot(ctx, place{Workers: 1})
		if try == 1 && item.Dies == "before" {
			p.die()
		}
		isNew, err := q.Add(context.WithoutCancel(ctx), id, "", []byte(id))
		if isNew {
			w.mu.Lock()
			w.isNew[id]++
			w.mu.Unlock()
		}
		p.stop()
		if err == nil && (try > 1 || item.Dies != "after") {
			return
		}
		<-time.After(time.Second)
	}
}

// run runs the plan until every item is done or parked.
func (w *world) run(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for n := range w.plan.Items {
		all.Go(func() { w.add(ctx, n) })
	}
	for _, at := range w.plan.Processes {
		all.Go(func() {
			for ctx.Err() == nil {
				p, q, ctx := w.boot(ctx, at)
				_ = q.Run(ctx, p.work)
				p.stop()
				<-time.After(at.Down)
			}
		})
	}
	for begin := time.Now(); !w.isOver() && time.Since(begin) < 24*time.Hour; {
		<-time.After(10 * time.Second)
	}
	stop()
	all.Wait()
}

func (w *world) isOver() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.done)+len(w.store.Parked("test.queue")) >= len(w.plan.Items)
}

// check holds what has happened against what has to.
func (w *world) check(ctx context.Context) []string {
	parked := map[string]int{}
	for _, p := range w.store.Parked("test.queue") {
		parked[p.Item.ID]++
	}
	effects := map[string]int{}
	for far := time.Now().Add(time.Hour); ; {
		i, err := w.store.Claim(ctx, "effects", far, far.Add(time.Hour))
		if err != nil || i == nil {
			break
		}
		for n := range w.plan.Items {
			if id := fmt.Sprintf("item-%d", n); len(i.ID) > len(id) && i.ID[:len(id)+1] == id+"#" {
				effects[id]++
			}
		}
	}
	for n, item := range w.plan.Items {
		id := fmt.Sprintf("item-%d", n)
		if w.isNew[id] != 1 {
			w.problem("%s was new %d times", id, w.isNew[id])
		}
		if w.done[id]+parked[id] != 1 || effects[id] != w.done[id] {
			w.problem("%s was done %d times with %d effects, and parked %d times", id, w.done[id], effects[id], parked[id])
		}
		if parked[id] == 1 && !slices.Contains(item.Outcomes, refuses) {
			w.problem("%s was parked, and its work did not refuse it", id)
		}
		if a := w.attempts[id]; !slices.IsSorted(a) || len(slices.Compact(slices.Clone(a))) != len(a) {
			w.problem("%s was worked on in attempts %v", id, a)
		}
	}
	return w.problems
}

// TestEveryItemEndsOnce lets processes fail and die at every step, with clocks that
// differ. Each item is done once, with its effect, or parked; none is lost.
func TestEveryItemEndsOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt)
		var problems []string
		synctest.Test(t, func(t *testing.T) {
			w := &world{plan: p, store: durable.NewMemoryStore(), isNew: map[string]int{}, done: map[string]int{},
				attempts: map[string][]int{}, holders: map[string][]*process{}}
			w.run(t.Context())
			problems = w.check(t.Context())
		})
		if problems != nil {
			rt.Fatalf("%v\n%+v", problems, p)
		}
	})
}
