package write

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/plan"
)

// ErrMoved is a pipeline whose declaration is no longer the one that the update was made for.
var ErrMoved = errors.New("the definition has changed since the plan was made: plan again")

func (w *Writer) pipeline(a plan.Action) (call, error) {
	client := codepipeline.NewFromConfig(w.config(a.Region), func(o *codepipeline.Options) { o.Retryer = aws.NopRetryer{} })
	switch a.Operation {
	case "RetryStageExecution":
		in, err := input[codepipeline.RetryStageExecutionInput](a.Input)
		return func(ctx context.Context) (Reply, error) {
			out, err := client.RetryStageExecution(ctx, in)
			if err != nil {
				return Reply{}, err
			}
			return started(out.PipelineExecutionId, out.ResultMetadata), nil
		}, err
	case "StartPipelineExecution":
		in, err := input[codepipeline.StartPipelineExecutionInput](a.Input)
		return func(ctx context.Context) (Reply, error) {
			out, err := client.StartPipelineExecution(ctx, in)
			if err != nil {
				return Reply{}, err
			}
			return started(out.PipelineExecutionId, out.ResultMetadata), nil
		}, err
	case "DisableStageTransition":
		in, err := input[codepipeline.DisableStageTransitionInput](a.Input)
		return func(ctx context.Context) (Reply, error) {
			out, err := client.DisableStageTransition(ctx, in)
			if err != nil {
				return Reply{}, err
			}
			return Reply{RequestID: requestID(out.ResultMetadata)}, nil
		}, err
	case "EnableStageTransition":
		in, err := input[codepipeline.EnableStageTransitionInput](a.Input)
		return func(ctx context.Context) (Reply, error) {
			out, err := client.EnableStageTransition(ctx, in)
			if err != nil {
				return Reply{}, err
			}
			return Reply{RequestID: requestID(out.ResultMetadata)}, nil
		}, err
	case "UpdatePipeline":
		name := a.Input["name"]
		switch {
		case name == "" || len(a.Input) != 1:
			return nil, errors.New("its input is not just the pipeline's name")
		case a.Definition == "":
			return nil, errors.New("it does not say which definition it was made for")
		}
		return func(ctx context.Context) (Reply, error) { return w.update(ctx, client, a) }, nil
	}
	return nil, errUnable
}

func started(execution *string, md middleware.Metadata) Reply {
	return Reply{RequestID: requestID(md), Outputs: map[string]string{"pipelineExecutionId": aws.ToString(execution)}}
}

// update reads the pipeline, demands the definition that the patch was made for, patches the raw JSON and sends that. UpdatePipeline
// replaces the whole declaration and has no condition of its own (docs/aws-facts.md, "Changing a pipeline"): who changes the pipeline
// between the read and the update, within a second, is overwritten, and the reply's version shows it. The member version is sent as it
// was read; AWS counts by itself.
func (w *Writer) update(ctx context.Context, client *codepipeline.Client, a plan.Action) (Reply, error) {
	raw, err := w.declaration(ctx, a.Region, a.Input["name"])
	if err != nil {
		return Reply{}, err
	}
	unsent := func(err error) (Reply, error) {
		return Reply{}, refusal(fmt.Errorf("update pipeline %s: %w", a.Input["name"], err))
	}
	switch digest, _, err := fact.DeclarationDigest(raw); {
	case err != nil:
		return unsent(err)
	case digest != a.Definition:
		return unsent(ErrMoved)
	}
	body, err := patched(raw, a.Patch)
	if err != nil {
		return unsent(err)
	}
	whole := slices.Concat([]byte(`{"pipeline":`), body, []byte("}"))
	// The typed input carries what the SDK demands before it serializes; what is sent is the raw JSON.
	in := &codepipeline.UpdatePipelineInput{Pipeline: &types.PipelineDeclaration{Name: aws.String(a.Input["name"]), RoleArn: aws.String("-"), Stages: []types.StageDeclaration{}}}
	out, err := client.UpdatePipeline(ctx, in, func(o *codepipeline.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error { return stack.Serialize.Add(sends(whole), middleware.After) })
	})
	if err != nil {
		return Reply{}, err
	}
	r := Reply{RequestID: requestID(out.ResultMetadata)}
	if out.Pipeline != nil {
		r.Outputs = map[string]string{"version": strconv.Itoa(int(aws.ToInt32(out.Pipeline.Version)))}
	}
	return r, nil
}

// declaration is the member "pipeline" of a fresh reply, without the metadata beside it. A failure to read it is a *Refused: nothing was
// changed.
func (w *Writer) declaration(ctx context.Context, region, name string) (json.RawMessage, error) {
	var reply awsapi.Reply
	_, err := codepipeline.NewFromConfig(w.config(region)).GetPipeline(awsapi.WithReply(ctx, &reply), &codepipeline.GetPipelineInput{Name: &name})
	var whole struct {
		Pipeline json.RawMessage `json:"pipeline"`
	}
	if err == nil {
		err = json.Unmarshal(reply.Body, &whole)
	}
	if err != nil {
		f := awsapi.Classify(err)
		f.InDoubt, f.Why = false, "update pipeline "+name+": read it first: "+f.Why
		return nil, &Refused{f}
	}
	return whole.Pipeline, nil
}

// sends replaces the body of a request after it was serialized and before it is signed.
func sends(body []byte) middleware.SerializeMiddleware {
	return middleware.SerializeMiddlewareFunc("unjamRawBody", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
		req, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return middleware.SerializeOutput{}, middleware.Metadata{}, errors.New("the request is not of HTTP")
		}
		req, err := req.SetStream(bytes.NewReader(body))
		if err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, err
		}
		in.Request = req
		return next.HandleSerialize(ctx, in)
	})
}
