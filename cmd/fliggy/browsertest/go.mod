module github.com/fliggy-go/rentcar/cmd/fliggy/browsertest

go 1.26.0

replace (
	github.com/fliggy-go/rentcar => ../../../
	github.com/fliggy-go/rentcar/cmd/fliggy => ../
)

require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/fliggy-go/rentcar v0.1.0
	github.com/fliggy-go/rentcar/cmd/fliggy v0.1.0
	github.com/google/go-cmp v0.7.0
	go.uber.org/goleak v1.3.0
)

require (
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/go-resty/resty/v2 v2.17.2 // indirect
	github.com/shopspring/decimal v1.6.0 // indirect
	golang.org/x/net v0.58.0 // indirect
	golang.org/x/text v0.41.0 // indirect
)
