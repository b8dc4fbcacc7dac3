package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/unjam/unjam/internal/fact"
)

// alarms reads one alarm by its name, or all of a Region, composite ones too.
func (c *Collector) alarms(ctx context.Context, q fact.Query) answer {
	a := pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		in := &cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(100), NextToken: tokenOf(token), AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}}
		if q.ID != "" {
			in.AlarmNames = []string{q.ID}
		}
		out, src, err := c.r.DescribeAlarms(ctx, q.Scope, in)
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, x := range out.MetricAlarms {
			facts = append(facts, alarm(q.Scope, src, x))
		}
		for _, x := range out.CompositeAlarms {
			name := aws.ToString(x.AlarmName)
			facts = append(facts, fact.CompositeAlarm{Seen: seen(fact.AlarmRef(q.Scope, name), src), ARN: aws.ToString(x.AlarmArn), Name: name, Rule: aws.ToString(x.AlarmRule)})
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
	if q.ID != "" && a.err == nil && len(a.facts) == 0 {
		return gone(a.src, fact.AlarmRef(q.Scope, q.ID))
	}
	return a
}

func alarm(scope fact.Scope, src fact.Source, x types.MetricAlarm) fact.Alarm {
	name := aws.ToString(x.AlarmName)
	f := fact.Alarm{Seen: seen(fact.AlarmRef(scope, name), src), ARN: aws.ToString(x.AlarmArn), Name: name, Namespace: aws.ToString(x.Namespace), Metric: aws.ToString(x.MetricName),
		Dimensions: dimensions(x.Dimensions), Statistic: string(x.Statistic), Period: int(aws.ToInt32(x.Period)), Periods: int(aws.ToInt32(x.EvaluationPeriods)),
		Threshold: aws.ToFloat64(x.Threshold), Comparison: string(x.ComparisonOperator), Missing: aws.ToString(x.TreatMissingData), Enabled: aws.ToBool(x.ActionsEnabled),
		Actions: x.AlarmActions, State: string(x.StateValue), Changed: aws.ToTime(x.AlarmConfigurationUpdatedTimestamp).UTC()}
	if f.Statistic == "" {
		f.Statistic = aws.ToString(x.ExtendedStatistic)
	}
	for _, m := range x.Metrics {
		if m.MetricStat == nil || m.MetricStat.Metric == nil || aws.ToString(m.AccountId) != "" && aws.ToString(m.AccountId) != scope.Account {
			continue
		}
		f.Metrics = append(f.Metrics, fact.AlarmMetric{Namespace: aws.ToString(m.MetricStat.Metric.Namespace), Metric: aws.ToString(m.MetricStat.Metric.MetricName),
			Dimensions: dimensions(m.MetricStat.Metric.Dimensions), Statistic: aws.ToString(m.MetricStat.Stat)})
	}
	return f
}

func dimensions(all []types.Dimension) map[string]string {
	out := map[string]string{}
	for _, d := range all {
		out[aws.ToString(d.Name)] = aws.ToString(d.Value)
	}
	return out
}

// metrics reads the metrics of a namespace.
func (c *Collector) metrics(ctx context.Context, q fact.Query) answer {
	return pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.ListMetrics(ctx, q.Scope, &cloudwatch.ListMetricsInput{Namespace: &q.ID, NextToken: tokenOf(token)})
		if err != nil {
			return nil, "", src, err
		}
		var facts []fact.Fact
		for _, x := range out.Metrics {
			ref := fact.Ref{Scope: q.Scope, Kind: fact.KindMetric, ID: q.ID}
			facts = append(facts, fact.Metric{Seen: seen(ref, src), Namespace: aws.ToString(x.Namespace), Name: aws.ToString(x.MetricName), Dimensions: dimensions(x.Dimensions)})
		}
		return facts, aws.ToString(out.NextToken), src, nil
	})
}
