// Package connectiondenied finds pipelines whose role may not use their connection, usually because its policy names only one
// of the two service prefixes. It never takes a simulation for proof: AWS's refusal comes first, the simulator only explains it.
package connectiondenied

import (
	"fmt"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
)

// The causes.
const (
	lacksBoth    = "lacks-both-prefixes"
	lacksOld     = "lacks-codestar-connections"
	lacksNew     = "lacks-codeconnections"
	unknownCause = "unknown"
)

const (
	useNew = "codeconnections:UseConnection"
	useOld = "codestar-connections:UseConnection"
)

// Fault is the fault connection-denied.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "connection-denied",
		Doc: fault.Doc{
			Title:   "Pipeline's role may not use its connection",
			Symptom: `The Source stage fails with "Unable to use Connection ... The provided role does not have sufficient permissions" although the connection is AVAILABLE.`,
			Text: "AWS CodeConnections was renamed from CodeStar Connections in 2024 and both prefixes live on. A pipeline's role needs UseConnection under both, " +
				"whatever the prefix of the ARN. A policy that names only one of them looks right and does not work.",
			Causes: []fault.CauseDoc{
				{Code: lacksBoth, Text: "The role is allowed neither.", Evidence: "AWS's refusal, and the simulator says no to both actions.", Remedy: "Allow both actions on the connection."},
				{Code: lacksOld, Text: "The role lacks codestar-connections:UseConnection.", Evidence: "AWS's refusal, and the simulator says no to this action only.", Remedy: "Allow this action as well."},
				{Code: lacksNew, Text: "The role lacks codeconnections:UseConnection.", Evidence: "AWS's refusal, and the simulator says no to this action only.", Remedy: "Allow this action as well."},
				{Code: unknownCause, Text: "AWS refuses; why cannot be seen.", Evidence: "AWS's refusal alone.", Remedy: "Check identity policies, boundary and service control policies for both actions."},
			},
			See:      []string{"aws iam simulate-principal-policy --policy-source-arn ROLE --action-names codeconnections:UseConnection codestar-connections:UseConnection --resource-arns CONNECTION"},
			Remedy:   "Allow codeconnections:UseConnection and codestar-connections:UseConnection on the connection to the pipeline's role, then retry the stage.",
			Severity: fault.High, Bucket: fault.IAM, Since: "0.1.0",
			Links: []string{"https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html"},
		},
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindConnection, fact.KindSimulation, fact.KindPolicyCheck, fact.KindEvent},
		Explains: []fault.Code{"source-stale"},
		Diagnose: diagnose,
	}
}

// diagnose looks at the latest run of every connection source of the pipelines asked about.
func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		for _, a := range p.Sources {
			j.Need(fault.StateQuery(p.Ref().Scope, p.Name))
			for _, src := range fault.Sources(s, p, a.Connection) {
				if src.Action.Name != a.Name || !src.Failed() || fault.Read(src.State.Error) != fault.SignatureDenied {
					continue
				}
				c, known, absent, settles := fault.Connection(s, a.Connection)
				j.Need(settles)
				if absent {
					continue // a dead ARN gives the same text, whatever the role may do
				}
				f, asks := judge(s, src, c)
				j.Help(asks...)
				if known || f.Cause.Class == fault.Simulated { // else it may be dead all the same
					j.Findings = append(j.Findings, f)
				}
			}
		}
	}
	return j
}

func judge(s *fact.Snapshot, src fault.Source, c fact.Connection) (fault.Finding, []fact.Query) {
	p, arn := src.Pipeline, src.Action.Connection
	role := p.RoleARN
	if src.Action.RoleARN != "" {
		role = src.Action.RoleARN
	}
	ask := fact.Query{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindSimulation, ID: role,
		Args: map[string]string{"actions": useNew + "," + useOld, "resources": arn}}
	said := fault.Ev(fault.Reported, src.Seen, p.Name+"/"+src.Stage.Name+"/"+src.Action.Name, src.State.Status, "Succeeded")
	said.Text = src.State.Error
	f := fault.Finding{
		Title: "Pipeline's role may not use its connection", Severity: fault.High, Bucket: fault.IAM,
		Subject: fault.PipelineSubject(p), About: p.Ref(), Since: fault.Stamp(src.State.Changed),
		Affects:  []fault.Subject{fault.ConnectionSubject(arn, c.Name)},
		Evidence: []fault.Evidence{said},
		Link:     fault.PipelineLink(s.Question(), p),
		Message:  fmt.Sprintf("AWS refuses the role of %s the use of its connection.", p.Name),
	}
	f.Cause, f.Remedy = cause(s, role, arn)
	f.Evidence = append(f.Evidence, proof(s, role, arn)...)
	f.Details.More = map[string]string{"role": role, "connection": arn}
	asks := append(writes(s), ask)
	if f.Cause.Code != unknownCause {
		var check fact.Query
		f.Details.Grant, check = grant(s, p, role, arn)
		asks = append(asks, check)
	}
	return f, asks
}

// writes asks for the IAM calls that can have taken the right away; they are logged in us-east-1.
func writes(s *fact.Snapshot) []fact.Query {
	var all []fact.Query
	for _, name := range []string{"DeleteRolePolicy", "PutRolePolicy", "DetachRolePolicy"} {
		all = append(all, fact.Query{Scope: fact.Scope{Account: s.Question().Account, Region: "us-east-1"}, Kind: fact.KindEvent, ID: name})
	}
	return all
}

// grant is the least policy that lets a role use a connection, under both prefixes and on both forms of its ARN.
func grant(s *fact.Snapshot, p fact.Pipeline, role, arn string) (*fault.Grant, fact.Query) {
	text := op.LeastPolicy(useNew, arn, "", "").String()
	q := fact.Query{Scope: p.Ref().Scope, Kind: fact.KindPolicyCheck, ID: string(fact.DigestOf(text))[7:23], Args: map[string]string{"document": text}}
	return &fault.Grant{To: role, Document: []byte(text), Class: fault.Inferred, Checked: fault.Checked(s, []fact.Query{q})}, q
}

func simulation(s *fact.Snapshot, role, arn string) (sim fact.Simulation, newOK, oldOK, known bool) {
	for x := range fact.All[fact.Simulation](s) {
		if x.Principal != role {
			continue
		}
		n, ok1 := x.Decision(useNew, arn)
		o, ok2 := x.Decision(useOld, arn)
		if ok1 && ok2 {
			return x, n.Allowed, o.Allowed, true
		}
	}
	return sim, false, false, false
}

func cause(s *fact.Snapshot, role, arn string) (fault.Cause, string) {
	_, newOK, oldOK, known := simulation(s, role, arn)
	allow := func(actions ...string) string {
		return "Allow " + strings.Join(actions, " and ") + " on " + arn + " to " + role + ", then retry the stage."
	}
	switch {
	case !known, newOK && oldOK:
		text := "AWS refuses it; which policy says no cannot be seen."
		if known && newOK && oldOK {
			text = "AWS refused it, yet the simulator would allow it: the policy changed since, or something it cannot see says no (session, boundary on a condition)."
		}
		return fault.Cause{Code: unknownCause, Class: fault.Unclear, Text: text}, "Check the role's policies for both actions, then retry the stage."
	case !newOK && !oldOK:
		return fault.Cause{Code: lacksBoth, Class: fault.Simulated, Text: "The role is allowed UseConnection under neither prefix."}, allow(useNew, useOld)
	case !oldOK:
		return fault.Cause{Code: lacksOld, Class: fault.Simulated, Text: "The role lacks " + useOld + "; it needs both prefixes."}, allow(useOld)
	}
	return fault.Cause{Code: lacksNew, Class: fault.Simulated, Text: "The role lacks " + useNew + "; it needs both prefixes."}, allow(useNew)
}

func proof(s *fact.Snapshot, role, arn string) []fault.Evidence {
	sim, newOK, oldOK, known := simulation(s, role, arn)
	if !known {
		return nil
	}
	word := map[bool]string{true: "allowed", false: "denied"}
	return []fault.Evidence{
		fault.Ev(fault.Simulated, sim, useNew, word[newOK], "allowed"),
		fault.Ev(fault.Simulated, sim, useOld, word[oldOK], "allowed"),
	}
}
