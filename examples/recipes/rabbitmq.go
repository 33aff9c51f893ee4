package recipes

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/qimen"
)

// A RabbitMQ publishes events, one at a time: give each worker of the inbox one of its own if there are many. It
// connects when it has to. Whoever consumes declares the queue.
type RabbitMQ struct {
	URL   string
	Queue string // durable, or a quorum queue

	mu       sync.Mutex
	conn     *amqp.Connection
	channel  *amqp.Channel
	returned chan amqp.Return
}

// OnEvent is for qimen.OnEvent. It succeeds when the broker has confirmed that the queue has the event. A repeat has
// the same MessageId; with another digest it has other content, and somebody has to look.
func (r *RabbitMQ) OnEvent(ctx context.Context, d *qimen.Delivery, e events.Event) (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.connect(); err != nil {
		return err
	}
	defer func() {
		if err != nil { // the channel may be closed, or have an answer that comes late
			r.disconnect()
		}
	}()
	confirm, err := r.channel.PublishWithDeferredConfirmWithContext(ctx, "", r.Queue, true, false, amqp.Publishing{
		MessageId: d.Key, ContentType: "application/json", DeliveryMode: amqp.Persistent,
		Headers: amqp.Table{"digest": d.Digest, "order": string(e.Head().OrderID)},
		Body:    e.Raw(),
	})
	if err != nil {
		return err
	}
	acked, err := confirm.WaitContext(ctx)
	if err != nil {
		return err
	}
	select {
	case back := <-r.returned: // which comes before its confirmation
		return fmt.Errorf("RabbitMQ has no queue %s: %s", r.Queue, back.ReplyText)
	default:
	}
	if !acked {
		return errors.New("RabbitMQ did not take the event, or the channel was closed")
	}
	return nil
}

// connect makes sure that there is a channel.
func (r *RabbitMQ) connect() (err error) {
	if r.channel != nil && !r.channel.IsClosed() {
		return nil
	}
	r.disconnect()
	if _, err := amqp.ParseURI(r.URL); err != nil { // its text would quote the URL, password and all
		return errors.New("the URL of RabbitMQ cannot be read: want amqp://user:password@host:5672/vhost, percent-encoded")
	}
	if r.conn, err = amqp.DialConfig(r.URL, amqp.Config{Dial: amqp.DefaultDial(5 * time.Second)}); err != nil {
		return err
	}
	if r.channel, err = r.conn.Channel(); err == nil {
		err = r.channel.Confirm(false)
	}
	if err != nil {
		r.disconnect()
		return err
	}
	r.returned = r.channel.NotifyReturn(make(chan amqp.Return, 1))
	return nil
}

func (r *RabbitMQ) disconnect() {
	if r.conn != nil {
		_ = r.conn.CloseDeadline(time.Now().Add(time.Second))
	}
	r.conn, r.channel = nil, nil
}

// Close ends the connection.
func (r *RabbitMQ) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.disconnect()
}
