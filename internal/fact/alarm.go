package fact

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Alarm is a CloudWatch alarm on one metric. One on an expression has Metrics instead.
type Alarm struct {
	Seen
	ARN        string            `json:"arn"`
	Name       string            `json:"name"`
	Namespace  string            `json:"namespace,omitempty"`
	Metric     string            `json:"metric,omitempty"`
	Dimensions map[string]string `json:"dimensions,omitempty"`
	Statistic  string            `json:"statistic,omitempty"` // or the extended one: p99
	Period     int               `json:"period,omitempty"`    // seconds
	Periods    int               `json:"periods,omitempty"`   // how many are looked at
	Threshold  float64           `json:"threshold,omitempty"`
	Comparison string            `json:"comparison,omitempty"` // ComparisonOperator
	Missing    string            `json:"missing,omitempty"`    // TreatMissingData; "" is missing
	Enabled    bool              `json:"enabled"`              // ActionsEnabled
	Actions    []string          `json:"actions,omitempty"`    // ARNs of what it does when it comes into ALARM
	State      string            `json:"state,omitempty"`      // OK, ALARM, INSUFFICIENT_DATA
	Changed    time.Time         `json:"changed,omitzero"`     // of its configuration
	Metrics    []AlarmMetric     `json:"metrics,omitempty"`    // of an alarm on an expression: those of its own account
}

// AlarmMetric is a metric in an alarm's expression.
type AlarmMetric struct {
	Namespace  string            `json:"namespace"`
	Metric     string            `json:"metric"`
	Dimensions map[string]string `json:"dimensions,omitempty"`
	Statistic  string            `json:"statistic,omitempty"`
}

// Metric is a metric of a namespace that had data in the last two weeks (API_ListMetrics).
type Metric struct {
	Seen
	Namespace  string            `json:"namespace"`
	Name       string            `json:"name"`
	Dimensions map[string]string `json:"dimensions,omitempty"`
}

// CompositeAlarm is an alarm on the states of other alarms.
type CompositeAlarm struct {
	Seen
	ARN  string `json:"arn"`
	Name string `json:"name"`
	Rule string `json:"rule"` // AlarmRule: ALARM("name") AND ...
}

// Field knows "metric" (NAMESPACE/METRIC), "pipeline" (the dimension PipelineName), "statistic", "dimensions" (their names, with
// commas), "breach" (comparison and threshold), "enabled" ("true" or "false") and "actions": how many.
func (a Alarm) Field(path string) (string, bool) {
	switch path {
	case "metric":
		return a.Namespace + "/" + a.Metric, true
	case "pipeline":
		v, ok := a.Dimensions["PipelineName"]
		return v, ok
	case "statistic":
		return a.Statistic, true
	case "dimensions":
		return strings.Join(slices.Sorted(maps.Keys(a.Dimensions)), ","), true
	case "breach":
		return a.Comparison + " " + strconv.FormatFloat(a.Threshold, 'f', -1, 64), true
	case "enabled":
		return strconv.FormatBool(a.Enabled), true
	case "actions":
		return strconv.Itoa(len(a.Actions)), true
	}
	return "", false
}

// AlarmRef is the Ref of an alarm, by name.
func AlarmRef(scope Scope, name string) Ref { return Ref{Scope: scope, Kind: KindAlarm, ID: name} }
