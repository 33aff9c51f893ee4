package main

import (
	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
)

// globals are the flags of every command.
type globals struct {
	Profile string `help:"Profile of the config file, or sandbox." variable:"FLIGGY_PROFILE" placeholder:"NAME"`
	Config  string `help:"Config file." variable:"FLIGGY_CONFIG" placeholder:"FILE" type:"path"`
	JSON    bool   `help:"Print JSON, for programs." variable:"FLIGGY_JSON"`
	Lang    string `help:"Language of the help: en or zh." variable:"FLIGGY_LANG" enum:"en,zh," default:"" placeholder:"en|zh"`
}

// cli is the command line.
type cli struct {
	globals

	Sandbox       sandboxCmd                `cmd:"" help:"Run Fliggy on this machine, with a console in the browser."`
	Trigger       triggerCmd                `cmd:"" help:"Push a signed event to your endpoint."`
	Listen        listenCmd                 `cmd:"" help:"Be an endpoint that shows and acknowledges events."`
	Call          callCmd                   `cmd:"" help:"Call any method of the gateway, signed."`
	Sign          signCmd                   `cmd:"" help:"Sign a call or a push, and show how."`
	Verify        verifyCmd                 `cmd:"" help:"Check the signature of a call or a push, and name the likely mistake."`
	CheckMerchant checkMerchantCmd          `cmd:"" help:"Test the endpoint of a merchant, and show its prices."`
	Bill          billCmd                   `cmd:"" help:"Send a settlement bill from a CSV file of money movements."`
	Completion    kongcompletion.Completion `cmd:"" help:"Print the line that switches on shell completion."`
	VersionNumber versionFlag               `name:"version" help:"Print the version."`
}

// newParser makes the parser of the command line. exited reports whether it has printed what was asked for, such as
// help.
func newParser(c *cli, e *env, lang string) (parser *kong.Kong, exited *bool, err error) {
	exited = new(bool)
	parser, err = kong.New(c,
		kong.Name("fliggy"),
		kong.Description(description),
		kong.Writers(e.stdout, e.stderr),
		kong.Exit(func(int) { *exited = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Help(helpIn(lang)),
		kong.Bind(e),
		kong.Resolvers(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
			if value := e.getenv(flag.Tag.Get("variable")); value != "" {
				return value, nil
			}
			return nil, nil
		})),
	)
	if err != nil {
		return nil, nil, err
	}
	translate(parser.Model, lang)
	kongcompletion.Register(parser)
	return parser, exited, nil
}
