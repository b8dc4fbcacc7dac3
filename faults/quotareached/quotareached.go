// Package quotareached finds limits of AWS CodePipeline and AWS CodeConnections that are reached: counts against quotas, refusals for a
// limit, and throttling, which is told apart from them. It never takes a rate for a quota: waiting cures only the former.
package quotareached

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	pipelinesFull   = "pipelines"
	connectionsFull = "connections"
	actionsFull     = "custom-actions"
	webhooksFull    = "webhooks"
	runsFull        = "active-executions"
	limitRefused    = "limit-exceeded"
	throttled       = "throttled"
)

// Limits (docs/aws-facts.md, "Quotas").
const (
	maxPipelines   = 1000 // per Region by default, L-78D200AD, adjustable
	maxActions     = 50   // custom ones, per Region by default, L-519D5A90, adjustable
	maxWebhooks    = 300  // per Region by default, L-FE939BB2, adjustable
	maxConnections = 250  // per account by default, adjustable, unknown to Service Quotas
	maxActive      = 50   // executions of a QUEUED or PARALLEL pipeline at once, fixed
)

// The codes of Service Quotas (docs/aws-facts.md, "Quotas").
const (
	pipelineQuota = "L-78D200AD"
	actionQuota   = "L-519D5A90"
	webhookQuota  = "L-FE939BB2"
)

// Fault is the fault quota-reached.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "quota-reached",
		Doc: fault.Doc{
			Title:   "A limit of the account is reached",
			Symptom: "Creating a pipeline or connection fails with LimitExceededException, a run fails at once without a message, or an action fails with a limit or a rate in its text.",
			Text: "CodePipeline and CodeConnections limit what an account may have. A quota stays reached until something is removed or the quota is raised; a rate (\"Rate exceeded\") " +
				"passes by itself. The SDKs retry LimitExceededException like a rate, which only loses time.",
			Causes: []fault.CauseDoc{
				{Code: pipelinesFull, Text: "The Region holds as many pipelines as the quota allows.", Evidence: "The list of pipelines counted against Service Quotas.", Remedy: "Delete pipelines nobody uses or request an increase; that may take two weeks."},
				{Code: actionsFull, Text: "The Region holds as many custom actions as the quota allows.", Evidence: "ListActionTypes counted against Service Quotas.", Remedy: "Delete custom actions nobody uses, but know that a deleted version's name cannot be used again; or request an increase."},
				{Code: webhooksFull, Text: "The Region holds as many webhooks as the quota allows.", Evidence: "ListWebhooks counted against Service Quotas.", Remedy: "Delete webhooks of old sources; connections need none."},
				{Code: connectionsFull, Text: "The account holds as many connections as the quota allows.", Evidence: "The list of connections counted against the documented limit, or a refused CreateConnection.", Remedy: "Delete connections nobody uses or request an increase."},
				{Code: runsFull, Text: "A QUEUED or PARALLEL pipeline has 50 runs at once; the next one fails without a message.", Evidence: "The list of its runs.", Remedy: "Let runs end, stop those nobody needs, find what blocks the queue."},
				{Code: limitRefused, Text: "A service that an action calls refused it for a limit.", Evidence: "The action's error text.", Remedy: "Look up the quota the text names, then retry the stage."},
				{Code: throttled, Text: "A service that an action calls was called too often.", Evidence: "The action's error text names a rate.", Remedy: "Retry the stage later; run fewer stages at once."},
			},
			See:      []string{"aws service-quotas list-service-quotas --service-code codepipeline", "aws codepipeline list-pipeline-executions --pipeline-name PIPELINE"},
			Remedy:   "Make room or request an increase. A rate only wants time.",
			Severity: fault.Medium, Bucket: fault.Quota, Since: "0.2.0",
			Links: []string{"https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html", "https://docs.aws.amazon.com/dtconsole/latest/userguide/limits-connections.html"},
		},
		Reads: []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindConnection, fact.KindExecution, fact.KindQuota, fact.KindActionType,
			fact.KindWebhook, fact.KindEvent},
		Explains: []fault.Code{"source-stale", "execution-queued"},
		Diagnose: diagnose,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		actions(s, p, &j)
		active(s, p, &j)
	}
	if len(s.Question().Targets) == 0 { // counting is for a question about everything: a pipeline that exists was created
		for _, region := range s.Question().Regions {
			regional(s, fact.Scope{Account: s.Question().Account, Region: region}, &j)
		}
	}
	connections(s, &j)
	return j
}

// actions reads the texts of failed actions.
func actions(s *fact.Snapshot, p fact.Pipeline, j *fault.Judgement) {
	fails, state := fault.Fails(s, p)
	j.Need(state)
	for _, c := range fails {
		if fault.OfStack(c) {
			continue // stack-action-failed
		}
		code, text := "", ""
		switch fault.Told(c.State.ErrorCode + " " + c.State.Error) {
		case fault.Rate:
			code, text = throttled, "The service that the action calls was called too often: a rate, which passes by itself."
		case fault.Limit:
			code, text = limitRefused, "The service that the action calls has reached a limit: waiting does not cure it."
		default:
			continue
		}
		f := finding(s, p, code, fault.Reported, text)
		f.Since, f.Evidence = fault.Stamp(c.State.Changed), []fault.Evidence{c.Evidence()}
		f.Message = fmt.Sprintf("%s of %s failed at a limit: %s", c.Action.Name, p.Name, strings.Join(strings.Fields(c.State.Error), " "))
		j.Findings = append(j.Findings, f)
	}
}

// active counts the runs of a pipeline whose mode lets them pile up.
func active(s *fact.Snapshot, p fact.Pipeline, j *fault.Judgement) {
	if p.Mode != "QUEUED" && p.Mode != "PARALLEL" {
		return
	}
	q := fact.Query{Scope: p.Ref().Scope, Kind: fact.KindExecution, ID: p.Name}
	j.Need(q)
	n := 0
	var last fact.Execution
	for e := range fact.All[fact.Execution](s) {
		if e.Ref().Scope == p.Ref().Scope && e.Pipeline == p.Name && (e.Status == "InProgress" || e.Status == "Stopping") {
			n++
			if e.Started.After(last.Started) {
				last = e
			}
		}
	}
	if n < maxActive {
		return
	}
	f := finding(s, p, runsFull, fault.Verified, fmt.Sprintf("It has %d runs at once, which is the limit of a %s pipeline: the next start fails without a message.", n, p.Mode))
	f.Severity = fault.High
	f.Evidence = []fault.Evidence{fault.Ev(fault.Verified, last, "active executions", strconv.Itoa(n), "below "+strconv.Itoa(maxActive))}
	f.Message = fmt.Sprintf("%s has %d runs at once and takes no more.", p.Name, n)
	f.Remedy = "Find what blocks the oldest run, and stop the runs nobody needs."
	j.Findings = append(j.Findings, f)
}

func finding(s *fact.Snapshot, p fact.Pipeline, code string, class fault.Class, text string) fault.Finding {
	f := fault.Finding{
		Title: "A limit is reached", Severity: fault.Medium, Bucket: fault.Quota, Subject: fault.PipelineSubject(p), About: p.Ref(),
		Cause: fault.Cause{Code: code, Class: class, Text: text}, Link: fault.PipelineLink(s.Question(), p),
		Remedy: "Look up the limit that the text names, make room or request an increase, then retry the stage.",
	}
	if code == throttled {
		f.Severity, f.Remedy = fault.Low, "Retry the stage: the rate has passed by now. If it comes back, run fewer stages at once."
	}
	return f
}

// counted is one thing of a Region that has a quota.
type counted struct {
	cause, what, code string
	standard          int // the default
	n                 int
	any               fact.Fact // one of them, for the reply that counted them
}

// regional counts what a Region holds against the applied quotas, or the defaults where those cannot be read.
func regional(s *fact.Snapshot, scope fact.Scope, j *fault.Judgement) {
	q := fact.Query{Scope: scope, Kind: fact.KindQuota, ID: "codepipeline"}
	j.Need(q) // an account may have less than the default
	j.Help(fact.Query{Scope: scope, Kind: fact.KindActionType}, fact.Query{Scope: scope, Kind: fact.KindWebhook})
	if !s.Settled(q) {
		return
	}
	for _, c := range []counted{count[fact.PipelineListed](s, scope, counted{cause: pipelinesFull, what: "pipelines", code: pipelineQuota, standard: maxPipelines}),
		count[fact.CustomActionType](s, scope, counted{cause: actionsFull, what: "custom actions", code: actionQuota, standard: maxActions}),
		count[fact.Webhook](s, scope, counted{cause: webhooksFull, what: "webhooks", code: webhookQuota, standard: maxWebhooks})} {
		if f, full := c.full(s, scope); full {
			j.Findings = append(j.Findings, f)
		}
	}
}

// count counts the facts of a type in a Region.
func count[T fact.Fact](s *fact.Snapshot, scope fact.Scope, c counted) counted {
	seen := map[string]bool{}
	for x := range fact.All[T](s) {
		if x.Ref().Scope == scope && !seen[x.Ref().ID] {
			seen[x.Ref().ID] = true
			c.n, c.any = c.n+1, x
		}
	}
	return c
}

// full is the finding that a quota is reached.
func (c counted) full(s *fact.Snapshot, scope fact.Scope) (fault.Finding, bool) {
	if c.n == 0 {
		return fault.Finding{}, false
	}
	n, limit, class := strconv.Itoa(c.n), c.standard, fault.Inferred
	proof := fault.Ev(fault.Inferred, c.any, c.what, n, "below the default of "+strconv.Itoa(c.standard))
	for x := range fact.All[fact.ServiceQuota](s) {
		if x.Ref().Scope == scope && x.Code == c.code {
			limit, class = int(x.Value), fault.Verified
			proof = fault.Ev(fault.Verified, x, x.Name, n, "below "+strconv.Itoa(limit))
		}
	}
	if c.n < limit {
		return fault.Finding{}, false
	}
	f := account(scope, c.cause, class, fmt.Sprintf("Region %s holds %s %s and its quota is %d: no more can be created.", scope.Region, n, c.what, limit))
	f.Evidence = []fault.Evidence{proof}
	return f, true
}

// connections looks at the count of connections and at refused attempts to create one that the trail shows.
func connections(s *fact.Snapshot, j *fault.Judgement) {
	own, seen := 0, fact.Connection{}
	for c := range fact.All[fact.Connection](s) {
		if a, err := fact.ParseARN(c.ARN); err == nil && a.Account == s.Question().Account && c.ARN != seen.ARN {
			own, seen = own+1, c
		}
	}
	scope := fact.Scope{Account: s.Question().Account, Region: s.Question().Regions[0]}
	refused := refusal(s)
	if own == 0 || (own < maxConnections && refused == nil) {
		return
	}
	f := account(scope, connectionsFull, fault.Inferred, fmt.Sprintf("The account holds %d connections; the documented limit is %d unless it was raised.", own, maxConnections))
	f.Evidence = []fault.Evidence{fault.Ev(fault.Inferred, seen, "connections", strconv.Itoa(own), "below the default of "+strconv.Itoa(maxConnections))}
	if refused != nil {
		f.Cause.Class = fault.Reported
		f.Cause.Text = fmt.Sprintf("AWS refused %s a new connection at %s for the limit; the account holds %d.", refused.Who.Label(), fault.Stamp(refused.Time), own)
		f.Since = fault.Stamp(refused.Time)
		e := fault.Ev(fault.Reported, *refused, refused.Name, refused.ErrorCode, "")
		e.Text = refused.Error
		f.Evidence = append(f.Evidence, e)
	}
	f.Message = "The account takes no more connections."
	f.Remedy = "Delete connections nobody uses, or request an increase of connections per account."
	j.Findings = append(j.Findings, f)
}

// refusal is the newest CreateConnection that was refused for a limit, if none went through after it.
func refusal(s *fact.Snapshot) *fact.Event {
	var last *fact.Event
	for e := range fact.All[fact.Event](s) {
		if e.Name != "CreateConnection" || (last != nil && e.Time.Before(last.Time)) {
			continue
		}
		last = &e
	}
	if last == nil || fault.Told(last.ErrorCode) != fault.Limit {
		return nil
	}
	return last
}

func account(scope fact.Scope, code string, class fault.Class, text string) fault.Finding {
	return fault.Finding{
		Title: "A limit of the account is reached", Severity: fault.Medium, Bucket: fault.Quota,
		Subject: fault.Subject{Kind: "account", ARN: "arn:" + fact.Partition(scope.Region) + ":iam::" + scope.Account + ":root", Name: scope.Account + " " + code, Account: scope.Account, Region: scope.Region},
		About:   fact.Ref{Scope: scope, Kind: fact.KindQuota, ID: code}, Cause: fault.Cause{Code: code, Class: class, Text: text},
		Message: text, Remedy: "Delete what nobody uses, or request an increase: it may take two weeks.",
	}
}
