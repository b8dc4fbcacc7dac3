// Package write performs the writes of the catalogue of operations, one attempt a call, and says of every failure whether the
// call can have had an effect. It performs nothing that is not in the catalogue and never repeats a call.
package write

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// Token is the input member that makes repeating a call safe (API_StartPipelineExecution, member clientRequestToken).
const Token = "clientRequestToken"

// Reply is what AWS answered to a call that it accepted.
type Reply struct {
	RequestID string            `json:"requestId,omitempty"`
	Outputs   map[string]string `json:"outputs,omitempty"` // members of the reply that are texts, for example pipelineExecutionId
}

// Refused is a call that had no effect: AWS said no, or the call never left this machine.
type Refused struct{ Failure awsapi.Failure }

func (e *Refused) Error() string { return e.Failure.Why }

// Unwrap gives the failure with its kind, code and request ID.
func (e *Refused) Unwrap() error { return e.Failure }

// Doubt is a call of which nobody knows whether it had an effect: it left, and no answer of AWS came back.
type Doubt struct{ Failure awsapi.Failure }

func (e *Doubt) Error() string { return e.Failure.Why }

// Unwrap gives the failure with its kind.
func (e *Doubt) Unwrap() error { return e.Failure }

// Writer performs writes. It is safe for concurrent use.
type Writer struct {
	config func(region string) aws.Config
}

// New makes a Writer out of a session's configurations (awsapi.Session.Config).
func New(config func(region string) aws.Config) *Writer { return &Writer{config} }

// Do makes the call once. The error is a *Refused or a *Doubt.
func (w *Writer) Do(ctx context.Context, a plan.Action) (Reply, error) {
	c, err := w.prepare(a)
	if err != nil {
		return Reply{}, refusal(fmt.Errorf("call %s:%s: %w", a.Service, a.Operation, err))
	}
	r, err := c(ctx)
	var unsent *Refused
	if err == nil || errors.As(err, &unsent) {
		return r, err
	}
	f := awsapi.Classify(err)
	f.Why = fmt.Sprintf("call %s:%s: %s", a.Service, a.Operation, f.Why)
	if f.InDoubt {
		return Reply{}, &Doubt{f}
	}
	return Reply{}, &Refused{f}
}

// refusal is a call that is not made.
func refusal(err error) error {
	f := awsapi.Classify(err)
	f.Kind, f.InDoubt, f.Why, f.Err = awsapi.Local, false, err.Error(), err
	return &Refused{f}
}

type call func(context.Context) (Reply, error)

// prepare checks the action against the catalogue and turns its input into the SDK's.
func (w *Writer) prepare(a plan.Action) (call, error) {
	o, ok := op.Find(a.Service, a.Operation)
	switch {
	case !ok:
		return nil, errors.New("it is not in the catalogue of operations")
	case !o.Write:
		return nil, errors.New("it is a read")
	case a.Region == "":
		return nil, errors.New("it names no Region")
	case o.Repeat == op.ByToken && a.Input[Token] == "":
		return nil, fmt.Errorf("it has no %s", Token)
	}
	switch o.Service {
	case "codepipeline":
		return w.pipeline(a)
	case "iam":
		return w.role(a)
	case "cloudwatch":
		return w.metric(a)
	case "sns":
		return w.publish(a)
	case "route53":
		return w.record(a)
	case "events":
		return w.rule(a)
	}
	return nil, errUnable
}

var errUnable = errors.New("this version cannot perform it")

// input turns an action's input into the SDK's type. Members that the type does not have are refused, not dropped.
func input[T any](in op.Input) (*T, error) {
	d := json.NewDecoder(bytes.NewReader(in.JSON()))
	d.DisallowUnknownFields()
	out := new(T)
	if err := d.Decode(out); err != nil {
		return nil, fmt.Errorf("its input does not fit: %w", err)
	}
	return out, nil
}

func requestID(md middleware.Metadata) string {
	id, _ := awsmiddleware.GetRequestIDMetadata(md)
	return id
}
