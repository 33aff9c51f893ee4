package top_test

import (
	"encoding/json"

	"github.com/fliggy-go/rentcar/fliggy"
)

// all has a member of every kind that a message may have.
type all struct {
	Text    string   `top:"text"`
	TextPtr *string  `top:"text_ptr"`
	Flag    bool     `top:"flag"`
	FlagPtr *bool    `top:"flag_ptr"`
	AsText  bool     `top:"as_text,text"`
	Int     int64    `top:"int"`
	Small   int8     `top:"small"`
	IntPtr  *int     `top:"int_ptr"`
	Uint    uint16   `top:"uint"`
	Float   float64  `top:"float"`
	Single  *float32 `top:"single"`
	scalars
	Item     item     `top:"item"`
	ItemPtr  *item    `top:"item_ptr"`
	Texts    []string `top:"texts"`
	Ints     []int64  `top:"ints"`
	Uints    []uint16 `top:"uints"`
	Floats   []float64
	Flags    []bool             `top:"flags"`
	IntPtrs  []*int             `top:"int_ptrs"`
	IDs      []fliggy.ID        `top:"ids"`
	Yuans    []fliggy.Yuan      `top:"yuans"`
	Fens     []fliggy.Fen       `top:"fens"`
	Times    []fliggy.Time      `top:"times,layout=minute"`
	Statuses []fliggy.PayStatus `top:"statuses"`
	Items    []item             `top:"items,wrap=order_detail_item"`
	ItemPtrs []*item            `top:"item_ptrs"`
	ListPtr  *[]string          `top:"list_ptr"`
}

// scalars are members of package fliggy, embedded to be part of the message.
type scalars struct {
	ID        fliggy.ID        `top:"id"`
	IDNumber  fliggy.ID        `top:"id_number,number"`
	IDPtr     *fliggy.ID       `top:"id_ptr"`
	Yuan      fliggy.Yuan      `top:"yuan"`
	YuanPtr   *fliggy.Yuan     `top:"yuan_ptr"`
	Bare      fliggy.Yuan      `top:"bare,number"`
	Fen       fliggy.Fen       `top:"fen"`
	Decimal   fliggy.Decimal   `top:"decimal"`
	Time      fliggy.Time      `top:"time"`
	Minute    fliggy.Time      `top:"minute,layout=minute"`
	LocalTime fliggy.LocalTime `top:"local_time"`
	Date      fliggy.Date      `top:"date"`
	Exts      fliggy.Exts      `top:"exts"`
	Channel   fliggy.Channel   `top:"channel"`
	PayStatus fliggy.PayStatus `top:"pay_status"`
}

// item is a message inside a message, which may hold another one.
type item struct {
	SID   string      `top:"sid"`
	N     int64       `top:"n"`
	Price fliggy.Yuan `top:"price"`
	Next  *item       `top:"next"`
	Tags  []string    `top:"tags"`
}

// open keeps what it does not know.
type open struct {
	A     string                     `top:"a"`
	Inner *open                      `top:"inner"`
	Raw   json.RawMessage            `top:"raw"`
	Extra map[string]json.RawMessage `top:",unknown"`
}
