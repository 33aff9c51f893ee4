//go:build race

package rentcar

// Under the race detector pools lose a part of what they are given.
const poolsLose = true
