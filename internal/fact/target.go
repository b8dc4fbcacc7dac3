package fact

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Target is what the user pointed at, parsed: a pipeline, one of its executions, a connection, a host, a stack that pipelines
// deploy or a certificate.
type Target struct {
	Kind      Kind   `json:"kind"` // KindPipeline, KindConnection, KindHost, KindStackState or KindManagedCertificate
	Name      string `json:"name"` // pipeline name; ARN for all others
	Execution string `json:"execution,omitempty"`
	Account   string `json:"account,omitempty"` // "" when the target does not say
	Region    string `json:"region,omitempty"`  // "" when the target does not say
	Raw       string `json:"raw"`               // as typed
}

// Noun is what a target is called: pipeline, connection, host, stack or certificate.
func (t Target) Noun() string {
	if t.Kind == KindStackState {
		return "stack"
	}
	if t.Kind == KindManagedCertificate {
		return "certificate"
	}
	return string(t.Kind)
}

var (
	pipelineName = regexp.MustCompile(`^[A-Za-z0-9.@_-]{1,100}$`) // API_PipelineDeclaration, member name
	executionID  = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	accountID    = regexp.MustCompile(`^[0-9]{12}$`)
	regionName   = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
)

// ParseTarget parses a TARGET of the command line: a pipeline name, PIPELINE/EXECUTION-ID, the ARN of a pipeline, a
// connection (either service prefix), a host or an ACM certificate, or the AWS console's URL of any of them.
func ParseTarget(s string) (Target, error) {
	t, err := parseTarget(s)
	t.Raw = s
	return t, err
}

func parseTarget(s string) (Target, error) {
	switch {
	case s == "":
		return Target{}, fmt.Errorf("parse target: it is empty")
	case strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://"):
		return parseURL(s)
	case strings.HasPrefix(s, "arn:"):
		return targetARN(s)
	}
	name, exec, slash := strings.Cut(s, "/")
	if !pipelineName.MatchString(name) || (slash && !executionID.MatchString(exec)) {
		return Target{}, fmt.Errorf("parse target %q: want a pipeline name, PIPELINE/EXECUTION-ID, an ARN or a console URL", s)
	}
	return Target{Kind: KindPipeline, Name: name, Execution: exec}, nil
}

func targetARN(s string) (Target, error) {
	a, err := ParseARN(s)
	if err != nil {
		return Target{}, err
	}
	if !accountID.MatchString(a.Account) || !regionName.MatchString(a.Region) {
		return Target{}, fmt.Errorf("parse target %q: it lacks an account of 12 digits or a Region", s)
	}
	t := Target{Account: a.Account, Region: a.Region, Name: s}
	switch {
	case a.IsConnection():
		t.Kind = KindConnection
	case a.IsHost():
		t.Kind = KindHost
	case a.IsCertificate():
		t.Kind = KindManagedCertificate
	case a.Service == "codepipeline" && pipelineName.MatchString(strings.SplitN(a.Resource, "/", 2)[0]):
		t.Kind, t.Name = KindPipeline, strings.SplitN(a.Resource, "/", 2)[0]
	case StackName(s) != "":
		t.Kind = KindStackState
	default:
		return Target{}, fmt.Errorf("parse target %q: not the ARN of a pipeline, a connection, a host, a stack or a certificate", s)
	}
	return t, nil
}

// parseURL knows the console's addresses:
//
//	/codesuite/codepipeline/pipelines/NAME/view?region=R
//	/codesuite/codepipeline/pipelines/NAME/executions/ID/...
//	/codesuite/settings/ACCOUNT/REGION/PREFIX/connections/UUID
//	/cloudformation/home?region=R#/stacks/events?stackId=ARN
//	/acm/home?region=R#/certificates/UUID, where the account is not in the URL
func parseURL(s string) (Target, error) {
	bad := fmt.Errorf("parse target %q: not the console URL of a pipeline, a connection, a stack or a certificate", s)
	u, err := url.Parse(s)
	if err != nil {
		return Target{}, bad
	}
	region := u.Query().Get("region")
	if first, _, _ := strings.Cut(u.Hostname(), "."); region == "" && regionName.MatchString(first) {
		region = first
	}
	if region != "" && !regionName.MatchString(region) {
		return Target{}, bad
	}
	if arn := stackURL(u); arn != "" {
		if StackName(arn) == "" {
			return Target{}, bad
		}
		return targetARN(arn)
	}
	p := strings.Split(strings.Trim(u.Path, "/"), "/")
	switch {
	case len(p) >= 4 && p[0] == "codesuite" && p[1] == "codepipeline" && p[2] == "pipelines" && pipelineName.MatchString(p[3]):
		t := Target{Kind: KindPipeline, Name: p[3], Region: region}
		if len(p) >= 6 && p[4] == "executions" {
			if !executionID.MatchString(p[5]) {
				return Target{}, bad
			}
			t.Execution = p[5]
		}
		return t, nil
	case len(p) >= 7 && p[0] == "codesuite" && p[1] == "settings" && (p[5] == "connections" || p[5] == "hosts") && ConnectionService(p[4]):
		a := ARN{Partition(p[3]), p[4], p[3], p[2], strings.TrimSuffix(p[5], "s") + "/" + p[6]}
		return targetARN(a.String())
	case p[0] == "acm" && region != "":
		id := strings.Split(strings.Trim(u.Fragment, "/?"), "/")
		if len(id) < 2 || id[0] != "certificates" || !executionID.MatchString(id[1]) {
			return Target{}, bad
		}
		return Target{Kind: KindManagedCertificate, Name: "certificate/" + id[1], Region: region}, nil
	}
	return Target{}, bad
}

// Partition is the AWS partition of a Region.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	}
	return "aws"
}

// IsAccount reports whether a text has the form of an account ID: 12 digits.
func IsAccount(s string) bool { return accountID.MatchString(s) }
