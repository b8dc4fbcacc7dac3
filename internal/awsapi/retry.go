package awsapi

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// newRetryer is the SDK's standard retryer with one correction: it takes LimitExceededException for throttling, but the
// services here mean a quota by it, which no waiting cures. The SDK's shared retry budget is off: the pace and the three
// attempts bound the load already, and a spent budget would make unrelated calls fail differently.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.RateLimiter = ratelimit.None
		quota := retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			var api smithy.APIError
			if errors.As(err, &api) && api.ErrorCode() == "LimitExceededException" {
				return aws.FalseTernary
			}
			return aws.UnknownTernary
		})
		o.Retryables = append([]retry.IsErrorRetryable{quota}, o.Retryables...)
	})
}
