module consumer.example

go 1.26.0

replace github.com/fliggy-go/rentcar => ../..

require (
	github.com/fliggy-go/rentcar v0.1.0
	github.com/google/go-cmp v0.7.0
)

require (
	github.com/go-resty/resty/v2 v2.17.2 // indirect
	github.com/shopspring/decimal v1.6.0 // indirect
	golang.org/x/net v0.58.0 // indirect
	golang.org/x/text v0.41.0 // indirect
)
