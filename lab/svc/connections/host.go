package connections

import (
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
)

// Further host statuses; PENDING and AVAILABLE are spelled as for connections.
const (
	VPCInitializing = "VPC_CONFIG_INITIALIZING"
	VPCFailed       = "VPC_CONFIG_FAILED_INITIALIZATION"
	VPCDeleting     = "VPC_CONFIG_DELETING"
)

// vpcTime is how long setting up or tearing down a host in a VPC takes. AWS documents no time; this is the lab's own.
const vpcTime = 3 * time.Minute

// Host is a host as AWS keeps it: where a self-managed provider stands. Hosts are regional, unlike connections.
type Host struct {
	ARN, Name, ProviderType, Endpoint string
	Owner, Region                     string
	Status, StatusMessage             string
	VPC                               map[string]any // VpcConfiguration as given; nil without
	Tags                              []Tag

	resolvers []string // DNS servers of the VPC when the host was set up in it: AWS keeps them for good
}

// Hosts lists the hosts that exist, in order of creation, whatever the readers see so far.
func (s *Service) Hosts() []Host {
	var all []Host
	for _, l := range s.hosts {
		if h, ok := l.Truth(); ok {
			all = append(all, h)
		}
	}
	return all
}

// Host finds a host by ARN, whatever the readers see so far.
func (s *Service) Host(arn string) (Host, bool) {
	_, h, ok := s.hostTruth(arn)
	return h, ok
}

// HostNamed finds a host of an account by name, whatever the readers see so far.
func (s *Service) HostNamed(account, name string) (Host, bool) {
	for _, h := range s.Hosts() {
		if h.Owner == account && h.Name == name {
			return h, true
		}
	}
	return Host{}, false
}

// BreakVPC makes every later host set-up in a VPC fail with a message, as two subnets in one Availability Zone or a
// VPC of another account do; an empty message repairs the VPC.
func (s *Service) BreakVPC(account, vpcID, message string) { s.broken[account+"/"+vpcID] = message }

func (s *Service) hostTruth(arn string) (*cloud.Lagged[Host], Host, bool) {
	for _, l := range s.hosts {
		if h, ok := l.Truth(); ok && h.ARN == arn {
			return l, h, true
		}
	}
	return nil, Host{}, false
}

// ownHost finds a host for a change: the caller's own, in the Region of the call.
func (a *api) ownHost(r *cloud.Request, arn string) (*cloud.Lagged[Host], Host, error) {
	if err := a.foreign(r, arn); err != nil {
		return nil, Host{}, err
	}
	l, h, ok := a.hostTruth(arn)
	if !ok || h.Region != r.Region {
		return nil, Host{}, cloud.Errorf(notFound, "Host %s not found.", arn)
	}
	return l, h, nil
}

// seenHost finds a host as the caller reads it.
func (a *api) seenHost(r *cloud.Request, arn string) (Host, error) {
	if err := a.foreign(r, arn); err != nil {
		return Host{}, err
	}
	for _, l := range a.hosts {
		if h, ok := l.Seen(a.c); ok && h.ARN == arn && h.Region == r.Region {
			return h, nil
		}
	}
	return Host{}, cloud.Errorf(notFound, "Host %s not found.", arn)
}

func (a *api) hostOps(all map[string]*cloud.Op) {
	named := func(r *cloud.Request, p *problems) {
		p.str(r.In, "HostArn", "hostArn", rule{required: true, max: 256, pattern: a.hostRE[a.name]})
	}
	all["CreateHost"] = a.op(false, a.checkCreateHost, a.accessCreateHost, a.createHost)
	all["GetHost"] = a.op(true, named, a.onResource("HostArn", "GetHost"), a.getHost)
	all["DeleteHost"] = a.op(false, named, a.onResource("HostArn", "DeleteHost"), a.deleteHost)
	all["UpdateHost"] = a.op(false, func(r *cloud.Request, p *problems) {
		named(r, p)
		p.str(r.In, "ProviderEndpoint", "providerEndpoint", rule{min: 1, max: 512})
		a.checkVPC(r, p)
	}, func(r *cloud.Request) cloud.Access {
		access := a.onResource("HostArn", "UpdateHost")(r)
		vpcKey(r, access, a.prefixOf(access.Resource))
		return access
	}, a.updateHost)
	all["ListHosts"] = a.op(true, func(r *cloud.Request, p *problems) { p.page(r) }, func(*cloud.Request) cloud.Access {
		return cloud.Access{Action: a.name + ":ListHosts", Resource: "*"}
	}, a.listHosts)
}

func (a *api) checkCreateHost(r *cloud.Request, p *problems) {
	p.str(r.In, "Name", "name", rule{required: true, min: 1, max: 64})
	p.str(r.In, "ProviderType", "providerType", rule{required: true, enum: a.providers()})
	p.str(r.In, "ProviderEndpoint", "providerEndpoint", rule{required: true, min: 1, max: 512})
	a.checkVPC(r, p)
	p.tags(r, false)
}

func (a *api) checkVPC(r *cloud.Request, p *problems) {
	v := r.Map("VpcConfiguration")
	if v == nil {
		return
	}
	at := "vpcConfiguration."
	p.str(v, "VpcId", at+"vpcId", rule{required: true, min: 12, max: 21, pattern: a.vpcRE[0]})
	p.texts(v, "SubnetIds", at+"subnetIds", true, 1, 10, rule{min: 15, max: 24, pattern: a.vpcRE[1]})
	p.texts(v, "SecurityGroupIds", at+"securityGroupIds", true, 1, 10, rule{min: 11, max: 20, pattern: a.vpcRE[2]})
	p.str(v, "TlsCertificate", at+"tlsCertificate", rule{min: 1, max: 16384})
}

func (a *api) accessCreateHost(r *cloud.Request) cloud.Access {
	access := cloud.Access{Action: a.name + ":CreateHost", Resource: "*", Context: requestTags(r)}
	access.Context[a.name+":ProviderType"] = []string{r.Str("ProviderType")}
	vpcKey(r, access, a.name)
	return access
}

func vpcKey(r *cloud.Request, access cloud.Access, prefix string) {
	if id, ok := r.Map("VpcConfiguration")["VpcId"].(string); ok {
		access.Context[prefix+":VpcId"] = []string{id}
	}
}

func (a *api) createHost(r *cloud.Request) (map[string]any, error) {
	h := Host{
		Name: r.Str("Name"), ProviderType: r.Str("ProviderType"), Endpoint: r.Str("ProviderEndpoint"),
		Owner: r.Account(), Region: r.Region, Status: Pending, VPC: r.Map("VpcConfiguration"),
	}
	if h.ProviderType != provider.GitHubEnterpriseServer && h.ProviderType != provider.GitLabSelfManaged {
		return nil, cloud.Errorf(cloud.ValidationError, "Hosts are not supported for provider type %s.", h.ProviderType)
	}
	if err := a.roomForHost(h); err != nil {
		return nil, err
	}
	tags, err := mergeTags(r, nil)
	if err != nil {
		return nil, err
	}
	h.Tags = tags
	h.ARN = makeARN(a.name, r.Region, h.Owner, "host/"+h.Name+"-"+a.c.UUID()[:8])
	l := &cloud.Lagged[Host]{}
	a.hosts = append(a.hosts, l)
	if h.VPC == nil {
		l.Set(a.c, h)
	} else {
		a.startVPC(l, h, r.Caller, Pending)
	}
	out := map[string]any{"HostArn": h.ARN}
	if len(tags) > 0 {
		out["Tags"] = tagList(tags)
	}
	return out, nil
}

// roomForHost checks the quota of hosts and that names are given once.
func (s *Service) roomForHost(h Host) error {
	own := 0
	for _, o := range s.Hosts() {
		if o.Owner != h.Owner {
			continue
		}
		own++
		if o.Name == h.Name {
			return cloud.Errorf(cloud.ValidationError, "A host with the name %s already exists in account %s.", h.Name, h.Owner)
		}
	}
	if most := s.c.Limit(h.Owner, h.Region, "hosts", maxHosts); own >= most {
		return cloud.Errorf(limit, "The maximum number of hosts (%d) for account %s has been reached.", most, h.Owner)
	}
	return nil
}

// startVPC begins the set-up in the host's VPC; vpcTime later it ends in status after, or fails: because the VPC is
// broken, or because whoever asked for it lacks an EC2 permission.
func (s *Service) startVPC(l *cloud.Lagged[Host], h Host, by cloud.Principal, after string) {
	h.Status, h.StatusMessage = VPCInitializing, ""
	l.Set(s.c, h)
	s.c.After(vpcTime, func() {
		now, ok := l.Truth()
		if !ok || now.Status != VPCInitializing {
			return
		}
		now.Status = after
		if why := s.vpcTrouble(now, by); why != "" {
			now.Status, now.StatusMessage = VPCFailed, why
		} else if p, ok := now.spot(); ok && s.network != nil {
			s.network.Join(p, now.Name)
			now.resolvers = s.resolversOf(now)
		}
		l.Set(s.c, now)
	})
}

// vpcTrouble tells what prevents a host in its VPC, "" when nothing does. The permissions are those of
// https://docs.aws.amazon.com/dtconsole/latest/userguide/troubleshooting-connections.html ; AWS does not document the messages.
func (s *Service) vpcTrouble(h Host, by cloud.Principal) string {
	vpc, _ := h.VPC["VpcId"].(string)
	if why := s.broken[h.Owner+"/"+vpc]; why != "" {
		return why
	}
	if other, taken := s.occupant(h); taken {
		return "VPC " + vpc + " is already associated with host " + other.ARN + ". A VPC can only be associated with one host at a time."
	}
	if p, ok := h.spot(); ok && s.network != nil {
		if why := s.network.HostTrouble(p); why != "" {
			return why
		}
	}
	for _, action := range []string{
		"CreateNetworkInterface", "CreateTags", "DescribeDhcpOptions", "DescribeNetworkInterfaces", "DescribeSubnets",
		"DeleteNetworkInterface", "DescribeVpcs", "CreateVpcEndpoint", "DeleteVpcEndpoints", "DescribeVpcEndpoints",
	} {
		need := cloud.Access{Action: "ec2:" + action, Resource: "*"}
		if d := s.c.Authorize(by, h.Region, need); !d.Allowed {
			return cloud.Denied(by, need, d).Message
		}
	}
	return ""
}

// occupant is another host that has a host's VPC: of those that are being set up, the one that was created first.
func (s *Service) occupant(h Host) (Host, bool) {
	before := true
	for _, o := range s.Hosts() {
		if o.ARN == h.ARN {
			before = false
			continue
		}
		if o.VPC != nil && o.Owner == h.Owner && o.VPC["VpcId"] == h.VPC["VpcId"] && o.Status != VPCFailed && (before || o.Status != VPCInitializing) {
			return o, true
		}
	}
	return Host{}, false
}

// leave takes away what the host's set-up made in its VPC.
func (s *Service) leave(h Host) {
	if p, ok := h.spot(); ok && s.network != nil {
		s.network.Leave(p, h.Name)
	}
}

func (a *api) getHost(r *cloud.Request) (map[string]any, error) {
	h, err := a.seenHost(r, r.Str("HostArn"))
	if err != nil {
		return nil, err
	}
	m := hostMap(h)
	delete(m, "HostArn")
	delete(m, "StatusMessage") // only ListHosts tells it
	return m, nil
}

func (a *api) listHosts(r *cloud.Request) (map[string]any, error) {
	var all []Host
	for _, l := range a.hosts {
		h, ok := l.Seen(a.c)
		if ok && h.Owner == r.Account() && h.Region == r.Region && a.hostRE[a.name].MatchString(h.ARN) {
			all = append(all, h)
		}
	}
	page, next, err := cloud.Page(a.c, all, r.Str("NextToken"), r.Int("MaxResults", 0), maxPage, cloud.ValidationError)
	if err != nil {
		return nil, err
	}
	list := []map[string]any{}
	for _, h := range page {
		list = append(list, hostMap(h))
	}
	return withToken(map[string]any{"Hosts": list}, next), nil
}

func hostMap(h Host) map[string]any {
	m := map[string]any{
		"Name": h.Name, "HostArn": h.ARN, "ProviderType": h.ProviderType, "ProviderEndpoint": h.Endpoint, "Status": h.Status,
	}
	if h.VPC != nil {
		m["VpcConfiguration"] = h.VPC
	}
	if h.StatusMessage != "" {
		m["StatusMessage"] = h.StatusMessage
	}
	return m
}

// deleteHost refuses while connections stand on the host or its VPC is being worked on.
func (a *api) deleteHost(r *cloud.Request) (map[string]any, error) {
	l, h, err := a.ownHost(r, r.Str("HostArn"))
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(h.Status, "INITIALIZING") || h.Status == VPCDeleting {
		return nil, cloud.Errorf(unavailable, "Host %s cannot be deleted while its status is %s.", h.ARN, h.Status)
	}
	for _, k := range a.Connections() {
		if k.HostARN == h.ARN {
			return nil, cloud.Errorf(unavailable, "Host %s cannot be deleted: connection %s is associated with it.", h.ARN, k.ARN)
		}
	}
	if h.VPC == nil {
		l.Delete(a.c)
		return map[string]any{}, nil
	}
	h.Status = VPCDeleting
	l.Set(a.c, h)
	a.c.After(vpcTime, func() {
		a.leave(h)
		l.Delete(a.c)
	})
	return map[string]any{}, nil
}

// updateHost changes the endpoint of a host that is not set up yet, or the VPC of any host.
func (a *api) updateHost(r *cloud.Request) (map[string]any, error) {
	l, h, err := a.ownHost(r, r.Str("HostArn"))
	if err != nil {
		return nil, err
	}
	switch h.Status {
	case VPCInitializing, VPCDeleting:
		return nil, cloud.Errorf(conflict, "Host %s cannot be updated while its status is %s.", h.ARN, h.Status)
	case Errored:
		return nil, cloud.Errorf(unavailable, "Host %s is not available: its status is %s.", h.ARN, h.Status)
	}
	if e := r.Str("ProviderEndpoint"); e != "" && e != h.Endpoint {
		if h.Status == Available {
			return nil, cloud.Errorf(unsupported, "The operation is not supported. Check the connection status and try again.")
		}
		h.Endpoint = e
	}
	v := r.Map("VpcConfiguration")
	if v == nil {
		l.Set(a.c, h)
		return map[string]any{}, nil
	}
	for _, o := range a.Hosts() {
		if o.ARN != h.ARN && o.Owner == h.Owner && o.VPC != nil && o.VPC["VpcId"] == v["VpcId"] {
			return nil, cloud.Errorf(conflict, "VPC %v is already associated with host %s.", v["VpcId"], o.ARN)
		}
	}
	after := Pending
	if h.Status == Available {
		after = Available
	}
	a.leave(h)
	h.VPC = v
	a.startVPC(l, h, r.Caller, after)
	return map[string]any{}, nil
}
