//go:build !race

package rentcar

const poolsLose = false
