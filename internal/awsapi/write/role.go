package write

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/unjam/unjam/internal/plan"
)

func (w *Writer) role(a plan.Action) (call, error) {
	client := iam.NewFromConfig(w.config(a.Region), func(o *iam.Options) { o.Retryer = aws.NopRetryer{} })
	switch a.Operation {
	case "PutRolePolicy":
		in, err := input[iam.PutRolePolicyInput](a.Input)
		return func(ctx context.Context) (Reply, error) {
			out, err := client.PutRolePolicy(ctx, in)
			if err != nil {
				return Reply{}, err
			}
			return Reply{RequestID: requestID(out.ResultMetadata)}, nil
		}, err
	case "DeleteRolePolicy":
		in, err := input[iam.DeleteRolePolicyInput](a.Input)
		return func(ctx context.Context) (Reply, error) {
			out, err := client.DeleteRolePolicy(ctx, in)
			if err != nil {
				return Reply{}, err
			}
			return Reply{RequestID: requestID(out.ResultMetadata)}, nil
		}, err
	case "UpdateAssumeRolePolicy":
		in, err := input[iam.UpdateAssumeRolePolicyInput](a.Input)
		return func(ctx context.Context) (Reply, error) {
			out, err := client.UpdateAssumeRolePolicy(ctx, in)
			if err != nil {
				return Reply{}, err
			}
			return Reply{RequestID: requestID(out.ResultMetadata)}, nil
		}, err
	}
	return nil, errUnable
}
