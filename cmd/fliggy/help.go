package main

import (
	"bytes"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
)

const description = `Fliggy (飞猪) on your desk: a sandbox of the rental-car B2B APIs with a console in the browser, ` +
	`and tools for events, calls, signatures, merchants and settlement bills.`

// language is that of the help: "zh" or "en". --lang wins, then FLIGGY_LANG, then the locale.
func language(args []string, getenv func(string) string) string {
	lang := getenv("FLIGGY_LANG")
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if lang == "" {
			lang = getenv(name)
		}
	}
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--lang="); ok {
			lang = value
		} else if arg == "--lang" && i+1 < len(args) {
			lang = args[i+1]
		}
	}
	if strings.HasPrefix(strings.ToLower(lang), "zh") {
		return "zh"
	}
	return "en"
}

// A text is a help text: a line, and for a command what follows it, with examples.
type text struct{ line, detail string }

// translate puts the texts of a language into the help. The lines in English are those of the tags.
func translate(app *kong.Application, lang string) {
	if lang == "zh" {
		app.Help = chinese["fliggy"].line
	}
	var walk func(n *kong.Node)
	walk = func(n *kong.Node) {
		name := strings.TrimPrefix(n.FullPath(), "fliggy ")
		if n.Type == kong.CommandNode {
			n.Detail = english[name].detail
			if lang == "zh" {
				n.Help, n.Detail = chinese[name].line, chinese[name].detail
			}
		}
		if lang == "zh" {
			for _, f := range n.Flags {
				f.Help = chinese[strings.TrimSpace(flagKey(name, f.Name))].line
			}
			for _, p := range n.Positional {
				p.Help = chinese[name+" <"+p.Name+">"].line
			}
		}
		for _, f := range n.Flags {
			if name := f.Tag.Get("variable"); name != "" {
				f.Help += " ($" + name + ")"
			}
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(app.Node)
}

// headings are what the help has around the texts, in Chinese.
var headings = strings.NewReplacer(
	"Usage: ", "用法：", "\nFlags:\n", "\n选项：\n", "\nCommands:\n", "\n命令：\n", "\nArguments:\n", "\n参数：\n",
	`Run "fliggy <command> --help" for more information on a command.`, `运行 "fliggy <command> --help" 查看命令的用法。`,
	"。 ", "。", "； ", "；", // where lines were joined
)

// helpIn prints the help in a language.
func helpIn(lang string) kong.HelpPrinter {
	if lang != "zh" {
		return kong.DefaultHelpPrinter
	}
	return func(options kong.HelpOptions, ctx *kong.Context) error {
		out := ctx.Stdout
		var english bytes.Buffer
		ctx.Stdout = &english
		err := kong.DefaultHelpPrinter(options, ctx)
		ctx.Stdout = out
		if err != nil {
			return err
		}
		_, err = headings.WriteString(out, english.String())
		return err
	}
}

// flagKey names a flag in the tables: "sandbox --addr", and "--json" for one of every command.
func flagKey(command, flag string) string {
	if command == "fliggy" {
		command = ""
	}
	return command + " --" + flag
}

// english has what follows the line of a command.
var english = map[string]text{
	"sandbox": {detail: `Runs Fliggy in one process: the TOP and Qimen gateways, a control API and a console in the
browser. State is in memory. Without flags the app is 24700001, the same as that of every other command.

Examples:
  fliggy sandbox                                              # console at http://127.0.0.1:8787
  fliggy sandbox --push-to http://127.0.0.1:8080/fliggy       # push events to your endpoint
  fliggy sandbox --scenario accepted --seed orders.json
  fliggy sandbox --merchant http://127.0.0.1:9090/qimen       # forward a merchant's methods`},
	"trigger": {detail: `Pushes an event as Fliggy does, signed, and says what became of it. 103: the merchant accepted a
renewal. 104: it rejected it. 141: refund a fee of a main order. 142: refund a fee of a renewal. The data is that of
the guide's samples. --set writes a value like the one that it replaces, and as text where there is none.

With --json: event, to, accepted, and pushes, a list of status, answer, duration_ms, accepted, verdict and error.
Exit status: 0 accepted, 1 not accepted, 4 no answer.

Examples:
  fliggy trigger 103 --to http://127.0.0.1:8080/fliggy
  fliggy trigger 142 --set eventData.amount=12.50 --set eventData.payTradeNo=T1 --repeat 2
  fliggy trigger 104 --late 20m                               # your endpoint should refuse it
  fliggy trigger 104 --bad-signature                          # and this
  fliggy trigger raw --file event.json --form --gbk`},
	"listen": {detail: `An endpoint for events: verifies each push, shows it, says why a refused one was refused, and
acknowledges it.

With --json it prints a line with ready, url and app_key, and then one line a push: time, accepted, reason, status,
duration_ms, method, app_key, content_type, event_type, order_id, out_order_id, renewal_order_id, pay_trade_no,
repeat, conflict, findings (field, rule), event, why (cause, parameter, reason, signed_text), and with --forward
forwarded (status, answer, duration_ms, accepted, verdict, error).
--forward sends headers, query and body of each good push to your endpoint byte for byte, and shows its answer. The
sender gets the answer of --answer, and does not wait.
Exit status: 0, or 1 if a push was not one of Fliggy's (badly signed, too old, no event), or was not accepted where it
was forwarded.

Examples:
  fliggy listen
  fliggy listen --addr 127.0.0.1:9000 --answer 500            # does the sender push again?
  fliggy listen --forward http://127.0.0.1:3000/fliggy        # and show what your endpoint answers
  fliggy listen --count 1 --json`},
	"call": {detail: `Calls a method of the profile's gateway once, signed, and prints the reply; how it went is said on
stderr. For methods whose request goes into one parameter, --data is that request, and the profile's channel is filled
in; for any other its members are the parameters.

With --json: method, outcome (succeeded, refused, rejected, not sent, unknown), request_id, http_status, duration_ms,
reply, text where the reply is not JSON, and error with code, sub_code, message, advice and retry_after_seconds. With
--dry-run: dry_run, url, query, content_type, form or body, sign_method and signed_text.
Exit status: 0 succeeded, 1 refused, 3 a write that may have been carried out, 4 no answer.

Examples:
  fliggy call alitrip.rentcar.btb.order.query -d '{"order_id":"3104050285204362836"}'
  fliggy call alitrip.rentcar.btb.renewal.submit -d @renewal.json --dry-run
  fliggy call taobao.time.get --read-only
  fliggy call a.method.of.its.own -p first=1 -p second=2
  fliggy call qimen.alitrip.rentcar.renewalprices.query --qimen -d @query.json`},
	"sign": {detail: `Prints the text that is signed, the signature, and the steps to it. The secret is that of the
profile, and not shown.

With --json: sign_method, params (name, value) in the order in which they are signed, left_out, signed_text,
signature, and for --push url.

Examples:
  fliggy sign -p app_key=24700001 -p method=a.b -p timestamp='2026-12-01 10:00:00' -p sign_method=md5 -p v=2.0
  fliggy sign --url 'http://h/router/rest?app_key=24700001&sign_method=hmac' --body @form.txt
  fliggy sign --push --url 'http://127.0.0.1:8080/fliggy?app_key=24700001&method=m&timestamp=2026-12-01+10%3A00%3A00' \
      --body @event.json`},
	"verify": {detail: `Checks a request with the secret of the profile, and its timestamp, which may be 10 minutes off.
If the signature is wrong, it tries what senders get wrong, and names cause and parameter.

With --json: valid, signature_valid, app_key, method, timestamp, sign_method, cause, parameter, reason, signed_text
with --show-text, and hint. Causes: missing, secret, unsigned parameter, encoding, order, sign method, letter case,
body, time zone, clock, unreadable.
Exit status: 0 valid, 1 not.

Examples:
  fliggy verify request.http --at '2026-12-01 10:00:00'
  fliggy verify --url 'http://h/router/rest?app_key=24700001&sign=...' --body @form.txt
  curl -v ... 2>&1 | fliggy verify - --body @form.txt
  fliggy verify --push push.http --show-text`},
	"check-merchant": {detail: `Sends a merchant's endpoint, in any language, what Fliggy would send, and reports which
rules of the merchant renewal guide the replies break, and its prices in the guide's three scenarios, to the cent.
Requests are marked as load test, and nothing is booked without --submit.

With --json: ok, failed, warnings, passed, skipped, endpoint, app_key, results (rule, title, scenario, status,
member, expected, got, why, reason), quotes (scenario, from, to, standard_price, lines, total, unread) and
may_be_booked.
Exit status: 0 every rule holds, 1 one is broken, 4 the endpoint gave no reply.

Examples:
  fliggy check-merchant https://you.example/fliggy/renewals --order 3175520762897901122 --start '2026-12-01 10:00'
  fliggy check-merchant http://127.0.0.1:8080/fliggy --out-order FZ1111111 --start '2026-12-01 10:00' --submit --json`},
	"bill": {detail: `Makes batches of a settlement bill from a CSV file, checks every line, shows the sums by business
type, asks, and sends. What was confirmed is not sent twice: an interrupted run goes on with the same command. A batch
whose outcome is unknown is named and not repeated.

Headings, by the names of the API or in Chinese: order_id, out_order_id, biz_type, order_amount, pay_trade_no and
pay_time are required; trade_type follows from biz_type; pay_type, user_real_pay_amount, real_consume_amount,
discount_amount, distributor_discount_amount, commission_amount, pay_channel_amount, order_status and ext may be
there. A renewal is booked on the ids of its main order. Amounts are in yuan, above zero; times are in GMT+8.

Examples:
  fliggy bill movements.csv --bill-no ID20261201 --dry-run
  fliggy bill movements.csv --bill-no ID20261201
  fliggy bill movements.csv --bill-no ID20261201 --yes --json`},
	"completion": {detail: `Put the line into the start file of your shell.

Example:
  fliggy completion --code bash >> ~/.bashrc`},
}

// version is that of the build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// versionFlag prints the version and ends.
type versionFlag bool

// BeforeReset is called by kong.
func (versionFlag) BeforeReset(app *kong.Kong) error {
	_, err := app.Stdout.Write([]byte("fliggy " + version() + "\n"))
	app.Exit(statusDone)
	return err
}
