// Package route53 simulates Amazon Route 53: hosted zones, public and private, and their record sets. It never registers a domain and
// resolves no name: what public zones answer is for the lab's DNS.
package route53

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/dns"
)

// The numbers of https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZones.html, API_ListResourceRecordSets.html and
// API_ChangeResourceRecordSets.html.
const (
	maxZones   = 100
	maxRecords = 300
	maxChanges = 1000
	// propagation is how long name servers go on answering as before a change.
	propagation = time.Minute
)

// Zone is a hosted zone.
type Zone struct {
	ID, Account string // ID without /hostedzone/
	Name        string // acme.example.
	Private     bool
	VPC, Region string   // of a private zone
	Servers     []string // of a public zone, without a dot at the end
	Reference   string   // the caller's
	Comment     string
	Records     []dns.Record // in the service's own order
}

// Service is Route 53 for every account. Its methods are called with the cloud's lock held.
type Service struct {
	c      *cloud.Cloud
	zones  []*cloud.Lagged[Zone] // in the order in which they were made
	served map[string]dns.Zone   // public zones as their name servers answer, by ID
	made   int
}

// New registers the service on a cloud and has a directory serve its public zones.
func New(c *cloud.Cloud, d *dns.Directory) *Service {
	s := &Service{c: c, served: map[string]dns.Zone{}}
	d.Serve(s)
	const root = "/2013-04-01/hostedzone"
	c.Register(&cloud.Service{
		Name: "route53", Version: "2013-04-01", Protocol: cloud.RESTXML, Namespace: "https://route53.amazonaws.com/doc/2013-04-01/",
		EventSource: "route53.amazonaws.com", Global: true,
		Items: map[string]string{"HostedZones": "HostedZone", "NameServers": "NameServer", "VPCs": "VPC", "ResourceRecordSets": "ResourceRecordSet", "ResourceRecords": "ResourceRecord"},
		Ops: map[string]*cloud.Op{
			"CreateHostedZone":         {Method: "POST", Path: root, Status: 201, Headers: map[string]string{"Location": "Location"}, Do: s.createZone},
			"DeleteHostedZone":         {Method: "DELETE", Path: root + "/{Id}", Access: onZone("DeleteHostedZone"), Do: s.deleteZone},
			"ListHostedZones":          {Method: "GET", Path: root, ReadOnly: true, Do: s.listZones},
			"ListHostedZonesByName":    {Method: "GET", Path: "/2013-04-01/hostedzonesbyname", ReadOnly: true, Do: s.listZonesByName},
			"GetHostedZone":            {Method: "GET", Path: root + "/{Id}", ReadOnly: true, Access: onZone("GetHostedZone"), Do: s.getZone},
			"ListResourceRecordSets":   {Method: "GET", Path: root + "/{Id}/rrset", ReadOnly: true, Access: onZone("ListResourceRecordSets"), Do: s.listRecords},
			"ChangeResourceRecordSets": {Method: "POST", Path: root + "/{Id}/rrset", Access: onZone("ChangeResourceRecordSets"), Do: s.changeRecords},
		},
	})
	return s
}

// onZone is the access to the zone that a request names.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonroute53.html
func onZone(op string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access {
		return []cloud.Access{{Action: "route53:" + op, Resource: ZoneARN(bare(r.Str("Id")))}}
	}
}

// ZoneARN is the ARN of a hosted zone: it names no account.
func ZoneARN(id string) string { return "arn:aws:route53:::hostedzone/" + id }

// bare is a zone's ID without the path that the API puts before it.
func bare(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// Public are the public zones as their name servers answer now.
func (s *Service) Public() []dns.Zone {
	var all []dns.Zone
	for _, l := range s.zones {
		if z, ok := l.Truth(); ok {
			if served, ok := s.served[z.ID]; ok {
				all = append(all, served)
			}
		}
	}
	return all
}

// Find is a zone of an account by its ID.
func (s *Service) Find(account, id string) (Zone, bool) {
	for _, l := range s.zones {
		if z, ok := l.Truth(); ok && z.Account == account && z.ID == bare(id) {
			return z, true
		}
	}
	return Zone{}, false
}

// put writes a zone; its name servers answer accordingly a while later.
func (s *Service) put(z Zone) {
	i := slices.IndexFunc(s.zones, func(l *cloud.Lagged[Zone]) bool { old, ok := l.Truth(); return ok && old.ID == z.ID })
	if i < 0 {
		i = len(s.zones)
		s.zones = append(s.zones, &cloud.Lagged[Zone]{})
	}
	s.zones[i].Set(s.c, z)
	if z.Private {
		return
	}
	s.c.After(propagation, func() {
		s.served[z.ID] = dns.Zone{Name: z.Name, Servers: absolute(z.Servers), Records: z.Records}
	})
}

func absolute(servers []string) []string {
	var all []string
	for _, n := range servers {
		all = append(all, dns.Absolute(n))
	}
	return all
}

// seen are an account's zones as a reader sees them.
func (s *Service) seen(account string) []Zone {
	var all []Zone
	for _, l := range s.zones {
		if z, ok := l.Seen(s.c); ok && z.Account == account {
			all = append(all, z)
		}
	}
	return all
}

func invalid(format string, args ...any) error { return cloud.Errorf("InvalidInput", format, args...) }

func noZone(id string) error {
	return &cloud.Error{Code: "NoSuchHostedZone", Message: "No hosted zone found with ID: " + bare(id), Status: 404}
}

// change is what every write answers with.
func (s *Service) change() map[string]any {
	return map[string]any{"Id": "/change/C" + identifier(s.c.UUID())[:13], "Status": "PENDING", "SubmittedAt": s.c.Now().UTC()}
}

func identifier(uuid string) string { return strings.ToUpper(strings.ReplaceAll(uuid, "-", "")) }

// createZone makes a zone, private when a VPC is named, and gives it four name servers that no other zone has.
func (s *Service) createZone(r *cloud.Request) (map[string]any, error) {
	name, reference := r.Str("Name"), r.Str("CallerReference")
	switch {
	case reference == "" || len(reference) > 128:
		return nil, invalid("CallerReference must have 1 to 128 characters")
	case !validName(name):
		return nil, cloud.Errorf("InvalidDomainName", "The domain name %s is not valid", name)
	}
	for _, l := range s.zones {
		if old, ok := l.Truth(); ok && old.Account == r.Account() && old.Reference == reference {
			return nil, &cloud.Error{Code: "HostedZoneAlreadyExists", Message: "A hosted zone has already been created with the specified caller reference.", Status: 409}
		}
	}
	s.made++
	z := Zone{ID: "Z" + identifier(s.c.UUID())[:19], Account: r.Account(), Name: dns.Absolute(name), Reference: reference}
	z.Comment, _ = r.Map("HostedZoneConfig")["Comment"].(string)
	if vpc := r.Map("VPC"); vpc != nil {
		z.Private = true
		z.VPC, _ = vpc["VPCId"].(string)
		z.Region, _ = vpc["VPCRegion"].(string)
		if !strings.HasPrefix(z.VPC, "vpc-") || z.Region == "" {
			return nil, cloud.Errorf("InvalidVPCId", "The VPC ID %s is not valid", z.VPC)
		}
		z.Servers = []string{"ns-0.awsdns-00.com", "ns-512.awsdns-00.net", "ns-1024.awsdns-00.org", "ns-1536.awsdns-00.co.uk"}
	} else {
		n := s.made
		z.Servers = []string{fmt.Sprintf("ns-%d.awsdns-%02d.com", n, n%64), fmt.Sprintf("ns-%d.awsdns-%02d.net", 512+n, n%64),
			fmt.Sprintf("ns-%d.awsdns-%02d.org", 1024+n, n%64), fmt.Sprintf("ns-%d.awsdns-%02d.co.uk", 1536+n, n%64)}
	}
	z.Records = []dns.Record{{Name: z.Name, Type: "NS", TTL: 172800, Values: absolute(z.Servers)},
		{Name: z.Name, Type: "SOA", TTL: 900, Values: []string{dns.Absolute(z.Servers[0]) + " awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"}}}
	s.put(z)
	out := s.describe(z)
	out["ChangeInfo"], out["Location"] = s.change(), "https://route53.amazonaws.com/2013-04-01/hostedzone/"+z.ID
	if z.Private {
		out["DelegationSet"] = map[string]any{"NameServers": z.Servers}
		out["VPC"] = map[string]any{"VPCId": z.VPC, "VPCRegion": z.Region}
		delete(out, "VPCs")
	}
	return out, nil
}

// validName: parts of 1 to 63 characters, 255 in all.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
func validName(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 255 || strings.ContainsAny(name, " /") {
		return false
	}
	return !slices.ContainsFunc(strings.Split(name, "."), func(p string) bool { return p == "" || len(p) > 63 })
}

// describe is a zone as GetHostedZone shows it: name servers for public zones, VPCs for private ones.
func (s *Service) describe(z Zone) map[string]any {
	out := map[string]any{"HostedZone": summary(z)}
	if z.Private {
		out["VPCs"] = []map[string]any{{"VPCId": z.VPC, "VPCRegion": z.Region}}
	} else {
		out["DelegationSet"] = map[string]any{"NameServers": z.Servers}
	}
	return out
}

func summary(z Zone) map[string]any {
	config := map[string]any{"PrivateZone": z.Private}
	if z.Comment != "" {
		config["Comment"] = z.Comment
	}
	return map[string]any{"Id": "/hostedzone/" + z.ID, "Name": z.Name, "CallerReference": z.Reference, "ResourceRecordSetCount": len(z.Records), "Config": config}
}

func (s *Service) deleteZone(r *cloud.Request) (map[string]any, error) {
	z, ok := s.Find(r.Account(), r.Str("Id"))
	if !ok {
		return nil, noZone(r.Str("Id"))
	}
	if len(z.Records) > 2 {
		return nil, cloud.Errorf("HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so cannot be deleted.")
	}
	for _, l := range s.zones {
		if old, ok := l.Truth(); ok && old.ID == z.ID {
			l.Delete(s.c)
		}
	}
	delete(s.served, z.ID)
	return map[string]any{"ChangeInfo": s.change()}, nil
}

func (s *Service) getZone(r *cloud.Request) (map[string]any, error) {
	id := bare(r.Str("Id"))
	for _, z := range s.seen(r.Account()) {
		if z.ID == id {
			return s.describe(z), nil
		}
	}
	return nil, noZone(id)
}

// items is how many entries a page has: what the caller wants, within the service's limits.
func items(r *cloud.Request, most int) (int, error) {
	n := r.Int("maxitems", most)
	if n < 1 {
		return 0, invalid("maxitems must be 1 or more")
	}
	n = min(n, most)
	if r.Cloud.PageSize > 0 {
		n = min(n, r.Cloud.PageSize)
	}
	return n, nil
}

// listZones lists by ID, as pages need it; the marker is the ID at which the next page begins.
func (s *Service) listZones(r *cloud.Request) (map[string]any, error) {
	n, err := items(r, maxZones)
	if err != nil {
		return nil, err
	}
	all := s.seen(r.Account())
	slices.SortFunc(all, func(a, b Zone) int { return strings.Compare(a.ID, b.ID) })
	marker := r.Str("marker")
	if marker != "" {
		i := slices.IndexFunc(all, func(z Zone) bool { return z.ID == marker })
		if i < 0 {
			return nil, invalid("The marker %s is not valid", marker)
		}
		all = all[i:]
	}
	out := map[string]any{"Marker": marker, "MaxItems": n, "IsTruncated": len(all) > n}
	if len(all) > n {
		out["NextMarker"] = all[n].ID
		all = all[:n]
	}
	out["HostedZones"] = summaries(all)
	return out, nil
}

func summaries(zones []Zone) []map[string]any {
	all := []map[string]any{}
	for _, z := range zones {
		all = append(all, summary(z))
	}
	return all
}

// listZonesByName lists in the order of names read from their last part, from a name on.
func (s *Service) listZonesByName(r *cloud.Request) (map[string]any, error) {
	n, err := items(r, maxZones)
	if err != nil {
		return nil, err
	}
	from := r.Str("dnsname")
	if from != "" && !validName(from) {
		return nil, cloud.Errorf("InvalidDomainName", "The domain name %s is not valid", from)
	}
	if from == "" && r.Str("hostedzoneid") != "" {
		return nil, invalid("hostedzoneid goes with dnsname only")
	}
	key := func(z Zone) string { return turned(z.Name) + " " + z.ID }
	all := s.seen(r.Account())
	slices.SortFunc(all, func(a, b Zone) int { return strings.Compare(key(a), key(b)) })
	out := map[string]any{"MaxItems": n}
	if from != "" {
		out["DNSName"] = dns.Absolute(from)
		start := turned(dns.Absolute(from)) + " " + bare(r.Str("hostedzoneid"))
		all = slices.DeleteFunc(all, func(z Zone) bool { return key(z) < start })
	}
	out["IsTruncated"] = len(all) > n
	if len(all) > n {
		out["NextDNSName"], out["NextHostedZoneId"] = all[n].Name, all[n].ID
		all = all[:n]
	}
	out["HostedZones"] = summaries(all)
	return out, nil
}

// turned is a name with its parts in reverse: example.acme.www.
func turned(name string) string {
	parts := strings.Split(strings.TrimSuffix(name, "."), ".")
	slices.Reverse(parts)
	return strings.Join(parts, ".") + "."
}
