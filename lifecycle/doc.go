// Package lifecycle keeps the journal of renewals, from the customer's click to the settlement bill, and drives each
// renewal to its end: through lost replies, events that overtake replies, refunds that are ordered weeks later, and
// processes that die at any moment.
//
//	book, err := lifecycle.Open(client, store, lifecycle.OnRefund(pay))
//	handler, err := book.Handler(secrets) // for the events that Fliggy pushes
//	go book.Run(ctx)                      // settles what is unknown, pays back, answers, sends bills
//	renewal, err := book.Submit(ctx, req)
//
// The states of a renewal, and what each cause does in each of them, are the tables of table.go. Every change is one
// transaction of the [Store]: the renewal with its history, its refunds and ledger lines, what goes out to Fliggy, and
// what the function of [OnChange] writes. While a call runs, or a function of yours that does I/O of its own, no
// transaction is open. Any number of processes may work on one journal.
//
// What is unknown stays unknown until something proves it: that nothing was found, or that time has passed, never
// rejects a renewal and never moves money. What contradicts itself is [Disputed], with everything kept, and waits for
// [Book.Resolve]. Money goes back only through the function of [OnRefund], always under the same key.
package lifecycle
