package refusal

import (
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
)

// needs is what was refused, as single actions on single resources.
func (r Refused) needs() []op.Need {
	switch d := r.denial; {
	case d.Action == "", d.Action == assumeRole && d.Principal == "":
		return nil // a service assumes it: no policy of a role decides
	case d.Action == "s3:*": // what CodePipeline does with its artifact bucket: docs/aws-facts.md, "Least policies"
		var all []op.Need
		for _, name := range []string{"GetObject", "GetObjectVersion", "PutObject"} {
			all = append(all, op.Need{Action: "s3:" + name, Resource: d.Resource + "/*"})
		}
		for _, name := range []string{"GetBucketAcl", "GetBucketLocation", "GetBucketVersioning"} {
			all = append(all, op.Need{Action: "s3:" + name, Resource: d.Resource})
		}
		return all
	default:
		return []op.Need{{Action: d.Action, Resource: d.Resource, Service: r.passedTo()}}
	}
}

// passedTo is the service that a passed role is for.
func (r Refused) passedTo() string {
	if r.denial.Action != "iam:PassRole" {
		return ""
	}
	switch r.Action.Provider {
	case "CloudFormation", "CloudFormationStackSet", "CloudFormationStackInstances":
		return "cloudformation.amazonaws.com"
	case "ECS", "CodeDeployToECS":
		return "ecs-tasks.amazonaws.com"
	case "CodeBuild":
		return "codebuild.amazonaws.com"
	}
	return ""
}

func target(n op.Need) string {
	if n.Resource == "" {
		return "*"
	}
	return n.Resource
}

// simulationQuery asks the simulator about the refused call.
func (r Refused) simulationQuery(s *fact.Snapshot) (fact.Query, bool) {
	needs := r.needs()
	if len(needs) == 0 || !r.here(s) {
		return fact.Query{}, false
	}
	var actions, resources []string
	for _, n := range needs {
		actions, resources = append(actions, n.Action), append(resources, target(n))
	}
	slices.Sort(resources)
	args := map[string]string{"actions": strings.Join(actions, ","), "resources": strings.Join(slices.Compact(resources), ",")}
	if to := needs[0].Service; to != "" {
		args["context"] = "iam:PassedToService=" + to
	}
	return fact.Query{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindSimulation, ID: r.role, Args: args}, true
}

// judged is one of the needs with the simulator's decision.
type judged struct {
	op.Need
	fact.Decision
	from fact.Simulation
}

func (r Refused) judged(s *fact.Snapshot) []judged {
	var all []judged
	for _, n := range r.needs() {
		for x := range fact.All[fact.Simulation](s) {
			if x.Principal != r.role {
				continue
			}
			if d, ok := x.Decision(n.Action, target(n)); ok {
				all = append(all, judged{n, d, x})
				break
			}
		}
	}
	return all
}

// verdict is the simulator's word on the whole of it: allowed when everything is; first is the first decision that says no, else the
// first of all.
func (r Refused) verdict(s *fact.Snapshot) (first fact.Decision, allowed, known bool) {
	all := r.judged(s)
	if len(all) == 0 || len(all) < len(r.needs()) {
		return first, false, false
	}
	for _, j := range all {
		if !j.Allowed {
			return j.Decision, false, true
		}
	}
	return all[0].Decision, true, true
}

// firstNo is the first decision that says no.
func (r Refused) firstNo(s *fact.Snapshot) fact.Decision {
	d, _, _ := r.verdict(s)
	return d
}

// simulated are the simulator's decisions as evidence, with what it cannot see where it disagrees with AWS. Of several, those that say
// no; all of them when none does.
func (r Refused) simulated(s *fact.Snapshot) []fault.Evidence {
	var all []fault.Evidence
	_, allowed, _ := r.verdict(s)
	for _, j := range r.judged(s) {
		if j.Allowed && !allowed {
			continue
		}
		e := fault.Ev(fault.Simulated, j.from, j.Need.Action, word(j.Decision), "allowed")
		if sees, what := simulatorSees(byType(r.denial.By, r.denial.Explicit)); !sees && j.Allowed {
			e.Text = "the simulator does not see " + what
		} else if !j.Allowed && j.Missing != "" {
			e.Text = "without a value for " + strings.ReplaceAll(j.Missing, ",", ", ")
		}
		all = append(all, e)
	}
	return all
}

func word(d fact.Decision) string {
	switch {
	case d.Allowed:
		return "allowed"
	case d.By != "":
		return "denied by " + d.By
	}
	return "denied"
}

// simulatorSees reports whether the simulator judges policies of a cause's type (docs/aws-facts.md, "What simulation cannot see").
func simulatorSees(code string) (sees bool, what string) {
	switch code {
	case session:
		return false, "session policies"
	case rcp:
		return false, "resource control policies"
	case endpoint:
		return false, "VPC endpoint policies"
	case resource:
		return false, "resource-based policies of what a role calls"
	case trust:
		return false, "trust policies"
	}
	return true, ""
}
