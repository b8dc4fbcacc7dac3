package apply

import (
	"context"
	"fmt"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/awsapi/write"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// WriteTo is the Write of a Config that calls AWS with a session.
func WriteTo(s *awsapi.Session) func(context.Context, plan.Action) (write.Reply, error) {
	return write.New(s.Config).Do
}

// PublishTo publishes messages to SNS topics through a session. It is no step of a plan: whoever watches a run has named the topic.
func PublishTo(s *awsapi.Session) func(ctx context.Context, topicARN, subject, message string) error {
	return func(ctx context.Context, topicARN, subject, message string) error {
		a, err := fact.ParseARN(topicARN)
		if err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		_, err = write.New(s.Config).Do(ctx, plan.Action{Service: "sns", Operation: "Publish", Region: a.Region,
			Input: op.Input{"TopicArn": topicARN, "Subject": subject, "Message": message}})
		return err
	}
}
