// Package stackactionfailed finds out why a CloudFormation action of a pipeline failed: the first thing that went wrong in the stack, or the
// state that the stack is stuck in. It never deletes a stack and never continues a rollback: that is for a person.
package stackactionfailed

import (
	"fmt"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	resourceFailed   = "resource-failed"
	resourceDenied   = "resource-denied"
	resourceQuota    = "resource-quota"
	rolledBack       = "rollback-complete"
	rollbackStuck    = "update-rollback-failed"
	otherUpdate      = "other-update-in-progress"
	changeSetEmpty   = "change-set-empty"
	changeSetMissing = "change-set-missing"
	capability       = "capability-missing"
	passRole         = "pass-role-denied"
	template         = "template-missing"
	elsewhere        = "stack-elsewhere"
	unknownCause     = "unknown"
)

// diagnose looks at every failed CloudFormation action. All of one pipeline are one finding.
func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		fails, state := fault.Fails(s, p)
		j.Need(state)
		var first *fault.Finding
		for _, c := range fails {
			if !stacks(c) || !own(c) {
				continue
			}
			d := look(s, c)
			j.Need(d.needs()...)
			f, ok := d.judge(s)
			j.Help(d.helps...)
			switch {
			case !ok:
			case first == nil:
				first = &f
			default: // the same stage may deploy to several places
				first.Evidence = append(first.Evidence, f.Evidence...)
				first.Message += " " + f.Message
			}
		}
		if first != nil {
			j.Findings = append(j.Findings, *first)
		}
	}
	return j
}

// stacks reports whether an action deploys a stack.
func stacks(c fault.Current) bool {
	return c.Action.Provider == "CloudFormation" && c.Action.Owner == "AWS" && c.Action.StackName != ""
}

// own reports whether a failure is for this fault: a call of the action itself that was refused is another's.
func own(c fault.Current) bool {
	if fault.OfStack(c) {
		return true
	}
	_, denied := fact.ParseDenial(c.State.Error)
	return !denied && fact.EncodedMessage(c.State.Error) == "" && fault.Told(c.State.ErrorCode+" "+c.State.Error) == fault.NoLimit
}

// judge is the finding about one action; false when nothing that this fault knows explains it.
func (d *deployed) judge(s *fact.Snapshot) (fault.Finding, bool) {
	v, ok := d.verdict(s)
	if !ok {
		return fault.Finding{}, false
	}
	p := d.Pipeline
	f := fault.Finding{
		Title: "A CloudFormation action failed", Severity: fault.High, Bucket: v.bucket, Subject: fault.PipelineSubject(p), About: p.Ref(),
		Since: fault.Stamp(d.State.Changed), Link: fault.PipelineLink(s.Question(), p),
		Message: fmt.Sprintf("%s of %s failed: %s", d.Action.Name, p.Name, v.message),
		Cause:   fault.Cause{Code: v.cause, Class: v.class, Text: v.text},
		Remedy:  d.remedy(v), Evidence: append([]fault.Evidence{d.Evidence()}, v.evidence...),
	}
	if d.known {
		f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, d.stack, d.Action.StackName+"/StackStatus", d.stack.Status, ""))
	}
	f.Details.More = map[string]string{"action": d.Stage.Name + "/" + d.Action.Name, "stack": d.name(), "stackName": d.Action.StackName, "account": d.scope.Account, "region": d.scope.Region,
		"stackLink": fault.StackLink(s.Question(), d.scope.Region, d.name())}
	if d.known {
		f.Details.More["status"] = d.stack.Status
	}
	if v.failed.Logical != "" {
		f.Details.More["resource"], f.Details.More["type"], f.Details.More["reason"] = v.failed.Logical, v.failed.Type, v.failed.Reason
	}
	f.Details.Grant = v.grant
	return f, true
}

// name is the stack's ARN or, where that is not known, its name.
func (d *deployed) name() string {
	if d.known && d.stack.ARN != "" {
		return d.stack.ARN
	}
	return d.Action.StackName
}

// where says where a stack is, as far as it is not where the pipeline is.
func (d *deployed) where() string {
	home := d.Pipeline.Ref().Scope
	switch {
	case d.scope.Account != home.Account:
		return "stack " + d.Action.StackName + " (account " + d.scope.Account + ", Region " + d.scope.Region + ")"
	case d.scope.Region != home.Region:
		return "stack " + d.Action.StackName + " (Region " + d.scope.Region + ")"
	}
	return "stack " + d.Action.StackName
}

// oneLine is a text without its line breaks, verbatim else.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
