package certificatepending

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// record is a validation record that a certificate waits for, with what is known of it.
type record struct {
	name, value string   // as ACM wants it, the name with a dot at its end
	domains     []string // the certificate's names that it proves
	look        fact.Lookup
	looked      bool

	cause    string // why it is not seen; "" when it is right or was not looked up
	text     string
	evidence []fault.Evidence
	unseen   []string // what could not be seen of why

	zone    fact.HostedZone // of this account, public and delegated: where the record belongs; ID "" for none
	there   fact.RecordSet  // what stands there in its place
	held    bool            // something stands there
	settled bool            // the zone's record was read, or is absent
	elsewhere
}

// elsewhere is where the record is and nobody looks.
type elsewhere struct {
	private, loose *fact.HostedZone // a private zone; a public one that nothing delegates to
	servers        []string         // to which the zone above delegates instead
}

// recordsOf are the records that are to be created for the names that are not validated yet: a wildcard and its domain share one.
func recordsOf(c fact.ManagedCertificate) []*record {
	var all []*record
	for _, o := range c.Options {
		if o.Status == "SUCCESS" || o.Method != "DNS" || o.Name == "" {
			continue
		}
		i := slices.IndexFunc(all, func(r *record) bool { return r.name == o.Name })
		if i < 0 {
			all = append(all, &record{name: o.Name, value: o.Value})
			i = len(all) - 1
		}
		all[i].domains = append(all[i].domains, o.Domain)
	}
	return all
}

// String is the record as a zone file has it.
func (r *record) String() string { return r.name + " CNAME " + r.value }

// right reports whether the public DNS answers as ACM wants it.
func (r *record) right() bool { return r.looked && r.cause == "" }

func lookup(s *fact.Snapshot, name, kind string) fact.Query {
	return fact.Query{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindLookup, ID: name + "/" + kind}
}

func looked(s *fact.Snapshot, name, kind string) (fact.Lookup, bool) {
	return fact.Get[fact.Lookup](s, fact.LookupRef(s.Question().Account, name, kind))
}

func below(name, zone string) bool { return name == zone || strings.HasSuffix(name, "."+zone) }

// answered is a look-up as evidence: the resolver's word, and nobody else's.
func answered(l fact.Lookup, want string) fault.Evidence {
	got := strings.Join(l.Answers, " ")
	if got == "" {
		got = l.Code
	}
	e := fault.Ev(fault.Reported, l, "DNS "+l.Name+" "+l.Type, got, want)
	e.Text = "according to " + l.Server
	if l.Zone != "" && len(l.Answers) == 0 {
		e.Text += ", of zone " + l.Zone
	}
	return e
}

// find looks for the record: in the public DNS, in the account's zones, at the names where it ends up by mistake.
func (r *record) find(s *fact.Snapshot) (helps []fact.Query) {
	r.look, r.looked = looked(s, r.name, "CNAME")
	if !r.looked {
		return nil
	}
	r.evidence = []fault.Evidence{answered(r.look, r.value)}
	zones := zonesOf(s, r.name)
	if len(r.look.Answers) > 0 {
		if r.altered(); r.cause == "" {
			return nil
		}
	} else {
		r.cause = recordMissing
	}
	helps = append(helps, r.inZones(s, zones)...)
	if len(r.look.Answers) == 0 {
		helps = append(helps, r.astray(s, zones)...)
	}
	return helps
}

// altered compares the value that is answered with the one that is wanted.
func (r *record) altered() {
	got, want := fact.ValidationTarget(r.look.Answers[0]), fact.ValidationTarget(r.value)
	switch {
	case len(r.look.Answers) == 1 && got == want:
	case strings.HasPrefix(got, want+"."):
		r.cause, r.text = valueAltered, fmt.Sprintf("the provider put %s behind the value: it wants a dot at the value's end, or the value without the zone", strings.TrimPrefix(got, want+"."))
	case strings.HasSuffix(got, ".acm-validations.aws"):
		r.cause, r.text = otherValue, "the value is that of another request or account: ACM hands out one value for an account and a name"
	default:
		r.cause, r.text = valueAltered, "the record points to something else"
	}
}

// zonesOf are the account's hosted zones that a name lies in, the longest name first; name servers are those of the zone's own reading.
func zonesOf(s *fact.Snapshot, name string) []fact.HostedZone {
	var all []fact.HostedZone
	for z := range fact.All[fact.HostedZone](s) {
		if !below(name, z.Name) {
			continue
		}
		i := slices.IndexFunc(all, func(x fact.HostedZone) bool { return x.ID == z.ID })
		switch {
		case i < 0:
			all = append(all, z)
		case len(z.Servers) > 0:
			all[i] = z
		}
	}
	slices.SortStableFunc(all, func(a, b fact.HostedZone) int { return len(b.Name) - len(a.Name) })
	return all
}

// inZones looks for the record in the account's zones: the one that answers for the name, and those that nobody asks.
func (r *record) inZones(s *fact.Snapshot, zones []fact.HostedZone) (helps []fact.Query) {
	account := fact.Scope{Account: s.Question().Account}
	for i := range zones {
		z := &zones[i]
		record := fact.Query{Scope: account, Kind: fact.KindRecord, ID: z.ID + "/" + r.name + "/CNAME"}
		helps = append(helps, record)
		r.gap(s, record)
		set, held := fact.Get[fact.RecordSet](s, fact.RecordRef(account.Account, z.ID, r.name, "CNAME"))
		right := held && len(set.Values) == 1 && fact.ValidationTarget(set.Values[0]) == fact.ValidationTarget(r.value)
		if z.Private {
			if right && r.private == nil {
				r.private = z
				r.evidence = append(r.evidence, fault.Ev(fault.Verified, set, "private zone "+z.Name+" ("+z.ID+") "+r.name, strings.Join(set.Values, " "), ""))
			}
			continue
		}
		whole := fact.Query{Scope: account, Kind: fact.KindHostedZone, ID: z.ID}
		ns := lookup(s, z.Name, "NS")
		helps = append(helps, whole, ns)
		r.gap(s, whole)
		r.gap(s, ns)
		l, ok := looked(s, z.Name, "NS")
		if !ok || len(z.Servers) == 0 || len(l.Answers) == 0 && l.Code != "NOERROR" && l.Code != "NXDOMAIN" {
			continue
		}
		if r.serves(*z, l) {
			if r.zone.ID == "" {
				r.zone, r.there, r.held, r.settled = *z, set, held, s.Answered(record)
			}
			if right && len(r.look.Answers) == 0 { // resolvers remember for a while that it was not there
				r.cause, r.evidence = "", append(r.evidence, fault.Ev(fault.Verified, set, "zone "+z.Name+" ("+z.ID+") "+r.name, strings.Join(set.Values, " "), ""))
				return helps
			}
			continue
		}
		if r.loose == nil && (right || r.look.Code == "SERVFAIL") {
			r.loose, r.servers = z, l.Answers
			if right {
				r.evidence = append(r.evidence, fault.Ev(fault.Verified, set, "zone "+z.Name+" ("+z.ID+") "+r.name, strings.Join(set.Values, " "), ""))
			}
			r.evidence = append(r.evidence, answered(l, strings.Join(z.Servers, " ")))
		}
	}
	return helps
}

// serves reports whether a public zone answers for the record's name: the zone above delegates to one of its name servers, and no zone below
// it has the name.
func (r *record) serves(z fact.HostedZone, ns fact.Lookup) bool {
	if !slices.ContainsFunc(ns.Answers, func(n string) bool { return slices.Contains(z.Servers, n) }) {
		return false
	}
	denies := r.look.Zone
	return denies == "" || denies == z.Name || !below(denies, z.Name) || !below(r.name, denies)
}

// gap notes what was asked for and could not be read.
func (r *record) gap(s *fact.Snapshot, q fact.Query) {
	if s.Answered(q) {
		return
	}
	why := "not read yet"
	if g, lost := s.GapOf(q); lost {
		if why = g.Why; g.Permission != "" {
			why = g.Permission + " was denied"
		}
	}
	if !slices.Contains(r.unseen, why) {
		r.unseen = append(r.unseen, why)
	}
}

// astray looks for the record at the names where providers put it by mistake, and says why it is not seen.
func (r *record) astray(s *fact.Snapshot, zones []fact.HostedZone) (helps []fact.Query) {
	var bases []string
	if z := r.look.Zone; strings.Count(z, ".") > 1 && below(r.name, z) {
		bases = append(bases, z)
	}
	for _, z := range zones {
		if !slices.Contains(bases, z.Name) && !z.Private {
			bases = append(bases, z.Name)
		}
	}
	at := func(name string) bool {
		helps = append(helps, lookup(s, name, "CNAME"))
		l, ok := looked(s, name, "CNAME")
		if !ok || len(l.Answers) != 1 || fact.ValidationTarget(l.Answers[0]) != fact.ValidationTarget(r.value) {
			return false
		}
		r.evidence = append(r.evidence, answered(l, ""))
		return true
	}
	twice := ""
	for _, b := range bases {
		if at(r.name + b) {
			twice = b
		}
	}
	naked := at(strings.TrimPrefix(r.name, "_"))
	switch {
	case r.cause == "": // it is there, and not everybody has heard of it
	case twice != "":
		r.cause, r.text = doubled, fmt.Sprintf("it stands at %s: the provider puts %s behind what is entered", bare(r.name+twice), bare(twice))
	case naked:
		r.cause, r.text = nameAltered, "its name lost the underscore at its beginning: the value may lose its own, the name may not"
	case r.loose != nil:
		r.cause, r.text = notDelegated, r.looseText()
	case r.private != nil:
		r.cause, r.text = privateZone, fmt.Sprintf("it is in the private zone %s (%s), which only VPCs see", r.private.Name, r.private.ID)
	case r.look.Code != "NOERROR" && r.look.Code != "NXDOMAIN":
		r.cause, r.text = noAnswer, fmt.Sprintf("%s says %s: no name server answers for the zone, or its signatures do not hold", r.look.Server, r.look.Code)
	default:
		r.text = "nobody has created it where the public looks"
	}
	return helps
}

// looseText says where the record or its zone is, and who is asked instead.
func (r *record) looseText() string {
	what := fmt.Sprintf("it is in the zone %s (%s)", r.loose.Name, r.loose.ID)
	if r.look.Code == "SERVFAIL" {
		what = fmt.Sprintf("nobody answers for %s, and the zone of that name here (%s) is not the one that is asked", r.loose.Name, r.loose.ID)
	}
	switch {
	case len(r.servers) == 0:
		return what + ": the zone above delegates it to nobody"
	case slices.ContainsFunc(r.servers, func(n string) bool { return slices.Contains(r.loose.Servers, n) }):
		return what + ", and the names of " + r.look.Zone + " below it are delegated to another zone"
	}
	return what + ": the zone above delegates to " + strings.Join(r.servers, " ") + " instead"
}
