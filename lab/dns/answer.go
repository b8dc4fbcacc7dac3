package dns

import (
	"fmt"
	"slices"
	"strings"

	mdns "github.com/miekg/dns"
)

// Answer is what a resolver or a name server says.
type Answer struct {
	Code              int // as in the header of a reply: mdns.RcodeSuccess ...
	Authoritative     bool
	Answer, Authority []mdns.RR
}

// maxSteps bounds referrals and aliases.
const maxSteps = 16

// Resolve answers as a resolver does that follows delegations and aliases: SERVFAIL where nobody answers for a zone.
func (d *Directory) Resolve(name string, kind uint16) Answer {
	name = Absolute(name)
	var chain []mdns.RR
	for range maxSteps {
		a := d.follow(name, kind)
		a.Answer = append(chain, a.Answer...)
		last := len(a.Answer) - 1
		if last < 0 {
			return a
		}
		alias, ok := a.Answer[last].(*mdns.CNAME)
		if !ok || kind == mdns.TypeCNAME {
			return a
		}
		chain, name = a.Answer, Absolute(alias.Target)
	}
	return Answer{Code: mdns.RcodeServerFailure}
}

// follow goes from the registry down to whoever answers for a name.
func (d *Directory) follow(name string, kind uint16) Answer {
	if kind == mdns.TypeA && slices.Contains(d.servers(), name) {
		return Answer{Answer: []mdns.RR{record(name, "A", 3600, Address(name))}}
	}
	if slices.Contains(d.registries(), name) {
		return d.registryAnswer(name, name, kind)
	}
	cut := d.registered(name)
	if cut == "" {
		return Answer{Code: mdns.RcodeNameError, Authority: []mdns.RR{soa(name[strings.LastIndexByte(strings.TrimSuffix(name, "."), '.')+1:])}}
	}
	servers := d.domains[cut]
	if len(servers) == 0 {
		return Answer{Code: mdns.RcodeNameError, Authority: []mdns.RR{soa(above(cut))}}
	}
	for range maxSteps {
		z, ok := d.zoneAt(servers, cut, name)
		if !ok {
			break
		}
		a, next, at := z.answer(name, kind)
		if next == nil {
			return a
		}
		servers, cut = next, at
	}
	return Answer{Code: mdns.RcodeServerFailure}
}

// zoneAt is the zone that one of the servers has for a name, at a cut or below it.
func (d *Directory) zoneAt(servers []string, cut, name string) (Zone, bool) {
	var found Zone
	for _, z := range d.zones() {
		if Below(name, z.Name) && Below(z.Name, cut) && len(z.Name) > len(found.Name) && slices.ContainsFunc(z.Servers, func(s string) bool { return slices.Contains(servers, s) }) {
			found = z
		}
	}
	return found, found.Name != ""
}

// Ask answers as one name server does: REFUSED for what it has no zone for, a referral for what it has delegated.
func (d *Directory) Ask(server, name string, kind uint16) Answer {
	server, name = Absolute(server), Absolute(name)
	for _, z := range d.registries() {
		if registry(z) == server && Below(name, z) {
			return d.registryAnswer(z, name, kind)
		}
	}
	var found Zone
	for _, z := range d.zones() {
		if Below(name, z.Name) && len(z.Name) > len(found.Name) && slices.Contains(z.Servers, server) {
			found = z
		}
	}
	if found.Name == "" {
		return Answer{Code: mdns.RcodeRefused}
	}
	a, servers, cut := found.answer(name, kind)
	if servers != nil {
		return Answer{Authority: nsSet(cut, servers)}
	}
	return a
}

// registryAnswer is what a registry's server says: its own apex, a referral, or that there is no such domain.
func (d *Directory) registryAnswer(zone, name string, kind uint16) Answer {
	if name == zone {
		a := Answer{Authoritative: true, Authority: []mdns.RR{soa(zone)}}
		if kind == mdns.TypeNS {
			a.Answer, a.Authority = nsSet(zone, []string{registry(zone)}), nil
		}
		return a
	}
	domain := d.registered(name)
	if domain == "" || above(domain) != zone || len(d.domains[domain]) == 0 {
		return Answer{Code: mdns.RcodeNameError, Authoritative: true, Authority: []mdns.RR{soa(zone)}}
	}
	return Answer{Authority: nsSet(domain, d.domains[domain])}
}

// answer is what the zone says of a name; or the servers it delegates the name to, with the name of the cut.
func (z Zone) answer(name string, kind uint16) (a Answer, servers []string, cut string) {
	exists := name == z.Name
	for _, r := range z.Records {
		if r.Type == "NS" && r.Name != z.Name && Below(name, r.Name) && (cut == "" || len(r.Name) < len(cut)) {
			servers, cut = r.Values, r.Name
		}
		exists = exists || Below(r.Name, name)
	}
	if cut != "" {
		all := make([]string, len(servers))
		for i, s := range servers {
			all[i] = Absolute(s)
		}
		return Answer{}, all, cut
	}
	a.Authoritative = true
	for _, r := range z.Records {
		if r.Name != name || r.Type != mdns.TypeToString[kind] && r.Type != "CNAME" {
			continue
		}
		for _, v := range r.Values {
			a.Answer = append(a.Answer, record(name, r.Type, r.TTL, v))
		}
	}
	if len(a.Answer) == 0 {
		a.Authority = []mdns.RR{soa(z.Name)}
		if !exists {
			a.Code = mdns.RcodeNameError
		}
	}
	return a, nil, ""
}

func nsSet(zone string, servers []string) []mdns.RR {
	var all []mdns.RR
	for _, s := range servers {
		all = append(all, record(zone, "NS", 3600, Absolute(s)))
	}
	return all
}

// soa is the record that says which zone denies a name.
func soa(zone string) mdns.RR {
	return record(zone, "SOA", 900, "ns."+strings.TrimPrefix(zone, ".")+" hostmaster."+strings.TrimPrefix(zone, ".")+" 1 7200 900 1209600 900")
}

// record is a record as it goes over the wire. What does not read as one is a text record that says so: zones take any value.
func record(name, kind string, ttl int, value string) mdns.RR {
	if kind == "CNAME" {
		value = mdns.Fqdn(value)
	}
	rr, err := mdns.NewRR(fmt.Sprintf("%s %d IN %s %s", name, ttl, kind, value))
	if err != nil || rr == nil {
		return &mdns.TXT{Hdr: mdns.RR_Header{Name: name, Rrtype: mdns.TypeTXT, Class: mdns.ClassINET, Ttl: uint32(ttl)}, Txt: []string{"no " + kind + " record"}}
	}
	return rr
}

// Validated reports whether an alias with a target stands in public at a name, as a certificate authority looks it up.
func (d *Directory) Validated(name, target string) bool {
	for _, rr := range d.Resolve(name, mdns.TypeCNAME).Answer {
		if c, ok := rr.(*mdns.CNAME); ok && Absolute(c.Target) == Absolute(target) {
			return true
		}
	}
	return false
}

// MayIssue reports whether the CAA records that hold for a domain let one of the issuers issue; wild is for a wildcard's name.
// https://www.rfc-editor.org/rfc/rfc8659#name-relevant-resource-record-set
func (d *Directory) MayIssue(domain string, wild bool, issuers ...string) bool {
	for name := Absolute(domain); name != "" && name != "."; name = above(name) { // the registry's zone is the last one
		issue, wildcard := []string{}, []string{}
		found := false
		for _, rr := range d.Resolve(name, mdns.TypeCAA).Answer {
			if c, ok := rr.(*mdns.CAA); ok {
				found = true
				who, _, _ := strings.Cut(c.Value, ";")
				switch strings.ToLower(c.Tag) {
				case "issue":
					issue = append(issue, strings.TrimSpace(who))
				case "issuewild":
					wildcard = append(wildcard, strings.TrimSpace(who))
				}
			}
		}
		if !found {
			continue
		}
		hold := issue
		if wild && len(wildcard) > 0 {
			hold = wildcard
		}
		return len(hold) == 0 || slices.ContainsFunc(hold, func(who string) bool { return slices.Contains(issuers, who) })
	}
	return true
}
