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
	return retryerBut(func(code string) bool { return code == "LimitExceededException" })
}

// newPacedRetryer is newRetryer for calls that go through the pace: that makes throttled calls again, in later turns.
func newPacedRetryer() aws.Retryer {
	return retryerBut(func(code string) bool {
		kind, _ := codeKind(code, "")
		return code == "LimitExceededException" || kind == Rate
	})
}

// newSingleRetryer makes a call again for nothing but a clock that is off: the first reply tells how far, and the SDK corrects it.
func newSingleRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 2
		o.RateLimiter = ratelimit.None
		only := retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			var api smithy.APIError
			if errors.As(err, &api) {
				if kind, _ := codeKind(api.ErrorCode(), api.ErrorMessage()); kind == Clock {
					return aws.UnknownTernary
				}
			}
			return aws.FalseTernary
		})
		o.Retryables = append([]retry.IsErrorRetryable{only}, o.Retryables...)
	})
}

// retryerBut is the SDK's standard retryer that never retries the codes.
func retryerBut(never func(code string) bool) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.RateLimiter = ratelimit.None
		not := retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			var api smithy.APIError
			if errors.As(err, &api) && never(api.ErrorCode()) {
				return aws.FalseTernary
			}
			return aws.UnknownTernary
		})
		o.Retryables = append([]retry.IsErrorRetryable{not}, o.Retryables...)
	})
}

// throttled reports whether AWS refused a call for its rate; the call itself, not one that its credentials needed.
func throttled(err error) bool {
	var keys *CredentialsError
	var api smithy.APIError
	if errors.As(err, &keys) || !errors.As(err, &api) {
		return false
	}
	kind, _ := codeKind(api.ErrorCode(), "")
	return kind == Rate
}
