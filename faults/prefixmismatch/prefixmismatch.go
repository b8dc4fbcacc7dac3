// Package prefixmismatch finds what was written for one service prefix of connections and meets the other: a role's policy, or the ARN in
// a definition. It never calls a policy the cause where a Deny, a condition or something above the role may be it.
package prefixmismatch

import (
	"fmt"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
)

const (
	useNew = "codeconnections:UseConnection"
	useOld = "codestar-connections:UseConnection"
)

// diagnose looks at the sources of the pipelines asked about, and at builds that clone for themselves: at those that were refused, and at
// those that work where the question names the pipeline.
func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	told := map[string]bool{} // connections whose ARN is the wrong one
	for _, p := range pipelines {
		for _, a := range p.Sources {
			j.Need(fault.StateQuery(p.Ref().Scope, p.Name))
			_, known, absent, settles := fault.Connection(s, a.Connection)
			if absent {
				if !told[a.Connection] {
					dead(s, &j, a.Connection)
				}
				told[a.Connection] = true
				continue
			}
			for _, src := range fault.Sources(s, p, a.Connection) {
				u := use{Current: fault.Current{Pipeline: p, Stage: src.Stage, Action: src.Action, State: src.State, Seen: src.Seen}, connection: a.Connection}
				u.role = u.Role()
				u.works = src.State.Status == "Succeeded" && fault.Targeted(s, p.Name, p.Ref().Scope.Region)
				if src.Action.Name != a.Name || !u.works && (!src.Failed() || fault.Read(src.State.Error) != fault.SignatureDenied) {
					continue
				}
				j.Need(settles)
				if known {
					u.find(s, &j)
				}
			}
		}
		for _, u := range clones(s, p) {
			_, known, _, settles := fault.Connection(s, u.connection)
			j.Need(settles)
			if known {
				u.find(s, &j)
			}
		}
	}
	return j
}

// use is the use of a connection by an action of a pipeline.
type use struct {
	fault.Current
	connection string // ARN
	role       string // "" when it is not known
	works      bool   // it came through the last time
	clone      bool   // a build fetches the repository itself
}

// clones are the failed builds of a pipeline that were refused the connection of a full clone.
func clones(s *fact.Snapshot, p fact.Pipeline) []use {
	fails, _ := fault.Fails(s, p)
	var all []use
	for _, c := range fails {
		d, ok := fact.ParseDenial(c.State.Error)
		if c.Action.Provider != "CodeBuild" || c.Action.Project == "" || !ok || !strings.HasSuffix(d.Action, ":UseConnection") {
			continue
		}
		u := use{Current: c, connection: d.Resource, clone: true}
		q := u.projectQuery()
		if x, ok := fact.Get[fact.Project](s, fact.Ref{Scope: q.Scope, Kind: q.Kind, ID: q.ID}); ok {
			u.role = x.Role
		}
		all = append(all, u)
	}
	return all
}

// projectQuery asks for the build's project, in the action's own Region.
func (u use) projectQuery() fact.Query {
	scope := u.Pipeline.Ref().Scope
	if u.Action.Region != "" {
		scope.Region = u.Action.Region
	}
	return fact.Query{Scope: scope, Kind: fact.KindProject, ID: u.Action.Project}
}

// find judges a use. What refused it must be seen for a Clear; of a use that works nothing needs to be.
func (u use) find(s *fact.Snapshot, j *fault.Judgement) {
	ask := j.Need
	if u.works {
		ask = j.Help
	}
	if u.clone {
		ask(u.projectQuery())
	}
	account := s.Question().Account
	if a, err := fact.ParseARN(u.role); err != nil || a.Account != account {
		return // another account's policies cannot be read or simulated from here
	}
	v := look(s, u.role, u.connection)
	ask(v.simulationQuery(account))
	policies := fact.Query{Scope: fact.Scope{Account: account}, Kind: fact.KindPolicies, ID: u.role}
	switch {
	case v.settled && len(v.denied()) == 2: // what they name decides
		ask(policies)
	case v.settled && (!v.simulated || len(v.denied()) > 0):
		j.Help(policies)
	}
	m, ok := v.mismatch()
	if !ok || u.works && !(v.simulated && v.read) {
		return
	}
	f, helps := u.finding(s, v, m)
	j.Findings = append(j.Findings, f)
	j.Help(helps...)
}

func (u use) finding(s *fact.Snapshot, v view, m mismatch) (fault.Finding, []fact.Query) {
	p := u.Pipeline
	c, _, _, _ := fault.Connection(s, u.connection)
	f := fault.Finding{
		Title: "Role may use the connection under one service prefix only", Severity: fault.High, Bucket: fault.IAM,
		Subject: fault.PipelineSubject(p), About: p.Ref(), Since: fault.Stamp(u.State.Changed),
		Affects:  []fault.Subject{fault.ConnectionSubject(u.connection, c.Name)},
		Evidence: append([]fault.Evidence{u.Evidence(), fault.Ev(fault.Verified, c, "ConnectionArn", c.ARN, "")}, v.evidence(m)...),
		Link:     fault.PipelineLink(s.Question(), p),
		Message:  fmt.Sprintf("AWS refuses the role of %s its connection: the role's policies were written for the other service prefix.", p.Name),
		Cause:    fault.Cause{Code: m.cause, Class: m.class, Text: m.text},
		Remedy:   "Allow " + useNew + " and " + useOld + " on both forms of the ARN to " + u.role + ", then retry the stage: unjam fix " + p.Name,
	}
	switch {
	case u.clone:
		f.Message = fmt.Sprintf("AWS refuses the role of the project %s the connection of %s: the role's policies were written for the other service prefix.", u.Action.Project, p.Name)
	case u.works:
		f.Title = "Role may use the connection under one service prefix only, though it came through the last time"
		f.Severity = fault.Low
		f.Since = ""
		f.Message = fmt.Sprintf("The source of %s came through the last time, but its role may use the connection under one service prefix only: the next run is likely refused.", p.Name)
		f.Remedy = "Allow " + useNew + " and " + useOld + " on both forms of the ARN to " + u.role + ": unjam fix " + p.Name
	}
	f.Evidence = append(f.Evidence, declared(s, u.connection)...)
	f.Details.More = map[string]string{"connection": u.connection, "role": u.role, "action": u.Stage.Name + "/" + u.Action.Name}
	text := op.LeastPolicy(op.Need{Action: useNew, Resource: u.connection}).String()
	checks := []fact.Query{{Scope: p.Ref().Scope, Kind: fact.KindPolicyCheck, ID: string(fact.DigestOf(text))[7:23], Args: map[string]string{"document": text}}}
	f.Details.Grant = &fault.Grant{To: u.role, Document: []byte(text), Class: fault.Inferred, Checked: fault.Checked(s, checks)}
	return f, append(checks, fault.UpdateAsks(p)...)
}

// declared is where a Terraform file names the connection under the prefix that it does not have.
func declared(s *fact.Snapshot, arn string) []fault.Evidence {
	twin := twinOf(arn)
	var all []fault.Evidence
	for d := range fact.All[fact.Declared](s) {
		for _, path := range d.Values.Paths() {
			if twin != "" && strings.Contains(d.Values.Text(path), twin) {
				all = append(all, fault.Ev(fault.Inferred, d, d.Address+" "+path, twin, arn))
			}
		}
	}
	return all
}

// twinOf is the ARN of a connection with the other service prefix; "" for anything else.
func twinOf(arn string) string {
	a, err := fact.ParseARN(arn)
	if err != nil || !a.IsConnection() {
		return ""
	}
	if a.Service == "codeconnections" {
		a.Service = "codestar-connections"
	} else {
		a.Service = "codeconnections"
	}
	return a.String()
}
