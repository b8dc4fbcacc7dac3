package cloudwatch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// Alarm is a metric alarm as it was put. The lab has no metrics of pipelines, so that it knows one state of each alarm: the one that
// missing data makes. An alarm on a metric that does not exist has that state for ever.
type Alarm struct {
	Account, Region, Name string
	Put                   time.Time
	Config                map[string]any // the members of PutMetricAlarm that DescribeAlarms gives back
}

// ARN is the alarm's.
func (a Alarm) ARN() string {
	return "arn:aws:cloudwatch:" + a.Region + ":" + a.Account + ":alarm:" + a.Name
}

// state is what missing data makes of it.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func (a Alarm) state() string {
	switch a.Config["TreatMissingData"] {
	case "notBreaching":
		return "OK"
	case "breaching":
		return "ALARM"
	}
	return "INSUFFICIENT_DATA"
}

func onAlarm(op string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access {
		name := r.Str("AlarmName")
		if name == "" {
			name = "*"
		}
		return []cloud.Access{{Action: "cloudwatch:" + op, Resource: Alarm{Account: r.Account(), Region: r.Region, Name: name}.ARN()}}
	}
}

// texts, counts and lists are the members that an alarm keeps, by the type they have.
func texts() []string {
	return []string{"AlarmDescription", "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Unit", "ComparisonOperator", "TreatMissingData", "ThresholdMetricId"}
}
func counts() []string {
	return []string{"Period", "EvaluationPeriods", "DatapointsToAlarm", "Threshold"}
}
func lists() []string {
	return []string{"OKActions", "AlarmActions", "InsufficientDataActions", "Dimensions", "Metrics"}
}

// putMetricAlarm makes an alarm or replaces it. Whether its metric exists nobody asks: that is how alarms come to be blind.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
func (s *Service) putMetricAlarm(r *cloud.Request) (map[string]any, error) {
	name := r.Str("AlarmName")
	for _, member := range []string{"AlarmName", "ComparisonOperator", "EvaluationPeriods"} {
		if r.In[member] == nil {
			return nil, lacks(member)
		}
	}
	single, math := r.Str("MetricName") != "", len(r.List("Metrics")) > 0
	switch {
	case single && math:
		return nil, cloud.Errorf(invalidCombination, "The parameters MetricName and Metrics are mutually exclusive and you have specified both.")
	case !single && !math:
		return nil, cloud.Errorf(missing, "At least one of the parameters MetricName and Metrics must be specified.")
	case single && (r.Str("Namespace") == "" || r.In["Period"] == nil || r.In["Threshold"] == nil || r.Str("Statistic") == "" && r.Str("ExtendedStatistic") == ""):
		return nil, cloud.Errorf(invalidCombination, "An alarm on MetricName needs Namespace, Statistic or ExtendedStatistic, Period and Threshold.")
	}
	if _, err := dimensions(r.In["Dimensions"], ""); err != nil {
		return nil, err
	}
	a := Alarm{Account: r.Account(), Region: r.Region, Name: name, Put: s.c.Now(), Config: map[string]any{"ActionsEnabled": r.In["ActionsEnabled"] == nil || r.Bool("ActionsEnabled")}}
	for _, member := range texts() {
		if text := r.Str(member); text != "" {
			a.Config[member] = text
		}
	}
	for _, member := range counts() {
		if r.In[member] == nil {
			continue
		}
		n, ok := number(r.In[member])
		if !ok {
			return nil, refuseValue(r.In[member], member)
		}
		if a.Config[member] = n; member != "Threshold" {
			a.Config[member] = int(n) // CBOR tells them apart
		}
	}
	for _, member := range lists() {
		if list := r.List(member); list != nil {
			a.Config[member] = list
		}
	}
	for _, x := range r.List("Metrics") {
		m, _ := x.(map[string]any)
		if stat, ok := m["MetricStat"].(map[string]any); ok {
			n, fine := number(stat["Period"])
			if !fine {
				return nil, refuseValue(stat["Period"], "Metrics.MetricStat.Period")
			}
			stat["Period"] = int(n)
		}
	}
	i := slices.IndexFunc(s.alarms, func(o Alarm) bool { return o.ARN() == a.ARN() })
	if i < 0 {
		s.alarms = append(s.alarms, a)
		return nil, nil
	}
	s.alarms[i] = a
	return nil, nil
}

// deleteAlarms forgets alarms: all that are named, or none where there is none of one name.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html
func (s *Service) deleteAlarms(r *cloud.Request) (map[string]any, error) {
	names := r.List("AlarmNames")
	if len(names) == 0 {
		return nil, lacks("AlarmNames")
	}
	for _, name := range names {
		if !slices.ContainsFunc(s.alarms, func(a Alarm) bool { return a.Account == r.Account() && a.Region == r.Region && a.Name == name }) {
			return nil, &cloud.Error{Code: noAlarm, Message: fmt.Sprintf("Alarm %v does not exist.", name), Status: 404}
		}
	}
	s.alarms = slices.DeleteFunc(s.alarms, func(a Alarm) bool {
		return a.Account == r.Account() && a.Region == r.Region && slices.Contains(names, any(a.Name))
	})
	return nil, nil
}

// describeAlarms answers with up to 100 alarms a page, 50 when the caller does not say; metric alarms alone.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
func (s *Service) describeAlarms(r *cloud.Request) (map[string]any, error) {
	size := r.Int("MaxRecords", 50)
	if size < 1 || size > 100 {
		return nil, refuseValue(size, "MaxRecords")
	}
	var found []Alarm
	for _, a := range s.alarms {
		names := r.List("AlarmNames")
		switch {
		case a.Account != r.Account() || a.Region != r.Region:
		case len(names) > 0 && !slices.Contains(names, any(a.Name)):
		case !strings.HasPrefix(a.Name, r.Str("AlarmNamePrefix")):
		case r.Str("StateValue") != "" && r.Str("StateValue") != a.state():
		default:
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b Alarm) int { return strings.Compare(a.Name, b.Name) })
	page, next, err := cloud.Page(r.Cloud, found, r.Str("NextToken"), size, 100, invalidToken)
	if err != nil {
		return nil, err
	}
	shown := []any{}
	for _, a := range page {
		x := map[string]any{"AlarmName": a.Name, "AlarmArn": a.ARN(), "AlarmConfigurationUpdatedTimestamp": a.Put, "StateUpdatedTimestamp": a.Put,
			"StateValue": a.state(), "StateReason": "Unchecked: Initial alarm creation"}
		for member, v := range a.Config {
			x[member] = v
		}
		shown = append(shown, x)
	}
	out := map[string]any{"MetricAlarms": shown, "CompositeAlarms": []any{}}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}
