package collect

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/unjam/unjam/internal/fact"
)

// stack finds the stack that owns the resource whose physical ID the query names, with everything else in it. A resource of no stack is
// absent.
func (c *Collector) stack(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.DescribeStackResources(ctx, q.Scope, &cloudformation.DescribeStackResourcesInput{PhysicalResourceId: &q.ID})
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist"):
		return gone(src, fact.Ref{Scope: q.Scope, Kind: fact.KindStack, ID: q.ID})
	case err != nil:
		return answer{err: err, src: src}
	}
	var a answer
	for _, r := range out.StackResources {
		f := fact.StackResource{
			Stack: aws.ToString(r.StackName), StackID: aws.ToString(r.StackId), Logical: aws.ToString(r.LogicalResourceId),
			Physical: aws.ToString(r.PhysicalResourceId), Type: aws.ToString(r.ResourceType), Status: string(r.ResourceStatus),
		}
		if d := r.DriftInformation; d != nil {
			f.Drift, f.Checked = string(d.StackResourceDriftStatus), aws.ToTime(d.LastCheckTimestamp).UTC()
		}
		f.Seen = seen(fact.Ref{Scope: q.Scope, Kind: fact.KindStack, ID: f.Stack + "/" + f.Logical}, src)
		a.facts = append(a.facts, f)
	}
	return a
}

// drift reads the result of the last drift detection of a stack. With Args "detect" = "yes" it runs one first; when that comes to
// nothing, the last one is read all the same, and the gap says so.
func (c *Collector) drift(ctx context.Context, q fact.Query) answer {
	if q.Args["detect"] != "yes" {
		return c.lastDrift(ctx, q)
	}
	src, err := c.detect(ctx, q)
	a := c.lastDrift(ctx, q)
	if err != nil {
		a.err, a.src = err, src
	}
	return a
}

func (c *Collector) lastDrift(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.DescribeStackResourceDrifts(ctx, q.Scope, &cloudformation.DescribeStackResourceDriftsInput{StackName: &q.ID, MaxResults: aws.Int32(100), NextToken: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, d := range out.StackResourceDrifts {
			facts = append(facts, c.drifted(q, src, d))
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}

func (c *Collector) drifted(q fact.Query, src fact.Source, d types.StackResourceDrift) fact.Drift {
	f := fact.Drift{
		Stack: q.ID, Logical: aws.ToString(d.LogicalResourceId), Physical: aws.ToString(d.PhysicalResourceId), Type: aws.ToString(d.ResourceType),
		Status: string(d.StackResourceDriftStatus), Checked: aws.ToTime(d.Timestamp).UTC(),
	}
	f.Seen = seen(fact.Ref{Scope: q.Scope, Kind: fact.KindDrift, ID: q.ID + "/" + f.Logical}, src)
	for _, p := range d.PropertyDifferences {
		path := aws.ToString(p.PropertyPath)
		key := path[strings.LastIndexByte(path, '/')+1:]
		f.Differences = append(f.Differences, fact.PropertyDrift{
			Path: path, Expected: c.value(key, aws.ToString(p.ExpectedValue)), Actual: c.value(key, aws.ToString(p.ActualValue)), Kind: string(p.DifferenceType),
		})
	}
	return f
}

// Times of a drift detection: CloudFormation gives no bound, and a diagnosis cannot wait for long.
const (
	detectFor   = time.Minute
	detectEvery = 2 * time.Second
)

// detect runs a drift detection to its end.
func (c *Collector) detect(ctx context.Context, q fact.Query) (fact.Source, error) {
	out, src, err := c.r.DetectStackDrift(ctx, q.Scope, &cloudformation.DetectStackDriftInput{StackName: &q.ID})
	if err != nil {
		return src, err
	}
	for start := time.Now(); time.Since(start) < detectFor; {
		st, src, err := c.r.DescribeStackDriftDetectionStatus(ctx, q.Scope, &cloudformation.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: out.StackDriftDetectionId})
		switch {
		case err != nil:
			return src, err
		case st.DetectionStatus == types.StackDriftDetectionStatusDetectionComplete:
			return src, nil
		case st.DetectionStatus == types.StackDriftDetectionStatusDetectionFailed:
			return src, fmt.Errorf("detect drift of %s: %s", q.ID, aws.ToString(st.DetectionStatusReason))
		}
		select {
		case <-ctx.Done():
			return src, ctx.Err()
		case <-time.After(detectEvery):
		}
	}
	return src, fmt.Errorf("detect drift of %s: it has not ended after a minute: its result will be the last one next time", q.ID)
}
