package ledger

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A Sum adds up the movements of one business type.
type Sum struct {
	BizType fliggy.BillBizType `json:"biz_type"`
	Name    string             `json:"name"` // of the business type, in English
	Lines   int                `json:"lines"`
	Amount  fliggy.Yuan        `json:"amount"` // in yuan; positive, of refunds too
}

// A Preview is what a file comes to, without the lines that are wrong.
type Preview struct {
	Encoding string      `json:"encoding"` // that of the File
	Lines    int         `json:"lines"`
	Batches  int         `json:"batches"`
	Sums     []Sum       `json:"sums"`     // sorted by business type
	Total    fliggy.Yuan `json:"total"`    // income less refunds, in yuan
	Problems int         `json:"problems"` // how many there are
}

// Preview reads the whole file, checks every line and adds up. broken is called with every problem, in the order of the
// lines. A movement that is there twice is a problem: the same business type of the same trade number and order.
// batchSize, the lines of a batch, is above zero. The error is that of reading the file.
func (f *File) Preview(batchSize int, broken func(Problem)) (*Preview, error) {
	p := &Preview{Encoding: f.Encoding, Sums: []Sum{}, Total: fliggy.FenOf(0).Yuan()}
	sums, seen := map[fliggy.BillBizType]*Sum{}, map[[16]byte]int{}
	count := func(problem Problem) {
		p.Problems++
		broken(problem)
	}
	err := f.Lines(count, func(number int, line *rentcar.BillLine) error {
		key := movement(line)
		if first, ok := seen[key]; ok {
			count(Problem{Line: number, Rule: fmt.Sprintf(
				"the movement of line %d again: the same order_id, biz_type and pay_trade_no", first,
			)})
			return nil
		}
		seen[key] = number
		sum := sums[line.BizType]
		if sum == nil {
			sum = &Sum{BizType: line.BizType, Name: line.BizType.String(), Amount: fliggy.FenOf(0).Yuan()}
			sums[line.BizType] = sum
		}
		p.Lines++
		sum.Lines++
		sum.Amount = sum.Amount.Add(line.OrderAmount)
		if line.TradeType == fliggy.TradeRefund {
			p.Total = p.Total.Sub(line.OrderAmount)
		} else {
			p.Total = p.Total.Add(line.OrderAmount)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, biz := range slices.Sorted(maps.Keys(sums)) {
		p.Sums = append(p.Sums, *sums[biz])
	}
	p.Batches = (p.Lines + batchSize - 1) / batchSize
	return p, nil
}

// movement names a movement, in few bytes.
func movement(line *rentcar.BillLine) (key [16]byte) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d", line.OrderID, line.PayTradeNo, line.BizType))
	copy(key[:], sum[:])
	return key
}
