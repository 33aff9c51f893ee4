//go:build race

package qimen

// Under the race detector pools lose a part of what they are given.
const poolsLose = true
