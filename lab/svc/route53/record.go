package route53

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/dns"
)

// types are the record types of the API model.
var types = []string{"SOA", "A", "TXT", "NS", "CNAME", "MX", "NAPTR", "PTR", "SRV", "SPF", "AAAA", "CAA", "DS", "TLSA", "SSHFP", "SVCB", "HTTPS"}

func before(a, b dns.Record) int {
	return cmp.Or(strings.Compare(turned(a.Name), turned(b.Name)), strings.Compare(a.Type, b.Type))
}

// shown is a name as replies have it: an asterisk is escaped.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
func shown(name string) string { return strings.ReplaceAll(name, "*", `\052`) }

func meant(name string) string { return dns.Absolute(strings.ReplaceAll(name, `\052`, "*")) }

// listRecords lists in the order of names read from their last part, then of types, from a name and type on.
func (s *Service) listRecords(r *cloud.Request) (map[string]any, error) {
	n, err := items(r, maxRecords)
	if err != nil {
		return nil, err
	}
	id := bare(r.Str("Id"))
	zones := slices.DeleteFunc(s.seen(r.Account()), func(z Zone) bool { return z.ID != id })
	if len(zones) == 0 {
		return nil, noZone(id)
	}
	from := dns.Record{Type: r.Str("type")}
	if from.Type != "" && r.Str("name") == "" {
		return nil, invalid("The input is not valid: a type needs a name")
	}
	if from.Type != "" && !slices.Contains(types, from.Type) {
		return nil, invalid("%s is no record type", from.Type)
	}
	all := slices.Clone(zones[0].Records)
	if name := r.Str("name"); name != "" {
		from.Name = meant(name)
		all = slices.DeleteFunc(all, func(x dns.Record) bool { return before(x, from) < 0 })
	}
	out := map[string]any{"MaxItems": n, "IsTruncated": len(all) > n}
	if len(all) > n {
		out["NextRecordName"], out["NextRecordType"] = shown(all[n].Name), all[n].Type
		all = all[:n]
	}
	sets := []map[string]any{}
	for _, x := range all {
		values := []map[string]any{}
		for _, v := range x.Values {
			values = append(values, map[string]any{"Value": v})
		}
		sets = append(sets, map[string]any{"Name": shown(x.Name), "Type": x.Type, "TTL": x.TTL, "ResourceRecords": values})
	}
	out["ResourceRecordSets"] = sets
	return out, nil
}

// members are the structures of a list: as XML has it, an element or several of a name in one, or as JSON has it.
func members(v any, item string) []map[string]any {
	if m, ok := v.(map[string]any); ok {
		v = m[item]
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var all []map[string]any
	for _, x := range list {
		if m, ok := x.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

func str(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return strings.TrimSpace(s)
}

// changeRecords makes all changes of a batch or none.
func (s *Service) changeRecords(r *cloud.Request) (map[string]any, error) {
	z, ok := s.Find(r.Account(), r.Str("Id"))
	if !ok {
		return nil, noZone(r.Str("Id"))
	}
	batch := members(r.Map("ChangeBatch")["Changes"], "Change")
	if len(batch) == 0 || len(batch) > maxChanges {
		return nil, invalid("A change batch has 1 to %d changes", maxChanges)
	}
	z.Records = slices.Clone(z.Records)
	var wrong []string
	for _, c := range batch {
		set, _ := c["ResourceRecordSet"].(map[string]any)
		rec, err := recordOf(set)
		if err != nil {
			return nil, err
		}
		if text := z.apply(str(c, "Action"), rec); text != "" {
			wrong = append(wrong, text)
		}
	}
	if len(wrong) > 0 {
		return nil, cloud.Errorf("InvalidChangeBatch", "[%s]", strings.Join(wrong, ", "))
	}
	slices.SortFunc(z.Records, before)
	s.put(z)
	return map[string]any{"ChangeInfo": s.change()}, nil
}

func recordOf(set map[string]any) (dns.Record, error) {
	rec := dns.Record{Name: meant(str(set, "Name")), Type: str(set, "Type"), TTL: -1}
	switch v := set["TTL"].(type) {
	case string:
		if n, err := strconv.Atoi(strings.TrimSpace(v)); err == nil {
			rec.TTL = n
		}
	case float64:
		rec.TTL = int(v)
	}
	for _, v := range members(set["ResourceRecords"], "ResourceRecord") {
		rec.Values = append(rec.Values, str(v, "Value"))
	}
	switch {
	case !validName(str(set, "Name")) || !slices.Contains(types, rec.Type):
		return rec, invalid("Invalid XML ; a record set needs a name and a type")
	case rec.TTL < 0 || len(rec.Values) == 0 || slices.Contains(rec.Values, ""):
		return rec, invalid("Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with [Action=?, Name=%s, Type=%s, SetIdentifier=null]", rec.Name, rec.Type)
	}
	return rec, nil
}

// apply makes one change in the zone, or says what is wrong with it in the service's words.
func (z *Zone) apply(action string, rec dns.Record) string {
	about := fmt.Sprintf("resource record set [name='%s', type='%s']", shown(rec.Name), rec.Type)
	at := slices.IndexFunc(z.Records, func(x dns.Record) bool { return x.Name == rec.Name && x.Type == rec.Type })
	if !dns.Below(rec.Name, z.Name) {
		return fmt.Sprintf("RRSet with DNS name %s is not permitted in zone %s", shown(rec.Name), z.Name)
	}
	switch action {
	case "DELETE":
		if at < 0 {
			return "Tried to delete " + about + " but it was not found"
		}
		if old := z.Records[at]; old.TTL != rec.TTL || !slices.Equal(old.Values, rec.Values) {
			return "Tried to delete " + about + " but the values provided do not match the current values"
		}
		if rec.Name == z.Name && (rec.Type == "NS" || rec.Type == "SOA") {
			return fmt.Sprintf("A HostedZone must contain at least one NS record and exactly one SOA record for the zone itself, %s", z.Name)
		}
		z.Records = slices.Delete(z.Records, at, at+1)
		return ""
	case "CREATE":
		if at >= 0 {
			return "Tried to create " + about + " but it already exists"
		}
	case "UPSERT":
	default:
		return fmt.Sprintf("Value '%s' at 'action' failed to satisfy constraint: Member must satisfy enum value set: [CREATE, DELETE, UPSERT]", action)
	}
	if slices.ContainsFunc(z.Records, func(x dns.Record) bool {
		return x.Name == rec.Name && x.Type != rec.Type && (x.Type == "CNAME" || rec.Type == "CNAME")
	}) {
		return fmt.Sprintf("RRSet of type %s with DNS name %s is not permitted as it conflicts with other records with the same DNS name in zone %s", rec.Type, shown(rec.Name), z.Name)
	}
	if at >= 0 {
		z.Records[at] = rec
	} else {
		z.Records = append(z.Records, rec)
	}
	return ""
}
