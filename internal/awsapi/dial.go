package awsapi

import (
	"context"
	"errors"
	"net"
)

// ErrNoNetwork is Dial's answer in a session whose Transport takes the place of the network.
var ErrNoNetwork = errors.New("dial: this session has no network")

// Dial opens a connection to a host that is not AWS's, such as a Git server. It takes no proxy: a certificate that a proxy shows says
// nothing about the server.
func (s *Session) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	switch {
	case s.opts.Dial != nil:
		return s.opts.Dial(ctx, network, address)
	case s.opts.Transport != nil:
		return nil, ErrNoNetwork
	}
	d := net.Dialer{Timeout: connectTimeout}
	return d.DialContext(ctx, network, address)
}
