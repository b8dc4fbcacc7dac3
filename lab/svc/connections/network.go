package connections

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/ec2"
)

// notice is how long AWS takes to see that it cannot speak to a host any more, and to look again. AWS documents neither
// that nor a time; both are the lab's own.
const notice = time.Hour

// elsewhere is the address of a server that says none: somewhere on the internet.
const elsewhere = "198.51.100.80"

// unreachableText is what a source action fails with when AWS gets nowhere. AWS's own text is not documented, so nobody
// should rely on it; like AWS it does not say which part of the way is broken.
const unreachableText = "[%s] Could not connect to the provider host. Check that the host is reachable and try again."

// trouble is what stands between AWS and a server.
type trouble struct {
	lasting bool // AWS notices: the connection goes to ERROR. A firewall that drops packets it does not notice.
	why     string
}

// StandOn tells which network the hosts in VPCs stand on. Without one every VPC is fine.
func (s *Service) StandOn(n *ec2.Service) { s.network = n }

// spot is where a host stands in its VPC; false without one.
func (h Host) spot() (ec2.Spot, bool) {
	if h.VPC == nil {
		return ec2.Spot{}, false
	}
	id, _ := h.VPC["VpcId"].(string)
	return ec2.Spot{Account: h.Owner, Region: h.Region, VPC: id, Subnets: listOf(h.VPC["SubnetIds"]), Groups: listOf(h.VPC["SecurityGroupIds"])}, true
}

func listOf(v any) []string {
	list, _ := v.([]any)
	var all []string
	for _, x := range list {
		if t, ok := x.(string); ok {
			all = append(all, t)
		}
	}
	return all
}

// resolversOf are the DNS servers that a host is to remember: those of its VPC when it is set up there.
func (s *Service) resolversOf(h Host) []string {
	if p, ok := h.spot(); ok && s.network != nil {
		return s.network.Resolvers(p.Account, p.Region, p.VPC)
	}
	return nil
}

// obstacle finds what keeps AWS from speaking to a host's server, false when nothing does: name resolution by the DNS
// servers remembered, the way through the VPC, TLS, in this order.
// https://docs.aws.amazon.com/dtconsole/latest/userguide/troubleshooting-connections.html
func (s *Service) obstacle(h Host) (trouble, bool) {
	server, ok := s.dir.Server(h.Endpoint)
	if !ok {
		return trouble{}, false
	}
	name, port := hostPort(h.Endpoint)
	address := server.Address
	if net.ParseIP(name) != nil {
		address = name
	}
	if p, inVPC := h.spot(); inVPC && s.network != nil && s.network.Knows(p.Account, p.Region, p.VPC) {
		now := s.network.Resolvers(p.Account, p.Region, p.VPC)
		if net.ParseIP(name) == nil && (len(now) == 0 || !slices.Equal(now, h.resolvers)) {
			return trouble{true, "the DNS servers of the VPC are not those of the host's set-up"}, true
		}
		if address == "" {
			address = elsewhere
		}
		if why := s.network.Stops(p, address, port); why != "" {
			return trouble{false, why}, true
		}
	}
	own, _ := h.VPC["TlsCertificate"].(string)
	switch cert := server.Certificate; {
	case cert.Private && own == "":
		return trouble{true, "the server's certificate is of a private CA and the host has no certificate"}, true
	case !cert.Expires.IsZero() && !s.c.Now().Before(cert.Expires):
		return trouble{true, "the server's certificate has expired"}, true
	case cert.Name != "" && cert.Name != name:
		return trouble{true, "the server's certificate is for " + cert.Name}, true
	}
	return trouble{}, false
}

func hostPort(endpoint string) (string, int) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return endpoint, 443
	}
	port, err := strconv.Atoi(u.Port())
	switch {
	case err == nil:
	case u.Scheme == "http":
		port = 80
	default:
		port = 443
	}
	return u.Hostname(), port
}

// watch looks at a connection after a failed use: when the trouble is one that AWS notices and it is still there, the
// connection goes to ERROR; AWS retries such a connection, so that it comes back once the trouble is gone.
func (s *Service) watch(connectionARN string) {
	if s.watched[connectionARN] {
		return
	}
	s.watched[connectionARN] = true
	s.c.After(notice, func() { s.look(connectionARN) })
}

func (s *Service) look(arn string) {
	delete(s.watched, arn)
	l, k, ok := s.truth(arn)
	if !ok {
		return
	}
	lost := s.revoked(k)
	if h, onHost := s.Host(k.HostARN); onHost {
		if h.Status != Available {
			return
		}
		t, broken := s.obstacle(h)
		lost = broken && (t.lasting || k.Status == Errored)
	}
	switch {
	case lost && k.Status == Available:
		k.Status = Errored
		s.noticed[arn] = true
	case !lost && k.Status == Errored && s.noticed[arn]:
		k.Status = Available
		delete(s.noticed, arn)
	}
	l.Set(s.c, k)
	if k.Status == Errored {
		s.watch(arn)
	}
}

// revoked reports whether Bitbucket no longer lets AWS in: the app is gone or suspended. The other providers' connections stay AVAILABLE
// and show nothing; what AWS does with each is not documented.
func (s *Service) revoked(k Connection) bool {
	if k.ProviderType != provider.Bitbucket || k.Installation == "" {
		return false
	}
	i, ok := s.dir.Installation(k.Installation)
	return !ok || i.Suspended
}

// providerName is a provider as CodePipeline's messages call it.
func providerName(providerType string) string {
	switch providerType {
	case provider.GitHubEnterpriseServer:
		return "GitHub Enterprise Server"
	case provider.GitLabSelfManaged:
		return "GitLab self-managed"
	}
	return providerType
}
