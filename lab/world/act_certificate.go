package world

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/unjam/unjam/lab/dns"
	"github.com/unjam/unjam/lab/svc/acm"
)

// addDomain: domain NAME [at=PROVIDER [appends=yes] [strips=yes]]: a registered domain; hosted at a provider outside of AWS, or delegated
// to nobody yet
func (d *loader) addDomain(l *line) error {
	name, err := l.word("the domain")
	if err != nil {
		return err
	}
	if at := l.opt("at", ""); at != "" {
		return d.lab.Names.AddProvider(dns.Provider{Name: at, Domain: name, Appends: l.opt("appends", "no") == "yes", Strips: l.opt("strips", "no") == "yes"})
	}
	return d.lab.Names.Register(name)
}

// reach: set dns=all|resolver|none: how far whoever is not AWS gets with questions to the Domain Name System
func (d *loader) reach(to string) error {
	all := map[string]dns.Reach{"all": dns.Everything, "resolver": dns.Resolvers, "none": dns.Nothing}
	r, ok := all[to]
	if !ok {
		return fmt.Errorf("dns= is all, resolver or none, not %q", to)
	}
	d.lab.Names.Reach = r
	return nil
}

// createZone: creates zone NAME domain= [vpc=]: a hosted zone, private in a VPC
func (d *loader) createZone(a *act, name string) error {
	domain := a.opt("domain", name)
	in := map[string]any{"Name": domain, "CallerReference": name + "-" + strconv.Itoa(a.no)}
	k := d.c.CallerByName(a.actor)
	if vpc := d.networkIDs("vpc", []string{a.opt("vpc", "")})[0]; vpc != "" {
		in["VPC"] = map[string]any{"VPCId": vpc, "VPCRegion": d.regionOf(a)}
	}
	out, err := d.call(a, "route53", "CreateHostedZone", "us-east-1", in)
	if err != nil {
		return err
	}
	zone, _ := out["HostedZone"].(map[string]any)
	id := strings.TrimPrefix(text(zone, "Id"), "/hostedzone/")
	d.keep(&thing{kind: "zone", name: name, arn: "arn:aws:route53:::hostedzone/" + id, account: k.Account, made: in})
	return nil
}

func (t *thing) zoneID() string { return t.arn[strings.LastIndexByte(t.arn, '/')+1:] }

// deleteZone: deletes zone NAME, first emptying it as Route 53 demands
func (d *loader) deleteZone(a *act) error {
	t, err := d.thing(a, "zone")
	if err != nil {
		return err
	}
	z, _ := d.lab.Zones.Find(t.account, t.zoneID())
	for _, r := range z.Records {
		if r.Name == z.Name && (r.Type == "NS" || r.Type == "SOA") {
			continue
		}
		if err := d.change(a, t, "DELETE", r); err != nil {
			return err
		}
	}
	_, err = d.call(a, "route53", "DeleteHostedZone", "us-east-1", map[string]any{"Id": t.zoneID()})
	return err
}

// change changes one record set of a hosted zone as the act's actor.
func (d *loader) change(a *act, zone *thing, action string, r dns.Record) error {
	values := []any{}
	for _, v := range r.Values {
		values = append(values, map[string]any{"Value": v})
	}
	_, err := d.call(a, "route53", "ChangeResourceRecordSets", "us-east-1", map[string]any{"Id": zone.zoneID(), "ChangeBatch": map[string]any{"Changes": []any{
		map[string]any{"Action": action, "ResourceRecordSet": map[string]any{"Name": r.Name, "Type": r.Type, "TTL": r.TTL, "ResourceRecords": values}}}}})
	return err
}

// inZone takes `in ZONE|DOMAIN`: a hosted zone, or a domain that is hosted at a provider outside of AWS.
func (d *loader) inZone(a *act) (*thing, *dns.Provider, error) {
	if !a.skip("in", "from") {
		return nil, nil, fmt.Errorf("in which zone? write `in ZONE` or `in DOMAIN`")
	}
	name, err := a.word("the zone or the domain")
	if err != nil {
		return nil, nil, err
	}
	if t := d.things[name]; t != nil && t.kind == "zone" {
		return t, nil, nil
	}
	if p := d.lab.Names.At(name); p != nil {
		return nil, p, nil
	}
	return nil, nil, fmt.Errorf("there is no hosted zone %q by then, and no domain of that name at a provider", name)
}

// write puts a record set into a hosted zone, or types it into a provider's form.
func (d *loader) write(a *act, zone *thing, p *dns.Provider, r dns.Record) error {
	if p != nil {
		p.Enter(r)
		return nil
	}
	return d.change(a, zone, "UPSERT", r)
}

// records: ACTOR enters record NAME TYPE VALUE in ZONE|DOMAIN [ttl=]; erases record NAME TYPE from ZONE|DOMAIN
func (d *loader) records(a *act) error {
	a.skip("record")
	var r dns.Record
	var err error
	if r.Name, err = a.word("the record's name"); err != nil {
		return err
	}
	a.subject = r.Name
	if r.Type, err = a.word("the record's type"); err != nil {
		return err
	}
	if a.verb == "enters" {
		value, err := a.word("the record's value")
		if err != nil {
			return err
		}
		r.Values = []string{value}
	}
	if r.TTL, err = strconv.Atoi(a.opt("ttl", "300")); err != nil {
		return fmt.Errorf("ttl= is a number of seconds")
	}
	zone, p, err := d.inZone(a)
	if err != nil {
		return err
	}
	if a.verb == "enters" {
		return d.write(a, zone, p, r)
	}
	if p != nil {
		p.Erase(r.Name, r.Type)
		return nil
	}
	z, _ := d.lab.Zones.Find(zone.account, zone.zoneID())
	i := slices.IndexFunc(z.Records, func(x dns.Record) bool { return x.Name == dns.Absolute(r.Name) && x.Type == r.Type })
	if i < 0 {
		return fmt.Errorf("%s has no %s record %s", zone.name, r.Type, r.Name)
	}
	return d.change(a, zone, "DELETE", z.Records[i])
}

// delegates: ACTOR delegates DOMAIN to ZONE|SERVER,SERVER [in ZONE|DOMAIN]: at the registry of a registered domain, else in the zone above
func (d *loader) delegates(a *act) error {
	domain, err := a.word("the domain")
	if err != nil {
		return err
	}
	a.subject = domain
	a.skip("to")
	to, err := a.word("the zone or the name servers")
	if err != nil {
		return err
	}
	servers := strings.Split(to, ",")
	if t := d.things[to]; t != nil && t.kind == "zone" {
		z, _ := d.lab.Zones.Find(t.account, t.zoneID())
		servers = z.Servers
	}
	if len(a.words) == 0 {
		return d.lab.Names.Delegate(domain, servers...)
	}
	zone, p, err := d.inZone(a)
	if err != nil {
		return err
	}
	r := dns.Record{Name: domain, Type: "NS", TTL: 3600}
	for _, s := range servers {
		r.Values = append(r.Values, dns.Absolute(s))
	}
	return d.write(a, zone, p, r)
}

// requests: CALLER requests certificate NAME domain= [names=] [method=dns|email] [region=]
func (d *loader) requests(a *act) error {
	a.skip("certificate")
	name, err := a.word("the certificate's name")
	if err != nil {
		return err
	}
	a.subject = name
	in := map[string]any{"DomainName": a.opt("domain", ""), "ValidationMethod": strings.ToUpper(a.opt("method", "dns"))}
	var others []any
	for _, n := range a.list("names") {
		others = append(others, n)
	}
	if others != nil {
		in["SubjectAlternativeNames"] = others
	}
	region := d.regionOf(a)
	out, err := d.call(a, "acm", "RequestCertificate", region, in)
	if err != nil {
		return err
	}
	d.keep(&thing{kind: "certificate", name: name, arn: text(out, "CertificateArn"), account: d.c.CallerByName(a.actor).Account, region: region, made: in})
	return nil
}

func (d *loader) deleteCertificate(a *act) error {
	t, err := d.thing(a, "certificate")
	if err != nil {
		return err
	}
	_, err = d.call(a, "acm", "DeleteCertificate", t.region, map[string]any{"CertificateArn": t.arn})
	return err
}

// proves: ACTOR proves CERTIFICATE in ZONE|DOMAIN [names=] [pasted=yes] [drops=underscore|name-underscore|dot] [of=CERTIFICATE]: creates the
// records that the certificate's names are validated by. What can go wrong: a full name is pasted where the zone is put behind it, an
// underscore is left out, a value without its dot gets the zone behind it, the value is that of another request.
func (d *loader) proves(a *act) error {
	t, err := d.thing(a, "certificate")
	if err != nil {
		return err
	}
	cert, ok := d.lab.Certificates.Find(t.arn)
	if !ok {
		return fmt.Errorf("the certificate %s is deleted already", t.name)
	}
	account := cert.Account
	if of := a.opt("of", ""); of != "" {
		other := d.things[of]
		if other == nil || other.kind != "certificate" {
			return fmt.Errorf("there is no certificate called %q by then", of)
		}
		account = other.account
	}
	zone, p, err := d.inZone(a)
	if err != nil {
		return err
	}
	names := a.list("names")
	if len(names) == 0 {
		names = cert.Names
	}
	pasted, drops := a.opt("pasted", "no") == "yes", a.opt("drops", "")
	if !slices.Contains([]string{"", "underscore", "name-underscore", "dot"}, drops) {
		return fmt.Errorf("drops= is underscore, name-underscore or dot, not %q", drops)
	}
	domain := ""
	if zone != nil {
		z, _ := d.lab.Zones.Find(zone.account, zone.zoneID())
		domain = z.Name
	} else {
		domain = p.Domain
	}
	for _, n := range names {
		r := dns.Record{Type: "CNAME", TTL: 300}
		r.Name, _ = acm.Record(cert.Account, n)
		_, value := acm.Record(account, n)
		switch drops {
		case "underscore":
			value = strings.TrimPrefix(value, "_")
		case "name-underscore":
			r.Name = strings.TrimPrefix(r.Name, "_")
		case "dot":
			value += domain
		}
		r.Values = []string{value}
		if pasted && zone != nil {
			r.Name += domain
		}
		if err := d.write(a, zone, p, r); err != nil {
			return err
		}
		d.tick()
	}
	return nil
}

// unserved is why a load balancer does not take a certificate; "" when it is issued. The words are those of public reports.
func (d *loader) unserved(name string) string {
	t := d.things[name]
	if t == nil || t.kind != "certificate" {
		return "Certificate ARN '" + name + "' is not valid"
	}
	if k, ok := d.lab.Certificates.Find(t.arn); ok && k.Status == "ISSUED" {
		return ""
	}
	return "The certificate '" + t.arn + "' must have a fully-qualified domain name, a supported signature, and a supported RSA key size. (Service: ElasticLoadBalancingV2, Status Code: 400)"
}

// refuses: aws refuses certificate NAME REASON: AWS does not issue it, for one of its own reasons
func (d *loader) refuses(a *act) error {
	if a.actor != "aws" {
		return fmt.Errorf("only aws refuses a certificate")
	}
	a.skip("certificate")
	t, err := d.thing(a, "certificate")
	if err != nil {
		return err
	}
	reason, err := a.word("the reason, as ACM names it")
	if err != nil {
		return err
	}
	d.lab.Certificates.Fail(t.arn, reason)
	return nil
}
