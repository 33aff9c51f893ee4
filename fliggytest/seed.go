package fliggytest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// seedOrder is an order in a file: the members of the reply of order.query, and the ids.
type seedOrder struct {
	OrderID       fliggy.ID                  `top:"order_id"`
	OutOrderID    string                     `top:"out_order_id"`
	ChannelID     fliggy.Channel             `top:"channel_id"`
	CancelFee     fliggy.Yuan                `top:"cancel_fee"`
	CancelMessage string                     `top:"cancel_message"`
	Booking       rentcar.Booking            `top:"booking_info"`
	Info          rentcar.OrderInfo          `top:"order_info"`
	Deposit       rentcar.Deposit            `top:"deposit_info,keep"`
	Exts          fliggy.Exts                `top:"exts"`
	Unknown       map[string]json.RawMessage `top:",unknown"`
}

// seedFile is a file of orders.
type seedFile struct {
	Orders  []seedOrder                `top:"orders,required"`
	Unknown map[string]json.RawMessage `top:",unknown"`
}

// ReadOrders reads orders from JSON, for [Gateway.AddOrder]: an object with the list "orders". An order has the members
// of the reply of alitrip.rentcar.btb.order.query, which are booking_info, order_info, deposit_info and exts, and in
// addition order_id, out_order_id, channel_id, cancel_fee and cancel_message. Only out_order_id is required. Amounts
// are in yuan and not negative: a discount has set_negative. Times are yyyy-MM-dd HH:mm:ss in GMT+8. The file has at
// most 64 MiB. [WriteOrders] writes such a file.
//
// The error names the line, the member and the rule that it breaks. A member that an order does not have is an error,
// and so is an id that another order of the file has.
func ReadOrders(r io.Reader) ([]Order, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSeed+1))
	if err != nil {
		return nil, fmt.Errorf("fliggytest: reading orders: %w", err)
	}
	if len(data) > maxSeed {
		return nil, fmt.Errorf("fliggytest: reading orders: more than %d bytes", maxSeed)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := json.Unmarshal(data, new(any)); err != nil {
		at := int64(len(data))
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			at = syntax.Offset
		}
		return nil, fmt.Errorf("fliggytest: orders, line %d: not JSON: %w", lineOf(data, at), err)
	}
	var file seedFile
	plan, err := top.PlanFor(reflect.TypeFor[seedFile]())
	if err == nil {
		err = plan.DecodeJSON(data, &file)
	}
	if err == nil {
		err = file.check()
	}
	if err != nil {
		if member := (*top.Error)(nil); errors.As(err, &member) && member.Path != "" {
			return nil, fmt.Errorf("fliggytest: orders, line %d: %w", lineOf(data, offsetOf(data, member.Path)), err)
		}
		return nil, fmt.Errorf("fliggytest: orders: %w", err)
	}
	orders := make([]Order, len(file.Orders))
	for i, o := range file.Orders {
		details := rentcar.OrderQueryResult{Status: success(), Booking: o.Booking, Info: o.Info, Deposit: o.Deposit}
		details.Exts = o.Exts
		orders[i] = Order{
			OrderID: o.OrderID, OutOrderID: o.OutOrderID, ChannelID: o.ChannelID,
			Details: details, CancelFee: o.CancelFee, CancelMessage: o.CancelMessage,
		}
	}
	return orders, nil
}

// maxSeed bounds a file of orders.
const maxSeed = 64 << 20

// check finds members that no order has, orders without an id and ids that come twice.
func (f *seedFile) check() error {
	unknown := func(prefix string, members map[string]json.RawMessage) error {
		for _, name := range slices.Sorted(maps.Keys(members)) {
			return &top.Error{Path: prefix + name, Rule: "there is no such member"}
		}
		return nil
	}
	if err := unknown("", f.Unknown); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, o := range f.Orders {
		prefix := fmt.Sprintf("orders[%d].", i)
		if err := unknown(prefix, o.Unknown); err != nil {
			return err
		}
		for name, id := range map[string]string{"order_id": string(o.OrderID), "out_order_id": o.OutOrderID} {
			if key := name + " " + id; id != "" && seen[key] {
				return &top.Error{Path: prefix + name, Rule: "another order has this id"}
			} else if id != "" {
				seen[key] = true
			}
		}
		if o.OutOrderID == "" {
			return &top.Error{Path: prefix + "out_order_id", Rule: "missing: it is the distributor's id of the order"}
		}
		if name := o.negative(); name != "" {
			return &top.Error{Path: prefix + name, Rule: "must not be negative"}
		}
	}
	return nil
}

// negative returns the path of an amount below zero, empty for none.
func (o *seedOrder) negative() string {
	type amount struct {
		name string
		yuan fliggy.Yuan
	}
	const info = "order_info."
	amounts := []amount{
		{"cancel_fee", o.CancelFee}, {info + "total_fee", o.Info.TotalFee},
		{info + "total_discount", o.Info.TotalDiscount}, {info + "platform_discount", o.Info.PlatformDiscount},
		{info + "business_discount", o.Info.BusinessDiscount}, {info + "payable", o.Info.Payable},
		{info + "user_real_pay", o.Info.CustomerPaid}, {info + "seller_receive_money", o.Info.SellerReceiveMoney},
	}
	for i, service := range o.Info.AddedServices { // a discount has set_negative
		at := fmt.Sprintf("%sadded_service_list[%d].", info, i)
		amounts = append(amounts, amount{at + "service_price", service.ServicePrice},
			amount{at + "service_price_amount", service.ServicePriceAmount})
	}
	if i := slices.IndexFunc(amounts, func(a amount) bool { return a.yuan.IsNegative() }); i >= 0 {
		return amounts[i].name
	}
	return ""
}

// WriteOrders writes orders as [ReadOrders] reads them, without their refunds. The error is that of w, or says which
// member cannot be written.
func WriteOrders(w io.Writer, orders []Order) error {
	file := seedFile{Orders: make([]seedOrder, len(orders))}
	for i, o := range orders {
		file.Orders[i] = seedOrder{
			OrderID: o.OrderID, OutOrderID: o.OutOrderID, ChannelID: o.ChannelID, CancelFee: o.CancelFee,
			CancelMessage: o.CancelMessage, Booking: o.Details.Booking, Info: o.Details.Info, Deposit: o.Details.Deposit,
			Exts: o.Details.Exts,
		}
	}
	plan, err := top.PlanFor(reflect.TypeFor[seedFile]())
	if err != nil {
		return fmt.Errorf("fliggytest: %w", err)
	}
	data, err := plan.AppendJSON(nil, &file, top.EncodeOptions{})
	if err != nil {
		return fmt.Errorf("fliggytest: writing orders: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, data, "", "  "); err != nil {
		return fmt.Errorf("fliggytest: writing orders: %w", err)
	}
	indented.WriteByte('\n')
	_, err = indented.WriteTo(w)
	return err
}

// lineOf is the line of an offset, from 1.
func lineOf(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(offset, int64(len(data)))], []byte("\n"))
}

// offsetOf is where a member begins, by a path such as "orders[2].order_info.total_fee": as much of it as there is.
func offsetOf(data []byte, path string) int64 {
	d := json.NewDecoder(bytes.NewReader(data))
	steps := strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	var at int64
	for len(steps) > 0 {
		open, err := d.Token()
		if err != nil || open != json.Delim('{') && open != json.Delim('[') {
			return at
		}
		found := false
		for i := 0; d.More() && !found; i++ {
			start, name := d.InputOffset(), fmt.Sprint(i)
			if open == json.Delim('{') {
				key, err := d.Token()
				if err != nil {
					return at
				}
				name, _ = key.(string)
				start = d.InputOffset()
			}
			if found = name == steps[0]; found {
				at = start
			} else if err := d.Decode(new(json.RawMessage)); err != nil {
				return at
			}
		}
		if !found {
			return at
		}
		steps = steps[1:]
	}
	return at
}
