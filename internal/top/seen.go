package top

// A fieldSet is a set of members that have a field.
type fieldSet struct {
	low  uint64
	high []uint64 // members past the 64th
}

func (s *fieldSet) add(bit int) {
	if bit < 64 {
		s.low |= 1 << bit
		return
	}
	for len(s.high) < bit/64 {
		s.high = append(s.high, 0)
	}
	s.high[bit/64-1] |= 1 << (bit % 64)
}

func (s *fieldSet) has(bit int) bool {
	if bit < 64 {
		return s.low&(1<<bit) != 0
	}
	return bit/64 <= len(s.high) && s.high[bit/64-1]&(1<<(bit%64)) != 0
}

// ruleTwice refuses a member that comes again: which of two success flags would
// be meant?
const ruleTwice = "comes more than once"

// A nameSet is a set of names from outside, of any number.
type nameSet struct {
	few  [16]string
	n    int
	many map[string]struct{} // once there are more than few
}

// add fails, with the name, where the name is in the set already.
func (s *nameSet) add(name string) error {
	if s.many != nil {
		if _, ok := s.many[name]; ok {
			return under(name, rulef(ruleTwice))
		}
		s.many[name] = struct{}{}
		return nil
	}
	for _, other := range s.few[:s.n] {
		if other == name {
			return under(name, rulef(ruleTwice))
		}
	}
	if s.n < len(s.few) {
		s.few[s.n] = name
		s.n++
		return nil
	}
	s.many = map[string]struct{}{name: {}}
	for _, other := range s.few {
		s.many[other] = struct{}{}
	}
	return nil
}
