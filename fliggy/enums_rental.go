package fliggy

// CarType is the class of a vehicle, car_type. Source: alitrip.rentcar.btb.order.query.
type CarType int

// Values of CarType.
const (
	CarSUV       CarType = 3  // SUV
	CarSports    CarType = 5  // sports car (跑车)
	CarBusiness  CarType = 6  // business car, MPV (商务车)
	CarOther     CarType = 7  // other (其他)
	CarComfort   CarType = 9  // comfort (舒适型)
	CarEconomy   CarType = 10 // economy (经济型)
	CarLuxury    CarType = 11 // luxury (豪华型)
	CarMotorhome CarType = 12 // motorhome (房车)
	CarPickup    CarType = 13 // pickup (皮卡); listed by alitrip.rentcar.btb.vehicle.query only
	CarMinibus   CarType = 14 // minibus (小巴士); listed by alitrip.rentcar.btb.vehicle.query only
)

var carTypeNames = map[CarType]string{
	CarSUV:       "SUV",
	CarSports:    "sports",
	CarBusiness:  "business",
	CarOther:     "other",
	CarComfort:   "comfort",
	CarEconomy:   "economy",
	CarLuxury:    "luxury",
	CarMotorhome: "motorhome",
	CarPickup:    "pickup",
	CarMinibus:   "minibus",
}

// String returns an English name, the value itself when it is unknown.
func (c CarType) String() string { return intName(carTypeNames, c) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (c *CarType) UnmarshalJSON(data []byte) error {
	return readJSON(c, "CarType", data, parseInt[CarType])
}

// OutputType is how the displacement (排量) of a vehicle is marked, output_type. Source: alitrip.rentcar.btb.order.query.
type OutputType int

// Values of OutputType.
const (
	OutputTurbo    OutputType = 1 // T, by custom turbocharged
	OutputNatural  OutputType = 2 // L, by custom naturally aspirated
	OutputElectric OutputType = 3 // electric (电动)
)

var outputTypeNames = map[OutputType]string{
	OutputTurbo:    "T",
	OutputNatural:  "L",
	OutputElectric: "electric",
}

// String returns an English name, the value itself when it is unknown.
func (o OutputType) String() string { return intName(outputTypeNames, o) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (o *OutputType) UnmarshalJSON(data []byte) error {
	return readJSON(o, "OutputType", data, parseInt[OutputType])
}

// Transmission is the gearbox (变速箱), transmission_type. Source: alitrip.rentcar.btb.order.query.
type Transmission int

// Values of Transmission.
const (
	TransmissionManual        Transmission = 1 // manual (手动)
	TransmissionAutomatic     Transmission = 2 // automatic (自动)
	TransmissionSemiAutomatic Transmission = 3 // semi-automatic (手自一体), domestic only
)

var transmissionNames = map[Transmission]string{
	TransmissionManual:        "manual",
	TransmissionAutomatic:     "automatic",
	TransmissionSemiAutomatic: "semi-automatic",
}

// String returns an English name, the value itself when it is unknown.
func (t Transmission) String() string { return intName(transmissionNames, t) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (t *Transmission) UnmarshalJSON(data []byte) error {
	return readJSON(t, "Transmission", data, parseInt[Transmission])
}

// FuelType is what drives a vehicle (燃料类型), fuel_type. Source: alitrip.rentcar.btb.vehicle.query.
type FuelType int

// Values of FuelType.
const (
	FuelCombustion FuelType = 1 // petrol or diesel (燃油)
	FuelHybrid     FuelType = 2 // hybrid (混动)
	FuelElectric   FuelType = 3 // electric (纯电动)
)

var fuelTypeNames = map[FuelType]string{
	FuelCombustion: "combustion",
	FuelHybrid:     "hybrid",
	FuelElectric:   "electric",
}

// String returns an English name, the value itself when it is unknown.
func (f FuelType) String() string { return intName(fuelTypeNames, f) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (f *FuelType) UnmarshalJSON(data []byte) error {
	return readJSON(f, "FuelType", data, parseInt[FuelType])
}

// LicenseType is where the licence plate (牌照) comes from, license_type. Source: alitrip.rentcar.btb.order.query.
type LicenseType int

// Values of LicenseType.
const (
	LicenseLocal LicenseType = 1 // local plate (本地牌)
	LicenseOther LicenseType = 2 // plate of another place (外地牌)
)

var licenseTypeNames = map[LicenseType]string{
	LicenseLocal: "local",
	LicenseOther: "other place",
}

// String returns an English name, the value itself when it is unknown.
func (l LicenseType) String() string { return intName(licenseTypeNames, l) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (l *LicenseType) UnmarshalJSON(data []byte) error {
	return readJSON(l, "LicenseType", data, parseInt[LicenseType])
}

// StoreType is the kind of a merchant location, store_type. Source: alitrip.rentcar.btb.order.query.
type StoreType int

// Values of StoreType.
const (
	StoreTypeStore       StoreType = 1 // store (门店)
	StoreTypePickUpPoint StoreType = 2 // pick-up point (提车点)
)

var storeTypeNames = map[StoreType]string{
	StoreTypeStore:       "store",
	StoreTypePickUpPoint: "pick-up point",
}

// String returns an English name, the value itself when it is unknown.
func (s StoreType) String() string { return intName(storeTypeNames, s) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (s *StoreType) UnmarshalJSON(data []byte) error {
	return readJSON(s, "StoreType", data, parseInt[StoreType])
}

// CoordinateSource is the map that latitude and longitude belong to, coordinate_source. Source:
// alitrip.rentcar.btb.order.query.
type CoordinateSource int

// Values of CoordinateSource.
const (
	CoordinateAmap   CoordinateSource = 1 // Amap, also Gaode (高德)
	CoordinateBaidu  CoordinateSource = 2 // Baidu (百度)
	CoordinateGoogle CoordinateSource = 3 // Google
)

var coordinateSourceNames = map[CoordinateSource]string{
	CoordinateAmap:   "Amap",
	CoordinateBaidu:  "Baidu",
	CoordinateGoogle: "Google",
}

// String returns an English name, the value itself when it is unknown.
func (c CoordinateSource) String() string { return intName(coordinateSourceNames, c) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (c *CoordinateSource) UnmarshalJSON(data []byte) error {
	return readJSON(c, "CoordinateSource", data, parseInt[CoordinateSource])
}

// PlaceType says which end of the rental an address is for, type of store and customer addresses. Source:
// alitrip.rentcar.btb.order.query, whose example contradicts PositionType in the same address.
type PlaceType int

// Values of PlaceType.
const (
	PlacePickUp PlaceType = 1 // pick-up (取车)
	PlaceReturn PlaceType = 2 // return (还车)
)

var placeTypeNames = map[PlaceType]string{
	PlacePickUp: "pick-up",
	PlaceReturn: "return",
}

// String returns an English name, the value itself when it is unknown.
func (p PlaceType) String() string { return intName(placeTypeNames, p) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (p *PlaceType) UnmarshalJSON(data []byte) error {
	return readJSON(p, "PlaceType", data, parseInt[PlaceType])
}

// PositionType says which end of the rental a customer address is for, position_type. Source:
// alitrip.rentcar.btb.order.query.
type PositionType string

// Values of PositionType.
const (
	PositionPickUp  PositionType = "pickUp"  // pick-up place (用车位置)
	PositionDropOff PositionType = "dropOff" // return place (还车位置)
)

var positionTypeNames = map[PositionType]string{
	PositionPickUp:  "pick-up",
	PositionDropOff: "return",
}

// String returns an English name, the value itself when it is unknown.
func (p PositionType) String() string { return textName(positionTypeNames, p) }

// UnmarshalJSON takes a JSON string, an integer number by its digits, or null (unset).
func (p *PositionType) UnmarshalJSON(data []byte) error { return readOpaque(p, "PositionType", data) }

// DoorServiceType is how car and customer meet (上门取送车), service_on_door_type. Source: alitrip.rentcar.btb.order.query.
type DoorServiceType int

// Values of DoorServiceType.
const (
	DoorServiceFree    DoorServiceType = 1 // brought to or collected from the door, free (免费上门)
	DoorServiceCharged DoorServiceType = 2 // brought to or collected from the door, charged (收费上门)
	DoorServiceNone    DoorServiceType = 3 // the customer goes to the store (自行前往门店)
	// free shuttle: staff bring the customer to the store, or back to the pick-up point (免费接送)
	DoorServiceShuttle DoorServiceType = 4
)

var doorServiceTypeNames = map[DoorServiceType]string{
	DoorServiceFree:    "free at the door",
	DoorServiceCharged: "charged at the door",
	DoorServiceNone:    "at the store",
	DoorServiceShuttle: "free shuttle",
}

// String returns an English name, the value itself when it is unknown.
func (d DoorServiceType) String() string { return intName(doorServiceTypeNames, d) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (d *DoorServiceType) UnmarshalJSON(data []byte) error {
	return readJSON(d, "DoorServiceType", data, parseInt[DoorServiceType])
}

// ServiceType is the kind of an added service in a merchant quote, serviceType. Only these two are seen. Source: sample
// replies of the merchant renewal guide.
type ServiceType int

// Values of ServiceType.
const (
	ServiceTypeBasic         ServiceType = 1 // basic service fee (基础服务费)
	ServiceTypeScatteredHour ServiceType = 4 // scattered-hour fee (零散小时费)
)

var serviceTypeNames = map[ServiceType]string{
	ServiceTypeBasic:         "basic service",
	ServiceTypeScatteredHour: "scattered hours",
}

// String returns an English name, the value itself when it is unknown.
func (s ServiceType) String() string { return intName(serviceTypeNames, s) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (s *ServiceType) UnmarshalJSON(data []byte) error {
	return readJSON(s, "ServiceType", data, parseInt[ServiceType])
}

// AddedServiceCode is the platform's code of a fee or added service (增值服务). Source: the public page of the product
// detail API (65722). Inferred: sid, service_code and select_add_services of the order and renewal APIs use the same
// codes; a merchant has codes of its own beside them.
type AddedServiceCode string

// Values of AddedServiceCode.
const (
	AddedServiceVehicleRent      AddedServiceCode = "11"      // vehicle rent (车辆租金)
	AddedServiceScatteredHour    AddedServiceCode = "12"      // scattered-hour fee (零散小时费)
	AddedServicePoundage         AddedServiceCode = "13"      // handling fee (手续费)
	AddedServiceMerchantDiscount AddedServiceCode = "14"      // merchant discount, negative (商家优惠)
	AddedServiceBasic            AddedServiceCode = "21"      // basic service fee (基础服务费)
	AddedServicePremium          AddedServiceCode = "22"      // premium service fee (尊享服务费)
	AddedServiceDamageCover      AddedServiceCode = "23"      // vehicle damage cover (车损无忧)
	AddedServiceOtherInsurance   AddedServiceCode = "24"      // other insurance service (其他保险服务费)
	AddedServiceDelivery         AddedServiceCode = "31"      // delivery of the car to the door (送车上门服务费)
	AddedServiceCollection       AddedServiceCode = "32"      // collection of the car at the door (上门还车服务费)
	AddedServiceOneWay           AddedServiceCode = "33"      // return at another place (异地还车费)
	AddedServiceNight            AddedServiceCode = "34"      // night service (夜间服务费)
	AddedServiceBabySeat         AddedServiceCode = "101"     // baby seat, 0-15 months (婴儿座椅)
	AddedServiceChildSeat        AddedServiceCode = "102"     // child seat, 9 months to 6 years (儿童座椅)
	AddedServiceBoosterSeat      AddedServiceCode = "103"     // booster seat, 6-12 years (儿童增高座垫)
	AddedServiceSnowChains       AddedServiceCode = "111"     // snow chains (防滑链)
	AddedServiceSnowTyres        AddedServiceCode = "112"     // snow tyres (雪地胎)
	AddedServicePlatformDiscount AddedServiceCode = "PROMO_1" // Fliggy platform discount, negative (飞猪平台优惠)
	AddedServiceOther            AddedServiceCode = "OTHER"   // other fee of the merchant, either sign (其他费用)
)

var addedServiceCodeNames = map[AddedServiceCode]string{
	AddedServiceVehicleRent:      "vehicle rent",
	AddedServiceScatteredHour:    "scattered-hour fee",
	AddedServicePoundage:         "handling fee",
	AddedServiceMerchantDiscount: "merchant discount",
	AddedServiceBasic:            "basic service fee",
	AddedServicePremium:          "premium service fee",
	AddedServiceDamageCover:      "vehicle damage cover",
	AddedServiceOtherInsurance:   "other insurance",
	AddedServiceDelivery:         "delivery",
	AddedServiceCollection:       "collection",
	AddedServiceOneWay:           "return at another place",
	AddedServiceNight:            "night service",
	AddedServiceBabySeat:         "baby seat",
	AddedServiceChildSeat:        "child seat",
	AddedServiceBoosterSeat:      "booster seat",
	AddedServiceSnowChains:       "snow chains",
	AddedServiceSnowTyres:        "snow tyres",
	AddedServicePlatformDiscount: "platform discount",
	AddedServiceOther:            "other",
}

// String returns an English name, the value itself when it is unknown.
func (a AddedServiceCode) String() string { return textName(addedServiceCodeNames, a) }

// UnmarshalJSON takes a JSON string, an integer number by its digits, or null (unset).
func (a *AddedServiceCode) UnmarshalJSON(data []byte) error {
	return readOpaque(a, "AddedServiceCode", data)
}

// Flag is a yes or no that travels as a number, is_one_way_fee and is_fixed. The zero value is unset, which is not a
// no. Source: alitrip.rentcar.btb.order.query.
type Flag string

// Values of Flag.
const (
	No  Flag = "0"
	Yes Flag = "1"
)

var flagNames = map[Flag]string{
	No:  "no",
	Yes: "yes",
}

// String returns an English name, the value itself when it is unknown.
func (f Flag) String() string { return textName(flagNames, f) }

// UnmarshalJSON takes a JSON string, an integer number by its digits, or null (unset).
func (f *Flag) UnmarshalJSON(data []byte) error { return readOpaque(f, "Flag", data) }
