package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// openPort listens at an address, on this machine alone unless it may be public.
func openPort(ctx context.Context, address string, isPublic bool) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--addr: %q: want host:port, such as 127.0.0.1:8787", address)
	}
	if addr, err := netip.ParseAddr(host); !isPublic && host != "localhost" && (err != nil || !addr.IsLoopback()) {
		return nil, fmt.Errorf(
			"--addr: %s is reached by other machines: use 127.0.0.1:%s, or say --public if they may", address, port)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf(
			"port %s is in use: is another fliggy running? Choose another with --addr 127.0.0.1:PORT", port)
	}
	if err != nil {
		return nil, fmt.Errorf("--addr: %w", err)
	}
	return l, nil
}
