package fault

import (
	"net/url"
	"strings"

	"github.com/unjam/unjam/internal/fact"
)

// stackSession is the name of the role sessions in which CloudFormation works (docs/aws-facts.md, "Stacks that pipelines deploy").
const stackSession = "/AWSCloudFormation"

// OfStack reports whether the failure of a CloudFormation action is the stack's: its role may not be handed over, or something that it
// deploys failed. All else that the text of such an action says is about a call of the action itself.
func OfStack(c Current) bool {
	if c.Action.Provider != "CloudFormation" || c.Action.Owner != "AWS" {
		return false
	}
	text := strings.ToLower(strings.Join(strings.Fields(c.State.Error), " "))
	for _, w := range []string{"resource handler returned message", "resource(s) failed to", "embedded stack "} {
		if strings.Contains(text, w) {
			return true
		}
	}
	d, named := fact.ParseDenial(c.State.Error)
	return named && (d.Action == "iam:PassRole" || strings.HasSuffix(d.Principal, stackSession))
}

// StackLink is the console's page of a stack's events; stack is its ARN or, where that is not known, its name.
func StackLink(q fact.Question, region, stack string) string {
	return console(q, region) + "/cloudformation/home?region=" + region + "#/stacks/events?stackId=" + url.QueryEscape(stack)
}

// Deploys reports whether an action of a pipeline deploys a stack, which its ARN names.
func Deploys(p fact.Pipeline, stackARN string) bool {
	arn, err := fact.ParseARN(stackARN)
	if err != nil {
		return false
	}
	for _, st := range p.Stages {
		for _, a := range st.Actions {
			if a.StackName == "" {
				continue
			}
			scope := StackScope(p, a)
			if scope.Account == arn.Account && scope.Region == arn.Region && a.StackName == fact.StackName(stackARN) {
				return true
			}
		}
	}
	return false
}

// StackScope is where a CloudFormation action deploys: in the account of the action's role and in the action's Region.
func StackScope(p fact.Pipeline, a fact.Action) fact.Scope {
	scope := p.Ref().Scope
	if a.Region != "" {
		scope.Region = a.Region
	}
	if arn, err := fact.ParseARN(a.RoleARN); err == nil {
		scope.Account = arn.Account
	}
	return scope
}
