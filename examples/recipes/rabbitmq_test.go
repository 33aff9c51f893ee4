package recipes_test

import (
	"bytes"
	"cmp"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/fliggy-go/rentcar/examples/recipes"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

func rabbitURL() string {
	return cmp.Or(os.Getenv("RENTCAR_TEST_RABBITMQ"), "amqp://guest:guest@127.0.0.1:5672/")
}

// rabbit declares a queue on the real server, and returns a channel to look at it.
func rabbit(t *testing.T, args amqp.Table) (name string, channel *amqp.Channel) {
	t.Helper()
	conn, err := amqp.Dial(rabbitURL())
	if err != nil {
		t.Fatalf("%v: is RabbitMQ up? See RENTCAR_TEST_RABBITMQ in CONTRIBUTING.md", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if channel, err = conn.Channel(); err != nil {
		t.Fatal(err)
	}
	queue, err := channel.QueueDeclare(freshName(), true, false, false, false, args)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = channel.QueueDelete(queue.Name, false, false, false) })
	return queue.Name, channel
}

func publisher(t *testing.T, address, queue string) *recipes.RabbitMQ {
	t.Helper()
	r := &recipes.RabbitMQ{URL: address, Queue: queue}
	t.Cleanup(r.Close)
	return r
}

func get(t *testing.T, channel *amqp.Channel, queue string) amqp.Delivery {
	t.Helper()
	d, ok, err := channel.Get(queue, true)
	if err != nil || !ok {
		t.Fatal("nothing in the queue", err)
	}
	return d
}

func TestRabbitMQ(t *testing.T) {
	t.Parallel()
	queue, channel := rabbit(t, nil)
	c := newCourier(t, publisher(t, rabbitURL(), queue).OnEvent)
	for range 2 { // on one connection
		if !c.push() {
			t.Fatal(c.last)
		}
		d := get(t, channel, queue) // which is there when Fliggy has its answer
		if !bytes.Equal(d.Body, c.body) || d.MessageId != c.key || d.DeliveryMode != amqp.Persistent ||
			d.Headers["digest"] != c.digest || d.Headers["order"] != string(fliggytest.SampleOrderID) {
			t.Errorf("published %v with %v", d.MessageId, d.Headers)
		}
	}
}

// What the broker does not take is an error, and so is what no queue takes, which the broker confirms all the same.
// Afterwards it goes on.
func TestRabbitMQRefuses(t *testing.T) {
	t.Parallel()
	queue, channel := rabbit(t, amqp.Table{"x-max-length": int32(1), "x-overflow": "reject-publish"})
	c := newCourier(t, publisher(t, rabbitURL(), queue).OnEvent)
	if !c.push() {
		t.Fatal(c.last)
	}
	if c.push() || !strings.Contains(c.last.Error(), "did not take") {
		t.Errorf("a full queue: %v", c.last)
	}
	get(t, channel, queue)
	if !c.push() {
		t.Error(c.last)
	}
	if _, err := channel.QueueDelete(queue, false, false, false); err != nil {
		t.Fatal(err)
	}
	if c.push() || !strings.Contains(c.last.Error(), "NO_ROUTE") {
		t.Errorf("no queue: %v", c.last)
	}
	if newCourier(t, publisher(t, "amqp://127.0.0.1:1/", queue).OnEvent).push() {
		t.Error("no server, and the event was accepted")
	}
}

// The connection is cut before the confirmation arrives. Fliggy is told that it failed, and pushes again: the queue
// then has the event twice, under one id.
func TestRabbitMQIsCut(t *testing.T) {
	t.Parallel()
	queue, channel := rabbit(t, nil)
	u, err := url.Parse(rabbitURL())
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{to: u.Host}
	u.Host = p.listen(t)
	c := newCourier(t, publisher(t, u.String(), queue).OnEvent)
	if !c.push() {
		t.Fatal(c.last)
	}
	get(t, channel, queue)

	p.mute(func() { // when the event has arrived
		for t.Context().Err() == nil {
			if q, err := channel.QueueDeclarePassive(queue, true, false, false, false, nil); err != nil || q.Messages > 0 {
				return
			}
		}
	})
	if c.push() || c.last == nil {
		t.Error("the event was accepted without a confirmation")
	}
	first := get(t, channel, queue)
	if !c.again(t) {
		t.Fatal(c.last)
	}
	if second := get(t, channel, queue); first.MessageId != c.key || second.MessageId != c.key {
		t.Errorf("ids %q, %q, want %q", first.MessageId, second.MessageId, c.key)
	}
}

// A proxy stands between a client and a server.
type proxy struct {
	to string

	mu    sync.Mutex
	muted func() // the server's next words are lost; when muted returns, so is the connection
}

func (p *proxy) mute(until func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.muted = until
}

func (p *proxy) listen(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.DialTimeout("tcp", p.to, 5*time.Second)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(server, client)
				_ = server.Close()
			}()
			go p.answer(client, server)
		}
	}()
	return l.Addr().String()
}

// answer passes on what the server says.
func (p *proxy) answer(client, server net.Conn) {
	defer func() { _ = client.Close() }()
	words := make([]byte, 4096)
	for {
		n, err := server.Read(words)
		if err != nil {
			return
		}
		p.mu.Lock()
		muted := p.muted
		p.muted = nil
		p.mu.Unlock()
		if muted != nil {
			muted()
			return
		}
		if _, err := client.Write(words[:n]); err != nil {
			return
		}
	}
}

// An address that cannot be read is not quoted: it holds the password.
func TestRabbitMQOfNoAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"amqp://guest:pass word@h/", "amqp://guest:hidden%zz@h/", "http://guest:hidden@h/"} {
		r := &recipes.RabbitMQ{URL: address, Queue: "q"}
		err := r.OnEvent(t.Context(), &qimen.Delivery{}, nil)
		if err == nil || strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "pass word") {
			t.Errorf("got %v", err)
		}
	}
}
