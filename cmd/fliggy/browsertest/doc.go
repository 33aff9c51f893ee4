// Package browsertest has the tests of the console of "fliggy sandbox" in a real browser. It is a module of its own, so
// that the command depends on nothing of it.
package browsertest
