// Package organizations simulates the reading half of AWS Organizations: an organisation, its accounts and its policies.
// It keeps no state of its own and never changes any: who governs whom is IAM's to know.
package organizations

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/iam"
)

// Governor knows the organisations and their policies; the IAM service is one.
type Governor interface {
	// Organization is the organisation an account belongs to; false when there is none.
	Organization(account string) (iam.Organization, bool)
	// ControlPolicies lists an account's policies of a type.
	ControlPolicies(account, kind string) []iam.ControlPolicy
}

// maxPage is the most entries of a page.
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
const maxPage = 20

// root is the ID of the root of the one organisation that a lab's account is in; there are no organisational units.
const root = "r-lab1"

type service struct{ g Governor }

// New registers the service on a cloud. It is global: its calls are logged in us-east-1.
func New(c *cloud.Cloud, g Governor) {
	s := &service{g}
	c.Register(&cloud.Service{
		Name: "organizations", Target: "AWSOrganizationsV20161128", Version: "2016-11-28", Protocol: cloud.JSON11, Text: "Message",
		EventSource: "organizations.amazonaws.com", Global: true,
		Ops: map[string]*cloud.Op{
			"DescribeOrganization":  {ReadOnly: true, Do: s.describeOrganization},
			"ListAccounts":          {ReadOnly: true, Do: s.listAccounts},
			"DescribeAccount":       {ReadOnly: true, Access: s.onAccount("AccountId"), Do: s.describeAccount},
			"ListParents":           {ReadOnly: true, Access: s.onAccount("ChildId"), Do: s.listParents},
			"ListPoliciesForTarget": {ReadOnly: true, Access: s.onAccount("TargetId"), Do: s.listPoliciesForTarget},
			"DescribePolicy":        {ReadOnly: true, Access: s.onPolicy, Do: s.describePolicy},
			"ListTagsForResource":   {ReadOnly: true, Access: s.onTagged, Do: s.listTags},
		},
	})
}

// onAccount is the access to the account that a member of the request names.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
func (s *service) onAccount(member string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access {
		o, _ := s.g.Organization(r.Account())
		return []cloud.Access{{Action: "organizations:" + r.Operation, Resource: accountARN(o, r.Str(member))}}
	}
}

func (s *service) onPolicy(r *cloud.Request) []cloud.Access {
	arn := "arn:aws:organizations::aws:policy/service_control_policy/" + r.Str("PolicyId")
	if p, ok := s.policy(r, r.Str("PolicyId")); ok {
		arn = p.ARN
	}
	return []cloud.Access{{Action: "organizations:DescribePolicy", Resource: arn}}
}

// onTagged is the access to what the request names: an account, or the root.
func (s *service) onTagged(r *cloud.Request) []cloud.Access {
	o, _ := s.g.Organization(r.Account())
	arn := accountARN(o, r.Str("ResourceId"))
	if strings.HasPrefix(r.Str("ResourceId"), "r-") {
		arn = "arn:aws:organizations::" + o.Management + ":root/" + o.ID + "/" + r.Str("ResourceId")
	}
	return []cloud.Access{{Action: "organizations:ListTagsForResource", Resource: arn}}
}

func accountARN(o iam.Organization, account string) string {
	return "arn:aws:organizations::" + o.Management + ":account/" + o.ID + "/" + account
}

// mine is the caller's organisation.
func (s *service) mine(r *cloud.Request) (iam.Organization, error) {
	o, ok := s.g.Organization(r.Account())
	if !ok {
		return o, cloud.Errorf("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
	}
	return o, nil
}

// ruled is the caller's organisation when the caller may read all of it: from the management account or a delegated
// administrator. Everybody else is refused, whatever their policies say.
func (s *service) ruled(r *cloud.Request) (iam.Organization, error) {
	o, err := s.mine(r)
	if err == nil && r.Account() != o.Management && !slices.Contains(o.Delegated, r.Account()) {
		err = cloud.Errorf("AccessDeniedException", "You don't have permissions to access this resource.")
	}
	return o, err
}

func (s *service) describeOrganization(r *cloud.Request) (map[string]any, error) {
	o, err := s.mine(r)
	if err != nil {
		return nil, err
	}
	types := []any{map[string]any{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}}
	return map[string]any{"Organization": map[string]any{
		"Id": o.ID, "Arn": "arn:aws:organizations::" + o.Management + ":organization/" + o.ID, "FeatureSet": "ALL",
		"MasterAccountArn": accountARN(o, o.Management), "MasterAccountId": o.Management, "MasterAccountEmail": email(o.Management),
		"AvailablePolicyTypes": types,
	}}, nil
}

func email(account string) string { return "aws+" + account + "@example.com" }

func (s *service) showAccount(r *cloud.Request, o iam.Organization, id string) map[string]any {
	name := id
	if a := r.Cloud.Account(id); a != nil && a.Alias != "" {
		name = a.Alias
	}
	return map[string]any{"Id": id, "Arn": accountARN(o, id), "Email": email(id), "Name": name, "Status": "ACTIVE",
		"JoinedMethod": "INVITED", "JoinedTimestamp": time.Date(2020, 1, 15, 9, 0, 0, 0, time.UTC)}
}

func (s *service) listAccounts(r *cloud.Request) (map[string]any, error) {
	o, err := s.ruled(r)
	if err != nil {
		return nil, err
	}
	return paged(r, "Accounts", o.Members, func(id string) map[string]any { return s.showAccount(r, o, id) })
}

func (s *service) describeAccount(r *cloud.Request) (map[string]any, error) {
	id := r.Str("AccountId")
	if !regexp.MustCompile(`^\d{12}$`).MatchString(id) {
		return nil, invalid("You specified an invalid value for AccountId.")
	}
	o, err := s.ruled(r)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(o.Members, id) {
		return nil, cloud.Errorf("AccountNotFoundException", "You specified an account that doesn't exist.")
	}
	return map[string]any{"Account": s.showAccount(r, o, id)}, nil
}

// listTags knows tags of accounts alone: nothing else in the lab has any. Callers choose no size of the page.
func (s *service) listTags(r *cloud.Request) (map[string]any, error) {
	id := r.Str("ResourceId")
	if !regexp.MustCompile(`^(r-[0-9a-z]{4,32}|\d{12}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|p-[0-9a-zA-Z_]{8,128}|rp-[0-9a-zA-Z_]{4,128})$`).MatchString(id) {
		return nil, invalid("You specified an invalid value for ResourceId.")
	}
	o, err := s.ruled(r)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(o.Members, id) && id != o.Management && id != root {
		return nil, cloud.Errorf("TargetNotFoundException", "You specified a target that doesn't exist.")
	}
	tags := map[string]string{}
	if a := r.Cloud.Account(id); a != nil {
		tags = a.Tags
	}
	return paged(r, "Tags", slices.Sorted(maps.Keys(tags)), func(key string) map[string]any {
		return map[string]any{"Key": key, "Value": tags[key]}
	})
}

func (s *service) listParents(r *cloud.Request) (map[string]any, error) {
	child := r.Str("ChildId")
	if !regexp.MustCompile(`^(\d{12}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$`).MatchString(child) {
		return nil, invalid("You specified an invalid value for ChildId.")
	}
	o, err := s.ruled(r)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(o.Members, child) {
		return nil, cloud.Errorf("ChildNotFoundException", "You specified a child that doesn't exist.")
	}
	return paged(r, "Parents", []string{root}, func(id string) map[string]any { return map[string]any{"Id": id, "Type": "ROOT"} })
}

func (s *service) listPoliciesForTarget(r *cloud.Request) (map[string]any, error) {
	target, kind := r.Str("TargetId"), r.Str("Filter")
	if !regexp.MustCompile(`^(\d{12}|r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$`).MatchString(target) {
		return nil, invalid("You specified an invalid value for TargetId.")
	}
	if !slices.Contains([]string{"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"}, kind) {
		return nil, invalid("You specified an invalid value for Filter.")
	}
	o, err := s.ruled(r)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(o.Members, target) && target != root {
		return nil, cloud.Errorf("TargetNotFoundException", "You specified a target that doesn't exist.")
	}
	all := s.g.ControlPolicies(target, kind)
	return paged(r, "Policies", all, summary)
}

func summary(p iam.ControlPolicy) map[string]any {
	return map[string]any{"Id": p.ID, "Arn": p.ARN, "Name": p.Name, "Description": "", "Type": p.Type, "AwsManaged": p.AWSManaged}
}

// policy finds a policy by ID among those of all members.
func (s *service) policy(r *cloud.Request, id string) (iam.ControlPolicy, bool) {
	o, ok := s.g.Organization(r.Account())
	if !ok {
		return iam.ControlPolicy{}, false
	}
	for _, m := range o.Members {
		for _, kind := range []string{"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"} {
			for _, p := range s.g.ControlPolicies(m, kind) {
				if p.ID == id {
					return p, true
				}
			}
		}
	}
	return iam.ControlPolicy{}, false
}

func (s *service) describePolicy(r *cloud.Request) (map[string]any, error) {
	id := r.Str("PolicyId")
	if !regexp.MustCompile(`^p-[0-9a-zA-Z_]{8,128}$`).MatchString(id) {
		return nil, invalid("You specified an invalid value for PolicyId.")
	}
	if _, err := s.ruled(r); err != nil {
		return nil, err
	}
	p, ok := s.policy(r, id)
	if !ok {
		return nil, cloud.Errorf("PolicyNotFoundException", "You specified a policy that doesn't exist.")
	}
	return map[string]any{"Policy": map[string]any{"PolicySummary": summary(p), "Content": p.Document}}, nil
}

func invalid(message string) error { return cloud.Errorf("InvalidInputException", "%s", message) }

func paged[T any](r *cloud.Request, name string, all []T, show func(T) map[string]any) (map[string]any, error) {
	want := r.Int("MaxResults", maxPage)
	if want < 1 || want > maxPage {
		return nil, invalid("You specified an invalid value for MaxResults.")
	}
	page, next, err := cloud.Page(r.Cloud, all, r.Str("NextToken"), want, maxPage, "InvalidInputException")
	if err != nil {
		return nil, err
	}
	shown := []map[string]any{}
	for _, x := range page {
		shown = append(shown, show(x))
	}
	out := map[string]any{name: shown}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}
