// Package bench measures the SDK against others that do the same work: all in one
// process, on the same bytes, after a test has shown that they come to the same
// results. See README.md; `make bench` prints the table.
package bench
