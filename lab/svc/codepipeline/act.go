package codepipeline

import (
	"maps"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// maxActive is how many runs of a QUEUED or PARALLEL pipeline may be active (CodePipeline quotas).
const maxActive = 50

func (s *Service) startExecution(r *cloud.Request) (map[string]any, error) {
	return s.begin(r, trigger{"StartPipelineExecution", r.Caller.ARN})
}

// begin starts a run by a request, whatever triggered it.
func (s *Service) begin(r *cloud.Request, by trigger) (map[string]any, error) {
	p, err := s.find(r, r.Str("name"))
	if err != nil {
		return nil, err
	}
	token := r.Str("clientRequestToken")
	if id := p.tokens[token]; token != "" && id != "" {
		return map[string]any{"pipelineExecutionId": id}, nil
	}
	if err := p.room(); err != nil {
		return nil, err
	}
	from := inputs{pins: map[string]pin{}}
	for _, x := range r.List("sourceRevisions") {
		m, _ := x.(map[string]any)
		action, _ := m["actionName"].(string)
		value, _ := m["revisionValue"].(string)
		if !p.hasSource(action) {
			return nil, cloud.Errorf("ValidationException", "The source action '%s' does not exist in pipeline '%s'", action, p.name)
		}
		from.pins[action] = pin{commit: value}
	}
	if from.variables, err = p.resolve(r.List("variables")); err != nil {
		return nil, err
	}
	e := s.start(p, by, from)
	if token != "" {
		p.tokens[token] = e.id
	}
	return map[string]any{"pipelineExecutionId": e.id}, nil
}

// hasSource reports whether the definition has a source action of that name, of whatever provider.
func (p *pipeline) hasSource(name string) bool {
	names, actions := stagesOf(p.current())
	return slices.ContainsFunc(actions[names[0]], func(a declared) bool { return a.name() == name })
}

// resolve gives the pipeline's variables the values of a start.
func (p *pipeline) resolve(given []any) ([]any, error) {
	values := map[string]string{}
	for _, x := range given {
		m, _ := x.(map[string]any)
		name, _ := m["name"].(string)
		values[name], _ = m["value"].(string)
	}
	if len(values) > 0 && p.current()["pipelineType"] != "V2" {
		return nil, cloud.Errorf("ValidationException", "Pipeline variable can only be used with V2 pipelines")
	}
	missing, all := variables(p.current(), values)
	if missing != "" {
		return nil, cloud.Errorf("ValidationException", "The variable '%s' of pipeline '%s' has no default value: give it one", missing, p.name)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		return nil, cloud.Errorf("ValidationException", "The variable '%s' is not declared in pipeline '%s'", name, p.name)
	}
	return all, nil
}

// variables resolves the declared variables, taking from values what it uses. The first one without a value is missing.
func variables(decl map[string]any, values map[string]string) (missing string, resolved []any) {
	list, _ := decl["variables"].([]any)
	for _, x := range list {
		m, _ := x.(map[string]any)
		name, _ := m["name"].(string)
		v, ok := values[name]
		delete(values, name)
		if !ok {
			v, ok = m["defaultValue"].(string)
		}
		if ok {
			resolved = append(resolved, map[string]any{"name": name, "resolvedValue": v})
		} else if missing == "" {
			missing = name
		}
	}
	return missing, resolved
}

// room refuses more runs than the mode allows.
func (p *pipeline) room() error {
	if p.mode() == "SUPERSEDED" {
		return nil
	}
	n := 0
	for _, e := range p.open {
		if e.running() {
			n++
		}
	}
	if n >= maxActive {
		return cloud.Errorf("ConcurrentPipelineExecutionsLimitExceededException", "The pipeline '%s' has reached the limit of %d concurrent executions", p.name, maxActive)
	}
	return nil
}

// stageIn finds a stage of the current definition.
func (p *pipeline) stageIn(name string) (*stage, error) {
	names, _ := stagesOf(p.current())
	if !slices.Contains(names, name) {
		return nil, cloud.Errorf("StageNotFoundException", "Pipeline '%s' does not have a stage with name '%s'", p.name, name)
	}
	return p.stages[name], nil
}

func (s *Service) retryStage(r *cloud.Request) (map[string]any, error) {
	p, err := s.find(r, r.Str("pipelineName"))
	if err != nil {
		return nil, err
	}
	st, err := p.stageIn(r.Str("stageName"))
	if err != nil {
		return nil, err
	}
	id, name, mode := r.Str("pipelineExecutionId"), r.Str("stageName"), r.Str("retryMode")
	e := p.runWith(id)
	switch {
	case e == nil || st.latest == nil:
		return nil, notRetryable(p, name, id)
	case st.latest != e && p.mode() != "PARALLEL": // parallel runs do not overtake each other
		return nil, cloud.Errorf("NotLatestPipelineExecutionException", "The stage %s was run by a later execution than '%s'", name, id)
	case e.at == name && e.running():
		return nil, cloud.Errorf("ConflictException", "The stage %s in the %s pipeline is in progress", name, p.name)
	case e.version != p.number() || e.status != "Failed" || e.at != name:
		return nil, notRetryable(p, name, id)
	}
	if err := p.room(); err != nil {
		return nil, err
	}
	_, actions := stagesOf(p.current())
	var again []string
	for _, a := range actions[name] {
		run := e.runOf(name, a.name())
		if mode == "ALL_ACTIONS" || (run != nil && run.status == "Failed") {
			again = append(again, a.name())
		}
	}
	if len(again) == 0 {
		return nil, notRetryable(p, name, id)
	}
	if mode == "ALL_ACTIONS" {
		e.attempt[name] = len(e.actions)
	}
	e.status, e.summary, e.updated = "InProgress", "", s.c.Now()
	p.open = append(p.open, e)
	p.run(e, name, again)
	p.publish()
	return map[string]any{"pipelineExecutionId": e.id}, nil
}

// runWith finds an execution by its ID; nil when there is none.
func (p *pipeline) runWith(id string) *execution {
	if i := slices.IndexFunc(p.runs, func(e *execution) bool { return e.id == id }); i >= 0 {
		return p.runs[i]
	}
	return nil
}

func notRetryable(p *pipeline, stage, id string) *cloud.Error {
	return cloud.Errorf("StageNotRetryableException", "The stage named %s in the %s pipeline can't be retried now. Either it contains no failed actions, the execution '%s' is already superseded, or the pipeline definition has changed since the action(s) failed.", stage, p.name, id)
}

func (s *Service) stopExecution(r *cloud.Request) (map[string]any, error) {
	p, err := s.find(r, r.Str("pipelineName"))
	if err != nil {
		return nil, err
	}
	e := p.runWith(r.Str("pipelineExecutionId"))
	if e == nil || !e.running() {
		return nil, cloud.Errorf("PipelineExecutionNotStoppableException", "The execution '%s' of pipeline '%s' cannot be stopped: it is not in progress", r.Str("pipelineExecutionId"), p.name)
	}
	if e.stopping && !r.Bool("abandon") {
		return nil, cloud.Errorf("DuplicatedStopRequestException", "The execution '%s' of pipeline '%s' is being stopped already", e.id, p.name)
	}
	e.stopping, e.reason, e.status, e.updated = true, r.Str("reason"), "Stopping", s.c.Now()
	busy := false
	for _, run := range e.actions {
		if run.status == "InProgress" && r.Bool("abandon") {
			run.abandon()
		}
		busy = busy || run.status == "InProgress"
	}
	if !busy {
		st := p.stages[e.at]
		st.waiting = slices.DeleteFunc(st.waiting, func(x *execution) bool { return x == e })
		e.end("Stopped", e.reason)
		p.admit(e.at)
	}
	p.publish()
	return map[string]any{"pipelineExecutionId": e.id}, nil
}

// abandon leaves a running action to itself: what it does or did is not looked at any more.
func (run *actionRun) abandon() {
	run.status, run.changed, run.token = "Abandoned", run.e.p.s.c.Now(), ""
}

// transit enables or disables the way into a stage. Enabling lets the run that waits enter at once.
func (s *Service) transit(disable bool) func(*cloud.Request) (map[string]any, error) {
	return func(r *cloud.Request) (map[string]any, error) {
		p, err := s.find(r, r.Str("pipelineName"))
		if err != nil {
			return nil, err
		}
		name := r.Str("stageName")
		if _, err := p.stageIn(name); err != nil {
			return nil, err
		}
		if r.Str("transitionType") == "Outbound" { // the way out of a stage is the way into the next; out of the last leads nowhere
			names, _ := stagesOf(p.current())
			i := slices.Index(names, name) + 1
			if i == len(names) {
				return nil, nil
			}
			name = names[i]
		}
		p.transitions[name] = transition{disabled: disable, by: r.Caller.ARN, at: s.c.Now(), reason: r.Str("reason")}
		if !disable {
			p.admit(name)
		}
		p.publish()
		return nil, nil
	}
}

func (s *Service) putApproval(r *cloud.Request) (map[string]any, error) {
	p, err := s.find(r, r.Str("pipelineName"))
	if err != nil {
		return nil, err
	}
	run, err := p.asked(r.Str("stageName"), r.Str("actionName"), r.Str("token"))
	if err != nil {
		return nil, err
	}
	summary, _ := r.Map("result")["summary"].(string)
	run.by = r.Caller.ARN
	if r.Map("result")["status"] == "Approved" {
		p.finish(run, outcome{summary: summary})
	} else {
		p.finish(run, rejected(summary))
	}
	return map[string]any{"approvedAt": s.c.Now()}, nil
}

// asked finds the approval that a token belongs to. Parallel runs can wait for the same action at once.
func (p *pipeline) asked(stageName, action, token string) (*actionRun, error) {
	st, err := p.stageIn(stageName)
	if err != nil {
		return nil, err
	}
	last := st.actions[action]
	if last == nil {
		return nil, cloud.Errorf("ActionNotFoundException", "The stage %s has no action '%s' that ran", stageName, action)
	}
	for _, e := range p.open {
		if run := e.runOf(stageName, action); run != nil && run.token != "" && run.token == token {
			return run, nil
		}
	}
	if last.status != "InProgress" {
		return nil, cloud.Errorf("ApprovalAlreadyCompletedException", "The approval action has already been completed")
	}
	return nil, cloud.Errorf("InvalidApprovalTokenException", "The approval token is not valid")
}

// tagged finds the tags of the pipeline, custom action type or webhook that an ARN names.
func (s *Service) tagged(r *cloud.Request) (map[string]string, error) {
	arn := r.Str("resourceArn")
	parts := strings.Split(arn, ":")
	if len(parts) < 6 || parts[2] != "codepipeline" {
		return nil, cloud.Errorf("InvalidArnException", "The ARN '%s' is not valid", arn)
	}
	if parts[4] == r.Account() {
		if p := s.pipelines[key(parts[4], parts[3], parts[5])]; len(parts) == 6 && p != nil && p.alive() {
			return p.tags, nil
		}
		if t, ok := s.types[arn]; ok && !t.deleted {
			return t.tags, nil
		}
		if w, ok := s.webhooks[arn]; ok {
			return w.tags, nil
		}
	}
	return nil, cloud.Errorf("ResourceNotFoundException", "The resource '%s' does not exist", arn)
}

func (s *Service) tag(r *cloud.Request) (map[string]any, error) {
	tags, err := s.tagged(r)
	if err != nil {
		return nil, err
	}
	if err := setTags(r, tags); err != nil {
		return nil, err
	}
	s.retagged(r.Str("resourceArn"))
	return map[string]any{}, nil
}

func (s *Service) untag(r *cloud.Request) (map[string]any, error) {
	tags, err := s.tagged(r)
	if err != nil {
		return nil, err
	}
	for _, k := range r.List("tagKeys") {
		name, _ := k.(string)
		delete(tags, name)
	}
	s.retagged(r.Str("resourceArn"))
	return map[string]any{}, nil
}

func (s *Service) listTags(r *cloud.Request) (map[string]any, error) {
	tags, err := s.tagged(r)
	if err != nil {
		return nil, err
	}
	return paged(s.c, r, "tags", tagList(tags), 100)
}

func tagList(tags map[string]string) []any {
	all := []any{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, map[string]any{"key": k, "value": tags[k]})
	}
	return all
}

// maxTags is how many tags a resource may have.
const maxTags = 50

// setTags adds the tags of a request, all or none. Only AWS services give tags that begin with aws:.
// https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
func setTags(r *cloud.Request, tags map[string]string) error {
	merged := maps.Clone(tags)
	for _, x := range r.List("tags") {
		m, _ := x.(map[string]any)
		k, _ := m["key"].(string)
		v, _ := m["value"].(string)
		if strings.HasPrefix(strings.ToLower(k), "aws:") && r.Origin.InvokedBy == "" {
			return cloud.Errorf("InvalidTagsException", "The tag key '%s' begins with aws:, which is reserved", k)
		}
		merged[k] = v
	}
	if len(merged) > maxTags {
		return cloud.Errorf("TooManyTagsException", "A resource can have at most %d tags", maxTags)
	}
	maps.Copy(tags, merged)
	return nil
}
