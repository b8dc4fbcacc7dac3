// Package accessanalyzer simulates IAM Access Analyzer: it checks policy documents and tells which roles other accounts may
// assume. It never changes a policy, and it does not know the resource types beside IAM roles.
package accessanalyzer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/iam"
)

// Roles lists an account's roles; the IAM service is one.
type Roles interface {
	// Roles are those that readers see, by name.
	Roles(account string) []iam.Role
}

// Service is Access Analyzer in every account and Region. It is guarded by the cloud's lock.
type Service struct {
	c         *cloud.Cloud
	roles     Roles
	analyzers []analyzer
}

type analyzer struct {
	account, region, name string
	created               time.Time
}

func (a analyzer) arn() string {
	return "arn:aws:access-analyzer:" + a.region + ":" + a.account + ":analyzer/" + a.name
}

// New registers the service on a cloud.
func New(c *cloud.Cloud, roles Roles) *Service {
	s := &Service{c: c, roles: roles}
	op := func(method, path string, do func(*cloud.Request) (map[string]any, error)) *cloud.Op {
		return &cloud.Op{Method: method, Path: path, ReadOnly: true, Do: do}
	}
	list := op("GET", "/analyzer", s.listAnalyzers)
	list.Access = func(r *cloud.Request) []cloud.Access {
		return []cloud.Access{{Action: "access-analyzer:ListAnalyzers", Resource: "*"}}
	}
	findings := op("POST", "/findingv2", s.listFindings)
	findings.Access = onAnalyzer
	c.Register(&cloud.Service{
		Name: "access-analyzer", Version: "2019-11-01", Protocol: cloud.RESTJSON, EventSource: "access-analyzer.amazonaws.com",
		Ops: map[string]*cloud.Op{
			"ValidatePolicy":        op("POST", "/policy/validation", s.validatePolicy),
			"CheckNoNewAccess":      op("POST", "/policy/check-no-new-access", s.checkNoNewAccess),
			"CheckAccessNotGranted": op("POST", "/policy/check-access-not-granted", s.checkAccessNotGranted),
			"ListAnalyzers":         list,
			"ListFindingsV2":        findings,
		},
	})
	return s
}

// onAnalyzer is the access of ListFindingsV2, whose permission is ListFindings.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiamaccessanalyzer.html
func onAnalyzer(r *cloud.Request) []cloud.Access {
	return []cloud.Access{{Action: "access-analyzer:ListFindings", Resource: r.Str("analyzerArn")}}
}

// AddAnalyzer adds an analyzer of external access, of type ACCOUNT; an account without one sees no findings.
func (s *Service) AddAnalyzer(account, region, name string) error {
	a := analyzer{account, region, name, s.c.Now().UTC().Truncate(time.Second)}
	if !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,254}$`).MatchString(name) {
		return fmt.Errorf("add analyzer %s: a name has letters, digits, _, . and -, and begins with a letter", name)
	}
	if slices.ContainsFunc(s.analyzers, func(o analyzer) bool { return o.account == account && o.region == region }) {
		return fmt.Errorf("add analyzer %s: account %s has one in %s", name, account, region)
	}
	s.analyzers = append(s.analyzers, a)
	return nil
}

func (s *Service) listAnalyzers(r *cloud.Request) (map[string]any, error) {
	var all []analyzer
	kind := r.Str("type")
	if kind != "" && !slices.Contains([]string{"ACCOUNT", "ORGANIZATION", "ACCOUNT_UNUSED_ACCESS", "ORGANIZATION_UNUSED_ACCESS"}, kind) {
		return nil, invalid("type is not a type of analyzer")
	}
	for _, a := range s.analyzers {
		if a.account == r.Account() && a.region == r.Region && (kind == "" || kind == "ACCOUNT") {
			all = append(all, a)
		}
	}
	return paged(r, "analyzers", all, func(a analyzer) map[string]any {
		return map[string]any{"arn": a.arn(), "name": a.name, "type": "ACCOUNT", "createdAt": stamp(a.created), "status": "ACTIVE"}
	})
}

// external is a role that principals outside its account may assume.
type external struct {
	role iam.Role
	id   string
}

// listFindings answers with one active finding per role whose trust policy names another account or everybody.
func (s *Service) listFindings(r *cloud.Request) (map[string]any, error) {
	i := slices.IndexFunc(s.analyzers, func(a analyzer) bool {
		return a.arn() == r.Str("analyzerArn") && a.account == r.Account() && a.region == r.Region
	})
	if i < 0 {
		if !regexp.MustCompile(`^[^:]*:[^:]*:[^:]*:[^:]*:[^:]*:analyzer/.{1,255}$`).MatchString(r.Str("analyzerArn")) {
			return nil, invalid("analyzerArn is not the ARN of an analyzer")
		}
		return nil, &cloud.Error{Code: "ResourceNotFoundException", Message: "Analyzer not found", Status: 404,
			More: map[string]any{"resourceId": r.Str("analyzerArn"), "resourceType": "Analyzer"}}
	}
	var all []external
	for _, role := range s.roles.Roles(r.Account()) {
		if x := (external{role, findingID(role)}); open(role) && x.matches(r.Map("filter")) {
			all = append(all, x)
		}
	}
	at := s.analyzers[i].created
	return paged(r, "findings", all, func(x external) map[string]any {
		found := x.role.Created
		if at.After(found) {
			found = at
		}
		return map[string]any{"id": x.id, "resource": x.role.ARN, "resourceType": "AWS::IAM::Role", "resourceOwnerAccount": x.role.Account,
			"status": "ACTIVE", "findingType": "ExternalAccess", "createdAt": stamp(found), "updatedAt": stamp(found), "analyzedAt": stamp(found)}
	})
}

// findingID is made of the role's own unique ID, so that it stays.
func findingID(role iam.Role) string {
	hex := fmt.Sprintf("%x", role.ID+"0123456789abcdef")
	return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:32]
}

// matches applies the criteria eq and neq on the attributes that the lab's findings have.
func (x external) matches(filter map[string]any) bool {
	has := map[string]string{"resource": x.role.ARN, "resourceType": "AWS::IAM::Role", "status": "ACTIVE", "findingType": "ExternalAccess", "id": x.id}
	for name, value := range has {
		criterion, ok := filter[name].(map[string]any)
		if !ok {
			continue
		}
		if eq := texts(criterion["eq"]); eq != nil && !slices.Contains(eq, value) {
			return false
		}
		if neq := texts(criterion["neq"]); slices.Contains(neq, value) {
			return false
		}
		if part := texts(criterion["contains"]); part != nil && !slices.ContainsFunc(part, func(p string) bool { return strings.Contains(value, p) }) {
			return false
		}
	}
	return true
}

func paged[T any](r *cloud.Request, name string, all []T, show func(T) map[string]any) (map[string]any, error) {
	page, next, err := cloud.Page(r.Cloud, all, r.Str("nextToken"), r.Int("maxResults", 0), 100, cloud.ValidationError)
	if err != nil {
		return nil, invalid("The next token is not valid.")
	}
	shown := []map[string]any{}
	for _, x := range page {
		shown = append(shown, show(x))
	}
	out := map[string]any{name: shown}
	if next != "" {
		out["nextToken"] = next
	}
	return out, nil
}

func invalid(message string) error {
	return &cloud.Error{Code: cloud.ValidationError, Message: message, More: map[string]any{"reason": "fieldValidationFailed"}}
}

// stamp is a time as this service writes it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func texts(v any) []string {
	l, _ := v.([]any)
	var all []string
	for _, x := range l {
		if t, ok := x.(string); ok {
			all = append(all, t)
		}
	}
	return all
}
