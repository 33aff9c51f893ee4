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
	url   string // of the service
	cmd   *exec.Cmd
	stdin io.Closer     // its end asks the process to stop
	ended chan struct{} // there will be no more in the log

	mu   sync.Mutex
	log  []entry
	news chan struct{} // there is more in the log
}

// An entry is a line of the service's log, as far as it is looked at here.
type entry struct {
	Msg     string `json:"msg"`
	URL     string `json:"url"`
	Renewal string `json:"renewal"`
	Problem string `json:"problem"`
}

// What the entries say that are waited for.
const (
	saysListening = "listening"
	saysOverdue   = "overdue"
)

// start starts this program as the service, and waits until it listens.
func start(ctx context.Context, stderr io.Writer, args, env []string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{
		ended: make(chan struct{}), news: make(chan struct{}, 1),
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
	e, err := p.find(ctx, func(e entry) bool { return e.Msg == saysListening })
	if err != nil {
		return nil, errors.Join(err, p.kill())
	}
	p.url = e.URL
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
		p.mu.Lock()
		p.log = append(p.log, e)
		p.mu.Unlock()
		select {
		case p.news <- struct{}{}:
		default: // that there is more is known already
		}
	}
}

// find waits for an entry, anywhere in the log.
func (p *process) find(ctx context.Context, match func(entry) bool) (entry, error) {
	for isOver := false; ; {
		p.mu.Lock()
		i := slices.IndexFunc(p.log, match)
		if i >= 0 {
			defer p.mu.Unlock()
			return p.log[i], nil
		}
		p.mu.Unlock()
		if isOver {
			return entry{}, errors.New("the service ended before it did what it should")
		}
		select {
		case <-p.news:
		case <-p.ended:
			isOver = true // its last words may have come meanwhile
		case <-ctx.Done():
			return entry{}, fmt.Errorf("waiting for the service: %w", context.Cause(ctx))
		}
	}
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
