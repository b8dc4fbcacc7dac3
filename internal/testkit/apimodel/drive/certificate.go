package drive

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

func zoneSteps() []step {
	const set = `"ResourceRecordSet":{"Name":"_x.acme.example","Type":"CNAME","TTL":300,"ResourceRecords":{"ResourceRecord":[{"Value":"_y.acm-validations.aws."}]}}`
	change := func(action string) string {
		return `{"Id":"$zone","ChangeBatch":{"Comment":"by hand","Changes":{"Change":[{"Action":"` + action + `",` + set + `}]}}}`
	}
	return named("route53", []step{
		{op: "CreateHostedZone", in: `{"Name":"acme.example","CallerReference":"one","HostedZoneConfig":{"Comment":"shop"}}`},
		{op: "ListHostedZones", in: `{}`, keep: "zone=Id"},
		{act: func(d *driver) error {
			d.vars["zone"] = strings.TrimPrefix(d.vars["zone"], "/hostedzone/")
			return nil
		}},
		{op: "CreateHostedZone", in: `{"Name":"acme.example","CallerReference":"two","VPC":{"VPCId":"vpc-01234567","VPCRegion":"us-east-1"}}`},
		{op: "CreateHostedZone", in: `{"Name":"acme.example","CallerReference":"one"}`, code: "HostedZoneAlreadyExists"},
		{op: "CreateHostedZone", in: `{"Name":"acme..example","CallerReference":"three"}`, code: "InvalidDomainName"},
		{op: "CreateHostedZone", in: `{"Name":"acme.example","CallerReference":"four","VPC":{"VPCId":"none","VPCRegion":"us-east-1"}}`, code: "InvalidVPCId"},
		{op: "ListHostedZones", in: `{"maxitems":1}`, keep: "marker=NextMarker"},
		{op: "ListHostedZones", in: `{"marker":"$marker"}`},
		{op: "ListHostedZones", in: `{"marker":"none"}`, code: "InvalidInput"},
		{op: "ListHostedZonesByName", in: `{"dnsname":"acme.example","maxitems":1}`},
		{op: "ListHostedZonesByName", in: `{"dnsname":"acme..example"}`, code: "InvalidDomainName"},
		{op: "ListHostedZonesByName", in: `{"hostedzoneid":"Z1"}`, code: "InvalidInput"},
		{op: "GetHostedZone", in: `{"Id":"$zone"}`},
		{op: "GetHostedZone", in: `{"Id":"ZNONE"}`, code: "NoSuchHostedZone"},
		{op: "ChangeResourceRecordSets", in: change("UPSERT")},
		{op: "ChangeResourceRecordSets", in: change("CREATE"), code: "InvalidChangeBatch"},
		{op: "ChangeResourceRecordSets", in: strings.Replace(change("CREATE"), "acme.example", "acme.test", 1), code: "InvalidChangeBatch"},
		{op: "ChangeResourceRecordSets", in: strings.Replace(change("UPSERT"), "$zone", "ZNONE", 1), code: "NoSuchHostedZone"},
		{op: "ListResourceRecordSets", in: `{"Id":"$zone","name":"_x.acme.example","type":"CNAME","maxitems":1}`},
		{op: "ListResourceRecordSets", in: `{"Id":"$zone","maxitems":1}`},
		{op: "ListResourceRecordSets", in: `{"Id":"$zone","type":"CNAME"}`, code: "InvalidInput"},
		{op: "DeleteHostedZone", in: `{"Id":"$zone"}`, code: "HostedZoneNotEmpty"},
		{op: "ChangeResourceRecordSets", in: change("DELETE")},
		{op: "ChangeResourceRecordSets", in: change("DELETE"), code: "InvalidChangeBatch"},
		{op: "DeleteHostedZone", in: `{"Id":"$zone"}`},
		{op: "DeleteHostedZone", in: `{"Id":"$zone"}`, code: "NoSuchHostedZone"},
	})
}

func certificateSteps() []step {
	const none = `"CertificateArn":"arn:aws:acm:us-east-1:111111111111:certificate/01234567-89ab-4cde-8f01-23456789abcd"`
	return named("acm", []step{
		{op: "RequestCertificate", in: `{"DomainName":"www.acme.example","SubjectAlternativeNames":["*.acme.example"],"ValidationMethod":"DNS","IdempotencyToken":"one"}`, keep: "certificate=CertificateArn"},
		{op: "RequestCertificate", in: `{"DomainName":"mail.acme.example","ValidationMethod":"EMAIL"}`, keep: "mail=CertificateArn"},
		{op: "RequestCertificate", in: `{"DomainName":"acme.example","ValidationMethod":"PIGEON"}`, code: "InvalidParameterException"},
		{op: "RequestCertificate", in: `{"DomainName":"acme"}`, code: "InvalidParameterException"},
		{op: "DescribeCertificate", in: `{"CertificateArn":"$certificate"}`},
		{op: "DescribeCertificate", in: `{"CertificateArn":"$certificate"}`, later: time.Minute},
		{op: "DescribeCertificate", in: `{"CertificateArn":"$mail"}`},
		{op: "DescribeCertificate", in: `{` + none + `}`, code: "ResourceNotFoundException"},
		{op: "DescribeCertificate", in: `{"CertificateArn":"arn:aws:iam::111111111111:role/web"}`, code: "InvalidArnException"},
		{op: "ListCertificates", in: `{"CertificateStatuses":["PENDING_VALIDATION"],"MaxItems":1}`, keep: "more=NextToken"},
		{op: "ListCertificates", in: `{"CertificateStatuses":["PENDING_VALIDATION"],"NextToken":"$more"}`},
		{op: "ListCertificates", in: `{"NextToken":"no token of mine"}`, code: "InvalidArgsException"},
		{op: "DescribeCertificate", in: `{"CertificateArn":"$certificate"}`, later: 73 * time.Hour},
		{op: "DeleteCertificate", in: `{"CertificateArn":"$mail"}`},
		{op: "DeleteCertificate", in: `{` + none + `}`, code: "ResourceNotFoundException"},
	})
}

// restXML puts the members of an input into the labels of the path, of a GET the others into the query string, and of all else into the
// body. A list in the input is elements of one name.
func restXML(svc *cloud.Service, op *cloud.Op, in string) (method, path, body string, err error) {
	var members map[string]any
	if err := json.Unmarshal([]byte(in), &members); err != nil {
		return "", "", "", fmt.Errorf("input of %s: %w", op.Name, err)
	}
	path = op.Path
	if op.Name == "ChangeResourceRecordSets" {
		path += "/" // as the model has it
	}
	query := url.Values{}
	if op.Query != "" {
		query.Set(op.Query, "")
	}
	var b strings.Builder
	for _, name := range sortedKeys(members) {
		label := "{" + name + "}"
		switch {
		case strings.Contains(path, label):
			path = strings.ReplaceAll(path, label, url.PathEscape(fmt.Sprint(members[name])))
		case op.Whole == name:
			return op.Method, path + "?" + query.Encode(), fmt.Sprint(members[name]), nil
		case op.Method == http.MethodGet:
			query.Set(name, fmt.Sprint(members[name]))
		default:
			elements(&b, name, members[name])
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	if b.Len() > 0 && op.Name == "CreateBucket" {
		body = `<CreateBucketConfiguration xmlns="` + svc.Namespace + `">` + b.String() + "</CreateBucketConfiguration>"
	} else if b.Len() > 0 {
		body = "<" + op.Name + `Request xmlns="` + svc.Namespace + `">` + b.String() + "</" + op.Name + "Request>"
	}
	return op.Method, path, body, nil
}

func sortedKeys(m map[string]any) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

func elements(b *strings.Builder, name string, v any) {
	if list, ok := v.([]any); ok {
		for _, x := range list {
			elements(b, name, x)
		}
		return
	}
	b.WriteString("<" + name + ">")
	if m, ok := v.(map[string]any); ok {
		for _, k := range sortedKeys(m) {
			elements(b, k, m[k])
		}
	} else {
		_ = xml.EscapeText(b, []byte(fmt.Sprint(v))) // a Builder takes everything
	}
	b.WriteString("</" + name + ">")
}
