package write

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// record changes one record set of a hosted zone.
func (w *Writer) record(a plan.Action) (call, error) {
	if a.Operation != "ChangeResourceRecordSets" {
		return nil, errUnable
	}
	in, err := recordInput(a.Input)
	if err != nil {
		return nil, err
	}
	client := route53.NewFromConfig(w.config(a.Region), func(o *route53.Options) { o.Retryer = aws.NopRetryer{} })
	return func(ctx context.Context) (Reply, error) {
		out, err := client.ChangeResourceRecordSets(ctx, in)
		if err != nil {
			return Reply{}, err
		}
		r := Reply{RequestID: requestID(out.ResultMetadata)}
		if out.ChangeInfo != nil {
			r.Outputs = map[string]string{"Id": aws.ToString(out.ChangeInfo.Id)}
		}
		return r, nil
	}, nil
}

// recordInput turns the flat input of the catalogue into a batch of one change. A member it does not know is refused.
func recordInput(in op.Input) (*route53.ChangeResourceRecordSetsInput, error) {
	for name, v := range in {
		switch name {
		case "HostedZoneId", "Action", "Name", "Type", "TTL", "Value":
			if v == "" {
				return nil, fmt.Errorf("its input does not fit: %s is empty", name)
			}
		default:
			return nil, fmt.Errorf("its input does not fit: unknown member %s", name)
		}
	}
	ttl, err := strconv.ParseInt(in["TTL"], 10, 64)
	if err != nil || ttl < 0 || len(in) != 6 {
		return nil, fmt.Errorf("its input does not fit: want HostedZoneId, Action, Name, Type, TTL in seconds and Value")
	}
	return &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: aws.String(in["HostedZoneId"]),
		ChangeBatch: &types.ChangeBatch{Changes: []types.Change{{Action: types.ChangeAction(in["Action"]), ResourceRecordSet: &types.ResourceRecordSet{
			Name: aws.String(in["Name"]), Type: types.RRType(in["Type"]), TTL: &ttl, ResourceRecords: []types.ResourceRecord{{Value: aws.String(in["Value"])}}}}}},
	}, nil
}
