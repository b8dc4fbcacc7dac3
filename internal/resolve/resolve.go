// Package resolve asks the public Domain Name System: aliases, delegations at the zone above, and which authorities may issue
// certificates. It asks only those questions, a few at a time, remembers no answer, and never changes a zone.
package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	// port is where name servers and resolvers answer (RFC 1035, 4.2).
	port = "53"
	// questionTimeout is for one question to one server.
	questionTimeout = 3 * time.Second
	// tries is how often a server is asked that gives no answer: datagrams get lost.
	tries = 2
	// atOnce is how many questions are open at the same time: a resolver is not to be flooded.
	atOnce = 8
	// udpSize is the size of datagrams that passes everywhere (DNS Flag Day 2020); what is larger comes over TCP.
	udpSize = 1232
	// systemFile names the resolvers of most systems.
	systemFile = "/etc/resolv.conf"
	// maxServers is how many name servers of a zone are asked in turn.
	maxServers = 2
)

// Dial opens a connection to a server.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Resolver asks questions. It is safe for concurrent use.
type Resolver struct {
	servers []string // addresses with port, in the order in which they are asked
	dial    Dial
	open    chan struct{} // a place for every open question
}

// Reply is an answer. What nobody answered is an error, not a Reply.
type Reply struct {
	Code    string   // NOERROR, NXDOMAIN, SERVFAIL, REFUSED
	Answers []string // targets of aliases, names of servers, or CAA records as text; sorted
	Server  string   // who answered: its address, or the name of a name server
	Zone    string   // aliases: the zone that denies the name; delegations: the zone above; CAA: the name whose records hold
	Parent  bool     // delegations: a name server of the zone above said so itself
}

// New makes a resolver that asks these servers, IP addresses or names with or without a port, the first that answers counts; none: those of
// the system's resolv.conf. dial nil is the network.
func New(servers []string, dial Dial) (*Resolver, error) {
	r := &Resolver{dial: dial, open: make(chan struct{}, atOnce)}
	if dial == nil {
		r.dial = (&net.Dialer{Timeout: questionTimeout}).DialContext
	}
	for _, s := range servers {
		address, err := Address(s)
		if err != nil {
			return nil, err
		}
		r.servers = append(r.servers, address)
	}
	if len(servers) > 0 {
		return r, nil
	}
	system, err := dns.ClientConfigFromFile(systemFile)
	if err != nil {
		return nil, fmt.Errorf("find a resolver: %w", err)
	}
	for _, s := range system.Servers {
		r.servers = append(r.servers, net.JoinHostPort(s, system.Port))
	}
	if len(r.servers) == 0 {
		return nil, fmt.Errorf("find a resolver: %s names none", systemFile)
	}
	return r, nil
}

// Address is a resolver's address with its port, 53 where it names none.
func Address(s string) (string, error) {
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		host, p = strings.Trim(s, "[]"), port
	}
	if _, err := strconv.ParseUint(p, 10, 16); err != nil || host == "" || strings.ContainsAny(host, " /") || strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return "", fmt.Errorf("read resolver %q: want an address such as 192.0.2.53 or 192.0.2.53:5353", s)
	}
	return net.JoinHostPort(host, p), nil
}

// CNAME asks where a name's alias points to.
func (r *Resolver) CNAME(ctx context.Context, name string) (Reply, error) {
	m, server, err := r.ask(ctx, name, dns.TypeCNAME)
	if err != nil {
		return Reply{}, err
	}
	out := reply(m, server)
	for _, rr := range m.Answer {
		if c, ok := rr.(*dns.CNAME); ok && strings.EqualFold(c.Hdr.Name, dns.Fqdn(name)) {
			out.Answers = append(out.Answers, c.Target)
		}
	}
	return out, nil
}

// CAA asks which records say who may issue certificates for a name: the first ones on the way up (RFC 8659, 3). Without any, Answers
// is empty and every authority may.
func (r *Resolver) CAA(ctx context.Context, name string) (Reply, error) {
	var out Reply
	for at := dns.Fqdn(name); at != "."; at = above(at) {
		m, server, err := r.ask(ctx, at, dns.TypeCAA)
		if err != nil {
			return Reply{}, err
		}
		out = reply(m, server)
		out.Zone = at
		for _, rr := range m.Answer {
			if c, ok := rr.(*dns.CAA); ok {
				out.Answers = append(out.Answers, fmt.Sprintf("%d %s %q", c.Flag, c.Tag, c.Value))
			}
		}
		slices.Sort(out.Answers)
		if len(out.Answers) > 0 || m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
			return out, nil
		}
	}
	out.Zone, out.Code = "", "NOERROR"
	return out, nil
}

// Delegation asks to which name servers the zone above delegates a zone: one of its own servers if they can be reached, else the
// resolvers, who may say what the zone says of itself. Without Answers it is not delegated.
func (r *Resolver) Delegation(ctx context.Context, zone string) (Reply, error) {
	zone = dns.Fqdn(zone)
	parent, servers, err := r.parent(ctx, zone)
	if err != nil {
		return Reply{}, err
	}
	for _, name := range servers[:min(len(servers), maxServers)] {
		if out, ok := r.atParent(ctx, zone, name); ok {
			out.Zone = parent
			return out, nil
		}
	}
	m, server, err := r.ask(ctx, zone, dns.TypeNS)
	if err != nil {
		return Reply{}, err
	}
	out := reply(m, server)
	out.Zone, out.Answers = parent, nameServers(m.Answer, zone)
	return out, nil
}

// parent is the zone above a zone, with its name servers.
func (r *Resolver) parent(ctx context.Context, zone string) (string, []string, error) {
	for at := above(zone); ; at = above(at) {
		m, _, err := r.ask(ctx, at, dns.TypeNS)
		if err != nil {
			return "", nil, err
		}
		if servers := nameServers(m.Answer, at); len(servers) > 0 || at == "." {
			return at, servers, nil
		}
	}
}

// atParent asks a name server of the zone above; false when it cannot be reached or does not answer for it.
func (r *Resolver) atParent(ctx context.Context, zone, server string) (Reply, bool) {
	m, _, err := r.ask(ctx, server, dns.TypeA)
	if err != nil {
		return Reply{}, false
	}
	for _, rr := range m.Answer {
		a, ok := rr.(*dns.A)
		if !ok {
			continue
		}
		q := question(zone, dns.TypeNS)
		q.RecursionDesired = false
		m, err := r.exchange(ctx, q, net.JoinHostPort(a.A.String(), port))
		if err != nil || m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
			return Reply{}, false
		}
		out := reply(m, server)
		out.Parent = true
		if out.Answers = nameServers(m.Answer, zone); len(out.Answers) == 0 {
			out.Answers = nameServers(m.Ns, zone)
		}
		return out, true
	}
	return Reply{}, false
}

func nameServers(records []dns.RR, zone string) []string {
	var all []string
	for _, rr := range records {
		if ns, ok := rr.(*dns.NS); ok && strings.EqualFold(ns.Hdr.Name, zone) {
			all = append(all, strings.ToLower(ns.Ns))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// above is a name without its first part; "." at the end.
func above(name string) string {
	i, end := dns.NextLabel(name, 0)
	if end || i >= len(name) {
		return "."
	}
	return name[i:]
}

func reply(m *dns.Msg, server string) Reply {
	out := Reply{Code: dns.RcodeToString[m.Rcode], Server: server}
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			out.Zone = strings.ToLower(soa.Hdr.Name)
		}
	}
	return out
}

func question(name string, kind uint16) *dns.Msg {
	m := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	return m.SetEdns0(udpSize, false)
}

// ask asks the resolvers in turn. One that fails or refuses leaves the word to the next; the last one's SERVFAIL is an answer too.
func (r *Resolver) ask(ctx context.Context, name string, kind uint16) (*dns.Msg, string, error) {
	var last *dns.Msg
	var who string
	var lost []error
	for _, server := range r.servers {
		for range tries {
			m, err := r.exchange(ctx, question(name, kind), server)
			if err != nil {
				lost = append(lost, err)
				continue
			}
			if m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError {
				return m, server, nil
			}
			last, who = m, server
			break
		}
		if ctx.Err() != nil {
			break
		}
	}
	if last != nil {
		return last, who, nil
	}
	return nil, "", fmt.Errorf("ask the DNS for %s %s: no resolver answered: %w", dns.TypeToString[kind], name, errors.Join(lost[len(lost)-1:]...))
}

// exchange asks one server once: over UDP, and over TCP where the answer is too long for that.
func (r *Resolver) exchange(ctx context.Context, q *dns.Msg, server string) (*dns.Msg, error) {
	select {
	case r.open <- struct{}{}:
		defer func() { <-r.open }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	m, err := r.over(ctx, "udp", q, server)
	if err == nil && m.Truncated {
		m, err = r.over(ctx, "tcp", q, server)
	}
	return m, err
}

func (r *Resolver) over(ctx context.Context, network string, q *dns.Msg, server string) (*dns.Msg, error) {
	c, err := r.dial(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if end, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(end); err != nil {
			return nil, err
		}
	}
	conn := &dns.Conn{Conn: c, UDPSize: udpSize}
	if err := conn.WriteMsg(q); err != nil {
		return nil, err
	}
	for {
		m, err := conn.ReadMsg()
		if err != nil {
			return nil, err
		}
		if m.Id == q.Id && m.Response { // what answers another question is not ours
			return m, nil
		}
	}
}
