package recipes

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/riverqueue/river"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/sqlstore"
)

// EventArgs is a River job: an event that was verified. Message holds personal data, and River keeps it in river_job.
type EventArgs struct {
	Key     string          `json:"key"` // Delivery.Key
	Message json.RawMessage `json:"message"`
}

// Kind is part of river.JobArgs.
func (EventArgs) Kind() string { return "fliggy_event" }

// ToRiver returns a function for qimen.OnEvent behind an inbox. The job and the mark of the event are one transaction:
// there is one job for each event, none if the transaction fails. Make client with the driver riverdatabasesql on the
// pool of the store; the program that works on the jobs may use another driver.
func ToRiver(client *river.Client[*sql.Tx]) func(context.Context, *qimen.Delivery, events.Event) error {
	return func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
		tx, err := sqlstore.Tx(ctx)
		if err != nil {
			return err
		}
		_, err = client.InsertTx(ctx, tx, EventArgs{Key: d.Key, Message: e.Raw()}, nil)
		return err
	}
}

// An EventWorker is the River worker of these jobs.
type EventWorker struct {
	river.WorkerDefaults[EventArgs]
	Handle func(ctx context.Context, key string, e events.Event) error
}

// Work is part of river.Worker.
func (w *EventWorker) Work(ctx context.Context, job *river.Job[EventArgs]) error {
	e, err := events.Parse(job.Args.Message)
	if err != nil {
		return river.JobCancel(err) // another attempt would read the same
	}
	return w.Handle(ctx, job.Args.Key, e)
}
