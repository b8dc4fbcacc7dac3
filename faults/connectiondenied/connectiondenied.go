// Package connectiondenied finds pipelines and builds whose role may not use a connection, usually because its policy names only one
// of the two service prefixes. It never takes a simulation for proof: AWS's refusal comes first, the simulator only explains it.
package connectiondenied

import (
	"fmt"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// diagnose looks at the latest run of every connection source of the pipelines asked about, and at builds that clone for themselves.
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
				r := refusal{Current: fault.Current{Pipeline: p, Stage: src.Stage, Action: src.Action, State: src.State, Seen: src.Seen},
					connection: a.Connection, repository: a.Repository}
				r.role = r.Role()
				r.find(s, &j)
			}
		}
		for _, r := range clones(s, p) {
			r.find(s, &j)
		}
	}
	return j
}

// refusal is the refusal of a connection to a role.
type refusal struct {
	fault.Current
	connection string // ARN
	repository string // OWNER/NAME of the source
	role       string // "" when it is not known
	clone      bool   // a build fetches the repository itself, with the role of its project
}

// find judges a refusal, unless the connection does not exist: a dead ARN gives the same text, whatever the role may do.
func (r refusal) find(s *fact.Snapshot, j *fault.Judgement) {
	c, known, absent, settles := fault.Connection(s, r.connection)
	j.Need(settles)
	if absent {
		return
	}
	f, asks := r.judge(s, c)
	j.Help(asks...)
	if known || f.Cause.Class == fault.Simulated { // else it may be dead all the same
		j.Findings = append(j.Findings, f)
	}
}

func (r refusal) judge(s *fact.Snapshot, c fact.Connection) (fault.Finding, []fact.Query) {
	p := r.Pipeline
	f := fault.Finding{
		Title: "Pipeline's role may not use its connection", Severity: fault.High, Bucket: fault.IAM,
		Subject: fault.PipelineSubject(p), About: p.Ref(), Since: fault.Stamp(r.State.Changed),
		Affects:  []fault.Subject{fault.ConnectionSubject(r.connection, c.Name)},
		Evidence: []fault.Evidence{r.Evidence()},
		Link:     fault.PipelineLink(s.Question(), p),
		Message:  fmt.Sprintf("AWS refuses the role of %s the use of its connection.", p.Name),
	}
	if r.clone {
		f.Title = "A build may not clone through the pipeline's connection"
		f.Message = fmt.Sprintf("AWS refuses the role of the project %s the use of the connection of %s.", r.Action.Project, p.Name)
	}
	f.Cause, f.Remedy = r.cause(s)
	f.Evidence = append(f.Evidence, r.proof(s)...)
	f.Details.More = map[string]string{"connection": r.connection, "action": r.Stage.Name + "/" + r.Action.Name}
	if r.role != "" {
		f.Details.More["role"] = r.role
	}
	asks := r.asks(s)
	if f.Cause.Code != unknownCause && r.role != "" && r.mendable(s) {
		var checks []fact.Query
		f.Details.Grant, checks = r.grant(s)
		asks = append(asks, checks...)
	}
	return f, asks
}
