package stackactionfailed

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
)

// verdict is why an action failed.
type verdict struct {
	cause, text, message string
	class                fault.Class
	bucket               fault.Bucket
	evidence             []fault.Evidence
	failed               fact.StackEvent // the first failure, where one was seen
	over                 bool            // what was in the way is not any more
	grant                *fault.Grant
}

// verdict decides in the order of what can be known: what the action itself was told before anything was deployed, the state that the
// stack is stuck in, the change set, and then the events.
func (d *deployed) verdict(s *fact.Snapshot) (verdict, bool) {
	for _, judge := range []func(*fact.Snapshot) (verdict, bool){d.refused, d.stuck, d.changes, d.resource, d.away, d.unread} {
		if v, ok := judge(s); ok {
			if v.bucket == "" {
				v.bucket = fault.Configuration
			}
			return v, true
		}
	}
	return verdict{}, false
}

// refused are the failures of which the text alone tells: nothing was deployed.
func (d *deployed) refused(*fact.Snapshot) (verdict, bool) {
	denial, _ := fact.ParseDenial(d.State.Error)
	v := verdict{class: fault.Reported}
	switch {
	case denial.Action == "iam:PassRole":
		v.cause, v.bucket = passRole, fault.IAM
		v.message = fmt.Sprintf("its role may not hand the role %s over to CloudFormation.", nameOf(d.handed(denial)))
		v.text = "AWS says that " + nameOf(d.Role()) + " may not pass " + nameOf(d.handed(denial)) + because(denial)
		if grantable(denial) {
			v.grant = passGrant(d.Role(), d.handed(denial))
		}
	case d.says("requires capabilities"), d.says("insufficientcapabilities"):
		v.cause = capability
		v.message = "the template of " + d.where() + " demands a capability that the action does not acknowledge."
		v.text = "AWS says: " + oneLine(d.State.Error) + ". The action acknowledges " + orNone(d.Action.Capabilities) + "."
	case d.says("does not exist in artifact"), d.says("not found in artifact"), d.says("artifact", "no such file"):
		v.cause = template
		v.message = "the template of " + d.where() + " is not in the artifact."
		v.text = "AWS says: " + oneLine(d.State.Error) + ". The action's TemplatePath is " + orNone(d.Action.Template) + "."
	default:
		return v, false
	}
	return v, true
}

// stuck are the states of a stack in which an update is refused.
func (d *deployed) stuck(s *fact.Snapshot) (verdict, bool) {
	said := d.state()
	is := func(states ...string) bool {
		return slices.Contains(states, said) || said == "" && d.known && d.older() && slices.Contains(states, d.stack.Status)
	}
	v := verdict{class: fault.Reported}
	if d.known && (said == "" || said == d.stack.Status) {
		v.class = fault.Verified
	}
	switch {
	case is("UPDATE_ROLLBACK_FAILED"), d.known && d.stack.Status == "UPDATE_ROLLBACK_FAILED" && d.mine():
		v.cause, v.class = rollbackStuck, fault.Reported
		v.message = d.where() + " is stuck in the rollback of an update."
		v.text = "The stack was in UPDATE_ROLLBACK_FAILED: nothing can be deployed until its rollback is continued and ends."
		if d.known && d.stack.Status == "UPDATE_ROLLBACK_FAILED" {
			v.class = fault.Verified
		}
		d.last(&v)
		d.first(s, &v)
	case is("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
		v.cause = rolledBack
		state := said
		if state == "" {
			state = d.stack.Status
		}
		v.message = d.where() + " is left over from a creation that failed, and cannot be updated."
		v.text = "The stack was in " + state + ": it can only be deleted, and then be created again."
		d.first(s, &v)
	case strings.HasSuffix(said, "_IN_PROGRESS"), said == "" && d.known && d.older() && d.stack.InProgress():
		v.cause = otherUpdate
		v.message = "another operation of " + d.where() + " was under way."
		v.text = "Somebody else's operation had begun before the action did: a stack does one thing at a time."
		if d.seen && !d.events.Began.IsZero() {
			v.text = "An operation that began at " + fault.Stamp(d.events.Began) + " was under way: a stack does one thing at a time."
			v.evidence = append(v.evidence, fault.Ev(fault.Reported, d.events, d.Action.StackName+"/operation began", fault.Stamp(d.events.Began), ""))
		}
	default:
		return v, false
	}
	if v.over = d.over(v.cause); v.over {
		v.text += " That is over by now."
	}
	return v, true
}

// changes are the failures of change sets.
func (d *deployed) changes(*fact.Snapshot) (verdict, bool) {
	empty := func(text string) bool {
		t := strings.ToLower(text)
		return strings.Contains(t, "didn't contain changes") || strings.Contains(t, "no updates are to be performed")
	}
	v := verdict{class: fault.Reported}
	missing := d.says("changeset", "does not exist") || d.says("changesetnotfound")
	switch {
	case !strings.HasPrefix(d.Action.StackMode, "CHANGE_SET_"):
		return v, false
	case empty(d.State.Error), d.hasSet && d.set.Status == "FAILED" && empty(d.set.Reason) && !d.mine():
		v.cause = changeSetEmpty
		v.message = "the change set " + d.Action.ChangeSet + " of " + d.where() + " holds no change."
		v.text = "The template and its parameters are what the stack has already: there is nothing to deploy."
	case missing, d.noSet && d.Action.StackMode == "CHANGE_SET_EXECUTE" && d.older():
		v.cause = changeSetMissing
		v.message = "the change set " + d.Action.ChangeSet + " of " + d.where() + " does not exist."
		v.text = "Nothing made the change set, somebody executed or deleted it, or another change set of the stack was executed, which deletes all others."
		if d.absent {
			v.text = "The stack does not exist, and neither does its change set: an action with CHANGE_SET_REPLACE has to come first."
		}
		if d.noSet {
			v.class = fault.Verified
		}
	default:
		return v, false
	}
	if d.hasSet {
		e := fault.Ev(fault.Verified, d.set, d.Action.StackName+"/"+d.set.Name, d.set.Status, "CREATE_COMPLETE")
		e.Text = d.set.Reason
		v.evidence, v.class = append(v.evidence, e), fault.Verified
	}
	return v, true
}

// resource is the first thing that failed in the stack itself.
func (d *deployed) resource(s *fact.Snapshot) (verdict, bool) {
	v := verdict{class: fault.Reported}
	if d.mine() {
		d.first(s, &v)
	}
	reason := v.failed.Reason
	switch {
	case v.failed.Logical != "":
		v.message = fmt.Sprintf("%s (%s) of %s failed: %s", v.failed.Logical, v.failed.Type, d.where(), oneLine(reason))
		v.text = fmt.Sprintf("The first failure is that of %s (%s), %s: %s", v.failed.Logical, v.failed.Type, v.failed.Status, oneLine(reason))
	case d.says("resource handler returned message"), d.deniedHand(): // the events were not read, and the text has the reason
		reason = d.State.Error
		v.message = "a resource of " + d.where() + " failed: " + oneLine(reason)
		v.text = "AWS says: " + oneLine(reason)
	default:
		return v, false
	}
	denial, denied := fact.ParseDenial(reason)
	switch {
	case denied:
		v.cause, v.bucket = resourceDenied, fault.IAM
		v.text += " " + nameOf(denial.Principal) + " lacks " + denial.Action + because(denial)
		if grantable(denial) {
			v.grant = grant(fact.RoleARN(denial.Principal), denial.Action, orAll(denial.Resource), nil)
		}
	case strings.Contains(reason, "HandlerErrorCode: AccessDenied"):
		v.cause, v.bucket = resourceDenied, fault.IAM
	case fault.Told(reason) == fault.Limit:
		v.cause, v.bucket = resourceQuota, fault.Quota
	default:
		v.cause = resourceFailed
	}
	return v, true
}

// deniedHand reports whether the text is a refusal of the session in which CloudFormation works.
func (d *deployed) deniedHand() bool {
	denial, named := fact.ParseDenial(d.State.Error)
	return named && denial.Action != "iam:PassRole" && fault.OfStack(d.Current)
}

// away is what is left to say of a stack that cannot be read from here.
func (d *deployed) away(*fact.Snapshot) (verdict, bool) {
	if !d.foreign {
		return verdict{}, false
	}
	return verdict{
		cause: elsewhere, class: fault.Inferred,
		message: d.where() + " belongs to another account, and only its events tell why.",
		text:    "The action's role " + nameOf(d.Action.RoleARN) + " is of account " + d.scope.Account + ". AWS says: " + orNone(oneLine(d.State.Error)),
	}, true
}

// unread is what is left to say where the text is about the stack and the stack cannot be read.
func (d *deployed) unread(s *fact.Snapshot) (verdict, bool) {
	if !d.readable() && !d.foreign {
		return verdict{
			cause: unknownCause, class: fault.Unclear, message: "the name of its stack is a variable, so that its events were not read.",
			text: "The stack is called " + d.Action.StackName + ", which only the run knew. AWS says: " + orNone(oneLine(d.State.Error)),
		}, true
	}
	if d.foreign || d.seen || !fault.OfStack(d.Current) {
		return verdict{}, false
	}
	if _, lost := s.GapOf(d.eventsQuery(d.Action.StackName)); !lost {
		return verdict{}, false
	}
	return verdict{
		cause: unknownCause, class: fault.Unclear,
		message: d.where() + " failed, and its events could not be read.",
		text:    "The first failure among the stack's events would tell why; cloudformation:DescribeStackEvents shows them. AWS says: " + oneLine(d.State.Error),
	}, true
}

// first adds the first failure of the operation to the evidence.
func (d *deployed) first(s *fact.Snapshot, v *verdict) {
	e, from, trail, ok := d.failed(s)
	if !ok {
		return
	}
	v.failed = e
	v.failed.Logical = strings.Join(trail, "/")
	ev := fault.Ev(fault.Reported, from, d.Action.StackName+"/"+v.failed.Logical, e.Status, "")
	ev.Text = e.Type + ": " + oneLine(e.Reason)
	v.evidence = append(v.evidence, ev)
}

// last adds what kept the rollback from ending: the last failure of the operation.
func (d *deployed) last(v *verdict) {
	for _, e := range slices.Backward(d.events.Events) {
		if e.Own || !strings.HasSuffix(e.Status, "_FAILED") || e.Cancelled() {
			continue
		}
		ev := fault.Ev(fault.Reported, d.events, d.Action.StackName+"/"+e.Logical, e.Status, "")
		ev.Text = "last failure; " + e.Type + ": " + oneLine(e.Reason)
		v.evidence = append(v.evidence, ev)
		v.text += " " + e.Logical + " (" + e.Type + ") could not be rolled back: " + oneLine(e.Reason)
		return
	}
}

// handed is the role that was to be handed over.
func (d *deployed) handed(denial fact.Denial) string {
	if denial.Resource != "" {
		return denial.Resource
	}
	return d.Action.StackRole
}

func because(d fact.Denial) string {
	if w := d.Words(); w != "" {
		return ": " + w + "."
	}
	return "; the text does not say which policy decides."
}

// grantable reports whether a policy of the role would mend a refusal, as far as AWS says.
func grantable(d fact.Denial) bool { return d.By == "identity-based policy" && !d.Explicit }

func passGrant(to, role string) *fault.Grant {
	return grant(to, "iam:PassRole", role, map[string]map[string]string{"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}})
}

// grant is the least policy that would mend a refusal.
func grant(to, action, resource string, condition map[string]map[string]string) *fault.Grant {
	doc := op.Document{Version: "2012-10-17", Statement: []op.Statement{{Effect: "Allow", Action: []string{action}, Resource: []string{resource}, Condition: condition}}}
	return &fault.Grant{To: to, Document: []byte(doc.String()), Checked: "not checked: AWS names this action and resource", Class: fault.Reported}
}

// nameOf is the last part of an ARN, or the text itself.
func nameOf(arn string) string {
	if a, err := fact.ParseARN(fact.RoleARN(arn)); err == nil {
		return a.Name()
	}
	return orNone(arn)
}

func orNone(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

func orAll(resource string) string {
	if resource == "" {
		return "*"
	}
	return resource
}
