package fliggytest

import (
	"fmt"
	"slices"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

func init() { serve(api.VehicleQuery, (*state).queryVehicles) }

// vehicles are the vehicle models of every gateway: each series in the model years 2019 to
// 2023.
var vehicles = vehicleModels(
	rentcar.VehicleModel{
		Brand: "别克", Series: "GL8", Variant: "陆上公务舱 652T 豪华型", CarType: fliggy.CarBusiness,
		SeatNum: 7, DoorNum: 5, OutputVolume: "2.0", OutputType: fliggy.OutputTurbo,
		Transmission: fliggy.TransmissionSemiAutomatic, FuelType: fliggy.FuelCombustion,
	},
	rentcar.VehicleModel{
		Brand: "大众", Series: "朗逸", Variant: "1.5L 自动舒适版", CarType: fliggy.CarEconomy,
		SeatNum: 5, DoorNum: 4, OutputVolume: "1.5", OutputType: fliggy.OutputNatural,
		Transmission: fliggy.TransmissionAutomatic, FuelType: fliggy.FuelCombustion,
	},
	rentcar.VehicleModel{
		Brand: "本田", Series: "CR-V", Variant: "锐·混动 2.0L 净速版", CarType: fliggy.CarSUV,
		SeatNum: 5, DoorNum: 5, OutputVolume: "2.0", OutputType: fliggy.OutputNatural,
		Transmission: fliggy.TransmissionAutomatic, FuelType: fliggy.FuelHybrid,
	},
	rentcar.VehicleModel{
		Brand: "比亚迪", Series: "汉", Variant: "EV 四驱高性能版", CarType: fliggy.CarComfort,
		SeatNum: 5, DoorNum: 4, OutputType: fliggy.OutputElectric,
		Transmission: fliggy.TransmissionAutomatic, FuelType: fliggy.FuelElectric,
	},
	rentcar.VehicleModel{
		Brand: "福特", Series: "全顺", Variant: "2.0T 手动 中轴", CarType: fliggy.CarMinibus,
		SeatNum: 9, DoorNum: 4, OutputVolume: "2.0", OutputType: fliggy.OutputTurbo,
		Transmission: fliggy.TransmissionManual, FuelType: fliggy.FuelCombustion,
	},
)

// vehicleModels gives each series its model years, ids and pictures.
func vehicleModels(series ...rentcar.VehicleModel) []rentcar.VehicleModel {
	var models []rentcar.VehicleModel
	for _, v := range series {
		for year := 2019; year <= 2023; year++ {
			v.ModelID = fmt.Sprintf("vm%03d", len(models)+1)
			v.ModelYear = fmt.Sprint(year)
			v.Pictures = "https://example.com/" + v.ModelID + ".png"
			models = append(models, v)
		}
	}
	return models
}

// queryVehicles cuts a page out of the models. A page behind the last is empty.
func (*state) queryVehicles(_ moment, req *rentcar.VehicleQueryRequest) (*rentcar.VehicleQueryResult, error) {
	if req.Page < 1 || req.PageSize < 1 {
		return nil, serviceError("isv.invalid-parameter", "非法参数")
	}
	res := &rentcar.VehicleQueryResult{Status: success()}
	pages := slices.Collect(slices.Chunk(vehicles, req.PageSize))
	if req.Page <= len(pages) {
		res.Vehicles = slices.Clone(pages[req.Page-1])
	}
	return res, nil
}
