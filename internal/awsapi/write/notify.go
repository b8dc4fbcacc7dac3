package write

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/unjam/unjam/internal/plan"
)

// publish publishes to a topic, in the topic's own Region (docs/aws-facts.md, "Publishing to SNS").
func (w *Writer) publish(a plan.Action) (call, error) {
	if a.Operation != "Publish" {
		return nil, errUnable
	}
	in, err := input[sns.PublishInput](a.Input)
	client := sns.NewFromConfig(w.config(a.Region), func(o *sns.Options) { o.Retryer = aws.NopRetryer{} })
	return func(ctx context.Context) (Reply, error) {
		out, err := client.Publish(ctx, in)
		if err != nil {
			return Reply{}, err
		}
		return Reply{RequestID: requestID(out.ResultMetadata), Outputs: map[string]string{"MessageId": aws.ToString(out.MessageId)}}, nil
	}, err
}
