package organizations_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/iam"
	"github.com/unjam/unjam/lab/svc/organizations"
)

const management, member, audit, alone = "111111111111", "222222222222", "333333333333", "444444444444"

type bench struct {
	t *testing.T
	c *cloud.Cloud
	i *iam.Service
}

func newBench(t *testing.T) bench {
	c := cloud.New()
	i := iam.New(c)
	organizations.New(c, i)
	for _, id := range []string{management, member, audit, alone} {
		c.AddAccount(&cloud.Account{ID: id, Tags: map[string]string{"env": "sandbox", "team": "web", "of": id}})
	}
	return bench{t, c, i}
}

func (b bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// says is the reply of a call by an account's root user, or the error's code.
func (b bench) says(account, op string, in map[string]any) string {
	var out map[string]any
	var err error
	b.c.Within(func() {
		out, err = b.c.Serve(&cloud.Request{Service: "organizations", Operation: op, Region: "us-east-1", In: in, Caller: iam.RootPrincipal(account)})
	})
	var e *cloud.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(out)
}

func TestWhoMayReadTheOrganization(t *testing.T) {
	b := newBench(t)
	b.must(b.i.SetOrganization(iam.Organization{ID: "o-example0001", Management: management, Members: []string{member, audit}, Delegated: []string{audit}}))
	const all, none, unused = "222222222222", "AccessDeniedException", "AWSOrganizationsNotInUseException"
	for _, tt := range []struct {
		op      string
		in      map[string]any
		answers [4]string // to the management account, a member, a delegated administrator, an account of no organisation
	}{
		{"DescribeOrganization", nil, [4]string{"o-example0001", "o-example0001", "o-example0001", unused}},
		{"ListAccounts", nil, [4]string{all, none, all, unused}},
		{"DescribeAccount", map[string]any{"AccountId": member}, [4]string{all, none, all, unused}},
		{"ListTagsForResource", map[string]any{"ResourceId": member}, [4]string{"sandbox", none, "sandbox", unused}},
		{"ListTagsForResource", map[string]any{"ResourceId": management}, [4]string{management, none, management, unused}},
		{"ListTagsForResource", map[string]any{"ResourceId": "r-lab1"}, [4]string{"Tags:[]", none, "Tags:[]", unused}},
		{"ListTagsForResource", map[string]any{"ResourceId": alone}, [4]string{"TargetNotFoundException", none, "TargetNotFoundException", unused}},
		{"ListTagsForResource", map[string]any{"ResourceId": "web"}, [4]string{"InvalidInputException", "InvalidInputException", "InvalidInputException", "InvalidInputException"}},
		{"ListParents", map[string]any{"ChildId": member}, [4]string{"r-lab1", none, "r-lab1", unused}},
		{"ListPoliciesForTarget", map[string]any{"TargetId": member, "Filter": "SERVICE_CONTROL_POLICY"}, [4]string{"p-FullAWSAccess", none, "p-FullAWSAccess", unused}},
		{"DescribePolicy", map[string]any{"PolicyId": "p-FullAWSAccess"}, [4]string{`"Action":"*"`, none, `"Action":"*"`, unused}},
	} {
		for i, account := range []string{management, member, audit, alone} {
			if got := b.says(account, tt.op, tt.in); !strings.Contains(got, tt.answers[i]) {
				t.Errorf("%s by %s: %s, want %s", tt.op, account, got, tt.answers[i])
			}
		}
	}
}

func TestPoliciesOfATarget(t *testing.T) {
	b := newBench(t)
	b.must(b.i.SetOrganization(iam.Organization{ID: "o-example0001", Management: management, Members: []string{member, audit}}))
	deny := func(who string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Deny",` + who + `"Action":"s3:*","Resource":"*"}]}`
	}
	b.must(b.i.SetSCP(member, "guard", deny("")))
	b.must(b.i.SetSCP(audit, "listed", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`))
	b.must(b.i.SetRCP(member, "fence", deny(`"Principal":"*",`)))
	for _, tt := range []struct{ target, kind, has, hasNot string }{
		{member, "SERVICE_CONTROL_POLICY", "p-FullAWSAccess", "fence"}, {member, "SERVICE_CONTROL_POLICY", "guard", "listed"},
		{audit, "SERVICE_CONTROL_POLICY", "listed", "p-FullAWSAccess"}, // an allow list stands in its place
		{member, "RESOURCE_CONTROL_POLICY", "fence", "guard"}, {member, "RESOURCE_CONTROL_POLICY", "p-RCPFullAWSAccess", "listed"},
		{alone, "SERVICE_CONTROL_POLICY", "TargetNotFoundException", "p-"}, {member, "TAG_POLICY", "InvalidInputException", "p-"},
	} {
		got := b.says(management, "ListPoliciesForTarget", map[string]any{"TargetId": tt.target, "Filter": tt.kind})
		if !strings.Contains(got, tt.has) || strings.Contains(got, tt.hasNot) {
			t.Errorf("%s of %s: %s; want %s and not %s", tt.kind, tt.target, got, tt.has, tt.hasNot)
		}
	}
	id := b.i.ControlPolicies(member, "SERVICE_CONTROL_POLICY")[1].ID
	if got := b.says(management, "DescribePolicy", map[string]any{"PolicyId": id}); !strings.Contains(got, `"Action":"s3:*"`) {
		t.Errorf("%s: %s", id, got)
	}
}

func TestAnSCPAloneMakesAnOrganization(t *testing.T) {
	b := newBench(t)
	if got := b.says(member, "DescribeOrganization", nil); got != "AWSOrganizationsNotInUseException" {
		t.Errorf("without any: %s", got)
	}
	b.must(b.i.SetSCP(member, "guard", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`))
	if got := b.says(member, "DescribeOrganization", nil); !strings.Contains(got, "999999999999") {
		t.Errorf("under an SCP: %s", got)
	}
	if got := b.says(member, "ListAccounts", nil); got != "AccessDeniedException" {
		t.Errorf("the account reads an organisation that is managed elsewhere: %s", got)
	}
}

func TestTagsComeInPages(t *testing.T) {
	b := newBench(t)
	b.c.PageSize = 2
	b.must(b.i.SetOrganization(iam.Organization{ID: "o-example0001", Management: management, Members: []string{member}}))
	first := b.says(management, "ListTagsForResource", map[string]any{"ResourceId": member})
	if !strings.Contains(first, "NextToken:lab-page-2") || strings.Contains(first, "team") {
		t.Errorf("the first page: %s", first)
	}
	second := b.says(management, "ListTagsForResource", map[string]any{"ResourceId": member, "NextToken": "lab-page-2"})
	if !strings.Contains(second, "team") || strings.Contains(second, "NextToken") {
		t.Errorf("the second page: %s", second)
	}
}
