package collect

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/unjam/unjam/internal/fact"
)

func (c *Collector) pipelineList(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		in := &codepipeline.ListPipelinesInput{MaxResults: aws.Int32(1000)} // the largest page: API_ListPipelines
		if token != "" {
			in.NextToken = &token
		}
		out, src, err := c.r.ListPipelines(ctx, q.Scope, in)
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, p := range out.Pipelines {
			name := aws.ToString(p.Name)
			facts = append(facts, fact.PipelineListed{
				Seen: seen(fact.Ref{Scope: q.Scope, Kind: fact.KindPipelineList, ID: name}, src),
				Name: name, Version: int(aws.ToInt32(p.Version)), Updated: aws.ToTime(p.Updated).UTC(),
			})
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}

var errNoPipeline = errors.New("the reply lacks the pipeline")

func (c *Collector) pipeline(ctx context.Context, q fact.Query) answer {
	out, raw, src, err := c.r.GetPipeline(ctx, q.Scope, &codepipeline.GetPipelineInput{Name: &q.ID})
	switch {
	case notFound(err):
		return gone(src, fact.PipelineRef(q.Scope, q.ID))
	case err != nil:
		return answer{err: err, src: src}
	case out.Pipeline == nil:
		return answer{err: errNoPipeline, src: src}
	}
	digest, content, err := fact.DeclarationDigest(raw)
	if err != nil {
		return answer{err: err, src: src}
	}
	d := out.Pipeline
	p := fact.Pipeline{
		Seen: seen(fact.PipelineRef(q.Scope, q.ID), src), Name: aws.ToString(d.Name), Version: int(aws.ToInt32(d.Version)),
		RoleARN: aws.ToString(d.RoleArn), Type: string(d.PipelineType), Mode: string(d.ExecutionMode), Definition: digest, Declaration: content,
	}
	// What the reply leaves out has these values: API_PipelineDeclaration.
	if p.Type == "" {
		p.Type = string(types.PipelineTypeV1)
	}
	if p.Mode == "" {
		p.Mode = string(types.ExecutionModeSuperseded)
	}
	if m := out.Metadata; m != nil {
		p.ARN, p.Created, p.Updated = aws.ToString(m.PipelineArn), aws.ToTime(m.Created).UTC(), aws.ToTime(m.Updated).UTC()
	}
	for _, t := range d.Triggers {
		if t.GitConfiguration != nil {
			p.Triggers = append(p.Triggers, trigger(*t.GitConfiguration))
		}
	}
	p.Stores = stores(d, q.Scope.Region)
	for _, s := range d.Stages {
		p.Stages = append(p.Stages, stage(s))
	}
	return answer{facts: []fact.Fact{p}}
}

func stage(s types.StageDeclaration) fact.Stage {
	out := fact.Stage{Name: aws.ToString(s.Name)}
	for _, a := range s.Actions {
		out.Actions = append(out.Actions, action(a))
	}
	return out
}

// action keeps the configuration values that are named here and no others: any other may be a secret.
func action(a types.ActionDeclaration) fact.Action {
	out := fact.Action{Name: aws.ToString(a.Name), Region: aws.ToString(a.Region), RoleARN: aws.ToString(a.RoleArn), RunOrder: int(aws.ToInt32(a.RunOrder))}
	if out.RunOrder == 0 {
		out.RunOrder = 1 // the default: API_ActionDeclaration
	}
	out.Timeout = time.Duration(aws.ToInt32(a.TimeoutInMinutes)) * time.Minute
	if t := a.ActionTypeId; t != nil {
		out.Category, out.Owner, out.Provider, out.Version = string(t.Category), string(t.Owner), aws.ToString(t.Provider), aws.ToString(t.Version)
	}
	for _, v := range a.Configuration {
		out.Certificates = append(out.Certificates, fact.CertificatesIn(v)...)
	}
	slices.Sort(out.Certificates)
	out.Certificates = slices.Compact(out.Certificates)
	if out.Owner == string(types.ActionOwnerCustom) {
		out.Configured = slices.Sorted(maps.Keys(a.Configuration))
		out.Inputs, out.Outputs = len(a.InputArtifacts), len(a.OutputArtifacts)
	}
	if out.Owner != string(types.ActionOwnerAws) {
		return out
	}
	switch out.Provider {
	case fact.ConnectionSource:
		out.Connection, out.Repository, out.Branch = a.Configuration["ConnectionArn"], a.Configuration["FullRepositoryId"], a.Configuration["BranchName"]
		out.DetectChanges = a.Configuration["DetectChanges"]
		out.FullClone = a.Configuration["OutputArtifactFormat"] == "CODEBUILD_CLONE_REF"
	case fact.ImageSource:
		out.Repository, out.ImageTag = a.Configuration["RepositoryName"], a.Configuration["ImageTag"]
		if out.ImageTag == "" {
			out.ImageTag = fact.LatestTag
		}
	case "CodeBuild":
		out.Project = a.Configuration["ProjectName"]
	case "CloudFormation":
		out.StackName, out.StackMode, out.StackRole = a.Configuration["StackName"], a.Configuration["ActionMode"], a.Configuration["RoleArn"]
		out.ChangeSet, out.Template, out.Capabilities = a.Configuration["ChangeSetName"], a.Configuration["TemplatePath"], a.Configuration["Capabilities"]
	case "Manual":
		out.Topic, out.CustomData, out.ReviewLink = a.Configuration["NotificationArn"], told(a.Configuration["CustomData"]), told(a.Configuration["ExternalEntityLink"])
	}
	return out
}

// told is what approvers are shown; a text that looks as if it held a secret is left out all the same.
func told(text string) string {
	if secretValue.MatchString(text) {
		return "(left out: it looks like a secret)"
	}
	return text
}

func (c *Collector) pipelineState(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.GetPipelineState(ctx, q.Scope, &codepipeline.GetPipelineStateInput{Name: &q.ID})
	switch {
	case notFound(err):
		return gone(src, fact.StateRef(q.Scope, q.ID), fact.PipelineRef(q.Scope, q.ID))
	case err != nil:
		return answer{err: err, src: src}
	case aws.ToString(out.PipelineName) == "" && len(out.StageStates) == 0:
		return answer{err: errors.New("the reply lacks the state"), src: src}
	}
	s := fact.PipelineState{
		Seen: seen(fact.StateRef(q.Scope, q.ID), src), Name: q.ID, Version: int(aws.ToInt32(out.PipelineVersion)), Updated: aws.ToTime(out.Updated).UTC(),
	}
	for _, st := range out.StageStates {
		s.Stages = append(s.Stages, stageState(st))
	}
	return answer{facts: []fact.Fact{s}}
}

func stageState(st types.StageState) fact.StageState {
	out := fact.StageState{Name: aws.ToString(st.StageName), TransitionEnabled: true} // enabled unless AWS says otherwise
	if t := st.InboundTransitionState; t != nil && !t.Enabled {
		out.TransitionEnabled, out.DisabledBy, out.DisabledReason = false, aws.ToString(t.LastChangedBy), aws.ToString(t.DisabledReason)
		out.DisabledAt = aws.ToTime(t.LastChangedAt).UTC()
	}
	if e := st.LatestExecution; e != nil {
		out.Execution, out.Status = aws.ToString(e.PipelineExecutionId), string(e.Status)
	}
	for _, e := range st.InboundExecutions {
		out.Waiting = append(out.Waiting, aws.ToString(e.PipelineExecutionId))
	}
	if e := st.InboundExecution; e != nil {
		out.Inbound = aws.ToString(e.PipelineExecutionId)
		if !slices.Contains(out.Waiting, out.Inbound) {
			out.Waiting = append(out.Waiting, out.Inbound)
		}
	} else if len(out.Waiting) > 0 {
		out.Inbound = out.Waiting[0]
	}
	for _, a := range st.ActionStates {
		out.Actions = append(out.Actions, actionState(a))
	}
	return out
}

func actionState(a types.ActionState) fact.ActionState {
	out := fact.ActionState{Name: aws.ToString(a.ActionName)}
	if r := a.CurrentRevision; r != nil {
		out.Revision = aws.ToString(r.RevisionId)
	}
	if e := a.LatestExecution; e != nil {
		out.ID, out.Status, out.Summary = aws.ToString(e.ActionExecutionId), string(e.Status), aws.ToString(e.Summary)
		out.External = aws.ToString(e.ExternalExecutionId)
		out.Changed = aws.ToTime(e.LastStatusChange).UTC()
		if e.ErrorDetails != nil {
			out.ErrorCode, out.Error = aws.ToString(e.ErrorDetails.Code), aws.ToString(e.ErrorDetails.Message)
		}
	}
	return out
}

// executions reads the newest 100 runs of a pipeline: one page, the largest (API_ListPipelineExecutions), which is the whole answer.
func (c *Collector) executions(ctx context.Context, q fact.Query) answer {
	in := &codepipeline.ListPipelineExecutionsInput{PipelineName: &q.ID, MaxResults: aws.Int32(100)}
	out, src, err := c.r.ListPipelineExecutions(ctx, q.Scope, in)
	switch {
	case notFound(err):
		return gone(src, fact.PipelineRef(q.Scope, q.ID))
	case err != nil:
		return answer{err: err, src: src}
	}
	var a answer
	for _, e := range out.PipelineExecutionSummaries {
		id := aws.ToString(e.PipelineExecutionId)
		f := fact.Execution{
			Seen: seen(fact.Ref{Scope: q.Scope, Kind: fact.KindExecution, ID: id}, src), Pipeline: q.ID, ID: id, Status: string(e.Status),
			Started: aws.ToTime(e.StartTime).UTC(), Updated: aws.ToTime(e.LastUpdateTime).UTC(),
		}
		if e.Trigger != nil {
			f.Trigger = string(e.Trigger.TriggerType)
		}
		for _, r := range e.SourceRevisions {
			if f.Revisions == nil {
				f.Revisions = map[string]string{}
			}
			f.Revisions[aws.ToString(r.ActionName)] = aws.ToString(r.RevisionId)
		}
		a.facts = append(a.facts, f)
	}
	return a
}

// actions reads the newest 100 action runs of a pipeline or, with Args "execution", of one of its runs: one page, which
// is the whole answer.
func (c *Collector) actions(ctx context.Context, q fact.Query) answer {
	in := &codepipeline.ListActionExecutionsInput{PipelineName: &q.ID, MaxResults: aws.Int32(100)}
	run := q.Args["execution"]
	if run != "" {
		in.Filter = &types.ActionExecutionFilter{PipelineExecutionId: &run}
	}
	out, src, err := c.r.ListActionExecutions(ctx, q.Scope, in)
	var noRun *types.PipelineExecutionNotFoundException
	switch {
	case errors.As(err, &noRun):
		return gone(src, fact.Ref{Scope: q.Scope, Kind: fact.KindExecution, ID: run})
	case notFound(err):
		return gone(src, fact.PipelineRef(q.Scope, q.ID))
	case err != nil:
		return answer{err: err, src: src}
	}
	var a answer
	for _, e := range out.ActionExecutionDetails {
		id := aws.ToString(e.ActionExecutionId)
		f := fact.ActionRun{
			Seen: seen(fact.Ref{Scope: q.Scope, Kind: fact.KindAction, ID: id}, src), Pipeline: q.ID, ID: id,
			Execution: aws.ToString(e.PipelineExecutionId), Stage: aws.ToString(e.StageName), Action: aws.ToString(e.ActionName),
			Version: int(aws.ToInt32(e.PipelineVersion)), Status: string(e.Status),
			Started: aws.ToTime(e.StartTime).UTC(), Updated: aws.ToTime(e.LastUpdateTime).UTC(),
		}
		if o := e.Output; o != nil && o.ExecutionResult != nil && o.ExecutionResult.ErrorDetails != nil {
			f.Error = aws.ToString(o.ExecutionResult.ErrorDetails.Message)
		}
		a.facts = append(a.facts, f)
	}
	return a
}
