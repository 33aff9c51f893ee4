module github.com/fliggy-go/rentcar

go 1.25.0

require (
	github.com/go-resty/resty/v2 v2.17.2
	github.com/google/go-cmp v0.7.0
	github.com/jarcoal/httpmock v1.4.2
	github.com/shopspring/decimal v1.6.0
	go.uber.org/goleak v1.3.0
	golang.org/x/text v0.41.0
	pgregory.net/rapid v1.3.0
)

require golang.org/x/net v0.58.0
