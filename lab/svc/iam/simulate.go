package iam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/policy"
)

// simulation is one call of SimulatePrincipalPolicy, read and checked.
type simulation struct {
	set       policy.Set
	member    bool // the account is in an organisation
	actions   []string
	resources []string
	context   policy.Values
}

// simulatePrincipalPolicy answers with one result per action. What it does not see, as AWS's simulator does not: session
// policies, resource control policies, VPC endpoint policies, resource-based policies, SCPs that carry global condition
// keys, and any condition key that the caller does not supply (the policies' principal keys included).
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html
func (s *Service) simulatePrincipalPolicy(r *cloud.Request) (map[string]any, error) {
	sim, err := s.simulation(r)
	if err != nil {
		return nil, err
	}
	return paged(r, "EvaluationResults", sim.actions, func(action string) any { return sim.result(action) })
}

func (s *Service) simulation(r *cloud.Request) (*simulation, error) {
	e, err := s.simulated(r)
	if err != nil {
		return nil, err
	}
	sim := &simulation{actions: texts(r.In["ActionNames"]), resources: texts(r.In["ResourceArns"]), context: policy.Values{}}
	if len(sim.actions) == 0 {
		return nil, invalid("null", "ActionNames", "Member must not be null")
	}
	for _, a := range sim.actions {
		vendor, name, ok := strings.Cut(a, ":")
		if !ok || vendor == "" || name == "" || len(a) > 128 || strings.ContainsAny(a, "*? ") {
			return nil, refuse("InvalidInput", "Invalid Action: %s", a)
		}
	}
	if len(sim.resources) == 0 {
		sim.resources = []string{"*"}
	}
	for _, arn := range sim.resources {
		if arn != "*" && (!strings.HasPrefix(arn, "arn:") || len(strings.SplitN(arn, ":", 6)) < 6) {
			return nil, refuse("InvalidInput", "Invalid Resource ARN: %s", arn)
		}
	}
	for _, x := range r.List("ContextEntries") {
		if m, ok := x.(map[string]any); ok {
			k, _ := m["ContextKeyName"].(string)
			sim.context[k] = texts(m["ContextKeyValues"])
		}
	}
	if r.Str("ResourcePolicy") != "" {
		return nil, refuse("InvalidInput", "Simulation of resource-based policies isn't supported for IAM roles.")
	}
	return sim, s.inForce(r, e, sim)
}

// simulated finds the entity that PolicySourceArn names. An assumed-role ARN is the classic mistake.
func (s *Service) simulated(r *cloud.Request) (Entity, error) {
	arn := r.Str("PolicySourceArn")
	if arn == "" {
		return Entity{}, invalid("null", "PolicySourceArn", "Member must not be null")
	}
	account, kind, name, ok := splitARN(arn)
	if !ok || !slices.Contains([]string{"user", "group", "role"}, kind) || account != r.Account() {
		return Entity{}, refuse("InvalidInput", "Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	e, found := s.byARN(arn, s.seen)
	if !found {
		return e, refuse("NoSuchEntity", "The %s with name %s cannot be found.", kind, name)
	}
	return e, nil
}

// inForce collects the policies that the simulator evaluates.
func (s *Service) inForce(r *cloud.Request, e Entity, sim *simulation) error {
	sim.set = policy.Set{Identity: s.identity(e), Boundary: s.boundary(e)}
	_, organised := s.Organization(e.Account)
	sim.member = organised && !s.manages(e.Account)
	for _, level := range s.levels(e.Account) {
		if !globalKeys(level) {
			sim.set.SCPs = append(sim.set.SCPs, level)
		}
	}
	extra, err := s.inputs(r, "PolicyInputList")
	if err != nil {
		return err
	}
	sim.set.Identity = append(sim.set.Identity, extra...)
	bounds, err := s.inputs(r, "PermissionsBoundaryPolicyInputList")
	if err != nil {
		return err
	}
	if len(bounds) > 1 {
		return refuse("InvalidInput", "Only one permissions boundary policy can be simulated.")
	}
	if len(bounds) == 1 {
		sim.set.Boundary = bounds
	}
	return nil
}

func (s *Service) inputs(r *cloud.Request, member string) ([]policy.Policy, error) {
	var all []policy.Policy
	for i, text := range texts(r.In[member]) {
		d, err := s.parse(text, policy.Permissions)
		if err != nil {
			return nil, refuse("InvalidInput", "%s.%d: %v", member, i+1, err)
		}
		all = append(all, policy.Policy{ID: fmt.Sprintf("%s.%d", member, i+1), Of: "none", Doc: d})
	}
	return all, nil
}

func globalKeys(level []policy.Policy) bool {
	for _, p := range level {
		for i := range p.Doc.Statements {
			for _, c := range p.Doc.Statements[i].Conditions {
				if strings.HasPrefix(strings.ToLower(c.Key), "aws:") {
					return true
				}
			}
		}
	}
	return false
}

// result is one action's verdict over all resources, the most restrictive one, with each resource's own below.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
func (sim *simulation) result(action string) map[string]any {
	verdict, each := "allowed", []any{}
	matched, missing := []any{}, []string{}
	organisation, boundary := true, true
	for _, resource := range sim.resources {
		v := sim.judge(action, resource)
		if rank(v.decision) > rank(verdict) {
			verdict = v.decision
		}
		organisation, boundary = organisation && v.organisation, boundary && v.boundary
		for _, k := range v.missing {
			if !slices.Contains(missing, k) {
				missing = append(missing, k)
			}
		}
		one := map[string]any{"EvalResourceName": resource, "EvalResourceDecision": v.decision,
			"MatchedStatements": show(v.matched), "MissingContextValues": nonNil(v.missing)}
		if sim.set.Boundary != nil {
			one["PermissionsBoundaryDecisionDetail"] = map[string]any{"AllowedByPermissionsBoundary": v.boundary}
		}
		each = append(each, one)
	}
	for _, resource := range sim.resources {
		if v := sim.judge(action, resource); v.decision == verdict {
			matched = union(matched, show(v.matched))
		}
	}
	out := map[string]any{"EvalActionName": action, "EvalResourceName": template(action), "EvalDecision": verdict,
		"MatchedStatements": matched, "MissingContextValues": missing}
	if sim.member {
		out["OrganizationsDecisionDetail"] = map[string]any{"AllowedByOrganizations": organisation}
	}
	if sim.set.Boundary != nil {
		out["PermissionsBoundaryDecisionDetail"] = map[string]any{"AllowedByPermissionsBoundary": boundary}
	}
	if len(sim.resources) > 1 || sim.resources[0] != "*" {
		out["ResourceSpecificResults"] = each
	}
	return out
}

type verdict struct {
	decision               string
	matched                []policy.Match
	missing                []string
	organisation, boundary bool
}

func (sim *simulation) judge(action, resource string) verdict {
	q := policy.Request{Action: action, Resource: resource, Context: sim.context}
	res := policy.Evaluate(sim.set, q)
	v := verdict{decision: "allowed", missing: policy.Missing(sim.set.Identity, q)}
	if !res.Allowed {
		v.decision = "implicitDeny"
		if res.Explicit {
			v.decision = "explicitDeny"
		}
	}
	if res.Allowed || res.Explicit && res.Type == policy.Identity {
		v.matched = res.Matched
	}
	all, _ := policy.Parse(fullAccess, policy.Permissions)
	full := []policy.Policy{{Doc: all}}
	v.organisation = policy.Evaluate(policy.Set{SCPs: sim.set.SCPs, Identity: full}, q).Allowed
	v.boundary = policy.Evaluate(policy.Set{Boundary: sim.set.Boundary, Identity: full}, q).Allowed
	return v
}

func rank(decision string) int {
	return slices.Index([]string{"allowed", "implicitDeny", "explicitDeny"}, decision)
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// show names the statements that decided, by policy and place in its text.
func show(matched []policy.Match) []any {
	all := []any{}
	for _, m := range matched {
		all = append(all, map[string]any{
			"SourcePolicyId": m.Policy.ID, "SourcePolicyType": m.Policy.Of,
			"StartPosition": map[string]any{"Line": m.Statement.Start.Line, "Column": m.Statement.Start.Column},
			"EndPosition":   map[string]any{"Line": m.Statement.End.Line, "Column": m.Statement.End.Column},
		})
	}
	return all
}

func union(a, b []any) []any {
	for _, x := range b {
		if !slices.ContainsFunc(a, func(y any) bool { return fmt.Sprint(x) == fmt.Sprint(y) }) {
			a = append(a, x)
		}
	}
	return a
}

// template is the ARN format of the resource that an action works on, "*" where it has none (or the lab does not know).
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
func template(action string) string {
	service, name, _ := strings.Cut(action, ":")
	at := "arn:${Partition}:" + service + ":${Region}:${Account}:"
	switch service {
	case "codeconnections", "codestar-connections":
		switch name {
		case "GetConnection", "DeleteConnection", "UseConnection", "PassConnection", "UpdateConnectionInstallation", "GetConnectionToken":
			return at + "connection/${ConnectionId}"
		case "GetHost", "DeleteHost", "UpdateHost":
			return at + "host/${HostId}"
		}
	case "codepipeline":
		switch name {
		case "GetPipeline", "GetPipelineState", "GetPipelineExecution", "ListPipelineExecutions", "ListActionExecutions",
			"StartPipelineExecution", "StopPipelineExecution", "UpdatePipeline", "CreatePipeline", "DeletePipeline":
			return at + "${PipelineName}"
		case "RetryStageExecution", "EnableStageTransition", "DisableStageTransition":
			return at + "${PipelineName}/${StageName}"
		}
	case "iam":
		if strings.Contains(name, "Role") && name != "ListRoles" {
			return "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"
		}
	case "sts":
		if strings.HasPrefix(name, "AssumeRole") {
			return "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"
		}
	}
	return "*"
}
