package cloudwatch

import (
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// The limits of https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
const (
	maxSpan    = 7 * 24 * 3600 // seconds: a period times the periods looked at
	maxActions = 5
	maxAlarms  = 100 // a page
)

// Alarm is a metric alarm, or a composite one, which has a rule instead of a metric. The lab evaluates none: all stay in the state of an
// alarm that sees no data.
type Alarm struct {
	Account, Region, Name string
	Namespace, Metric     string
	Dimensions            map[string]string
	Statistic, Extended   string
	Period, Periods       int // seconds, how many
	Threshold             float64
	Comparison, Missing   string
	Metrics               []any // of an alarm on an expression: as it was given
	Rule                  string
	Enabled               bool // its actions
	Actions               map[string][]string
	Written               time.Time
}

// ARN is the alarm's ARN.
func (a Alarm) ARN() string { return alarmARN(a.Region, a.Account, a.Name) }

func alarmARN(region, account, name string) string {
	return "arn:aws:cloudwatch:" + region + ":" + account + ":alarm:" + name
}

// state is what an alarm says that gets no data.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarms-and-missing-data
func (a Alarm) state() string {
	if s := map[string]string{"notBreaching": "OK", "breaching": "ALARM"}[a.Missing]; s != "" {
		return s
	}
	return "INSUFFICIENT_DATA"
}

// actionLists are the members that say what an alarm does, by the state that it comes into.
var actionLists = []string{"OKActions", "AlarmActions", "InsufficientDataActions"}

// alarmOps are the operations on alarms.
func (s *Service) alarmOps() map[string]*cloud.Op {
	return map[string]*cloud.Op{
		"PutMetricAlarm":      {Access: onAlarm("PutMetricAlarm"), Do: s.putMetricAlarm},
		"PutCompositeAlarm":   {Access: onAlarm("PutCompositeAlarm"), Do: s.putCompositeAlarm},
		"DeleteAlarms":        {Access: onAlarms("DeleteAlarms"), Do: s.deleteAlarms},
		"EnableAlarmActions":  {Access: onAlarms("EnableAlarmActions"), Do: s.actions(true)},
		"DisableAlarmActions": {Access: onAlarms("DisableAlarmActions"), Do: s.actions(false)},
		"DescribeAlarms":      {ReadOnly: true, Access: onAlarms("DescribeAlarms"), Do: s.describeAlarms},
	}
}

// onAlarm is the access to the alarm that a request names.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
func onAlarm(op string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access {
		return []cloud.Access{{Action: "cloudwatch:" + op, Resource: alarmARN(r.Region, r.Account(), r.Str("AlarmName"))}}
	}
}

// onAlarms is the access to all alarms that a request names: to every one of the Region when it names none.
func onAlarms(op string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access {
		var all []cloud.Access
		for _, name := range names(r) {
			all = append(all, cloud.Access{Action: "cloudwatch:" + op, Resource: alarmARN(r.Region, r.Account(), name)})
		}
		if all == nil {
			all = []cloud.Access{{Action: "cloudwatch:" + op, Resource: alarmARN(r.Region, r.Account(), "*")}}
		}
		return all
	}
}

func names(r *cloud.Request) []string { return texts(r.In["AlarmNames"]) }

func texts(v any) []string {
	list, _ := v.([]any)
	var all []string
	for _, x := range list {
		if t, ok := x.(string); ok {
			all = append(all, t)
		}
	}
	return all
}

func (s *Service) alarm(r *cloud.Request, name string) *cloud.Lagged[Alarm] {
	for _, l := range s.alarms {
		if a, ok := l.Truth(); ok && a.Account == r.Account() && a.Region == r.Region && a.Name == name {
			return l
		}
	}
	return nil
}

func refuseAlarm(format string, args ...any) error {
	return cloud.Errorf(cloud.ValidationError, format, args...)
}

// write keeps an alarm, in the place of the one of that name.
func (s *Service) write(r *cloud.Request, a Alarm) (map[string]any, error) {
	a.Account, a.Region, a.Name, a.Written, a.Enabled, a.Actions = r.Account(), r.Region, r.Str("AlarmName"), s.c.Now().UTC(), true, map[string][]string{}
	if a.Name == "" || len(a.Name) > 255 {
		return nil, refuseAlarm("1 validation error detected: Value '%s' at 'alarmName' failed to satisfy constraint: Member must have length between 1 and 255", a.Name)
	}
	if r.In["ActionsEnabled"] != nil {
		a.Enabled = r.Bool("ActionsEnabled")
	}
	for _, list := range actionLists {
		if a.Actions[list] = texts(r.In[list]); len(a.Actions[list]) > maxActions {
			return nil, refuseAlarm("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", list, maxActions)
		}
	}
	l := s.alarm(r, a.Name)
	if l == nil {
		l = &cloud.Lagged[Alarm]{}
		s.alarms = append(s.alarms, l)
	}
	l.Set(s.c, a)
	return nil, nil
}

// putMetricAlarm writes an alarm. Nobody asks whether its metric exists.
func (s *Service) putMetricAlarm(r *cloud.Request) (map[string]any, error) {
	a := Alarm{Namespace: r.Str("Namespace"), Metric: r.Str("MetricName"), Statistic: r.Str("Statistic"), Extended: r.Str("ExtendedStatistic"),
		Period: r.Int("Period", 0), Periods: r.Int("EvaluationPeriods", 0), Comparison: r.Str("ComparisonOperator"), Missing: r.Str("TreatMissingData"), Metrics: r.List("Metrics")}
	var err error
	if a.Dimensions, err = dimensions(r.In["Dimensions"], ""); err != nil {
		return nil, err
	}
	if v, ok := number(r.In["Threshold"]); ok {
		a.Threshold = v
	}
	switch {
	case a.Periods < 1:
		return nil, refuseAlarm("1 validation error detected: Value '%d' at 'evaluationPeriods' failed to satisfy constraint: Member must have value greater than or equal to 1", a.Periods)
	case a.Comparison == "":
		return nil, refuseAlarm("1 validation error detected: Value null at 'comparisonOperator' failed to satisfy constraint: Member must not be null")
	case len(a.Metrics) > 0 && (a.Metric != "" || a.Namespace != "" || a.Period != 0):
		return nil, refuseAlarm("Metrics list and MetricName, Namespace, Period are mutually exclusive")
	case len(a.Metrics) > 0:
		return s.write(r, a)
	case a.Metric == "" || a.Namespace == "":
		return nil, refuseAlarm("The parameters MetricName and Namespace are required")
	case (a.Statistic == "") == (a.Extended == ""):
		return nil, refuseAlarm("Exactly one of Statistic and ExtendedStatistic must be specified")
	case a.Period != 10 && a.Period != 20 && a.Period != 30 && (a.Period < 60 || a.Period%60 != 0):
		return nil, refuseAlarm("Period must be 10, 20, 30 or a multiple of 60")
	case a.Period*a.Periods > maxSpan:
		return nil, refuseAlarm("Metrics cannot be checked across more than 7 days (EvaluationPeriods * Period must be <= %d).", maxSpan)
	}
	return s.write(r, a)
}

func (s *Service) putCompositeAlarm(r *cloud.Request) (map[string]any, error) {
	rule := r.Str("AlarmRule")
	if !strings.Contains(rule, "(") {
		return nil, refuseAlarm("Error in AlarmRule: '%s' names no alarm", rule)
	}
	return s.write(r, Alarm{Rule: rule})
}

// deleteAlarms deletes all that are named, or none.
func (s *Service) deleteAlarms(r *cloud.Request) (map[string]any, error) {
	for _, name := range names(r) {
		if s.alarm(r, name) == nil {
			return nil, &cloud.Error{Code: "ResourceNotFound", Status: 404, Message: "Unable to find " + name + " in account " + r.Account()}
		}
	}
	for _, name := range names(r) {
		s.alarm(r, name).Delete(s.c)
	}
	return nil, nil
}

// actions switches the actions of alarms on or off; those that there are not are passed over.
func (s *Service) actions(on bool) func(*cloud.Request) (map[string]any, error) {
	return func(r *cloud.Request) (map[string]any, error) {
		if len(names(r)) == 0 || len(names(r)) > maxAlarms || slices.Contains(names(r), "") {
			return nil, refuseAlarm("1 validation error detected: Value at 'alarmNames' failed to satisfy constraint: between 1 and %d names of at least 1 character", maxAlarms)
		}
		for _, name := range names(r) {
			if l := s.alarm(r, name); l != nil {
				a, _ := l.Truth()
				a.Enabled = on
				l.Set(s.c, a)
			}
		}
		return nil, nil
	}
}

// describeAlarms lists metric alarms, and composite ones only for those who ask for them.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
func (s *Service) describeAlarms(r *cloud.Request) (map[string]any, error) {
	want := r.Int("MaxRecords", 50)
	if want < 1 || want > maxAlarms {
		return nil, refuseAlarm("1 validation error detected: Value '%d' at 'maxRecords' failed to satisfy constraint: Member must have value between 1 and %d", want, maxAlarms)
	}
	kinds := texts(r.In["AlarmTypes"])
	if kinds == nil {
		kinds = []string{"MetricAlarm"}
	}
	var all []Alarm
	for _, l := range s.alarms {
		a, ok := l.Seen(s.c)
		kind := "MetricAlarm"
		if a.Rule != "" {
			kind = "CompositeAlarm"
		}
		switch {
		case !ok, a.Account != r.Account(), a.Region != r.Region, !slices.Contains(kinds, kind):
		case len(names(r)) > 0 && !slices.Contains(names(r), a.Name), !strings.HasPrefix(a.Name, r.Str("AlarmNamePrefix")):
		case r.Str("StateValue") != "" && r.Str("StateValue") != a.state():
		default:
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b Alarm) int { return strings.Compare(a.Name, b.Name) })
	page, next, err := cloud.Page(r.Cloud, all, r.Str("NextToken"), want, maxAlarms, "InvalidNextToken")
	if err != nil {
		return nil, err
	}
	metric, composite := []any{}, []any{}
	for _, a := range page {
		if a.Rule != "" {
			composite = append(composite, a.show())
		} else {
			metric = append(metric, a.show())
		}
	}
	out := map[string]any{"MetricAlarms": metric, "CompositeAlarms": composite}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}

// show is an alarm as DescribeAlarms has it.
func (a Alarm) show() map[string]any {
	out := map[string]any{"AlarmName": a.Name, "AlarmArn": a.ARN(), "AlarmConfigurationUpdatedTimestamp": a.Written, "ActionsEnabled": a.Enabled,
		"StateValue": a.state(), "StateReason": "Unchecked: Initial alarm creation", "StateUpdatedTimestamp": a.Written}
	for _, list := range actionLists {
		shown := []any{}
		for _, x := range a.Actions[list] {
			shown = append(shown, x)
		}
		out[list] = shown
	}
	if a.Rule != "" {
		out["AlarmRule"] = a.Rule
		return out
	}
	out["EvaluationPeriods"], out["Threshold"], out["ComparisonOperator"] = a.Periods, a.Threshold, a.Comparison
	if a.Missing != "" {
		out["TreatMissingData"] = a.Missing
	}
	if len(a.Metrics) > 0 {
		out["Metrics"] = integral(a.Metrics)
		return out
	}
	out["MetricName"], out["Namespace"], out["Period"], out["Dimensions"] = a.Metric, a.Namespace, a.Period, showDimensions(a.Dimensions)
	if a.Statistic != "" {
		out["Statistic"] = a.Statistic
	} else {
		out["ExtendedStatistic"] = a.Extended
	}
	return out
}

// integral writes the periods in an expression's metrics as integers, as CBOR tells them from other numbers.
func integral(v any) any {
	switch x := v.(type) {
	case []any:
		all := []any{}
		for _, e := range x {
			all = append(all, integral(e))
		}
		return all
	case map[string]any:
		out := map[string]any{}
		for k, e := range x {
			if n, ok := number(e); ok && k == "Period" {
				out[k] = int(n)
				continue
			}
			out[k] = integral(e)
		}
		return out
	}
	return v
}

// Alarms are the alarms of an account in a Region as they were written last.
func (s *Service) Alarms(account, region string) []Alarm {
	var all []Alarm
	for _, l := range s.alarms {
		if a, ok := l.Truth(); ok && a.Account == account && a.Region == region {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b Alarm) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Publish states a data point that an AWS service has published about itself, now.
func (s *Service) Publish(account, region, namespace, name string, dimensions map[string]string, value float64) {
	s.data = append(s.data, Datum{Account: account, Region: region, Namespace: namespace, Name: name, Dimensions: dimensions, At: s.c.Now(), Came: s.c.Now(), Unit: "Count",
		Count: 1, Sum: value, Min: value, Max: value})
}
