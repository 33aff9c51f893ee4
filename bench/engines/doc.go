// Package engines holds the benchmarks of the store and of the gate on Redis, on real servers, beside plain SQL, River
// and a bare SET. The README of the folder above has the figures.
package engines
