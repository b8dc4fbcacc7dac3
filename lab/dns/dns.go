// Package dns is the public Domain Name System of the lab: registered domains, zones at Amazon Route 53 and at other providers, and
// what resolvers and name servers answer about them. It never asks anybody outside of the lab, and remembers no answer.
package dns

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// Record is all records of one name and type.
type Record struct {
	Name   string // absolute, in small letters: www.acme.example.
	Type   string
	TTL    int      // seconds
	Values []string // as in a zone file
}

// Zone is a zone as its name servers hold it.
type Zone struct {
	Name    string   // absolute, in small letters: acme.example.
	Servers []string // absolute names
	Records []Record // those of the apex included
}

// Host serves public zones; Route 53 does.
type Host interface {
	// Public are the zones as their name servers answer now.
	Public() []Zone
}

// Reach says what of the Domain Name System a client can talk to.
type Reach string

// How far a client gets.
const (
	Everything Reach = ""         // resolvers and name servers
	Resolvers  Reach = "resolver" // a firewall lets nobody ask name servers
	Nothing    Reach = "none"
)

// Directory is the whole of it. It is guarded by the cloud's lock: its methods are called with the lock held, except Dial and Listen.
type Directory struct {
	c         *cloud.Cloud
	hosts     []Host
	domains   map[string][]string // registered domain to the servers that its registry delegates it to
	providers map[string]*Provider
	// Reach is how far clients get.
	Reach Reach
}

// New returns a directory without a domain.
func New(c *cloud.Cloud) *Directory {
	return &Directory{c: c, domains: map[string][]string{}, providers: map[string]*Provider{}}
}

// Serve adds a host of zones.
func (d *Directory) Serve(h Host) { d.hosts = append(d.hosts, h) }

// Absolute is a name as the directory writes it: in small letters with a dot at the end.
func Absolute(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) + "." }

// Below reports whether a name is that of a zone or lies below it. Both are absolute.
func Below(name, zone string) bool { return name == zone || strings.HasSuffix(name, "."+zone) }

// Register makes a domain known to its registry, which delegates it to nobody yet.
func (d *Directory) Register(domain string) error {
	domain = Absolute(domain)
	if strings.Count(domain, ".") < 2 {
		return fmt.Errorf("register %s: a registered domain has at least two parts", domain)
	}
	if _, ok := d.domains[domain]; ok {
		return fmt.Errorf("register %s: somebody has it", domain)
	}
	d.domains[domain] = nil
	return nil
}

// Delegate has the registry send those who ask for a registered domain to these servers.
func (d *Directory) Delegate(domain string, servers ...string) error {
	domain = Absolute(domain)
	if _, ok := d.domains[domain]; !ok {
		return fmt.Errorf("delegate %s: the domain is not registered", domain)
	}
	var all []string
	for _, s := range servers {
		all = append(all, Absolute(s))
	}
	d.domains[domain] = all
	return nil
}

// zones are all public zones.
func (d *Directory) zones() []Zone {
	var all []Zone
	for _, h := range d.hosts {
		all = append(all, h.Public()...)
	}
	for _, p := range d.providers {
		all = append(all, p.zone())
	}
	return all
}

// registered is the longest registered domain that a name lies in; "" when there is none.
func (d *Directory) registered(name string) string {
	found := ""
	for domain := range d.domains {
		if Below(name, domain) && len(domain) > len(found) {
			found = domain
		}
	}
	return found
}

// above is the zone of a registry: what is left of a registered domain without its first part.
func above(domain string) string { return domain[strings.IndexByte(domain, '.')+1:] }

// registry is the name server of a registry's zone.
func registry(zone string) string { return "a.nic." + zone }

// registries are the zones that registries keep.
func (d *Directory) registries() []string {
	var all []string
	for domain := range d.domains {
		all = append(all, above(domain))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Address is the address of a name server: any, and the same in every run.
func Address(server string) string {
	h := fnv.New32a()
	h.Write([]byte(Absolute(server)))
	n := h.Sum32()
	return fmt.Sprintf("10.%d.%d.%d", byte(n>>16), byte(n>>8), byte(n))
}

// serverAt is the name server at an address; "" when none stands there.
func (d *Directory) serverAt(address string) string {
	for _, s := range d.servers() {
		if Address(s) == address {
			return s
		}
	}
	return ""
}

// servers are all name servers that answer for something.
func (d *Directory) servers() []string {
	var all []string
	for _, z := range d.registries() {
		all = append(all, registry(z))
	}
	for _, z := range d.zones() {
		all = append(all, z.Servers...)
	}
	return all
}

// Provider is a DNS provider outside of AWS that hosts one domain.
type Provider struct {
	Name, Domain string
	// Appends: its form puts the domain behind every name that is entered, also behind one that has it already.
	Appends bool
	// Strips: its form refuses underscores in values and leaves them out.
	Strips  bool
	records []Record
}

// AddProvider registers a domain that is hosted at a provider.
func (d *Directory) AddProvider(p Provider) error {
	p.Domain = Absolute(p.Domain)
	if d.providers[p.Domain] != nil {
		return fmt.Errorf("host %s at %s: it is hosted already", p.Domain, p.Name)
	}
	if err := d.Register(p.Domain); err != nil {
		return err
	}
	d.providers[p.Domain] = &p
	return d.Delegate(p.Domain, p.servers()...)
}

// At is the provider of a domain; nil when none hosts it.
func (d *Directory) At(domain string) *Provider { return d.providers[Absolute(domain)] }

func (p *Provider) servers() []string {
	return []string{"ns1." + p.Name + ".example.", "ns2." + p.Name + ".example."}
}

func (p *Provider) zone() Zone {
	return Zone{Name: p.Domain, Servers: p.servers(), Records: append([]Record{{Name: p.Domain, Type: "NS", TTL: 3600, Values: p.servers()}}, p.records...)}
}

// Enter types a record into the provider's form, where one of the same name and type is replaced.
func (p *Provider) Enter(r Record) {
	r.Name = Absolute(r.Name)
	if p.Appends || !Below(r.Name, p.Domain) {
		r.Name = Absolute(r.Name + p.Domain)
	}
	if p.Strips {
		r.Values = slices.Clone(r.Values)
		for i := range r.Values {
			r.Values[i] = strings.ReplaceAll(r.Values[i], "_", "")
		}
	}
	p.Erase(r.Name, r.Type)
	p.records = append(p.records, r)
}

// Erase takes the records of a name and type away.
func (p *Provider) Erase(name, kind string) {
	p.records = slices.DeleteFunc(p.records, func(r Record) bool { return r.Name == Absolute(name) && r.Type == kind })
}
