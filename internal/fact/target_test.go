package fact_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/unjam/unjam/internal/fact"
)

const (
	connection = "arn:aws:codeconnections:eu-west-1:111111111111:connection/78dde6e5-fd29-4054-a5c3-3120a4bcab9d"
	execution  = "53845412-7b09-4493-a3cc-0767fb6b5cc8"
)

func TestParseTarget(t *testing.T) {
	old := strings.Replace(connection, "codeconnections", "codestar-connections", 1)
	host := strings.Replace(connection, "connection/", "host/", 1)
	stack := "arn:aws:cloudformation:eu-west-1:111111111111:stack/web-stack/605ad74f-3f1c-4098-a2d0-07ddf0ca4ca6"
	certificate := "arn:aws:acm:us-east-1:111111111111:certificate/" + execution
	for in, want := range map[string]fact.Target{
		"web":              {Kind: fact.KindPipeline, Name: "web"},
		"web/" + execution: {Kind: fact.KindPipeline, Name: "web", Execution: execution},
		"arn:aws:codepipeline:eu-west-1:111111111111:web":        {Kind: fact.KindPipeline, Name: "web", Account: "111111111111", Region: "eu-west-1"},
		"arn:aws:codepipeline:eu-west-1:111111111111:web/Source": {Kind: fact.KindPipeline, Name: "web", Account: "111111111111", Region: "eu-west-1"},
		connection: {Kind: fact.KindConnection, Name: connection, Account: "111111111111", Region: "eu-west-1"},
		old:        {Kind: fact.KindConnection, Name: old, Account: "111111111111", Region: "eu-west-1"},
		host:       {Kind: fact.KindHost, Name: host, Account: "111111111111", Region: "eu-west-1"},
		"https://eu-west-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/web/view?region=eu-west-1":                                                 {Kind: fact.KindPipeline, Name: "web", Region: "eu-west-1"},
		"https://eu-west-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/web/view":                                                                  {Kind: fact.KindPipeline, Name: "web", Region: "eu-west-1"},
		"https://console.aws.amazon.com/codesuite/codepipeline/pipelines/web/executions/" + execution + "/timeline?region=us-east-1":                          {Kind: fact.KindPipeline, Name: "web", Execution: execution, Region: "us-east-1"},
		"https://eu-west-1.console.aws.amazon.com/codesuite/settings/111111111111/eu-west-1/codeconnections/connections/78dde6e5-fd29-4054-a5c3-3120a4bcab9d": {Kind: fact.KindConnection, Name: connection, Account: "111111111111", Region: "eu-west-1"},
		"https://eu-west-1.console.aws.amazon.com/codesuite/settings/111111111111/eu-west-1/codeconnections/hosts/78dde6e5-fd29-4054-a5c3-3120a4bcab9d":       {Kind: fact.KindHost, Name: host, Account: "111111111111", Region: "eu-west-1"},
		certificate: {Kind: fact.KindManagedCertificate, Name: certificate, Account: "111111111111", Region: "us-east-1"},
		"https://us-east-1.console.aws.amazon.com/acm/home?region=us-east-1#/certificates/" + execution:        {Kind: fact.KindManagedCertificate, Name: "certificate/" + execution, Region: "us-east-1"},
		"https://us-east-1.console.aws.amazon.com/acm/home?region=us-east-1#/certificates/" + execution + "/?": {Kind: fact.KindManagedCertificate, Name: "certificate/" + execution, Region: "us-east-1"},
		stack: {Kind: fact.KindStackState, Name: stack, Account: "111111111111", Region: "eu-west-1"},
		"https://eu-west-1.console.aws.amazon.com/cloudformation/home?region=eu-west-1#/stacks/events?stackId=" + url.QueryEscape(stack):                                        {Kind: fact.KindStackState, Name: stack, Account: "111111111111", Region: "eu-west-1"},
		"https://eu-west-1.console.aws.amazon.com/cloudformation/home?region=eu-west-1#/stacks/stackinfo?filteringText=&viewNested=true&stackId=" + stack + "&hideStacks=false": {Kind: fact.KindStackState, Name: stack, Account: "111111111111", Region: "eu-west-1"},
	} {
		want.Raw = in
		got, err := fact.ParseTarget(in)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", in, err, diff)
		}
	}
	for _, in := range []string{
		"", " ", "web/", "web/x", "/web", "a b", "web\n", strings.Repeat("x", 101), "arn:", "arn:aws:codepipeline:eu-west-1:111111111111:", "arn:aws:s3:::bucket",
		"arn:aws:codeconnections:eu-west-1:1:connection/x", "arn:aws:codeconnections::111111111111:connection/x", "arn:aws:codeconnections:eu-west-1:111111111111:connection/",
		"arn:aws:cloudformation:eu-west-1:111111111111:changeSet/web/1", "arn:aws:cloudformation:eu-west-1:111111111111:stack/", "arn:aws:cloudformation:eu-west-1:111111111111:stack/a/b/c",
		"https://console.aws.amazon.com/cloudformation/home#/stacks/events?stackId=web", "https://console.aws.amazon.com/cloudformation/home#/stacks/events?stackId=%zz",
		"arn:aws:acm:us-east-1:111111111111:certificate/", "https://us-east-1.console.aws.amazon.com/acm/home?region=us-east-1#/certificates/list", "https://console.aws.amazon.com/acm/home#/certificates/" + execution,
		"https://", "https://example.com/", "https://%zz", "http://[::1", "https://console.aws.amazon.com/codesuite/codepipeline/pipelines/web/view?region=moon",
		"https://x/codesuite/settings/1/eu-west-1/codeconnections/connections/x", "https://x/codesuite/settings/111111111111/eu-west-1/s3/connections/x",
	} {
		if got, err := fact.ParseTarget(in); err == nil {
			t.Errorf("%q: taken for %+v", in, got)
		}
	}
}

// Whatever is typed: no panic, an error in one line, or a target that names something and parses to itself again.
func FuzzParseTarget(f *testing.F) {
	for _, seed := range []string{
		"web", "web/" + execution, connection, "arn:aws:codepipeline:eu-west-1:111111111111:web/Source", "arn:aws-us-gov:codestar-connections:us-gov-east-1:111111111111:host/a-1",
		"https://eu-west-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/web/executions/" + execution + "/timeline?region=eu-west-1",
		"https://eu-west-1.console.aws.amazon.com/codesuite/settings/111111111111/eu-west-1/codeconnections/connections/78dde6e5",
		"https://eu-west-1.console.aws.amazon.com/cloudformation/home?region=eu-west-1#/stacks/events?stackId=arn%3Aaws%3Acloudformation%3Aeu-west-1%3A111111111111%3Astack%2Fweb%2F1",
		"https://console.amazonaws.cn/codesuite/settings/111111111111/cn-north-1/codestar-connections/hosts/a?region=cn-north-1", "arn::::::", "http://[::1", "web/", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := fact.ParseTarget(in)
		if err != nil {
			if strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "parse ") {
				t.Errorf("error %q", err)
			}
			return
		}
		if got.Raw != in || got.Name == "" {
			t.Errorf("%+v", got)
		}
		again := got.Name
		if got.Execution != "" {
			again += "/" + got.Execution
		}
		second, err := fact.ParseTarget(again)
		if err != nil || second.Kind != got.Kind || second.Name != got.Name || second.Execution != got.Execution {
			t.Errorf("%+v parses again to %+v, %v", got, second, err)
		}
		if got.Region != "" && !fact.IsRegion(got.Region) {
			t.Errorf("Region %q", got.Region)
		}
	})
}

// An ARN that parses is written back as it was.
func FuzzParseARN(f *testing.F) {
	for _, seed := range []string{connection, "arn:aws:iam::111111111111:role/a/b", "arn:aws:s3:::b", "arn:a:b:c:d:e:f", "arn:::::", "arn", "", ":::::::"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		a, err := fact.ParseARN(in)
		if err != nil {
			return
		}
		if a.String() != in {
			t.Errorf("%q is written back as %q", in, a)
		}
		if (a.IsConnection() || a.IsHost()) && !strings.Contains(in, "/") {
			t.Errorf("%q is a connection or host", in)
		}
		_ = a.Name()
		_ = fact.RoleARN(in)
	})
}
