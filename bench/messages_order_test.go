package bench

import "github.com/fliggy-go/rentcar/fliggy"

// The order of order.query, as JSON and as XML.

type orderQueryReply struct {
	PeerStatus
	Booking booking   `json:"booking_info" xml:"booking_info"`
	Info    orderInfo `json:"order_info" xml:"order_info"`
	Deposit deposit   `json:"deposit_info" xml:"deposit_info"`
}

type booking struct {
	CarUseTime       fliggy.Time         `json:"car_use_time" xml:"car_use_time"`
	CarReturnTime    fliggy.Time         `json:"car_return_time" xml:"car_return_time"`
	Days             fliggy.Decimal      `json:"days" xml:"days"`
	DaysDescription  string              `json:"days_description" xml:"days_description"`
	CarBrandName     string              `json:"car_brand_name" xml:"car_brand_name"`
	CarType          fliggy.CarType      `json:"car_type" xml:"car_type"`
	CarSeatNum       int                 `json:"car_seat_num" xml:"car_seat_num"`
	DoorNum          int                 `json:"door_num" xml:"door_num"`
	CarImage         string              `json:"car_image" xml:"car_image"`
	OutputVolume     string              `json:"output_volumn" xml:"output_volumn"`
	OutputType       fliggy.OutputType   `json:"output_type" xml:"output_type"`
	TransmissionType fliggy.Transmission `json:"transmission_type" xml:"transmission_type"`
	LicenseType      fliggy.LicenseType  `json:"license_type" xml:"license_type"`
	License          string              `json:"license" xml:"license"`
	Stores           []store             `json:"rent_store_address_info" xml:"rent_store_address_info>order_detail_store_address_info"`
	CustomerPlaces   []customerPlace     `json:"user_rent_address_info" xml:"user_rent_address_info>order_detail_user_rent_car_address"`
}

type store struct {
	Type               fliggy.PlaceType        `json:"type" xml:"type"`
	StoreType          fliggy.StoreType        `json:"store_type" xml:"store_type"`
	Code               string                  `json:"code" xml:"code"`
	Name               string                  `json:"name" xml:"name"`
	Address            string                  `json:"address" xml:"address"`
	AddressList        []string                `json:"address_list" xml:"address_list>string"`
	Latitude           string                  `json:"latitude" xml:"latitude"`
	Longitude          string                  `json:"longitude" xml:"longitude"`
	CoordinateSource   fliggy.CoordinateSource `json:"coordinate_source" xml:"coordinate_source"`
	HandoverText       string                  `json:"use_vehicle_type" xml:"use_vehicle_type"`
	StorePic           string                  `json:"store_pic" xml:"store_pic"`
	DoorServiceType    fliggy.DoorServiceType  `json:"service_on_door_type" xml:"service_on_door_type"`
	DoorServiceFeeDesc string                  `json:"service_on_door_fee_desc" xml:"service_on_door_fee_desc"`
}

type customerPlace struct {
	Type         fliggy.PlaceType    `json:"type" xml:"type"`
	PositionType fliggy.PositionType `json:"position_type" xml:"position_type"`
	PositionName string              `json:"position_name" xml:"position_name"`
	CityID       string              `json:"city_id" xml:"city_id"`
	StoreID      string              `json:"store_id" xml:"store_id"`
	Latitude     string              `json:"latitude" xml:"latitude"`
	Longitude    string              `json:"longitude" xml:"longitude"`
}

type orderInfo struct {
	OrderStatus        int                       `json:"order_status" xml:"order_status"`
	OrderStatusDesc    string                    `json:"order_status_desc" xml:"order_status_desc"`
	CreateTime         fliggy.Time               `json:"create_time" xml:"create_time"`
	PayTime            fliggy.Time               `json:"pay_time" xml:"pay_time"`
	PayStatus          fliggy.PayStatus          `json:"pay_status" xml:"pay_status"`
	AlipayTradeNo      string                    `json:"alipay_trade_no" xml:"alipay_trade_no"`
	RefundID           string                    `json:"refund_id" xml:"refund_id"`
	TotalFee           fliggy.Yuan               `json:"total_fee" xml:"total_fee"`
	TotalDiscount      fliggy.Yuan               `json:"total_discount" xml:"total_discount"`
	PlatformDiscount   fliggy.Yuan               `json:"platform_discount" xml:"platform_discount"`
	BusinessDiscount   fliggy.Yuan               `json:"business_discount" xml:"business_discount"`
	Payable            fliggy.Yuan               `json:"payable" xml:"payable"`
	CustomerPaid       fliggy.Yuan               `json:"user_real_pay" xml:"user_real_pay"`
	SellerReceiveMoney fliggy.Yuan               `json:"seller_receive_money" xml:"seller_receive_money"`
	AddedServices      []addedService            `json:"added_service_list" xml:"added_service_list>order_detail_add_service_info"`
	ServiceTypes       []fliggy.OrderServiceType `json:"service_type" xml:"service_type>string"`
}

type addedService struct {
	ServiceID          string         `json:"sid" xml:"sid"`
	ServiceCode        string         `json:"service_code" xml:"service_code"`
	ServiceName        string         `json:"service_name" xml:"service_name"`
	ServiceDesc        string         `json:"service_desc" xml:"service_desc"`
	DetailMsg          string         `json:"detail_msg" xml:"detail_msg"`
	ServicePrice       fliggy.Yuan    `json:"service_price" xml:"service_price"`
	ServiceQuantity    fliggy.Decimal `json:"service_quantity" xml:"service_quantity"`
	ServicePriceAmount fliggy.Yuan    `json:"service_price_amount" xml:"service_price_amount"`
	FlatPrice          fliggy.Flag    `json:"is_one_way_fee" xml:"is_one_way_fee"`
	Mandatory          fliggy.Flag    `json:"is_fixed" xml:"is_fixed"`
	SetNegative        bool           `json:"set_negative" xml:"set_negative"`
	SortKey            int            `json:"sort_key" xml:"sort_key"`
	ListInclude        []string       `json:"list_include" xml:"list_include>string"`
	ListExclude        []string       `json:"list_excloud" xml:"list_excloud>string"`
	ThirdExtInfos      string         `json:"third_ext_infos" xml:"third_ext_infos"`
}

type deposit struct {
	DepositWaiver               bool `json:"enable_deposit" xml:"enable_deposit"`
	VehicleDamageDepositDays    int  `json:"car_deposit_expire_time" xml:"car_deposit_expire_time"`
	TrafficViolationDepositDays int  `json:"legal_deposit_expire_time" xml:"legal_deposit_expire_time"`
}
