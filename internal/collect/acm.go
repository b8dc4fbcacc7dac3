package collect

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/resolve"
)

// managedCertificate reads one certificate, in the Region that its ARN names.
func (c *Collector) managedCertificate(ctx context.Context, q fact.Query) answer {
	a, err := fact.ParseARN(q.ID)
	if err != nil {
		return answer{err: err}
	}
	out, src, err := c.r.DescribeCertificate(ctx, fact.Scope{Account: q.Scope.Account, Region: a.Region}, q.ID)
	ref := fact.CertificateRef(q.Scope.Account, q.ID)
	switch {
	case notFound(err):
		return gone(src, ref)
	case err != nil:
		return answer{err: err, src: src}
	case out.Certificate == nil:
		return answer{err: errors.New("read certificate: AWS's answer holds none"), src: src}
	}
	x := out.Certificate
	f := fact.ManagedCertificate{Seen: seen(ref, src), ARN: q.ID, Domain: aws.ToString(x.DomainName), Names: x.SubjectAlternativeNames, Status: string(x.Status),
		Reason: string(x.FailureReason), Type: string(x.Type), Created: aws.ToTime(x.CreatedAt).UTC(), InUseBy: x.InUseBy}
	for _, o := range x.DomainValidationOptions {
		v := fact.DomainValidation{Domain: aws.ToString(o.DomainName), Status: string(o.ValidationStatus), Method: string(o.ValidationMethod)}
		if r := o.ResourceRecord; r != nil {
			v.Name, v.Value = absoluteName(aws.ToString(r.Name)), aws.ToString(r.Value)
		}
		f.Options = append(f.Options, v)
	}
	return answer{facts: []fact.Fact{f}}
}

// managedCertificates reads the list of a Region: of every key type, since without a filter the list leaves out some.
func (c *Collector) managedCertificates(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.ListCertificates(ctx, q.Scope, &acm.ListCertificatesInput{
			Includes: &acmtypes.Filters{KeyTypes: []acmtypes.KeyAlgorithm{acmtypes.KeyAlgorithmRsa2048, acmtypes.KeyAlgorithmRsa3072, acmtypes.KeyAlgorithmRsa4096,
				acmtypes.KeyAlgorithmEcPrime256v1, acmtypes.KeyAlgorithmEcSecp384r1, acmtypes.KeyAlgorithmEcSecp521r1, acmtypes.KeyAlgorithmRsa1024}},
			MaxItems: aws.Int32(1000), NextToken: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, x := range out.CertificateSummaryList {
			arn := aws.ToString(x.CertificateArn)
			facts = append(facts, fact.ListedCertificate{Seen: seen(fact.CertificateRef(q.Scope.Account, arn), src), ARN: arn, Domain: aws.ToString(x.DomainName),
				Names: x.SubjectAlternativeNameSummaries, Status: string(x.Status)})
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}

// absoluteName is a name with a dot at its end, in small letters, the asterisk of Route 53's replies put back.
func absoluteName(name string) string {
	return strings.ToLower(strings.TrimSuffix(strings.ReplaceAll(name, `\052`, "*"), ".")) + "."
}

func zoneID(id string) string { return strings.TrimPrefix(id, "/hostedzone/") }

func zoneRef(q fact.Query, id string) fact.Ref {
	return fact.Ref{Scope: q.Scope.Global(), Kind: fact.KindHostedZone, ID: id}
}

// zones reads the account's hosted zones. The list does not name their servers.
func (c *Collector) zones(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.ListHostedZones(ctx, q.Scope, &route53.ListHostedZonesInput{Marker: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, z := range out.HostedZones {
			id := zoneID(aws.ToString(z.Id))
			facts = append(facts, fact.HostedZone{Seen: seen(zoneRef(q, id), src), ID: id, Name: absoluteName(aws.ToString(z.Name)), Private: z.Config != nil && z.Config.PrivateZone})
		}
		return facts, aws.ToString(out.NextMarker), src, nil
	})
}

// zone reads one hosted zone with its name servers.
func (c *Collector) zone(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.GetHostedZone(ctx, q.Scope, q.ID)
	switch {
	case notFound(err):
		return gone(src, zoneRef(q, q.ID))
	case err != nil:
		return answer{err: err, src: src}
	case out.HostedZone == nil:
		return answer{err: errors.New("read hosted zone: AWS's answer holds none"), src: src}
	}
	f := fact.HostedZone{Seen: seen(zoneRef(q, q.ID), src), ID: q.ID, Name: absoluteName(aws.ToString(out.HostedZone.Name)),
		Private: out.HostedZone.Config != nil && out.HostedZone.Config.PrivateZone}
	if out.DelegationSet != nil && !f.Private {
		for _, s := range out.DelegationSet.NameServers {
			f.Servers = append(f.Servers, absoluteName(s))
		}
	}
	return answer{facts: []fact.Fact{f}}
}

// record reads one record set. A list that begins elsewhere says that there is none.
func (c *Collector) record(ctx context.Context, q fact.Query) answer {
	p := strings.SplitN(q.ID, "/", 3)
	if len(p) != 3 {
		return answer{err: errors.New("read record set: its ID is not ZONE/NAME/TYPE")}
	}
	ref := fact.RecordRef(q.Scope.Account, p[0], p[1], p[2])
	out, src, err := c.r.ListResourceRecordSets(ctx, q.Scope, &route53.ListResourceRecordSetsInput{
		HostedZoneId: &p[0], StartRecordName: &p[1], StartRecordType: types.RRType(p[2]), MaxItems: aws.Int32(1)})
	switch {
	case notFound(err):
		return gone(src, ref, zoneRef(q, p[0]))
	case err != nil:
		return answer{err: err, src: src}
	case len(out.ResourceRecordSets) == 0:
		return gone(src, ref)
	}
	x := out.ResourceRecordSets[0]
	if absoluteName(aws.ToString(x.Name)) != p[1] || string(x.Type) != p[2] {
		return gone(src, ref)
	}
	f := fact.RecordSet{Seen: seen(ref, src), Zone: p[0], Name: p[1], Type: p[2], TTL: aws.ToInt64(x.TTL)}
	for _, v := range x.ResourceRecords {
		f.Values = append(f.Values, aws.ToString(v.Value))
	}
	return answer{facts: []fact.Fact{f}}
}

// lookup asks the public DNS. What nobody answers is a gap.
func (c *Collector) lookup(ctx context.Context, q fact.Query) answer {
	lost := func(class fact.Class, why string) answer {
		return answer{lost: &fact.Gap{Query: q, Class: class, Why: why, Source: dnsSource(q)}}
	}
	if c.Names == nil {
		return lost(fact.Skipped, "the DNS was not asked from here: name a resolver with --resolver ADDR")
	}
	i := strings.LastIndexByte(q.ID, '/')
	if i < 0 {
		return answer{err: errors.New("look up: the ID is not NAME/TYPE")}
	}
	name, kind := q.ID[:i], q.ID[i+1:]
	ask, ok := map[string]func(context.Context, string) (resolve.Reply, error){"CNAME": c.Names.CNAME, "NS": c.Names.Delegation, "CAA": c.Names.CAA}[kind]
	if !ok {
		return answer{err: errors.New("look up: want CNAME, NS or CAA")}
	}
	r, err := ask(ctx, name)
	if err != nil {
		class := fact.Failed
		if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
			class = fact.Timeout
		}
		return lost(class, err.Error()+"; name another resolver with --resolver ADDR")
	}
	f := fact.Lookup{Seen: seen(fact.LookupRef(q.Scope.Account, name, kind), dnsSource(q)), Name: name, Type: kind, Code: r.Code, Server: r.Server, Zone: r.Zone, Parent: r.Parent}
	f.Answers = r.Answers
	return answer{facts: []fact.Fact{f}}
}

func dnsSource(q fact.Query) fact.Source {
	return fact.Source{Service: "dns", Operation: "Query", At: time.Now().UTC(), Account: q.Scope.Account, Region: q.Scope.Region}
}
