package top

// textBetween names, in JSON, the text that stood between elements.
const textBetween = "#text"

// appendJSON appends a whole element as JSON: text as a string, elements inside it
// as an object, repeated ones as lists.
func (t *xmlTree) appendJSON(dst []byte, i uint32) []byte {
	kids := t.children(i)
	if len(kids) == 0 {
		return AppendJSONString(dst, t.content(i))
	}
	mark := byte('{')
	for _, same := range t.group(kids) {
		dst = append(AppendJSONString(append(dst, mark), t.name(same[0])), ':')
		dst = t.appendElements(dst, same)
		mark = ','
	}
	if text := t.content(i); text != "" {
		dst = append(AppendJSONString(append(dst, mark), textBetween), ':')
		dst = AppendJSONString(dst, text)
	}
	return append(dst, '}')
}

// appendElements appends whole elements of the same name: one as it is, several as
// a list.
func (t *xmlTree) appendElements(dst []byte, same []uint32) []byte {
	if len(same) == 1 {
		return t.appendJSON(dst, same[0])
	}
	mark := byte('[')
	for _, i := range same {
		dst = t.appendJSON(append(dst, mark), i)
		mark = ','
	}
	return append(dst, ']')
}

// group sorts elements by name, in the order in which the names come first.
func (t *xmlTree) group(elements []uint32) [][]uint32 {
	if len(elements) == 1 {
		return [][]uint32{elements}
	}
	var counts []int
	numbers := make(map[string]int)
	in := make([]int, len(elements)) // the number of each one's group
	for k, i := range elements {
		name := t.name(i)
		n, ok := numbers[name]
		if !ok {
			n = len(counts)
			numbers[name] = n
			counts = append(counts, 0)
		}
		in[k] = n
		counts[n]++
	}
	all := make([]uint32, len(elements))
	groups := make([][]uint32, len(counts))
	for n, count := range counts {
		groups[n], all = all[:0:count], all[count:]
	}
	for k, i := range elements {
		groups[in[k]] = append(groups[in[k]], i)
	}
	return groups
}
