package bench

import (
	"encoding/json"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

// The peers' own messages, with the same scalars as the SDK's. Ids that travel as
// numbers are numbers; everything that may be absent is left out when it is.

type checkCancelRequest struct {
	OrderID        json.Number    `json:"order_id,omitempty"`
	OutOrderID     string         `json:"out_order_id,omitempty"`
	RenewalOrderID json.Number    `json:"renewal_order_id,omitempty"`
	ChannelID      fliggy.Channel `json:"channel_id,omitempty"`
	TraceID        string         `json:"trace_id,omitempty"`
	Exts           string         `json:"exts,omitempty"`
}

func checkCancelOf(r *rentcar.RenewalCheckCancelRequest) *checkCancelRequest {
	return &checkCancelRequest{
		json.Number(r.OrderID), r.OutOrderID, json.Number(r.RenewalOrderID), r.ChannelID, r.TraceID, string(r.Exts),
	}
}

type checkCancelReply struct {
	PeerStatus
	CancelFee     fliggy.Yuan `json:"cancel_fee"`
	CancelMessage string      `json:"cancel_message"`
}

type orderQueryRequest struct {
	OrderID    string         `json:"order_id,omitempty"`
	OutOrderID string         `json:"out_order_id,omitempty"`
	ChannelID  fliggy.Channel `json:"channel_id"`
	TraceID    string         `json:"trace_id,omitempty"`
	Exts       string         `json:"exts,omitempty"`
}

func orderQueryOf(r *rentcar.OrderQueryRequest) *orderQueryRequest {
	return &orderQueryRequest{string(r.OrderID), r.OutOrderID, r.ChannelID, r.TraceID, string(r.Exts)}
}

type billRequest struct {
	Bills     []bill         `json:"distributor_bill_list"`
	ChannelID fliggy.Channel `json:"channel_id"`
	TraceID   string         `json:"trace_id,omitempty"`
	Exts      string         `json:"exts,omitempty"`
}

type bill struct {
	BillNo      string      `json:"bill_no"`
	BatchNo     string      `json:"req_batch_no"`
	TotalAmount fliggy.Yuan `json:"total_amount"`
	Remark      string      `json:"remark,omitempty"`
	Lines       []billLine  `json:"bill_detail_list"`
}

type billLine struct {
	OrderID                   string             `json:"order_id"`
	OutOrderID                string             `json:"out_order_id"`
	TradeType                 fliggy.TradeType   `json:"trade_type"`
	BizType                   fliggy.BillBizType `json:"biz_type"`
	OrderAmount               fliggy.Yuan        `json:"order_amount"`
	PayTradeNo                string             `json:"pay_trade_no"`
	PayTime                   fliggy.Time        `json:"pay_time"`
	PayType                   fliggy.PayType     `json:"pay_type,omitempty"`
	CustomerPaidAmount        fliggy.Yuan        `json:"user_real_pay_amount,omitzero"`
	RealConsumeAmount         fliggy.Yuan        `json:"real_consume_amount,omitzero"`
	DiscountAmount            fliggy.Yuan        `json:"discount_amount,omitzero"`
	DistributorDiscountAmount fliggy.Yuan        `json:"distributor_discount_amount,omitzero"`
	CommissionAmount          fliggy.Yuan        `json:"commission_amount,omitzero"`
	PayChannelAmount          fliggy.Yuan        `json:"pay_channel_amount,omitzero"`
	OrderStatus               string             `json:"order_status,omitempty"`
	Ext                       string             `json:"ext,omitempty"`
}

// billOf takes over a bill. It is no part of what is measured: a program of its own
// would have its bill in its own form from the start.
func billOf(r *rentcar.BillNotifyRequest) *billRequest {
	out := &billRequest{ChannelID: r.ChannelID, TraceID: r.TraceID, Exts: string(r.Exts)}
	for _, b := range r.Bills {
		own := bill{b.BillNo, b.BatchNo, b.TotalAmount, b.Remark, make([]billLine, len(b.Lines))}
		for i, l := range b.Lines {
			own.Lines[i] = billLine{
				string(l.OrderID), l.OutOrderID, l.TradeType, l.BizType, l.OrderAmount, l.PayTradeNo, l.PayTime, l.PayType,
				l.CustomerPaidAmount, l.RealConsumeAmount, l.DiscountAmount, l.DistributorDiscountAmount,
				l.CommissionAmount, l.PayChannelAmount, l.OrderStatus, l.Ext,
			}
		}
		out.Bills = append(out.Bills, own)
	}
	return out
}

type billReply struct{ PeerStatus }
