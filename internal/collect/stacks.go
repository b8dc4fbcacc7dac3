package collect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/unjam/unjam/internal/fact"
)

// maxEventPages bounds how far back the events of a stack are read: a page has 100 of them at most.
const maxEventPages = 10

// stackState reads the status of one stack, by name or ARN. One that does not exist is absent.
func (c *Collector) stackState(ctx context.Context, q fact.Query) answer {
	ref := fact.StackRef(q.Scope, q.ID)
	out, src, err := c.r.DescribeStacks(ctx, q.Scope, &cloudformation.DescribeStacksInput{StackName: &q.ID})
	switch {
	case unstacked(err):
		return gone(src, ref)
	case err != nil:
		return answer{err: err, src: src}
	case len(out.Stacks) != 1:
		return answer{err: fmt.Errorf("the reply shows %d stacks, not one", len(out.Stacks)), src: src}
	}
	s := out.Stacks[0]
	return answer{facts: []fact.Fact{fact.Stack{
		Seen: seen(ref, src), ARN: aws.ToString(s.StackId), Name: aws.ToString(s.StackName), Status: string(s.StackStatus), Reason: aws.ToString(s.StackStatusReason),
		Role: aws.ToString(s.RoleARN), Parent: aws.ToString(s.ParentId), Created: aws.ToTime(s.CreationTime).UTC(), Updated: aws.ToTime(s.LastUpdatedTime).UTC(),
	}}}
}

// unstacked reports whether CloudFormation said that the stack does not exist: it has no error code of its own for that.
func unstacked(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist")
}

// stackEvents reads the events of the operation of a stack that had begun last by the time in Args "until". They come newest first.
func (c *Collector) stackEvents(ctx context.Context, q fact.Query) answer {
	until := time.Now()
	if at := q.Args["until"]; at != "" {
		var err error
		if until, err = time.Parse(time.RFC3339, at); err != nil {
			return answer{err: fmt.Errorf("read stack events of %s: %w", q.ID, err)}
		}
	}
	found := fact.StackEvents{Stack: q.ID, More: true}
	var token *string
	for range maxEventPages {
		out, src, err := c.r.DescribeStackEvents(ctx, q.Scope, &cloudformation.DescribeStackEventsInput{StackName: &q.ID, NextToken: token})
		switch {
		case unstacked(err):
			return gone(src, fact.StackEventsRef(q.Scope, q.ID, q.Args["until"]))
		case err != nil:
			return answer{err: err, src: src}
		}
		found.Seen = seen(fact.StackEventsRef(q.Scope, q.ID, q.Args["until"]), src)
		for _, e := range out.StackEvents {
			if found.More = !takeEvent(&found, e, until); !found.More {
				break
			}
		}
		if token = out.NextToken; token == nil || !found.More {
			break
		}
	}
	slices.Reverse(found.Events)
	return answer{facts: []fact.Fact{found}, src: found.From}
}

// takeEvent takes an event into those of an operation and reports whether it is the one with which the operation began. What began after
// the time asked for is another operation.
func takeEvent(found *fact.StackEvents, e types.StackEvent, until time.Time) (first bool) {
	x := fact.StackEvent{
		Time: aws.ToTime(e.Timestamp).UTC(), Logical: aws.ToString(e.LogicalResourceId), Physical: aws.ToString(e.PhysicalResourceId),
		Type: aws.ToString(e.ResourceType), Status: string(e.ResourceStatus), Reason: aws.ToString(e.ResourceStatusReason),
	}
	x.Own = x.Physical != "" && x.Physical == aws.ToString(e.StackId)
	begins := x.Own && slices.Contains([]string{"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS", "REVIEW_IN_PROGRESS"}, x.Status)
	if x.Time.After(until) {
		if begins {
			found.Events = nil // of an operation that began later
		}
		if !begins && (x.Own || strings.HasSuffix(x.Status, "_FAILED")) {
			found.Events = append(found.Events, x)
		}
		return false
	}
	if x.Own || strings.HasSuffix(x.Status, "_FAILED") {
		found.Events = append(found.Events, x)
	}
	if begins {
		found.Began = x.Time
	}
	return begins
}

// changeSet reads one change set: the ID is the stack's name, a slash and its own.
func (c *Collector) changeSet(ctx context.Context, q fact.Query) answer {
	stack, name, _ := strings.Cut(q.ID, "/")
	ref := fact.ChangeSetRef(q.Scope, stack, name)
	out, src, err := c.r.DescribeChangeSet(ctx, q.Scope, &cloudformation.DescribeChangeSetInput{StackName: &stack, ChangeSetName: &name})
	var lost *types.ChangeSetNotFoundException
	switch {
	case errors.As(err, &lost), unstacked(err):
		return gone(src, ref)
	case err != nil:
		return answer{err: err, src: src}
	}
	return answer{facts: []fact.Fact{fact.ChangeSet{
		Seen: seen(ref, src), Name: name, Stack: stack, Status: string(out.Status), Reason: aws.ToString(out.StatusReason), Execution: string(out.ExecutionStatus),
	}}}
}
