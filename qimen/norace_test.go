//go:build !race

package qimen

const poolsLose = false
