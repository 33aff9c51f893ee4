package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
)

// A process is this program, started once more, as the service.
type process struct {
	*journal
	cmd   *exec.Cmd
	stdin io.Closer     // its end asks the process to stop
	ended chan struct{} // there will be no more in the log
}

// A journal is the log of a process, or of several.
type journal struct {
	news chan struct{} // there is more in the log

	mu  sync.Mutex
	log []entry
}

func newJournal() *journal { return &journal{news: make(chan struct{}, 1)} }

// An entry is a line of the service's log, as far as it is looked at here.
type entry struct {
	process int // that wrote it

	Msg     string `json:"msg"`
	URL     string `json:"url"`
	Queue   string `json:"queue"`
	ID      string `json:"id"`
	Key     string `json:"key"`
	Type    int    `json:"type"`
	Attempt int    `json:"attempt"`
	Error   string `json:"error"`

	// Of the tests.
	At     string `json:"at"`
	Inbox  int    `json:"inbox"`
	Outbox int    `json:"outbox"`
}

// What the entries say that are waited for.
const (
	saysListening = "listening"
	saysHandling  = "handling"
	saysStopped   = "stopped"
	saysDone      = "durable: item done"
	saysParked    = "durable: item parked"
)

// start starts this program with arguments and an environment beside its own.
func start(ctx context.Context, j *journal, stderr io.Writer, args, env []string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{
		journal: j, ended: make(chan struct{}),
		cmd: exec.CommandContext(ctx, program, args...), //nolint:gosec // it is this program
	}
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), env...), stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("starting the service: %w", err)
	}
	go p.read(stdout)
	return p, nil
}

// read keeps the log, up to the end of the process.
func (p *process) read(stdout io.Reader) {
	defer close(p.ended)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue // cut off by the end of the process
		}
		e.process = p.pid()
		p.mu.Lock()
		p.log = append(p.log, e)
		p.mu.Unlock()
		select {
		case p.news <- struct{}{}:
		default: // that there is more is known already
		}
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// entries is the log so far.
func (j *journal) entries() []entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.log)
}

// await waits until the log is as it should be, or the process has ended. Only one goroutine may wait for a journal.
func (p *process) await(ctx context.Context, isThere func(log []entry) bool) error {
	for !isThere(p.entries()) {
		select {
		case <-p.news:
		case <-p.ended:
			if isThere(p.entries()) {
				return nil
			}
			return errors.New("the service ended before it did what it should")
		case <-ctx.Done():
			return fmt.Errorf("waiting for the service: %w", context.Cause(ctx))
		}
	}
	return nil
}

// find waits for an entry, anywhere in the log.
func (p *process) find(ctx context.Context, match func(entry) bool) (found entry, err error) {
	err = p.await(ctx, func(log []entry) bool {
		i := slices.IndexFunc(log, match)
		if i >= 0 {
			found = log[i]
		}
		return i >= 0
	})
	return found, err
}

// kill ends the process as the kernel does: it learns nothing of it (SIGKILL).
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	err := p.end()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() && runtime.GOOS != "windows" { // there, nobody can tell
		return errors.Join(errors.New("the service was to be killed, and had ended before"), err)
	}
	return nil
}

// stop asks the process to stop, and waits until it has.
func (p *process) stop() error {
	if err := p.stdin.Close(); err != nil {
		return err
	}
	return p.end()
}

// end waits for the end. The log is read first: Wait would throw the rest away.
func (p *process) end() error {
	<-p.ended
	return p.cmd.Wait()
}
