package main

import (
	"fmt"
	"io"
	"strings"
)

// A screen prints the story, numbered step by step. The first failure to print is
// kept: a story that nobody could read has not been told.
type screen struct {
	out  io.Writer
	step int
	err  error
}

func (s *screen) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(s.out, format, args...); err != nil && s.err == nil {
		s.err = err
	}
}

// title begins the story.
func (s *screen) title(text string) {
	s.printf("%s\n%s\n", text, strings.Repeat("═", width(text)))
}

// next begins a step: what happens, and the API or event it happens by.
func (s *screen) next(what, by string) {
	s.step++
	s.printf("\n%2d  %s\n    %s\n", s.step, what, by)
}

// fact prints one line of a step.
func (s *screen) fact(name string, value any) {
	s.printf("      %s%s %v\n", name, strings.Repeat(" ", max(0, 16-width(name))), value)
}

// width is how many columns a terminal gives a text: two for a Chinese character.
func width(text string) int {
	n := 0
	for _, r := range text {
		if n++; r >= 0x2E80 {
			n++
		}
	}
	return n
}

// say prints a sentence.
func (s *screen) say(text string) { s.printf("      → %s\n", text) }
