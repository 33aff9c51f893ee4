package recipes_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/rlog"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/examples/recipes"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// A courier lets Fliggy push one event to a function, as often as it is asked to.
type courier struct {
	gw          *fliggytest.Gateway
	body        []byte // of the last event
	key, digest string
	last        error // of the function
}

func newCourier(t *testing.T, f work) *courier {
	t.Helper()
	c := &courier{gw: newGateway(t)}
	c.gw.PushToHandler(handler(t, c.gw, func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
		c.key, c.digest = d.Key, d.Digest
		c.last = f(ctx, d, e)
		return c.last
	}, qimen.WithoutGate()))
	return c
}

// push pushes an event, and reports whether it was accepted.
func (c *courier) push() (accepted bool) {
	result := push(c.gw)
	c.body = result.Body
	return result.Accepted
}

// again pushes the last event again.
func (c *courier) again(t *testing.T) (accepted bool) {
	return c.gw.PushRaw(t.Context(), c.body).Accepted
}

// The broker stands in for Kafka, and has three partitions.
func TestToKafka(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "fliggy"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("fliggy"),
		kgo.RecordRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	c := newCourier(t, recipes.ToKafka(client, "fliggy"))

	var acks []int16
	answer := kerr.MessageTooLarge.Code
	cluster.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		produce := r.(*kmsg.ProduceRequest)
		acks = append(acks, produce.Acks)
		if answer == 0 {
			return nil, nil, false
		}
		response := produce.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range produce.Topics {
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic, rt.TopicID = topic.Topic, topic.TopicID
			for _, partition := range topic.Partitions {
				p := kmsg.NewProduceResponseTopicPartition()
				p.Partition, p.ErrorCode = partition.Partition, answer
				rt.Partitions = append(rt.Partitions, p)
			}
			response.Topics = append(response.Topics, rt)
		}
		answer = 0
		return response, nil, true
	})
	if c.push() || !errors.Is(c.last, kerr.MessageTooLarge) {
		t.Errorf("Kafka refused an event, and the function returned %v", c.last)
	}
	var bodies []string
	for range 2 {
		if !c.push() {
			t.Fatal(c.last)
		}
		bodies = append(bodies, string(c.body))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var records []*kgo.Record
	for len(records) < 2 && ctx.Err() == nil {
		records = append(records, client.PollFetches(ctx).Records()...)
	}
	if len(records) != 2 || records[0].Partition != records[1].Partition || len(acks) != 3 || acks[2] != -1 {
		t.Fatalf("got %d records, acks %v", len(records), acks)
	}
	for i, r := range records {
		if string(r.Value) != bodies[i] || string(r.Key) != string(fliggytest.SampleOrderID) {
			t.Errorf("record %d has another key or body", i)
		}
	}
	if h := records[1].Headers; string(h[0].Value) != c.key || string(h[1].Value) != c.digest {
		t.Errorf("headers %v", h)
	}
}

// A sender stands in for a RocketMQ producer.
type sender struct {
	status primitive.SendStatus
	err    error
	sent   []*primitive.Message
}

func (s *sender) SendSync(_ context.Context, messages ...*primitive.Message) (*primitive.SendResult, error) {
	s.sent = append(s.sent, messages...)
	return &primitive.SendResult{Status: s.status}, s.err
}

func TestToRocketMQ(t *testing.T) {
	t.Parallel()
	s := &sender{}
	c := newCourier(t, recipes.ToRocketMQ(s, "fliggy"))
	if !c.push() {
		t.Fatal(c.last)
	}
	m := s.sent[0]
	if m.Topic != "fliggy" || !bytes.Equal(m.Body, c.body) || m.GetKeys() != c.key ||
		m.GetProperty("digest") != c.digest || m.GetShardingKey() != string(fliggytest.SampleOrderID) {
		t.Errorf("sent %v", m.GetProperties())
	}
	for _, s.status = range []primitive.SendStatus{
		primitive.SendFlushDiskTimeout, primitive.SendFlushSlaveTimeout, primitive.SendSlaveNotAvailable,
	} {
		if c.push() || c.last == nil {
			t.Errorf("status %d was taken as success", s.status)
		}
	}
	s.err, s.status = errors.New("made up"), primitive.SendOK
	if c.push() || !errors.Is(c.last, s.err) {
		t.Errorf("an error became %v", c.last)
	}
}

// A producer without a server gives an error, and ends.
func TestNewRocketMQ(t *testing.T) {
	t.Parallel()
	rlog.SetLogLevel("fatal")
	p, err := recipes.NewRocketMQ("rentcar", "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	c := newCourier(t, recipes.ToRocketMQ(p, "fliggy"))
	if c.push() || c.last == nil {
		t.Error("sent to nobody")
	}
	if err := p.Shutdown(); err != nil {
		t.Error(err)
	}
}
