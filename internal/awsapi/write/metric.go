package write

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// metric publishes one value. The input's members are Namespace, MetricName, Value and Dimensions, "Account=1,Region=2".
func (w *Writer) metric(a plan.Action) (call, error) {
	if a.Operation != "PutMetricData" {
		return nil, errUnable
	}
	in, err := datum(a.Input)
	if err != nil {
		return nil, fmt.Errorf("its input does not fit: %w", err)
	}
	client := cloudwatch.NewFromConfig(w.config(a.Region), func(o *cloudwatch.Options) { o.Retryer = aws.NopRetryer{} })
	return func(ctx context.Context) (Reply, error) {
		out, err := client.PutMetricData(ctx, in)
		if err != nil {
			return Reply{}, err
		}
		return Reply{RequestID: requestID(out.ResultMetadata)}, nil
	}, nil
}

func datum(in op.Input) (*cloudwatch.PutMetricDataInput, error) {
	for k := range in {
		if !strings.Contains("Namespace MetricName Value Dimensions", k) {
			return nil, fmt.Errorf("unknown member %q", k)
		}
	}
	value, err := strconv.ParseFloat(in["Value"], 64)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read Value: %w", err)
	case in["Namespace"] == "" || in["MetricName"] == "":
		return nil, errors.New("it lacks Namespace or MetricName")
	}
	d := types.MetricDatum{MetricName: aws.String(in["MetricName"]), Value: &value, Unit: types.StandardUnitCount}
	for pair := range strings.SplitSeq(in["Dimensions"], ",") {
		name, v, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("dimension %q is not NAME=VALUE", pair)
		}
		d.Dimensions = append(d.Dimensions, types.Dimension{Name: aws.String(name), Value: aws.String(v)})
	}
	return &cloudwatch.PutMetricDataInput{Namespace: aws.String(in["Namespace"]), MetricData: []types.MetricDatum{d}}, nil
}
