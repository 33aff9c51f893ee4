// Package merchantcheck tests the endpoint of a merchant (商家), written in any language:
// it sends what Fliggy would send through the Qimen gateway (奇门), and reports which rules
// of the merchant renewal guide the replies break.
//
//	caller, err := merchantcheck.New(url, appKey, secret)
//	defer caller.Close()
//	report := merchantcheck.Run(ctx, caller, merchantcheck.Config{
//		Orders:       []merchantcheck.Order{{OrderID: "3175520762897901122", Start: start}},
//		PressureTest: true,
//	})
//	_ = report.WriteText(os.Stdout)
//	os.Exit(report.ExitCode())
//
// A [Caller] also sends single requests; [Caller.Vary] makes them differ from those of the
// platform: with a bad signature, an old timestamp, as a form or as XML.
package merchantcheck
