package recipes

import (
	"context"
	"fmt"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/qimen"
)

// NewRocketMQ makes a producer that puts all messages of one order into one queue. Start it, and Shutdown in the end.
func NewRocketMQ(group string, nameServers ...string) (rocketmq.Producer, error) {
	return rocketmq.NewProducer(
		producer.WithNsResolver(primitive.NewPassthroughResolver(nameServers)),
		producer.WithGroupName(group),
		producer.WithQueueSelector(producer.NewHashQueueSelector()), // by sharding key
	)
}

// A RocketMQSender is what ToRocketMQ needs of a rocketmq.Producer.
type RocketMQSender interface {
	// SendSync sends a message and waits for the answer.
	SendSync(ctx context.Context, messages ...*primitive.Message) (*primitive.SendResult, error)
}

// ToRocketMQ returns a function for qimen.OnEvent that publishes events to a topic of RocketMQ. It succeeds when the
// event is where the broker's settings want it. A repeat has the same key; with another digest it has other content,
// and somebody has to look.
func ToRocketMQ(sender RocketMQSender, topic string) func(context.Context, *qimen.Delivery, events.Event) error {
	return func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
		message := primitive.NewMessage(topic, e.Raw()).
			WithKeys([]string{d.Key}).WithShardingKey(string(e.Head().OrderID))
		message.WithProperty("digest", d.Digest)
		result, err := sender.SendSync(ctx, message)
		if err == nil && result.Status != primitive.SendOK { // not on disk yet, or at no other broker
			err = fmt.Errorf("RocketMQ took the message with status %d", result.Status)
		}
		return err
	}
}
