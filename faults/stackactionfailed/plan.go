package stackactionfailed

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

// How long a step is waited for: a person who deletes a stack may want a day, a deployment a few hours. CodePipeline itself gives a
// CloudFormation action three days (docs/aws-facts.md, "Quotas").
const (
	personPatience = 24 * time.Hour
	stackPatience  = 6 * time.Hour
)

// remedy is one line on what to do about a verdict.
func (d *deployed) remedy(v verdict) string {
	again := " Then retry the stage."
	if v.over {
		return "Retry the stage, or start the pipeline when its definition was changed since."
	}
	switch v.cause {
	case rolledBack:
		return fmt.Sprintf("Mend what failed, delete the stack, then retry the stage: %s. Or set ActionMode to REPLACE_ON_FAILURE, which deletes a failed stack by itself.", d.command("delete-stack"))
	case rollbackStuck:
		return fmt.Sprintf("Mend what keeps the rollback from ending, continue it, then retry the stage: %s", d.command("continue-update-rollback"))
	case otherUpdate:
		return "Wait until the other operation is over." + again
	case changeSetEmpty:
		return "There is nothing to deploy: push a change. Where runs without one are wanted, let the pipeline update the stack without a change set (ActionMode CREATE_UPDATE)."
	case changeSetMissing:
		return "Start the pipeline again from the action that makes the change set, and execute it by the pipeline alone."
	case capability:
		return "Add the capability that the text names to Capabilities of the action, after you have read what the template makes."
	case passRole:
		return "Allow iam:PassRole on that role, for cloudformation.amazonaws.com only." + again
	case template:
		return "Correct TemplatePath, or put the file into the artifact: names are case-sensitive, and what a build makes is only in the build's own artifact."
	case unknownCause:
		return "Find the first failure that is no cancellation: " + d.command("describe-stack-events") + d.leftover()
	case elsewhere:
		return fmt.Sprintf("Look with credentials of account %s: %s", d.scope.Account, d.command("describe-stack-events"))
	case resourceDenied:
		return "Let the role that CloudFormation works with do what was refused." + d.leftover() + again
	case resourceQuota:
		return "Make room or request an increase of the quota that the text names." + d.leftover() + again
	}
	return "Mend what the text names, in the template or in the account." + d.leftover() + " Then push, or retry the stage."
}

// leftover says what has to go before the stage can be retried.
func (d *deployed) leftover() string {
	if d.known && d.stack.Status == "ROLLBACK_COMPLETE" && d.Action.StackMode != "REPLACE_ON_FAILURE" {
		return " What the failed creation left can only be deleted: " + d.command("delete-stack") + "."
	}
	return ""
}

// command is a command line of the AWS CLI about the stack.
func (d *deployed) command(name string) string {
	return command(name, d.scope.Region, d.Action.StackName)
}

func command(name, region, stack string) string {
	return fmt.Sprintf("aws cloudformation %s --region %s --stack-name %s", name, region, stack)
}

// draft plans what lets the stage run again: a person deletes the stack or continues its rollback, or the other operation ends, and then
// the stage is retried. The program itself does nothing to a stack. Where the template or a permission has to change there is no plan.
func draft(s *fact.Snapshot, f fault.Finding, o plan.Options) plan.Draft {
	more := f.Details.More
	scope := fact.Scope{Account: more["account"], Region: more["region"]}
	ref := fact.StackRef(scope, more["stackName"])
	c, known := current(s, f)
	if !known || scope.Account != s.Question().Account {
		return plan.Draft{Notes: []string{"Not planned: " + f.Remedy}}
	}
	stuck := f.Cause.Code == otherUpdate || f.Cause.Code == rollbackStuck || f.Cause.Code == rolledBack
	if stuck && look(s, c).over(f.Cause.Code) { // somebody has seen to it since
		return again(f, c, o, nil)
	}
	step := plan.Step{ID: "stack-" + scope.Region + "-" + more["stackName"], Target: ref, Kind: plan.Human, Patience: personPatience}
	switch {
	case f.Cause.Code == otherUpdate:
		step.Kind, step.Title, step.Patience = plan.Wait, "the other operation of "+more["stackName"]+" ends", stackPatience
		step.DoneWhen = []plan.Check{{Ref: ref, Field: "updatable", Op: plan.Is, Value: "yes"}}
		step.FailWhen = []plan.Check{{Ref: ref, Field: "status", Op: plan.Is, Value: "UPDATE_ROLLBACK_FAILED"}}
	case f.Cause.Code == rollbackStuck:
		step.Title = "continue the rollback of " + more["stackName"]
		step.DoneWhen = []plan.Check{{Ref: ref, Field: "updatable", Op: plan.Is, Value: "yes"}}
		step.Say = guide(f, "Mend what keeps the rollback from ending: "+reason(f)+".",
			command("continue-update-rollback", scope.Region, more["stackName"]),
			"Only if a resource cannot be mended: add --resources-to-skip with its logical ID. CloudFormation then takes it for rolled back although it is not: the stack no longer says what there is.")
		step.OneWay = "a rollback that has ended cannot be taken back"
	case f.Cause.Code == rolledBack, more["status"] == "ROLLBACK_COMPLETE" && c.Action.StackMode != "REPLACE_ON_FAILURE" && strings.HasPrefix(f.Cause.Code, "resource-"):
		step.Title = "delete what is left of " + more["stackName"]
		step.DoneWhen = []plan.Check{{Ref: ref, Op: plan.Absent}}
		step.Say = guide(f, "Mend first what failed, or it fails again: "+reason(f)+".",
			"See what the stack still has; what its template does not retain is deleted with it: "+command("describe-stack-resources", scope.Region, more["stackName"]),
			command("delete-stack", scope.Region, more["stackName"]))
		step.OneWay = "a deleted stack does not come back, and what it had is gone with it"
	default:
		return plan.Draft{Notes: []string{"Not planned: " + f.Remedy}}
	}
	step.SkipWhen = step.DoneWhen
	return again(f, c, o, &step)
}

// again is the retry of the stage, after a step where there is one, and the check.
func again(f fault.Finding, c fault.Current, o plan.Options, first *plan.Step) plan.Draft {
	var d plan.Draft
	var after []string
	if first != nil {
		d.Steps, after = append(d.Steps, *first), []string{first.ID}
	}
	if o.NoRestart {
		d.Notes = []string{"The stage is not retried (--no-restart)."}
		return d
	}
	retry := fault.Retry(c, after, stackPatience)
	d.Steps = append(d.Steps, retry, plan.Step{
		ID: "verify-" + retry.ID, Title: "the diagnosis again: " + f.Subject.Name + " is no longer stuck", Kind: plan.Verify, Target: f.About,
		After: []string{retry.ID}, Verdict: string(f.Code), Patience: 5 * time.Minute,
	})
	return d
}

// current finds the action that a finding is about.
func current(s *fact.Snapshot, f fault.Finding) (fault.Current, bool) {
	p, ok := fact.Get[fact.Pipeline](s, f.About)
	if !ok {
		return fault.Current{}, false
	}
	fails, _ := fault.Fails(s, p)
	for _, c := range fails {
		if c.Stage.Name+"/"+c.Action.Name == f.Details.More["action"] {
			return c, true
		}
	}
	return fault.Current{}, false
}

// guide is what a person is told about a stack, the commands in their order.
func guide(f fault.Finding, checklist ...string) *plan.Guide {
	more := f.Details.More
	return &plan.Guide{
		Link: more["stackLink"], Where: "account " + more["account"] + ", Region " + more["region"],
		Role: "somebody who may change the stack " + more["stackName"], Checklist: checklist,
		Handover: fmt.Sprintf("The stack %s (account %s, Region %s) keeps the pipeline %s from deploying: %s", more["stackName"], more["account"], more["region"], f.Subject.Name, f.Cause.Text),
	}
}

// reason is what failed first, as far as it is known.
func reason(f fault.Finding) string {
	if r := f.Details.More["resource"]; r != "" {
		return r + ": " + oneLine(f.Details.More["reason"])
	}
	return "the stack's events tell what it was"
}
