module github.com/fliggy-go/rentcar/examples/inbox

go 1.26.0

require (
	github.com/fliggy-go/rentcar v0.1.0
	github.com/google/go-cmp v0.7.0
	go.etcd.io/bbolt v1.5.0
	go.uber.org/goleak v1.3.0
)

require (
	github.com/go-resty/resty/v2 v2.17.2 // indirect
	github.com/shopspring/decimal v1.6.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
