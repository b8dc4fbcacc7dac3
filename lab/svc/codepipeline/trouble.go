package codepipeline

import (
	"fmt"
	"time"
)

// Kind is a kind of trouble that a service has.
type Kind string

// The kinds of trouble.
const (
	Throttled Kind = "throttled" // others call the service so often that AWS refuses some calls for their rate
	Exhausted Kind = "exhausted" // others use up the quota that the action's call needs
	Disturbed Kind = "disturbed" // the service itself fails
)

// trouble is what a service has in a Region, for one account or, with account "", for all.
type trouble struct {
	kind                     Kind
	service, account, region string
	until                    time.Time
}

// Trouble lets a service have a trouble in a Region for a time: for the actions of pipelines, not for other callers. Account "" means
// every account, region "" every Region. Only codepipeline and what actions call can have one.
func (s *Service) Trouble(kind Kind, service, account, region string, length time.Duration) error {
	if !Troubled(service) {
		return fmt.Errorf("trouble %s: no action of a pipeline calls it", service)
	}
	s.troubles = append(s.troubles, trouble{kind, service, account, region, s.c.Now().Add(length)})
	return nil
}

// Troubled reports whether a service can have a trouble: codepipeline itself, or one that actions call.
func Troubled(service string) bool {
	switch service {
	case "codepipeline", "codebuild", "codedeploy", "cloudformation", "lambda", "ecs", "s3":
		return true
	}
	return false
}

// troubleWith finds the trouble a service has now; nil when it has none.
func (s *Service) troubleWith(service, account, region string) *trouble {
	for i := range s.troubles {
		t := &s.troubles[i]
		if t.service == service && (t.account == "" || t.account == account) && (t.region == "" || t.region == region) && s.c.Now().Before(t.until) {
			return t
		}
	}
	return nil
}

// code is the error code with which a service refuses a call.
func (t *trouble) code(k call) string {
	codes := map[string]string{"codebuild": "AccountLimitExceededException", "codedeploy": "DeploymentLimitExceededException", "lambda": "TooManyRequestsException"}
	switch {
	case t.kind == Disturbed && k.service == "cloudformation":
		return "InternalFailure"
	case t.kind == Disturbed:
		return "InternalServiceError"
	case t.kind == Throttled && k.service == "cloudformation":
		return "Throttling"
	case t.kind == Throttled && k.service == "lambda":
		return "TooManyRequestsException"
	case t.kind == Throttled && k.service == "s3":
		return "SlowDown"
	case t.kind == Throttled:
		return "ThrottlingException"
	case codes[k.service] != "":
		return codes[k.service]
	}
	return "LimitExceededException"
}

// text is what the service says. The one about builds is known from public reports; the others say what the API reference says
// about the error.
func (t *trouble) text(k call) string {
	switch {
	case t.kind == Disturbed:
		return "An internal error occurred. Please retry your request."
	case t.kind == Throttled && k.service == "s3":
		return "Please reduce your request rate."
	case t.kind == Throttled || k.service == "lambda":
		return "Rate exceeded"
	case k.service == "codebuild":
		return "Cannot have more than 60 builds in queue for the account"
	case k.service == "codedeploy":
		return "The number of allowed deployments was exceeded."
	case k.service == "cloudformation":
		return "Limit for stack has been exceeded"
	}
	return "The limit for the resource was exceeded."
}

func (t *trouble) status(k call) int {
	switch {
	case t.kind == Disturbed:
		return 500
	case t.kind == Throttled && k.service == "s3":
		return 503
	case k.service == "lambda":
		return 429
	}
	return 400
}

// disturbed is how an action fails while CodePipeline itself has trouble. AWS's troubleshooting page names the code; the text is
// not published.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html
func (p *pipeline) disturbed(run *actionRun) *outcome {
	if t := p.s.troubleWith("codepipeline", p.account, p.region); t == nil || t.kind != Disturbed {
		return nil
	}
	return &outcome{code: "InternalError", message: "Internal Error. [Execution ID: " + run.id + "]"}
}

// HangAction makes the runs of an action go on until their time is over; FreeAction ends that for later runs.
func (s *Service) HangAction(account, region, pipeline, stage, action string) {
	s.hangs[failKey(account, region, pipeline, stage, action)] = true
}

// FreeAction lets the later runs of an action that HangAction made hang end by themselves again.
func (s *Service) FreeAction(account, region, pipeline, stage, action string) {
	delete(s.hangs, failKey(account, region, pipeline, stage, action))
}

// limitOf is how long an action may run. timeoutInMinutes is for approvals alone.
// https://docs.aws.amazon.com/general/latest/gr/codepipeline.html
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html
func (p *pipeline) limitOf(a declared) time.Duration {
	const hour = 3600
	seconds := func(code string, def int) time.Duration {
		return time.Duration(p.s.c.Limit(p.account, p.region, code, def)) * time.Second
	}
	switch {
	case a.typeOf("category") == "Approval":
		return patience(a)
	case a.typeOf("owner") == "Custom":
		return 24 * time.Hour
	}
	switch a.typeOf("provider") {
	case "CodeBuild":
		return 36 * time.Hour
	case "CloudFormation":
		return seconds("L-447DD651", 72*hour)
	case "CodeDeploy":
		return seconds("L-CE1F2EE9", 120*hour)
	case "Lambda":
		return seconds("L-912817AD", 24*hour)
	case "S3":
		if a.typeOf("category") == "Deploy" {
			return seconds("L-ABB870A7", 90*60)
		}
	}
	return seconds("L-5AA45A27", hour)
}

// timedOut is how an action fails whose time is over. The text about functions is known from public reports; that about all others
// is not published.
func timedOut(a declared, limit time.Duration) outcome {
	if a.typeOf("provider") == "Lambda" {
		return outcome{code: "JobFailed", message: fmt.Sprintf("The AWS Lambda function %s failed to return a result. Check the function to verify that it has permission to call "+
			"the PutJobSuccessResult action and that it made a call to PutJobSuccessResult.", a.configuration()["FunctionName"])}
	}
	return outcome{code: "JobFailed", message: fmt.Sprintf("The action timed out: it did not end within %d minutes.", int(limit.Minutes()))}
}
