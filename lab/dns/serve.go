package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	mdns "github.com/miekg/dns"
)

// reply answers a message: as the name server when server is one, else as a resolver.
func (d *Directory) reply(q *mdns.Msg, server string) *mdns.Msg {
	m := new(mdns.Msg).SetReply(q)
	m.RecursionAvailable = server == ""
	if q.Opcode != mdns.OpcodeQuery || len(q.Question) != 1 || q.Question[0].Qclass != mdns.ClassINET {
		m.Rcode = mdns.RcodeNotImplemented
		return m
	}
	ask := q.Question[0]
	var a Answer
	d.c.Within(func() {
		if server == "" {
			a = d.Resolve(ask.Name, ask.Qtype)
		} else {
			a = d.Ask(server, ask.Name, ask.Qtype)
		}
	})
	m.Rcode, m.Authoritative, m.Answer, m.Ns = a.Code, a.Authoritative, a.Answer, a.Authority
	return m
}

// Dial connects to an address within the process, so that it works on simulated time: to a name server where one stands at the address,
// else to a resolver. What is written and read is framed as over TCP (RFC 1035, 4.2.2), whatever the network is called.
func (d *Directory) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port != "53" {
		return nil, fmt.Errorf("dial %s: %w", address, syscall.ECONNREFUSED)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var server string
	var reach Reach
	d.c.Within(func() { server, reach = d.serverAt(host), d.Reach })
	if reach == Nothing || reach == Resolvers && server != "" {
		return nil, fmt.Errorf("dial %s: %w", address, syscall.EHOSTUNREACH)
	}
	near, far := net.Pipe()
	go d.converse(far, server)
	return near, nil
}

// converse answers on a connection until the other side closes it.
func (d *Directory) converse(c net.Conn, server string) {
	defer c.Close()
	conn := &mdns.Conn{Conn: c}
	for {
		q, err := conn.ReadMsg()
		if err != nil {
			return
		}
		if conn.WriteMsg(d.reply(q, server)) != nil {
			return
		}
	}
}

// nobody is an address of the client's own machine where no name server listens.
const nobody = "127.53.53.53"

// ask is the name that a message asks about; "" for none.
func ask(q *mdns.Msg) string {
	if len(q.Question) != 1 {
		return ""
	}
	return q.Question[0].Name
}

// isServer reports whether a name is that of a name server.
func (d *Directory) isServer(name string) (yes bool) {
	d.c.Within(func() { yes = slices.Contains(d.servers(), Absolute(name)) })
	return yes
}

// Server is a resolver of the lab on a socket. Close it.
type Server struct {
	udp, tcp *mdns.Server
	done     sync.WaitGroup
}

// sockets opens the same port for UDP and TCP. A port that is free for the one may be taken for the other: where the port is 0, another
// one is tried.
func sockets(address string) (net.PacketConn, net.Listener, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, nil, err
	}
	for try := 0; ; try++ {
		pc, err := net.ListenPacket("udp", address)
		if err != nil {
			return nil, nil, err
		}
		l, err := net.Listen("tcp", pc.LocalAddr().String())
		if err == nil {
			return pc, l, nil
		}
		if err = errors.Join(err, pc.Close()); port != "0" || try == 20 {
			return nil, nil, err
		}
	}
}

// Listen serves a resolver over UDP and TCP on one address, 127.0.0.1:0 for example. The lab's name servers are not on any socket: to a
// client that comes over one their addresses are one of its own machine, so that no question leaves it.
func (d *Directory) Listen(address string) (*Server, error) {
	pc, l, err := sockets(address)
	if err != nil {
		return nil, fmt.Errorf("listen for DNS: %w", err)
	}
	h := mdns.HandlerFunc(func(w mdns.ResponseWriter, q *mdns.Msg) {
		var reach Reach
		d.c.Within(func() { reach = d.Reach })
		if reach == Nothing {
			return // the client waits in vain
		}
		m := d.reply(q, "")
		for _, rr := range m.Answer {
			if a, ok := rr.(*mdns.A); ok && a.Hdr.Name == ask(q) && d.isServer(a.Hdr.Name) {
				a.A = net.ParseIP(nobody)
			}
		}
		if w.LocalAddr().Network() == "udp" {
			size := mdns.MinMsgSize
			if o := q.IsEdns0(); o != nil {
				size = max(size, int(o.UDPSize()))
			}
			m.Truncate(size)
		}
		_ = w.WriteMsg(m) // a client that went away is its own business
	})
	s := &Server{udp: &mdns.Server{PacketConn: pc, Handler: h}, tcp: &mdns.Server{Listener: l, Handler: h}}
	ready := make(chan struct{}, 2)
	for _, one := range []*mdns.Server{s.udp, s.tcp} {
		one.NotifyStartedFunc = func() { ready <- struct{}{} }
		one.ReadTimeout = 5 * time.Second
		s.done.Go(func() { _ = one.ActivateAndServe() }) // ends by Close
	}
	<-ready
	<-ready
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.udp.PacketConn.LocalAddr().String() }

// Close ends the server and waits for it.
func (s *Server) Close() error {
	err := errors.Join(s.udp.Shutdown(), s.tcp.Shutdown())
	s.done.Wait()
	return err
}
