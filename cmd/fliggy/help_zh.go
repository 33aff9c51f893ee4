package main

// chinese has the help in Chinese, by "command", "command --flag" and "command <argument>".
var chinese = map[string]text{
	"fliggy":    {line: "把飞猪放在桌面上：带浏览器控制台的租车 B2B 接口沙箱，以及推送事件、调用接口、核对签名、自测商家、发送结算账单的工具。"},
	"--help":    {line: "显示帮助。"},
	"--version": {line: "显示版本。"},
	"--profile": {line: "配置文件中的配置名，或 sandbox。"},
	"--config":  {line: "配置文件。"},
	"--json":    {line: "输出 JSON，供程序读取。"},
	"--lang":    {line: "帮助的语言：en 或 zh。"},

	"sandbox": {
		line: "在本机运行一个飞猪，带浏览器控制台。",
		detail: `一个进程里有 TOP 网关、奇门网关、控制接口和浏览器控制台，状态保存在内存中。
不带参数时应用为 24700001，与其他命令的默认应用相同。

示例：
  fliggy sandbox                                              # 控制台在 http://127.0.0.1:8787
  fliggy sandbox --push-to http://127.0.0.1:8080/fliggy       # 把事件推送到你的地址
  fliggy sandbox --scenario accepted --seed orders.json
  fliggy sandbox --merchant http://127.0.0.1:9090/qimen       # 转发商家接口`,
	},
	"trigger": {
		line: "向你的地址推送一个签名的事件。",
		detail: `按飞猪的方式签名并推送一个事件，显示应答和结论。103：商家接受续租；104：商家拒绝续租；141：主订单退费；
142：续租退费。数据取自接入文档的示例。--set 按原值的类型写入，没有原值时写为文本。

--json 输出：event、to、accepted，以及列表 pushes，每项有 status、answer、duration_ms、accepted、verdict、error。
退出码：0 已接受，1 未接受，4 没有应答。

示例：
  fliggy trigger 103 --to http://127.0.0.1:8080/fliggy
  fliggy trigger 142 --set eventData.amount=12.50 --set eventData.payTradeNo=T1 --repeat 2
  fliggy trigger 104 --late 20m                               # 你的服务应当拒绝
  fliggy trigger 104 --bad-signature                          # 这个也应当拒绝
  fliggy trigger raw --file event.json --form --gbk`,
	},
	"trigger <event>":         {line: "103、104、141、142；raw 推送 --file 的内容。"},
	"trigger --to":            {line: "你的地址；默认为配置中的 push_to。"},
	"trigger --set":           {line: "修改事件的一个成员，例如 eventData.amount=12.50。"},
	"trigger --set-json":      {line: "把一个成员改为任意 JSON。"},
	"trigger --file":          {line: "raw 的内容所在的文件；- 表示标准输入。"},
	"trigger --repeat":        {line: "推送几次，内容完全相同。"},
	"trigger --late":          {line: "按多久以前的时间签名，例如 10m。"},
	"trigger --bad-signature": {line: "用错误的密钥签名。"},
	"trigger --unsigned":      {line: "不带签名。"},
	"trigger --form":          {line: "以表单推送。"},
	"trigger --gbk":           {line: "以 GBK 编码推送。"},
	"trigger --method":        {line: "推送所用的接口名。"},
	"trigger --timeout":       {line: "等待应答的时间。"},

	"listen": {
		line: "作为接收事件的服务，显示并确认收到的事件。",
		detail: `接收事件：验签、显示、说明拒绝的原因，并作出应答。

--json 先输出一行 ready、url、app_key，之后每次推送一行：time、accepted、reason、status、duration_ms、method、app_key、
content_type、event_type、order_id、out_order_id、renewal_order_id、pay_trade_no、repeat、conflict、
findings（field、rule）、event、why（cause、parameter、reason、signed_text），有 --forward 时还有
forwarded（status、answer、duration_ms、accepted、verdict、error）。
--forward 把每个正常推送的请求头、查询参数和请求体原样转发到你的地址，并显示它的应答。推送方收到的仍是 --answer
的应答，不必等待转发。
退出码：0；有推送验签失败、过期或不是事件，或者转发的地址没有接受时为 1。

示例：
  fliggy listen
  fliggy listen --addr 127.0.0.1:9000 --answer 500            # 对方会重推吗？
  fliggy listen --forward http://127.0.0.1:3000/fliggy        # 转发，并显示你的服务如何应答
  fliggy listen --count 1 --json`,
	},
	"listen --addr":      {line: "监听地址，路径任意。"},
	"listen --public":    {line: "允许监听其他机器能访问的地址。"},
	"listen --answer":    {line: "对正常事件的应答：success 成功、refuse 拒绝、500 出错、slow 缓慢。"},
	"listen --delay":     {line: "用于 --answer slow：多久之后应答。"},
	"listen --forward":   {line: "把每个正常的推送原样转发到这个地址，并显示应答。"},
	"listen --count":     {line: "收到几次推送后停止。"},
	"listen --show-text": {line: "显示被拒绝的推送应当签名的文本，其中有个人信息。"},

	"call": {
		line: "签名并调用网关的任意接口。",
		detail: `向配置中的网关签名并调用一次，打印应答；结果在标准错误输出中说明。请求放在单个参数里的接口，--data 就是这个
请求，渠道取自配置；其他接口，--data 的各成员就是各参数。

--json 输出：method、outcome（succeeded 成功、refused 业务拒绝、rejected 网关拒绝、not sent 未发出、unknown 未知）、
request_id、http_status、duration_ms、reply，应答不是 JSON 时为 text，以及 error，含 code、sub_code、message、advice、
retry_after_seconds。--dry-run 时：dry_run、url、query、content_type、form 或 body、sign_method、signed_text。
退出码：0 成功，1 拒绝，3 写操作的结果未知，4 没有应答。

示例：
  fliggy call alitrip.rentcar.btb.order.query -d '{"order_id":"3104050285204362836"}'
  fliggy call alitrip.rentcar.btb.renewal.submit -d @renewal.json --dry-run
  fliggy call taobao.time.get --read-only
  fliggy call a.method.of.its.own -p first=1 -p second=2
  fliggy call qimen.alitrip.rentcar.renewalprices.query --qimen -d @query.json`,
	},
	"call <method>":         {line: "接口名，例如 alitrip.rentcar.btb.order.query。"},
	"call --param":          {line: "调用的参数。"},
	"call --data":           {line: "请求的 JSON；@文件 从文件读取，@- 从标准输入读取。"},
	"call --qimen":          {line: "调用奇门网关，--data 为请求体。"},
	"call --target-app-key": {line: "用于 --qimen：接口提供方的 app key，默认为配置中的。"},
	"call --read-only":      {line: "接口只查询：没有应答时也不会有疑问。"},
	"call --sign-method":    {line: "签名方式。"},
	"call --raw":            {line: "原样打印应答，不打印其他内容。"},
	"call --dry-run":        {line: "只显示将要发送的内容和待签名的文本，不发送。"},
	"call --timeout":        {line: "最长用时。"},

	"sign": {
		line: "对调用或推送签名，并显示过程。",
		detail: `打印待签名的文本、签名和每一步。密钥取自配置，不会显示。

--json 输出：sign_method、按签名顺序排列的 params（name、value）、left_out、signed_text、signature；--push 时另有 url。

示例：
  fliggy sign -p app_key=24700001 -p method=a.b -p timestamp='2026-12-01 10:00:00' -p sign_method=md5 -p v=2.0
  fliggy sign --url 'http://h/router/rest?app_key=24700001&sign_method=hmac' --body @form.txt
  fliggy sign --push --url 'http://127.0.0.1:8080/fliggy?app_key=24700001&method=m&timestamp=2026-12-01+10%3A00%3A00' \
      --body @event.json`,
	},
	"sign --param":        {line: "参数，未编码；与 --url 和表单中的参数一起签名。"},
	"sign --url":          {line: "请求的地址，含查询参数。"},
	"sign --body":         {line: "请求体；@文件 从文件读取，@- 从标准输入读取。"},
	"sign --content-type": {line: "请求体的 Content-Type；默认按内容判断 JSON、XML 或表单。"},
	"sign --sign-method":  {line: "md5、hmac 或 hmac-sha256；默认为参数 sign_method 的值。"},
	"sign --push":         {line: "对奇门网关的推送签名，并打印签名后的地址。"},
	"verify": {
		line: "核对调用或推送的签名，指出可能的错误。",
		detail: `用配置中的密钥核对请求的签名和时间戳（允许相差 10 分钟）。签名不对时，逐一尝试常见的错误，指出原因和参数。

--json 输出：valid、signature_valid、app_key、method、timestamp、sign_method、cause、parameter、reason、signed_text（--show-text
时）、hint。cause：missing 没有签名、secret 密钥、unsigned parameter 参数未签名、encoding 编码、order 顺序、sign method 签名方式、
letter case 大小写、body 请求体、time zone 时区、clock 时钟、unreadable 无法读取。
退出码：0 正确，1 不正确。

示例：
  fliggy verify request.http --at '2026-12-01 10:00:00'
  fliggy verify --url 'http://h/router/rest?app_key=24700001&sign=...' --body @form.txt
  curl -v ... 2>&1 | fliggy verify - --body @form.txt
  fliggy verify --push push.http --show-text`,
	},
	"verify <file>":         {line: "抓包记录的 HTTP 请求，或 curl -v 的输出；- 表示标准输入。"},
	"verify --url":          {line: "请求的地址，含查询参数。"},
	"verify --body":         {line: "请求体；@文件 从文件读取，@- 从标准输入读取。"},
	"verify --content-type": {line: "请求体的 Content-Type；默认按内容判断 JSON、XML 或表单。"},
	"verify --push":         {line: "这是奇门网关的推送，而不是对网关的调用。"},
	"verify --at":           {line: "与时间戳比较的时间，北京时间 yyyy-MM-dd HH:mm:ss；默认为现在。"},
	"verify --show-text":    {line: "显示应当签名的文本，其中有个人信息。"},

	"check-merchant": {
		line: "自测商家的接口，并显示它的报价。",
		detail: `向商家的接口（任何语言）发送飞猪会发送的请求，报告应答违反了商家续租接入文档的哪些规则，以及文档三个场景的报价，
精确到分。请求带压测标记，不加 --submit 不会下单。

--json 输出：ok、failed、warnings、passed、skipped、endpoint、app_key、results（rule、title、scenario、status、member、
expected、got、why、reason）、quotes（scenario、from、to、standard_price、lines、total、unread）、may_be_booked。
退出码：0 全部符合，1 有不符合的，4 接口没有应答。

示例：
  fliggy check-merchant https://you.example/fliggy/renewals --order 3175520762897901122 --start '2026-12-01 10:00'
  fliggy check-merchant http://127.0.0.1:8080/fliggy --out-order FZ1111111 --start '2026-12-01 10:00' --submit --json`,
	},
	"check-merchant <url>":       {line: "商家接口的地址。"},
	"check-merchant --order":     {line: "一张已取车订单的飞猪订单号。"},
	"check-merchant --out-order": {line: "它的商家订单号。"},
	"check-merchant --start":     {line: "它当前的还车时间，北京时间 yyyy-MM-dd HH:mm。"},
	"check-merchant --submit":    {line: "同时下单续租并取消。"},
	"check-merchant --timeout":   {line: "等待每个应答的时间。"},

	"bill": {
		line: "从资金流水 CSV 文件发送结算账单。",
		detail: `读取 CSV 文件，逐行检查，按业务类型汇总，确认后分批发送结算账单。已确认的批次不会重复发送，中断后用同一条命令继续；
结果未知的批次会列出，不会自动重发。

表头可用接口字段名或中文：order_id（飞猪订单号）、out_order_id（分销商订单号）、biz_type（业务类型）、order_amount（金额）、
pay_trade_no（交易流水号）、pay_time（交易时间）必填；trade_type（交易类型）由业务类型得出；pay_type（支付方式）、
user_real_pay_amount（用户实付）、real_consume_amount（实际消费）、discount_amount（飞猪优惠）、
distributor_discount_amount（分销商优惠）、commission_amount（佣金）、pay_channel_amount（支付通道费）、
order_status（订单状态）、ext（扩展信息）可选。续租记在主订单上。金额单位为元，为正数；时间为北京时间。

示例：
  fliggy bill 流水.csv --bill-no ID20261201 --dry-run
  fliggy bill 流水.csv --bill-no ID20261201
  fliggy bill 流水.csv --bill-no ID20261201 --yes --json`,
	},
	"bill <file>":          {line: "资金流水 CSV 文件，UTF-8、GBK 或 UTF-16，用表格软件另存即可。"},
	"bill --bill-no":       {line: "结算单号。"},
	"bill --batch-size":    {line: "每批的行数。"},
	"bill --remark":        {line: "账单备注。"},
	"bill --dry-run":       {line: "只检查和汇总，不发送。"},
	"bill --yes":           {line: "不再询问，直接发送。"},
	"bill --state":         {line: "状态文件，中断后据此继续；默认为 CSV 文件名加 .state。"},
	"bill --resend":        {line: "结果未知、且已确认飞猪没有入账的批次：重新发送。"},
	"sandbox --addr":       {line: "监听地址。"},
	"sandbox --public":     {line: "监听其他机器可访问的地址；能访问的人都能按这里的按钮。"},
	"sandbox --allow-host": {line: "控制台额外接受的主机名。"},
	"sandbox --app-key":    {line: "沙箱认识的 App Key；默认为配置中的，没有则为 24700001。"},
	"sandbox --app-secret": {line: "App Secret；用 FLIGGY_APP_SECRET 或其 _FILE 可避免出现在进程列表中。"},
	"sandbox --new-secret": {line: "生成一个 App Secret 并打印。"},
	"sandbox --push-to":    {line: "你接收事件的地址。"},
	"sandbox --merchant":   {line: "商家的地址：商家接口会签名后转发到这里。"},
	"sandbox --seed":       {line: "订单 JSON 文件，代替示例订单。"},
	"sandbox --clock":      {line: "沙箱的起始时间，yyyy-MM-dd HH:mm，北京时间。"},
	"sandbox --wire-clock": {line: "核对请求时间戳所用的时间，用于重放录制的请求。"},
	"sandbox --scenario":   {line: "续租的走向：accepted 接单、rejected 拒单、slow 半分钟后接单、never 由你按按钮。"},
	"sandbox --ready":      {line: "就绪后只打印一行 JSON；App Secret 是生成的或默认的，也在其中。"},
	"sandbox --keep":       {line: "保留多少条请求、推送、续租单和账单。"},
	"completion": {
		line: "打印开启命令补全的一行配置。",
		detail: `把这一行写进 shell 的启动文件。

示例：
  fliggy completion --code bash >> ~/.bashrc`,
	},
	"completion --code":  {line: "生成补全代码。"},
	"completion <shell>": {line: "shell 的名字：bash、zsh 或 fish。"},
}
