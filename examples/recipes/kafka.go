package recipes

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/qimen"
)

// ToKafka returns a function for qimen.OnEvent that publishes events to a topic of Kafka. It succeeds when all
// replicas in sync have the event: do not weaken kgo.RequiredAcks. One order is in one partition. A repeat has the
// same id; with another digest it has other content, and somebody has to look.
func ToKafka(client *kgo.Client, topic string) func(context.Context, *qimen.Delivery, events.Event) error {
	return func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
		return client.ProduceSync(ctx, &kgo.Record{
			Topic: topic,
			Key:   []byte(e.Head().OrderID),
			Value: e.Raw(),
			Headers: []kgo.RecordHeader{
				{Key: "id", Value: []byte(d.Key)}, {Key: "digest", Value: []byte(d.Digest)},
			},
		}).FirstErr()
	}
}
