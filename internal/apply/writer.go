package apply

import (
	"context"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/awsapi/write"
	"github.com/unjam/unjam/internal/plan"
)

// WriteTo is the Write of a Config that calls AWS with a session.
func WriteTo(s *awsapi.Session) func(context.Context, plan.Action) (write.Reply, error) {
	return write.New(s.Config).Do
}
