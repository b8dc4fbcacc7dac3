package codepipeline

import (
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// register puts the operations on the wire. The members named last are required.
func (s *Service) register() {
	s.c.Register(&cloud.Service{
		Name: "codepipeline", Target: "CodePipeline_20150709", Version: "2015-07-09", Protocol: cloud.JSON11, EventSource: "codepipeline.amazonaws.com",
		Ops: map[string]*cloud.Op{
			"CreatePipeline":         write(s.createPipeline, declaring, "pipeline"),
			"UpdatePipeline":         write(s.updatePipeline, declaring, "pipeline"),
			"DeletePipeline":         write(s.deletePipeline, onPipeline("name"), "name"),
			"ListPipelines":          read(s.listPipelines, onAll),
			"GetPipeline":            read(s.getPipeline, onPipeline("name"), "name"),
			"GetPipelineState":       read(s.getPipelineState, onPipeline("name"), "name"),
			"ListPipelineExecutions": read(s.listExecutions, onPipeline("pipelineName"), "pipelineName"),
			"GetPipelineExecution":   read(s.getExecution, onPipeline("pipelineName"), "pipelineName", "pipelineExecutionId"),
			"ListActionExecutions":   read(s.listActions, onPipeline("pipelineName"), "pipelineName"),
			"StartPipelineExecution": write(s.startExecution, onPipeline("name"), "name"),
			"StopPipelineExecution":  write(s.stopExecution, onPipeline("pipelineName"), "pipelineName", "pipelineExecutionId"),
			"RetryStageExecution":    write(s.retryStage, onStage, "pipelineName", "stageName", "pipelineExecutionId", "retryMode"),
			"EnableStageTransition":  write(s.transit(false), onStage, "pipelineName", "stageName", "transitionType"),
			"DisableStageTransition": write(s.transit(true), onStage, "pipelineName", "stageName", "transitionType", "reason"),
			"PutApprovalResult":      write(s.putApproval, onAction, "pipelineName", "stageName", "actionName", "result", "token"),
			"ListActionTypes":        read(s.listActionTypes, onTypes),
			"CreateCustomActionType": write(s.createType, onType, "category", "provider", "version", "inputArtifactDetails", "outputArtifactDetails"),
			"DeleteCustomActionType": write(s.deleteType, onType, "category", "provider", "version"),
			"PutWebhook":             write(s.putWebhook, onWebhook, "webhook"),
			"DeleteWebhook":          write(s.deleteWebhook, onWebhook, "name"),
			"ListWebhooks":           read(s.listWebhooks, onWebhooks),
			"TagResource":            write(s.tag, onARN, "resourceArn", "tags"),
			"UntagResource":          write(s.untag, onARN, "resourceArn", "tagKeys"),
			"ListTagsForResource":    read(s.listTags, onARN, "resourceArn"),
		},
	})
}

type doing = func(*cloud.Request) (map[string]any, error)

func write(do doing, access func(*cloud.Request) []cloud.Access, required ...string) *cloud.Op {
	return &cloud.Op{Access: access, Do: func(r *cloud.Request) (map[string]any, error) {
		if err := validate(r, required); err != nil {
			return nil, err
		}
		return do(r)
	}}
}

func read(do doing, access func(*cloud.Request) []cloud.Access, required ...string) *cloud.Op {
	op := write(do, access, required...)
	op.ReadOnly = true
	return op
}

// IAM resources by operation: Service Authorization Reference, "AWS CodePipeline".

func access(r *cloud.Request, resource string) []cloud.Access {
	return []cloud.Access{{Action: "codepipeline:" + r.Operation, Resource: resource}}
}

func onPipeline(member string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access { return access(r, ARN(r.Account(), r.Region, r.Str(member))) }
}

func onStage(r *cloud.Request) []cloud.Access {
	return access(r, ARN(r.Account(), r.Region, r.Str("pipelineName"))+"/"+r.Str("stageName"))
}

func onAction(r *cloud.Request) []cloud.Access {
	return access(r, ARN(r.Account(), r.Region, r.Str("pipelineName"))+"/"+r.Str("stageName")+"/"+r.Str("actionName"))
}

func onAll(r *cloud.Request) []cloud.Access { return access(r, ARN(r.Account(), r.Region, "*")) }

func onTypes(r *cloud.Request) []cloud.Access {
	return access(r, "arn:aws:codepipeline:"+r.Region+":"+r.Account()+":actiontype:*/*/*/*")
}

func onARN(r *cloud.Request) []cloud.Access { return access(r, r.Str("resourceArn")) }

// declaring is what writing a definition takes: the operation itself, handing over each role, and handing over each connection under
// the prefix of its ARN.
func declaring(r *cloud.Request) []cloud.Access {
	decl := r.Map("pipeline")
	name, _ := decl["name"].(string)
	all := access(r, ARN(r.Account(), r.Region, name))
	pass := func(role any) {
		if arn, _ := role.(string); arn != "" {
			all = append(all, cloud.Access{Action: "iam:PassRole", Resource: arn, Context: map[string][]string{"iam:PassedToService": {"codepipeline.amazonaws.com"}}})
		}
	}
	pass(decl["roleArn"])
	names, actions := stagesOf(decl)
	for _, n := range names {
		for _, a := range actions[n] {
			pass(a["roleArn"])
			if arn := a.configuration()["ConnectionArn"]; a.isConnection() && strings.Count(arn, ":") >= 5 {
				prefix := strings.Split(arn, ":")[2]
				all = append(all, cloud.Access{Action: prefix + ":PassConnection", Resource: arn, Context: map[string][]string{prefix + ":PassedToService": {"codepipeline.amazonaws.com"}}})
			}
		}
	}
	return all
}

func (s *Service) createPipeline(r *cloud.Request) (map[string]any, error) {
	decl := r.Map("pipeline")
	name, _ := decl["name"].(string)
	if err := s.check(r, decl); err != nil {
		return nil, err
	}
	if _, err := s.find(r, name); err == nil {
		return nil, cloud.Errorf("PipelineNameInUseException", "A pipeline with the name '%s' already exists in account '%s'", name, r.Account())
	}
	if most := s.c.Limit(r.Account(), r.Region, "L-78D200AD", maxPipelines); s.count(r.Account(), r.Region) >= most {
		return nil, cloud.Errorf("LimitExceededException", "The account '%s' has reached the limit of %d pipelines in %s", r.Account(), most, r.Region)
	}
	p := &pipeline{s: s, account: r.Account(), region: r.Region, name: name, created: s.c.Now(), transitions: map[string]transition{},
		stages: map[string]*stage{}, tokens: map[string]string{}, tags: map[string]string{}}
	if err := setTags(r, p.tags); err != nil {
		return nil, err
	}
	s.pipelines[key(p.account, p.region, name)] = p
	p.write(decl)
	_, vars := variables(decl, nil)
	s.start(p, trigger{"CreatePipeline", r.Caller.ARN}, inputs{variables: vars})
	out := map[string]any{"pipeline": clone(p.current())}
	if len(p.tags) > 0 {
		out["tags"] = tagList(p.tags)
	}
	return out, nil
}

// maxPipelines is how many pipelines an account may have in a Region (quota L-78D200AD).
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const maxPipelines = 1000

// count counts the pipelines of an account in a Region.
func (s *Service) count(account, region string) int {
	n := 0
	for _, p := range s.pipelines {
		if _, alive := p.seen.Truth(); alive && p.account == account && p.region == region {
			n++
		}
	}
	return n
}

func (s *Service) updatePipeline(r *cloud.Request) (map[string]any, error) {
	decl := r.Map("pipeline")
	name, _ := decl["name"].(string)
	if r.In["metadata"] != nil { // as get-pipeline prints it; the update cannot use it (user guide, "Edit a pipeline")
		return nil, cloud.Errorf("ValidationException", "1 validation error detected: Unknown member 'metadata': remove it from the structure")
	}
	if err := s.check(r, decl); err != nil {
		return nil, err
	}
	p, err := s.find(r, name)
	if err != nil { // the model of UpdatePipeline has no PipelineNotFoundException
		return nil, cloud.Errorf("ValidationException", "Account '%s' does not have a pipeline with name '%s'", r.Account(), name)
	}
	p.write(decl)
	p.outdate()
	p.publish()
	return map[string]any{"pipeline": clone(p.current())}, nil
}

func (s *Service) deletePipeline(r *cloud.Request) (map[string]any, error) {
	if p, err := s.find(r, r.Str("name")); err == nil {
		for _, e := range p.open {
			e.end("Stopped", "The pipeline was deleted.")
			for _, run := range e.actions {
				if run.status == "InProgress" {
					run.abandon()
				}
			}
		}
		p.seen.Delete(s.c)
		p.changed()
	}
	return nil, nil
}

func (s *Service) listPipelines(r *cloud.Request) (map[string]any, error) {
	var all []any
	for _, p := range s.sorted() {
		if p.account != r.Account() || p.region != r.Region {
			continue
		}
		n, ok := p.seen.Seen(s.c)
		if !ok {
			continue
		}
		decl := p.versions[n-1].decl
		m := map[string]any{"name": p.name, "version": n, "created": p.created, "updated": p.versionAt(n)}
		for _, k := range []string{"pipelineType", "executionMode"} {
			if decl[k] != nil {
				m[k] = decl[k]
			}
		}
		all = append(all, m)
	}
	return paged(s.c, r, "pipelines", all, 1000)
}

// paged cuts a page out of a list.
func paged(c *cloud.Cloud, r *cloud.Request, member string, all []any, most int) (map[string]any, error) {
	if err := (rule{path: "maxResults", min: 1, max: most}).walk(r.In, []string{"maxResults"}, "", false); err != nil {
		return nil, err
	}
	page, next, err := cloud.Page(c, all, r.Str("nextToken"), r.Int("maxResults", 0), most, "InvalidNextTokenException")
	if err != nil {
		return nil, err
	}
	out := map[string]any{member: append([]any{}, page...)}
	if next != "" {
		out["nextToken"] = next
	}
	return out, nil
}

func (s *Service) getPipeline(r *cloud.Request) (map[string]any, error) {
	p, n, err := s.read(r, r.Str("name"))
	if err != nil {
		return nil, err
	}
	v := r.Int("version", n)
	if v < 1 || v > n {
		return nil, cloud.Errorf("PipelineVersionNotFoundException", "Pipeline '%s' does not have a version %d", p.name, v)
	}
	return map[string]any{"pipeline": clone(p.versions[v-1].decl), "metadata": p.metadata(v)}, nil
}

func (s *Service) getPipelineState(r *cloud.Request) (map[string]any, error) {
	p, n, err := s.read(r, r.Str("name"))
	if err != nil {
		return nil, err
	}
	stages, _ := p.state.Seen(s.c)
	return map[string]any{"pipelineName": p.name, "pipelineVersion": n, "stageStates": stages, "created": p.created, "updated": p.versionAt(n)}, nil
}

func (s *Service) listExecutions(r *cloud.Request) (map[string]any, error) {
	p, _, err := s.read(r, r.Str("pipelineName"))
	if err != nil {
		return nil, err
	}
	only, _ := r.Map("filter")["succeededInStage"].(map[string]any)
	stage, _ := only["stageName"].(string)
	all := make([]any, 0, len(p.runs))
	for _, e := range slices.Backward(p.runs) {
		if seen, ok := e.asSeen(); ok && (only == nil || slices.Contains(seen.passed, stage)) {
			all = append(all, seen.summaryReply())
		}
	}
	return paged(s.c, r, "pipelineExecutionSummaries", all, 100)
}

func (s *Service) getExecution(r *cloud.Request) (map[string]any, error) {
	p, _, err := s.read(r, r.Str("pipelineName"))
	if err != nil {
		return nil, err
	}
	e, err := p.seenRun(r.Str("pipelineExecutionId"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"pipelineExecution": e.reply()}, nil
}

// seenRun finds an execution as readers see it.
func (p *pipeline) seenRun(id string) (*execution, error) {
	if e := p.runWith(id); e != nil {
		if seen, ok := e.asSeen(); ok {
			return seen, nil
		}
	}
	return nil, cloud.Errorf("PipelineExecutionNotFoundException", "Pipeline '%s' does not have an execution with id '%s'", p.name, id)
}

func (s *Service) listActions(r *cloud.Request) (map[string]any, error) {
	p, _, err := s.read(r, r.Str("pipelineName"))
	if err != nil {
		return nil, err
	}
	want, _ := r.Map("filter")["pipelineExecutionId"].(string)
	latest, _ := r.Map("filter")["latestInPipelineExecution"].(map[string]any)
	if latest != nil {
		want, _ = latest["pipelineExecutionId"].(string)
	}
	if want != "" {
		if _, err := p.seenRun(want); err != nil {
			return nil, err
		}
	}
	newest := latest["startTimeRange"] == "Latest"
	var all []any
	done := map[string]bool{}
	for _, run := range slices.Backward(p.runsOfActions) {
		k := run.stage + "/" + run.name
		if (want != "" && run.e.id != want) || (newest && done[k]) {
			continue
		}
		if seen, ok := run.asSeen(); ok {
			done[k] = true
			all = append(all, seen.detail())
		}
	}
	return paged(s.c, r, "actionExecutionDetails", all, 100)
}
