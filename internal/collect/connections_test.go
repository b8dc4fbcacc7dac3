package collect

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cc "github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	csc "github.com/aws/aws-sdk-go-v2/service/codestarconnections"
	old "github.com/aws/aws-sdk-go-v2/service/codestarconnections/types"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
)

// both makes a connection of each prefix in the lab.
func both(t *testing.T, c *Collector) (fresh, older string) {
	t.Helper()
	n, err := cc.NewFromConfig(c.s.Config("")).CreateConnection(t.Context(), &cc.CreateConnectionInput{ConnectionName: aws.String("new"), ProviderType: types.ProviderTypeGithub, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("web")}}})
	if err != nil {
		t.Fatal(err)
	}
	o, err := csc.NewFromConfig(c.s.Config("us-east-1")).CreateConnection(t.Context(), &csc.CreateConnectionInput{ConnectionName: aws.String("old"), ProviderType: old.ProviderTypeBitbucket})
	if err != nil {
		t.Fatal(err)
	}
	return *n.ConnectionArn, *o.ConnectionArn
}

func TestConnections(t *testing.T) {
	_, c := live(t, allowAll)
	fresh, older := both(t, c)
	for arn, region := range map[string]string{fresh: "eu-west-1", older: "us-east-1"} {
		got := only[fact.Connection](t, c, fact.Query{Scope: scope(""), Kind: fact.KindConnection, ID: arn})
		src := got.Source()
		if got.ARN != arn || got.Status != fact.StatusPending || got.Owner != accountID || got.Ref() != fact.ConnectionRef(accountID, arn) ||
			src.Service != "codeconnections" || src.Operation != "GetConnection" || src.Region != region {
			t.Errorf("got %+v", got)
		}
	}
	q := fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindConnection}
	s := ask(t, c, q)
	if _, ok := fact.Get[fact.Connection](s, fact.ConnectionRef(accountID, older)); !ok || len(all[fact.Connection](s)) != 2 || !s.Answered(q) {
		t.Errorf("list %+v", all[fact.Connection](s))
	}
	tags := only[fact.Tags](t, c, fact.Query{Scope: scope(""), Kind: fact.KindTags, ID: fresh})
	if tags.Tags["team"] != "web" || tags.Ref() != (fact.Ref{Scope: scope(""), Kind: fact.KindTags, ID: fresh}) {
		t.Errorf("got %+v", tags)
	}
	dead := strings.Replace(fresh, "connection/", "connection/dead", 1)[:len(fresh)]
	gone := ask(t, c, fact.Query{Scope: scope(""), Kind: fact.KindConnection, ID: dead})
	if a, ok := gone.Absence(fact.ConnectionRef(accountID, dead)); !ok || a.Source().RequestID == "" {
		t.Errorf("no absence: gaps %+v", gone.Gaps())
	}
}

func TestHosts(t *testing.T) {
	page := func(arn, next string) string {
		return `{"Hosts":[{"HostArn":"` + arn + `","Name":"ghes","ProviderType":"GitHubEnterpriseServer","ProviderEndpoint":"https://ghes","Status":"VPC_CONFIG_FAILED_INITIALIZATION","StatusMessage":"no route",
		 "VpcConfiguration":{"VpcId":"vpc-1","SubnetIds":["subnet-1"],"SecurityGroupIds":["sg-1"]}}],"NextToken":` + next + `}`
	}
	c, _ := script(t, map[string][]string{"codeconnections:ListHosts": {page("arn:1", `"2"`), page("arn:2", "null")}})
	s := ask(t, c, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindHost})
	hosts := all[fact.Host](s)
	if len(hosts) != 2 {
		t.Fatalf("%d hosts, gaps %+v", len(hosts), s.Gaps())
	}
	h := hosts[0]
	if h.Name != "ghes" || h.Status != "VPC_CONFIG_FAILED_INITIALIZATION" || h.Message != "no route" || h.VPC != "vpc-1" || len(h.Subnets) != 1 || len(h.Groups) != 1 || h.Ref().Scope != scope("eu-west-1") {
		t.Errorf("got %+v", h)
	}
}

// oldOnly is a network in which the new service's name does not resolve, or a Region that does not know the operation.
type oldOnly struct {
	lab http.RoundTripper
	dns bool
}

func (o *oldOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Host, "codeconnections.") {
		if o.dns {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: r.URL.Host, IsNotFound: true}}
		}
		return &http.Response{StatusCode: 400, ProtoMajor: 1, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"__type":"UnknownOperationException"}`))}, nil
	}
	return o.lab.RoundTrip(r)
}

func TestOldServiceOnly(t *testing.T) {
	for _, dns := range []bool{true, false} {
		l, first := live(t, allowAll)
		fresh, older := both(t, first)
		c := over(t, &oldOnly{lab: l, dns: dns}, awsapi.Keys{ID: "AKIALABADA0000000001", Secret: "ada-secret"})
		got := only[fact.Connection](t, c, fact.Query{Scope: scope(""), Kind: fact.KindConnection, ID: older})
		if got.ARN != older || got.Status != fact.StatusPending || got.Provider != "Bitbucket" || got.Source().Service != "codestar-connections" {
			t.Errorf("got %+v", got)
		}
		if tags := only[fact.Tags](t, c, fact.Query{Scope: scope(""), Kind: fact.KindTags, ID: older}); tags.Source().Service != "codestar-connections" {
			t.Errorf("got %+v", tags)
		}
		l.Cloud.Within(func() { l.Cloud.PageSize = 1 })
		list := fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindConnection}
		s := ask(t, c, list, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindHost})
		if !s.Answered(list) || len(s.Gaps()) != 0 || len(all[fact.Connection](s)) == 0 {
			t.Errorf("gaps %+v", s.Gaps())
		}
		// The old service does not know new ARNs: that is a gap that names the way, not an absence.
		q := fact.Query{Scope: scope(""), Kind: fact.KindConnection, ID: fresh}
		s = ask(t, c, q)
		g, ok := s.GapOf(q)
		if _, absent := s.Absence(fact.ConnectionRef(accountID, fresh)); !ok || absent || g.Source.Service != "codeconnections" {
			t.Errorf("gap %+v", g)
		}
		if dns && !strings.Contains(g.Why, "codeconnections.eu-west-1.amazonaws.com cannot be resolved") {
			t.Errorf("why %q", g.Why)
		}
	}
}

// A refusal is AWS's answer: the old service is not asked behind its back.
func TestNoFallbackFromRefusal(t *testing.T) {
	const older = "arn:aws:codestar-connections:eu-west-1:111111111111:connection/1"
	c, w := script(t, map[string][]string{"codeconnections:GetConnection": {"!AccessDeniedException no"}, "codestar-connections:GetConnection": {"{}"}})
	q := fact.Query{Scope: scope(""), Kind: fact.KindConnection, ID: older}
	g, _ := ask(t, c, q).GapOf(q)
	if g.Class != fact.Denied || g.Permission != "codestar-connections:GetConnection" || len(w.asked["codestar-connections:GetConnection"]) != 0 {
		t.Errorf("gap %+v, asked %v", g, w.asked)
	}
}

// What a caller may not see is a gap with AWS's text and the permission it names; the rest is there.
func TestDenied(t *testing.T) {
	_, admin := live(t, allowAll)
	fresh, _ := both(t, admin)
	_, c := live(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codeconnections:ListConnections","Resource":"*"}]}`)
	list := fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindConnection}
	get := fact.Query{Scope: scope(""), Kind: fact.KindConnection, ID: fresh}
	trail := fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindEvent, ID: "CreateConnection"}
	s := ask(t, c, list, get, trail)
	if !s.Answered(list) || s.Answered(get) {
		t.Errorf("list answered %v, get answered %v", s.Answered(list), s.Answered(get))
	}
	for q, permission := range map[*fact.Query]string{&get: "codeconnections:GetConnection", &trail: "cloudtrail:LookupEvents"} {
		g, ok := s.GapOf(*q)
		if !ok || g.Class != fact.Denied || g.Permission != permission || !strings.Contains(g.Why, "no identity-based policy allows") || g.Source.RequestID == "" {
			t.Errorf("gap %+v", g)
		}
	}
}

// After the deadline nothing is sent, and every query is still settled: as a gap.
func TestDeadline(t *testing.T) {
	c, w := script(t, nil)
	queries := []fact.Query{{Scope: scope("eu-west-1"), Kind: fact.KindPipelineList}, {Scope: scope("eu-west-1"), Kind: fact.KindConnection}}
	for _, end := range []struct {
		cause error
		class fact.Class
	}{{context.DeadlineExceeded, fact.Timeout}, {context.Canceled, fact.Skipped}} {
		ctx, cancel := context.WithTimeout(t.Context(), 0)
		if errors.Is(end.cause, context.Canceled) {
			ctx, cancel = context.WithCancel(t.Context())
			cancel()
		}
		b := fact.NewBuilder(fact.Question{Account: accountID})
		c.Collect(ctx, b, queries)
		cancel()
		gaps := b.Seal(start).Gaps()
		if len(gaps) != 2 || !slices.ContainsFunc(gaps, func(g fact.Gap) bool { return g.Source.Operation == "ListConnections" }) {
			t.Errorf("gaps %+v", gaps)
		}
		for _, g := range gaps {
			if g.Class != end.class || g.Why == "" || g.Source.Operation == "" || g.Permission != "" {
				t.Errorf("gap %+v", g)
			}
		}
	}
	if len(w.asked) != 0 {
		t.Errorf("asked %v", w.asked)
	}
}
