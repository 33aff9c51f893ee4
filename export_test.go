package rentcar

// MethodParams has the typed APIs and the parameter that wraps the request of each.
func MethodParams() map[string]string {
	params := map[string]string{}
	for _, op := range operations {
		params[op.method] = op.param
	}
	return params
}
