package read

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline"

	"github.com/unjam/unjam/internal/fact"
)

// ListPipelines calls codepipeline:ListPipelines, one page.
func (r *Reader) ListPipelines(ctx context.Context, scope fact.Scope, in *codepipeline.ListPipelinesInput) (*codepipeline.ListPipelinesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "codepipeline", "ListPipelines", r.pipelines(scope).ListPipelines, in)
	return out, src, err
}

// GetPipeline calls codepipeline:GetPipeline. Beside the typed output it gives the declaration as AWS sent it, with the
// members the SDK does not know and with every configuration value: it may hold secrets and must not be kept.
func (r *Reader) GetPipeline(ctx context.Context, scope fact.Scope, in *codepipeline.GetPipelineInput) (*codepipeline.GetPipelineOutput, json.RawMessage, fact.Source, error) {
	out, reply, src, err := call(ctx, r, scope, "codepipeline", "GetPipeline", r.pipelines(scope).GetPipeline, in)
	if err != nil {
		return out, nil, src, err
	}
	var raw struct {
		Pipeline json.RawMessage `json:"pipeline"`
	}
	if err := json.Unmarshal(reply.Body, &raw); err != nil {
		return out, nil, src, fmt.Errorf("read the declaration of the pipeline: %w", err)
	}
	return out, raw.Pipeline, src, nil
}

// GetPipelineState calls codepipeline:GetPipelineState.
func (r *Reader) GetPipelineState(ctx context.Context, scope fact.Scope, in *codepipeline.GetPipelineStateInput) (*codepipeline.GetPipelineStateOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "codepipeline", "GetPipelineState", r.pipelines(scope).GetPipelineState, in)
	return out, src, err
}

// ListPipelineExecutions calls codepipeline:ListPipelineExecutions, one page.
func (r *Reader) ListPipelineExecutions(ctx context.Context, scope fact.Scope, in *codepipeline.ListPipelineExecutionsInput) (*codepipeline.ListPipelineExecutionsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "codepipeline", "ListPipelineExecutions", r.pipelines(scope).ListPipelineExecutions, in)
	return out, src, err
}

// ListActionExecutions calls codepipeline:ListActionExecutions, one page.
func (r *Reader) ListActionExecutions(ctx context.Context, scope fact.Scope, in *codepipeline.ListActionExecutionsInput) (*codepipeline.ListActionExecutionsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "codepipeline", "ListActionExecutions", r.pipelines(scope).ListActionExecutions, in)
	return out, src, err
}
