package codepipeline_test

import (
	"slices"

	"pgregory.net/rapid"
)

// check reads all that can be read and holds it to the rules, and to what was seen before.
func (w *walk) check(t *rapid.T) {
	runs, details := map[string]map[string]any{}, map[string]map[string]any{}
	for _, e := range w.all(t, "ListPipelineExecutions", "pipelineExecutionSummaries") {
		runs[e["pipelineExecutionId"].(string)] = e
	}
	for _, d := range w.all(t, "ListActionExecutions", "actionExecutionDetails") {
		details[d["actionExecutionId"].(string)] = d
	}
	w.checkRuns(t, runs)
	w.checkActions(t, runs, details)
	w.runs, w.details = runs, details
	w.checkState(t)
}

// all reads a list to its end, in small pages.
func (w *walk) all(t *rapid.T, op, member string) []map[string]any {
	var all []map[string]any
	input := in{"pipelineName": "web", "maxResults": 40}
	for {
		out, _ := w.expect(t, op, input)
		all = append(all, list(out[member])...)
		if out["nextToken"] == nil {
			return all
		}
		input["nextToken"] = out["nextToken"]
	}
}

// moves are the statuses of an execution that can follow one, when nobody retries.
func moves(from any) []string {
	switch from {
	case nil, "InProgress":
		return []string{"InProgress", "Stopping", "Stopped", "Succeeded", "Superseded", "Failed"}
	case "Stopping":
		return []string{"Stopping", "Stopped"}
	}
	return []string{from.(string)}
}

func (w *walk) checkRuns(t *rapid.T, runs map[string]map[string]any) {
	for _, e := range runs {
		if n := len(list(e["sourceRevisions"])); n > 1 { // one source tells revisions, however often it ran
			t.Errorf("%d source revisions in %v", n, e)
		}
	}
	for id, was := range w.runs {
		now, from := runs[id], was["status"]
		if id == w.retried {
			from = "InProgress"
		}
		if now == nil || !slices.Contains(moves(from), now["status"].(string)) {
			t.Errorf("execution %s was %v and is %v", id, was, now)
			continue
		}
		if now["startTime"] != was["startTime"] || now["lastUpdateTime"].(float64) < was["lastUpdateTime"].(float64) {
			t.Errorf("execution %s: time ran back from %v to %v", id, was, now)
		}
	}
}

func (w *walk) checkActions(t *rapid.T, runs, details map[string]map[string]any) {
	for id, was := range w.details {
		if now := details[id]; now == nil || (was["status"] != "InProgress" && now["status"] != was["status"]) {
			t.Errorf("action %s was %v and is %v", id, was, now)
		}
	}
	for id, d := range details {
		if runs[d["pipelineExecutionId"].(string)] == nil {
			t.Errorf("action %s is of no execution", id)
		}
		if w.details[id] == nil && d["pipelineVersion"] != w.version {
			t.Errorf("action %v began in version %v of the definition", d, w.version)
		}
	}
}

// inside maps each stage to the executions with an action in progress there.
func (w *walk) inside() map[string][]string {
	all := map[string][]string{}
	for _, d := range w.details {
		name, id := d["stageName"].(string), d["pipelineExecutionId"].(string)
		if d["status"] == "InProgress" && !slices.Contains(all[name], id) {
			all[name] = append(all[name], id)
		}
	}
	return all
}

// checkState holds the stages to the runs: one run in a stage, every run somewhere, nobody waiting for nothing.
func (w *walk) checkState(t *rapid.T) {
	out, _ := w.expect(t, "GetPipelineState", in{"name": "web"})
	inside, somewhere := w.inside(), map[string]bool{}
	for name, ids := range inside {
		single := 0
		for _, id := range ids {
			somewhere[id] = true
			if w.runs[id]["executionMode"] != "PARALLEL" {
				single++
			}
		}
		if single > 1 {
			t.Errorf("%v are inside %s at once", ids, name)
		}
	}
	for _, s := range list(out["stageStates"]) {
		open := s["inboundTransitionState"].(in)["enabled"] == true
		waiting := list(s["inboundExecutions"])
		for _, e := range waiting {
			id := e["pipelineExecutionId"].(string)
			if somewhere[id] {
				t.Errorf("execution %s waits before %v and is elsewhere", id, s["stageName"])
			}
			somewhere[id] = true
		}
		if open && len(waiting) > 0 && len(inside[s["stageName"].(string)]) == 0 {
			t.Errorf("%v wait before %v, which is open and empty", waiting, s["stageName"])
		}
		w.checkStage(t, s)
	}
	for id, e := range w.runs {
		if active := e["status"] == "InProgress" || e["status"] == "Stopping"; active != somewhere[id] {
			t.Errorf("execution %s is %v, and in or before a stage: %v", id, e["status"], somewhere[id])
		}
	}
}

// checkStage holds the actions of a stage to the history.
func (w *walk) checkStage(t *rapid.T, s map[string]any) {
	if latest, _ := s["latestExecution"].(in); latest != nil && w.runs[latest["pipelineExecutionId"].(string)] == nil {
		t.Errorf("stage %v names an unknown execution", s)
	}
	for _, a := range list(s["actionStates"]) {
		latest, _ := a["latestExecution"].(in)
		if latest == nil {
			continue
		}
		d := w.details[latest["actionExecutionId"].(string)]
		if d["status"] != latest["status"] || (latest["token"] != nil) != (d["status"] == "InProgress" && a["actionName"] == "Ask") {
			t.Errorf("action %v is %v in the history", latest, d)
		}
		if result, _ := d["output"].(in)["executionResult"].(in); (latest["errorDetails"] != nil) != (result["errorDetails"] != nil) {
			t.Errorf("action %v and its history %v disagree on the error", latest, d)
		}
	}
}
