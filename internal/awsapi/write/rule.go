package write

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// rule changes a rule of the default bus.
func (w *Writer) rule(a plan.Action) (call, error) {
	in, err := ruleInput(a.Input)
	if err != nil {
		return nil, err
	}
	client := eventbridge.NewFromConfig(w.config(a.Region), func(o *eventbridge.Options) { o.Retryer = aws.NopRetryer{} })
	var do func(context.Context) (middleware.Metadata, error)
	switch {
	case a.Operation == "PutRule" && in.EventPattern != nil && in.State != "":
		do = func(ctx context.Context) (middleware.Metadata, error) {
			out, err := client.PutRule(ctx, in)
			if err != nil {
				return middleware.Metadata{}, err
			}
			return out.ResultMetadata, nil
		}
	case a.Operation == "PutRule":
		return nil, fmt.Errorf("its input does not fit: want Name, EventPattern and State")
	case len(a.Input) != 1:
		return nil, fmt.Errorf("its input does not fit: want Name alone")
	case a.Operation == "EnableRule":
		do = func(ctx context.Context) (middleware.Metadata, error) {
			out, err := client.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: in.Name})
			if err != nil {
				return middleware.Metadata{}, err
			}
			return out.ResultMetadata, nil
		}
	case a.Operation == "DisableRule":
		do = func(ctx context.Context) (middleware.Metadata, error) {
			out, err := client.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: in.Name})
			if err != nil {
				return middleware.Metadata{}, err
			}
			return out.ResultMetadata, nil
		}
	default:
		return nil, errUnable
	}
	return func(ctx context.Context) (Reply, error) {
		md, err := do(ctx)
		if err != nil {
			return Reply{}, err
		}
		return Reply{RequestID: requestID(md)}, nil
	}, nil
}

// ruleInput turns the flat input of the catalogue into PutRule's. A member that it does not know is refused.
func ruleInput(in op.Input) (*eventbridge.PutRuleInput, error) {
	out := &eventbridge.PutRuleInput{}
	for name, v := range in {
		if v == "" {
			return nil, fmt.Errorf("its input does not fit: %s is empty", name)
		}
		switch name {
		case "Name":
			out.Name = aws.String(v)
		case "EventPattern":
			out.EventPattern = aws.String(v)
		case "State":
			out.State = types.RuleState(v)
		case "Description":
			out.Description = aws.String(v)
		case "RoleArn":
			out.RoleArn = aws.String(v)
		default:
			return nil, fmt.Errorf("its input does not fit: unknown member %s", name)
		}
	}
	if out.Name == nil {
		return nil, fmt.Errorf("its input does not fit: Name is missing")
	}
	return out, nil
}
