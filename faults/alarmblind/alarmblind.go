// Package alarmblind finds CloudWatch alarms on pipelines that can never go off, or tell nobody when they do. It never calls an alarm
// blind that has shown to get data, and never an alarm on a metric of one's own.
package alarmblind

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes, what is wrong most first.
const (
	namespaceCase    = "namespace-case"
	metricUnknown    = "metric-unknown"
	dimensionUnknown = "dimension-unknown"
	pipelineGone     = "pipeline-gone"
	tellsNobody      = "tells-nobody"
)

// What CodePipeline publishes (docs/aws-facts.md, "Alarms on pipelines").
const (
	namespace = "AWS/CodePipeline"
	failed    = "FailedPipelineExecutions"
	duration  = "PipelineDuration"
	dimension = "PipelineName"
)

// Fault is the fault alarm-blind.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "alarm-blind", Doc: doc(),
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindAlarm},
		Diagnose: diagnose,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	_, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	if len(s.Question().Targets) > 0 {
		return j // a blind alarm is never why a pipeline stands
	}
	for _, region := range s.Question().Regions {
		scope := fact.Scope{Account: s.Question().Account, Region: region}
		j.Need(fact.Query{Scope: scope, Kind: fact.KindAlarm})
	}
	for a := range fact.All[fact.Alarm](s) {
		if c, e, blind := judge(s, a); blind {
			j.Findings = append(j.Findings, finding(a, c, e))
		}
	}
	return j
}

// judge says what is wrong with an alarm: of its first metric that is wrong, else of its actions.
func judge(s *fact.Snapshot, a fact.Alarm) (fault.Cause, fault.Evidence, bool) {
	if !fed(a) {
		for _, w := range a.Watches {
			if c, e, blind := metric(s, a, w); blind {
				return c, e, true
			}
		}
	}
	switch {
	case !a.Enabled:
		return fault.Cause{Code: tellsNobody, Class: fault.Verified, Text: "Its actions are switched off."}, fault.Ev(fault.Verified, a, "ActionsEnabled", "false", "true"), true
	case len(a.Actions) == 0:
		return fault.Cause{Code: tellsNobody, Class: fault.Verified, Text: "It has no action: it may go off, and nobody is told by it."}, fault.Ev(fault.Verified, a, "AlarmActions", "none", "a topic"), true
	}
	return fault.Cause{}, fault.Evidence{}, false
}

// fed reports whether its state shows that it gets data, whatever the documentation says of its metric: missing data alone leads to one
// state only.
func fed(a fact.Alarm) bool {
	switch a.Missing {
	case "notBreaching":
		return a.State == "ALARM"
	case "breaching":
		return a.State == "OK"
	}
	return a.State == "OK" || a.State == "ALARM"
}

func metric(s *fact.Snapshot, a fact.Alarm, w fact.Watched) (fault.Cause, fault.Evidence, bool) {
	cause := func(code string, class fault.Class, field, got, want, format string, args ...any) (fault.Cause, fault.Evidence, bool) {
		return fault.Cause{Code: code, Class: class, Text: fmt.Sprintf(format, args...)}, fault.Ev(fault.Verified, a, field, got, want), true
	}
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(w.Dimensions)), func(name string) bool { return name == dimension })
	name := w.Dimensions[dimension]
	switch {
	case w.Namespace != namespace:
		return cause(namespaceCase, fault.Inferred, "Namespace", w.Namespace, namespace, "Namespaces are case-sensitive: nothing publishes to %s, CodePipeline publishes to %s.", w.Namespace, namespace)
	case w.Metric != failed && w.Metric != duration:
		return cause(metricUnknown, fault.Inferred, "MetricName", w.Metric, failed+" or "+duration, "CodePipeline documents no metric %s.", w.Metric)
	case len(others) > 0:
		return cause(dimensionUnknown, fault.Inferred, "Dimensions", strings.Join(others, ", "), dimension, "CodePipeline's metrics have the dimension %s; %s is none of theirs.", dimension, strings.Join(others, ", "))
	case name != "" && !listed(s, a.Ref().Scope, name):
		return cause(pipelineGone, fault.Verified, "Dimensions."+dimension, name, "a pipeline of "+a.Ref().Scope.Region, "%s has no pipeline %s.", a.Ref().Scope.Region, name)
	}
	return fault.Cause{}, fault.Evidence{}, false
}

// listed reports whether a Region has a pipeline; also when its list is not read, since then nothing can be said.
func listed(s *fact.Snapshot, scope fact.Scope, name string) bool {
	return !s.Answered(fault.ListQuery(scope)) || slices.Contains(fault.Listed(s, scope), name)
}

func finding(a fact.Alarm, c fault.Cause, e fault.Evidence) fault.Finding {
	scope := a.Ref().Scope
	f := fault.Finding{
		Title: "An alarm on a pipeline never goes off", Severity: fault.Low, Bucket: fault.Configuration, About: a.Ref(), Cause: c,
		Subject:  fault.Subject{Kind: "alarm", ARN: a.ARN, Name: a.Name, Account: scope.Account, Region: scope.Region},
		Since:    fault.Stamp(a.Put),
		Evidence: []fault.Evidence{e, fault.Ev(fault.Verified, a, "StateValue", a.State, "")},
		Message:  fmt.Sprintf("Alarm %q can never go off: %s", a.Name, c.Text),
		Remedy:   "Put the alarm anew, where it is written: " + strings.NewReplacer("REGION", scope.Region, "NAME", word(a.Name), "PIPELINE", pipelineOf(a), "TOPIC", topicOf(a)).Replace(command),
	}
	switch c.Code {
	case tellsNobody:
		f.Title, f.Message = "An alarm on a pipeline tells nobody", fmt.Sprintf("Alarm %q tells nobody when it goes off: %s", a.Name, c.Text)
		f.Remedy = "Give it a topic where it is written. Actions that are switched off: aws cloudwatch enable-alarm-actions --region " + scope.Region + " --alarm-names " + word(a.Name)
	case pipelineGone:
		f.Remedy = "Watch the pipeline that took its place, or delete it: aws cloudwatch delete-alarms --region " + scope.Region + " --alarm-names " + word(a.Name)
	}
	return f
}

// pipelineOf is the pipeline that an alarm means, however its dimension is called.
func pipelineOf(a fact.Alarm) string {
	for _, w := range a.Watches {
		for _, name := range slices.Sorted(maps.Keys(w.Dimensions)) {
			return w.Dimensions[name]
		}
	}
	return "PIPELINE"
}

func topicOf(a fact.Alarm) string {
	if len(a.Actions) == 0 {
		return "TOPIC"
	}
	return strings.Join(a.Actions, " ")
}

// word is a name as a shell takes it.
func word(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return strings.ContainsRune(" '\"\\$`!*?&|;<>()[]{}#~\t", r) }) {
		return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	return name
}
