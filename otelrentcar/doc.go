// Package otelrentcar makes OpenTelemetry spans and metrics of calls, pushes and durable work. A [Tracer] is one value
// for all three:
//
//	tracer, err := otelrentcar.New(otelrentcar.Config{}) // the global providers
//	client, err := rentcar.NewClient(appKey, appSecret, rentcar.WithTracer(tracer))
//	inbox, err := durable.NewInbox(store, durable.Config{Tracer: tracer})
//	handler, err := qimen.NewHandler(secrets, qimen.WithTracer(tracer), qimen.WithStore(inbox.Add), qimen.OnEvent(...))
//	queues, err := tracer.ObserveQueues(store, durable.InboxQueue, durable.OutboxQueue)
//
// Names follow the semantic conventions v1.43.0 for RPC, HTTP clients and messaging, with rpc.system.name taobao_top
// and messaging.system fliggy_rentcar. What the conventions do not know begins with fliggy.
//
// # Spans
//
//	METHOD          CLIENT    a call with all its attempts
//	POST            CLIENT    one attempt; http.request.resend_count counts those before it
//	METHOD          SERVER    a push, from its arrival to the reply
//	handle METHOD   INTERNAL  your function
//	store METHOD    INTERNAL  the function of qimen.WithStore, such as Add of an inbox
//	process QUEUE   CONSUMER  an attempt of a durable item
//
// METHOD is the name of an API, or taobao_top where it is not known: see Methods of [Config]. An attempt of a durable
// item is the root of a trace of its own, with a link to the span in which the item was added, whichever process that
// was. A push is the child of the span that its context has, such as that of otelhttp; it is linked to what its headers
// tell, and a child of that only with [Config].TrustHeaders, since anybody can send a push.
//
// The client sends no trace headers to the gateway. A transport of otelhttp inside of it would make a second span of
// each attempt.
//
// # Metrics
//
//	rpc.client.call.duration      s            calls, by rpc.method, fliggy.outcome, error.type and server.address
//	http.client.request.duration  s            attempts, by rpc.method, error.type, http.response.status_code and
//	                                           server.address
//	fliggy.client.bans            {refusal}    refusals by flow control, by rpc.method and fliggy.ban.source: the
//	                                           gateway's, or the client's own while a ban or its limiter holds the call
//	rpc.server.call.duration      s            pushes, by rpc.method, fliggy.reason and error.type
//	fliggy.gate.hits              {message}    pushes that were known, by rpc.method and fliggy.gate.hit: repeat or
//	                                           conflict
//	messaging.process.duration    s            attempts of durable items, by messaging.destination.name (the queue),
//	                                           fliggy.item.result (done, retried, parked, lost, store_failed), error.type
//	fliggy.queue.waiting          {item}       by messaging.destination.name, as the next two: see [Tracer.ObserveQueues]
//	fliggy.queue.parked           {item}       dead letters
//	fliggy.queue.age              s            how long the item that has been due longest is due
//
// # Error types
//
// A call or an attempt that failed has one of these as error.type: panic, canceled, timeout, before_sending,
// connecting, sending, reading, an HTTP status, rate_limited, unauthorized, forbidden, business, invalid_request,
// undecodable, unavailable, or _OTHER. That of a push or your function is its qimen.Reason in lower case with
// underscores, or reply_not_sent; that of an item is its result, or panic or timeout.
//
// # What is left out
//
// Neither spans nor metrics have payloads, secrets, client addresses, or ids of orders, payments, events and items.
// The text of an error is the description of the span of a call or an attempt, where rentcar leaves out what may name a
// person; it is 256 bytes at most. The text of errors of your functions is left out. Spans have the codes of the
// platform, metrics have not: nobody lists them.
package otelrentcar
