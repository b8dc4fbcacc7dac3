// Package alarmblind finds CloudWatch alarms on CodePipeline that can never tell anybody of a failure. It is asked only about a whole account,
// and never calls an alarm blind whose metric CloudWatch lists.
package alarmblind

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	namespaceCase   = "namespace-case"
	metricUnknown   = "metric-unknown"
	dimensionKey    = "dimension-key"
	pipelineUnknown = "pipeline-unknown"
	neverBreaches   = "never-breaches"
	actionsDisabled = "actions-disabled"
	noActions       = "no-actions"
)

// What CodePipeline publishes (docs/aws-facts.md, "Metrics of CodePipeline").
const (
	namespace = "AWS/CodePipeline"
	failed    = "FailedPipelineExecutions"
	duration  = "PipelineDuration"
	dimension = "PipelineName"
)

// Fault is the fault alarm-blind.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code:     "alarm-blind",
		Doc:      doc(),
		Reads:    []fact.Kind{fact.KindAlarm, fact.KindMetric, fact.KindPipelineList, fact.KindPipeline, fact.KindConnection},
		Diagnose: diagnose,
		Plan:     draft,
	}
}

// diagnose looks at the alarms of the Regions asked, when the whole account is asked about. Those who ask about one pipeline or connection
// want to know why it is stuck, and no alarm is the reason.
func diagnose(s *fact.Snapshot) fault.Judgement {
	q := s.Question()
	if len(q.Targets) > 0 {
		_, needs := fault.Subjects(s)
		return fault.Judgement{Needs: needs}
	}
	var j fault.Judgement
	for _, region := range q.Regions {
		scope := fact.Scope{Account: q.Account, Region: region}
		j.Need(fact.Query{Scope: scope, Kind: fact.KindAlarm}, fault.ListQuery(scope))
		for _, a := range alarms(s, scope) {
			f, asks, found := judge(s, scope, a)
			j.Help(asks...)
			if found {
				j.Findings = append(j.Findings, f)
			}
		}
	}
	return j
}

// alarms are the alarms of a Region that watch CodePipeline, each once.
func alarms(s *fact.Snapshot, scope fact.Scope) []fact.Alarm {
	var all []fact.Alarm
	for a := range fact.All[fact.Alarm](s) {
		newest, _ := fact.Get[fact.Alarm](s, a.Ref())
		if a.Ref().Scope == scope && slices.ContainsFunc(watched(newest), about) && !slices.ContainsFunc(all, func(x fact.Alarm) bool { return x.ARN == a.ARN }) {
			all = append(all, newest)
		}
	}
	return all
}

// watched are the metrics of an alarm: the one, or those of its expression.
func watched(a fact.Alarm) []fact.AlarmMetric {
	if len(a.Metrics) > 0 {
		return a.Metrics
	}
	return []fact.AlarmMetric{{Namespace: a.Namespace, Metric: a.Metric, Dimensions: a.Dimensions, Statistic: a.Statistic}}
}

func about(m fact.AlarmMetric) bool { return strings.EqualFold(m.Namespace, namespace) }

// judge is what is wrong with an alarm: with the first of its metrics that is wrong, else with what it does.
func judge(s *fact.Snapshot, scope fact.Scope, a fact.Alarm) (f fault.Finding, asks []fact.Query, found bool) {
	f = fault.Finding{
		Title: doc().Title, Severity: fault.Low, Bucket: fault.Configuration, About: a.Ref(),
		Subject: fault.Subject{Kind: "alarm", ARN: a.ARN, Name: a.Name, Account: scope.Account, Region: scope.Region},
		Since:   fault.Stamp(a.Changed), Link: fault.AlarmLink(s.Question(), scope.Region, a.Name),
	}
	f.Details.More = map[string]string{}
	for _, m := range watched(a) {
		if !about(m) {
			continue
		}
		listed := fact.Query{Scope: scope, Kind: fact.KindMetric, ID: m.Namespace}
		if cause, ok := nothing(s, scope, a, m, &f); ok {
			if cause.Code != pipelineUnknown {
				asks = append(asks, listed)
			}
			if exists(s, scope, m) {
				continue // CloudWatch lists it: newer than this program, or published by somebody
			}
			f.Cause = cause
			f.Evidence = append(f.Evidence, seen(s, listed)...)
			return complete(f, a), asks, true
		}
	}
	switch {
	case never(a):
		f.Cause = fault.Cause{Code: neverBreaches, Class: fault.Inferred, Text: fmt.Sprintf("%s %s %s can never be: what CodePipeline publishes is never below zero.", a.Metric, a.Comparison, number(a.Threshold))}
		f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, a, a.Name+"/ComparisonOperator", a.Comparison+" "+number(a.Threshold), "GreaterThanThreshold 0"))
	case !a.Enabled:
		f.Cause = fault.Cause{Code: actionsDisabled, Class: fault.Verified, Text: "Its actions are switched off: it changes its state and tells nobody."}
		f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, a, a.Name+"/ActionsEnabled", "false", "true"))
	case len(a.Actions) == 0 && !inComposite(s, scope, a):
		f.Severity = fault.Info
		f.Cause = fault.Cause{Code: noActions, Class: fault.Verified, Text: "It has no action for the state ALARM, and no composite alarm of the Region looks at it: only who looks at the console or at its events learns of it."}
		f.Evidence = append(f.Evidence, fault.Ev(fault.Verified, a, a.Name+"/AlarmActions", "", "an SNS topic"))
	default:
		return f, asks, false
	}
	return complete(f, a), asks, true
}

// nothing reports whether nothing is ever published under a metric of an alarm, as CodePipeline's documentation has it.
func nothing(s *fact.Snapshot, scope fact.Scope, a fact.Alarm, m fact.AlarmMetric, f *fault.Finding) (fault.Cause, bool) {
	says := func(code, field, got, want, text string) (fault.Cause, bool) {
		f.Evidence = []fault.Evidence{fault.Ev(fault.Verified, a, a.Name+"/"+field, got, want)}
		return fault.Cause{Code: code, Class: fault.Inferred, Text: text}, true
	}
	names := slices.Sorted(maps.Keys(m.Dimensions))
	switch {
	case m.Namespace != namespace:
		return says(namespaceCase, "Namespace", m.Namespace, namespace, fmt.Sprintf("It watches the namespace %s; CodePipeline publishes to %s, and CloudWatch tells upper case from lower case.", m.Namespace, namespace))
	case m.Metric != failed && m.Metric != duration:
		return says(metricUnknown, "MetricName", m.Metric, failed, fmt.Sprintf("It watches the metric %s; CodePipeline documents %s and %s and no other.", m.Metric, failed, duration))
	case len(names) > 1 || len(names) == 1 && names[0] != dimension:
		return says(dimensionKey, "Dimensions", strings.Join(names, ","), dimension, fmt.Sprintf("Its dimensions are %s; CodePipeline publishes by %s alone, or without one for the whole account, and CloudWatch wants all dimensions to be the same.", strings.Join(names, ", "), dimension))
	}
	name, ok := m.Dimensions[dimension]
	if !ok || !s.Answered(fault.ListQuery(scope)) || slices.Contains(fault.Listed(s, scope), name) {
		return fault.Cause{}, false
	}
	f.Details.More["pipeline"] = name
	c, _ := says(pipelineUnknown, "Dimensions/"+dimension, name, "the name of a pipeline", fmt.Sprintf("It watches the pipeline %s, which does not exist in %s.", name, scope.Region))
	c.Class = fault.Verified // the list of pipelines was read to its end
	return c, true
}

// exists reports whether CloudWatch lists a metric, with the dimensions that the alarm wants.
func exists(s *fact.Snapshot, scope fact.Scope, m fact.AlarmMetric) bool {
	for x := range fact.All[fact.Metric](s) {
		if x.Ref().Scope == scope && x.Namespace == m.Namespace && x.Name == m.Metric && fmt.Sprint(x.Dimensions) == fmt.Sprint(m.Dimensions) {
			return true
		}
	}
	return false
}

// seen says that CloudWatch does not list the metric either, where the list was read.
func seen(s *fact.Snapshot, q fact.Query) []fault.Evidence {
	if !s.Answered(q) {
		return nil
	}
	return []fault.Evidence{{Class: fault.Verified, Field: "ListMetrics/" + q.ID, Got: "not listed", Text: "it lists what had data in the last two weeks", Source: s.LastReply(q)}}
}

// never reports whether an alarm waits for a count or a duration below zero.
func never(a fact.Alarm) bool {
	if len(a.Metrics) > 0 {
		return false
	}
	return a.Comparison == "LessThanThreshold" && a.Threshold <= 0 || a.Comparison == "LessThanOrEqualToThreshold" && a.Threshold < 0
}

// inComposite reports whether a composite alarm of the Region names the alarm, or may be one that does.
func inComposite(s *fact.Snapshot, scope fact.Scope, a fact.Alarm) bool {
	for c := range fact.All[fact.CompositeAlarm](s) {
		if c.Ref().Scope == scope && (strings.Contains(c.Rule, a.Name) || strings.Contains(c.Rule, a.ARN)) {
			return true
		}
	}
	return false
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// complete words a finding.
func complete(f fault.Finding, a fact.Alarm) fault.Finding {
	f.Message = fmt.Sprintf("The alarm %s tells nobody of a failed pipeline. %s", a.Name, f.Cause.Text)
	f.Remedy = command(f, a)
	return f
}
