package codepipeline

import (
	"fmt"
	"slices"
	"time"
)

// publish shows the present to readers, who see it with the cloud's lag. Only what can have changed is shown anew: the stages, the
// runs that are open and their actions; runs that have ended are done with.
func (p *pipeline) publish() {
	c := p.s.c
	for _, e := range p.open {
		for _, run := range e.actions {
			if !run.shown {
				run.seen.Set(c, run.actionFacts)
				run.shown = run.status != "InProgress"
			}
		}
		e.seen.Set(c, e.runFacts)
	}
	p.open = slices.DeleteFunc(p.open, func(e *execution) bool { return !e.running() })
	var stages []any
	names, actions := stagesOf(p.current())
	for _, n := range names {
		stages = append(stages, p.stageState(n, actions[n]))
	}
	p.state.Set(c, stages)
}

// asSeen is the execution as readers see it; false when they do not yet.
func (e *execution) asSeen() (*execution, bool) {
	facts, ok := e.seen.Seen(e.p.s.c)
	copied := *e
	copied.runFacts = facts
	return &copied, ok
}

// asSeen is the run of the action as readers see it; false when they do not yet.
func (run *actionRun) asSeen() (*actionRun, bool) {
	facts, ok := run.seen.Seen(run.e.p.s.c)
	copied := *run
	copied.actionFacts = facts
	return &copied, ok
}

func (p *pipeline) stageState(name string, actions []declared) map[string]any {
	st, tr := p.stages[name], p.transitions[name]
	inbound := map[string]any{"enabled": !tr.disabled}
	if !tr.at.IsZero() {
		inbound["lastChangedBy"], inbound["lastChangedAt"] = tr.by, tr.at
	}
	if tr.disabled {
		inbound["disabledReason"] = tr.reason
	}
	out := map[string]any{"stageName": name, "inboundTransitionState": inbound}
	if e := st.latest; e != nil {
		out["latestExecution"] = map[string]any{"pipelineExecutionId": e.id, "status": p.stageStatus(e, name)}
	}
	var inbounds []any
	for _, e := range st.waiting {
		inbounds = append(inbounds, map[string]any{"pipelineExecutionId": e.id, "status": "InProgress"})
	}
	if inbounds != nil {
		out["inboundExecution"], out["inboundExecutions"] = inbounds[0], inbounds
	}
	var states []any
	for _, a := range actions {
		states = append(states, p.actionState(st, name, a))
	}
	out["actionStates"] = states
	return out
}

// stageStatus is how a stage fared with an execution (StageExecutionStatus).
func (p *pipeline) stageStatus(e *execution, name string) string {
	_, actions := stagesOf(p.versions[e.version-1].decl)
	status := "Succeeded"
	for _, a := range actions[name] {
		run := e.runOf(name, a.name())
		switch {
		case run != nil && run.status == "InProgress":
			if e.status == "Stopping" {
				return "Stopping"
			}
			return "InProgress"
		case run != nil && run.status == "Failed":
			status = "Failed"
		case run == nil || run.status == "Abandoned":
			if status != "Failed" {
				status = "Stopped"
			}
		}
	}
	if status == "Stopped" && e.status != "Stopped" {
		return "Failed"
	}
	return status
}

// errorDetails is what a run that failed shows: the code alone where nothing was said.
func (run *actionRun) errorDetails() map[string]any {
	d := map[string]any{"code": run.code}
	if run.message != "" {
		d["message"] = run.message
	}
	return d
}

func (p *pipeline) actionState(st *stage, stageName string, a declared) map[string]any {
	out := map[string]any{"actionName": a.name()}
	if a.isConnection() {
		conf := a.configuration()
		out["entityUrl"] = fmt.Sprintf("https://%s.console.aws.amazon.com/codesuite/settings/connections/redirect?connectionArn=%s&referenceType=COMMIT&FullRepositoryId=%s",
			p.region, conf["ConnectionArn"], conf["FullRepositoryId"])
	}
	run := st.actions[a.name()]
	if run == nil {
		return out
	}
	latest := map[string]any{"actionExecutionId": run.id, "status": run.status, "lastStatusChange": run.changed}
	if run.summary != "" {
		latest["summary"] = run.summary
	}
	if run.token != "" {
		latest["token"] = run.token
	}
	if run.external != "" {
		latest["externalExecutionId"] = run.external
	}
	if run.by != "" {
		latest["lastUpdatedBy"] = run.by
	}
	if run.code != "" {
		latest["errorDetails"] = run.errorDetails()
	}
	out["latestExecution"] = latest
	if run.revision != nil {
		out["currentRevision"] = map[string]any{"revisionId": run.revision.id, "revisionChangeId": run.revision.id, "created": run.revision.at}
		out["revisionUrl"] = run.revision.url
	}
	return out
}

func (e *execution) triggerReply() map[string]any {
	return map[string]any{"triggerType": e.trigger.kind, "triggerDetail": e.trigger.detail}
}

func (e *execution) mode() string {
	if m, _ := e.p.versions[e.version-1].decl["executionMode"].(string); m != "" {
		return m
	}
	return "SUPERSEDED"
}

func (e *execution) summaryReply() map[string]any {
	out := map[string]any{"pipelineExecutionId": e.id, "status": e.status, "startTime": e.began, "lastUpdateTime": e.updated,
		"trigger": e.triggerReply(), "executionMode": e.mode(), "executionType": "STANDARD"}
	var revs []any
	for _, r := range e.revisions {
		revs = append(revs, map[string]any{"actionName": r.action, "revisionId": r.id, "revisionSummary": r.summary, "revisionUrl": r.url})
	}
	out["sourceRevisions"] = revs
	if e.summary != "" {
		out["statusSummary"] = e.summary
	}
	if e.stopping {
		out["stopTrigger"] = map[string]any{}
		if e.reason != "" {
			out["stopTrigger"] = map[string]any{"reason": e.reason}
		}
	}
	return out
}

func (e *execution) reply() map[string]any {
	out := map[string]any{"pipelineName": e.p.name, "pipelineVersion": e.version, "pipelineExecutionId": e.id, "status": e.status,
		"trigger": e.triggerReply(), "executionMode": e.mode(), "executionType": "STANDARD"}
	var revs []any
	for _, r := range e.revisions {
		m := map[string]any{"revisionId": r.id, "revisionSummary": r.summary, "revisionUrl": r.url, "created": r.at}
		if r.artifact != "" {
			m["name"] = r.artifact
		}
		revs = append(revs, m)
	}
	out["artifactRevisions"] = revs
	if len(e.inputs.variables) > 0 {
		out["variables"] = e.inputs.variables
	}
	if e.summary != "" {
		out["statusSummary"] = e.summary
	}
	return out
}

// detail is an action's run as ListActionExecutions shows it.
func (run *actionRun) detail() map[string]any {
	p := run.e.p
	conf := map[string]any{}
	for k, v := range run.decl.configuration() {
		conf[k] = v
	}
	in := map[string]any{"configuration": conf, "resolvedConfiguration": conf, "region": p.region}
	if t, ok := run.decl["actionTypeId"].(map[string]any); ok {
		in["actionTypeId"] = t
	}
	if r, _ := run.decl["roleArn"].(string); r != "" {
		in["roleArn"] = r
	}
	if n, _ := run.decl["namespace"].(string); n != "" {
		in["namespace"] = n
	}
	result := map[string]any{}
	if run.external != "" {
		result["externalExecutionId"] = run.external
	}
	if s := firstOf(run.summary, run.message); s != "" {
		result["externalExecutionSummary"] = s
	}
	if run.revision != nil {
		result["externalExecutionId"], result["externalExecutionUrl"] = run.revision.id, run.revision.url
	}
	if run.code != "" {
		result["errorDetails"] = run.errorDetails()
	}
	out := map[string]any{"executionResult": result}
	if run.variables != nil {
		out["outputVariables"] = run.variables
	}
	return map[string]any{"pipelineExecutionId": run.e.id, "actionExecutionId": run.id, "pipelineVersion": run.e.version, "stageName": run.stage,
		"actionName": run.name, "startTime": run.began, "lastUpdateTime": run.changed, "status": run.status, "input": in, "output": out}
}

func firstOf(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// metadata is what GetPipeline says beside the declaration.
func (p *pipeline) metadata(n int) map[string]any {
	return map[string]any{"pipelineArn": p.arn(), "created": p.created, "updated": p.versionAt(n)}
}

func (p *pipeline) versionAt(n int) time.Time { return p.versions[n-1].at }
