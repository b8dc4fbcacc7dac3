package collect

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/unjam/unjam/internal/fact"
)

// alarms reads the metric alarms of the Region and keeps those about pipelines: an account may have thousands of others.
func (c *Collector) alarms(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.DescribeAlarms(ctx, q.Scope, &cloudwatch.DescribeAlarmsInput{
			AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm}, MaxRecords: aws.Int32(100), NextToken: tokenOf(token)}) // the largest page
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, x := range out.MetricAlarms {
			a := fact.Alarm{Name: aws.ToString(x.AlarmName), ARN: aws.ToString(x.AlarmArn), State: string(x.StateValue), Missing: aws.ToString(x.TreatMissingData),
				Actions: x.AlarmActions, Enabled: aws.ToBool(x.ActionsEnabled), Put: aws.ToTime(x.AlarmConfigurationUpdatedTimestamp).UTC()}
			if x.MetricName != nil {
				a.Watches = watched(a.Watches, aws.ToString(x.Namespace), *x.MetricName, x.Dimensions)
			}
			for _, m := range x.Metrics {
				if m.MetricStat != nil && m.MetricStat.Metric != nil {
					w := m.MetricStat.Metric
					a.Watches = watched(a.Watches, aws.ToString(w.Namespace), aws.ToString(w.MetricName), w.Dimensions)
				}
			}
			if len(a.Watches) > 0 {
				a.Seen = seen(fact.Ref{Scope: q.Scope, Kind: fact.KindAlarm, ID: a.ARN}, src)
				facts = append(facts, a)
			}
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}

// watched adds a metric, if its namespace is CodePipeline's or looks like it.
func watched(all []fact.Watched, namespace, metric string, dimensions []types.Dimension) []fact.Watched {
	if !strings.EqualFold(namespace, "AWS/CodePipeline") {
		return all
	}
	w := fact.Watched{Namespace: namespace, Metric: metric}
	for _, d := range dimensions {
		if w.Dimensions == nil {
			w.Dimensions = map[string]string{}
		}
		w.Dimensions[aws.ToString(d.Name)] = aws.ToString(d.Value)
	}
	return append(all, w)
}
