package cloudwatch

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// The limits of a request.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
const (
	maxMetrics    = 1000
	maxBytes      = 1 << 20
	maxDimensions = 30
	maxValues     = 150
	maxName       = 255
	maxDimension  = 1024 // characters of a dimension's value
	earliest      = 14 * 24 * time.Hour
	latest        = 2 * time.Hour
)

const maxValue = 0x1p360 // and its negative is the smallest

func refuseValue(value any, name string) error {
	return cloud.Errorf(invalidValue, "The value %v for parameter %s is invalid.", value, name)
}

func lacks(name string) error {
	return cloud.Errorf(missing, "The parameter %s is required.", name)
}

func tooMany(name string, most int) error {
	return cloud.Errorf(invalidValue, "The collection %s must not have a size greater than %d.", name, most)
}

// units are the StandardUnit values.
func units() []string {
	all := []string{"Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"}
	for _, prefix := range []string{"", "Kilo", "Mega", "Giga", "Tera"} {
		for _, unit := range []string{"bytes", "bits"} {
			name := prefix + unit
			name = strings.ToUpper(name[:1]) + name[1:]
			all = append(all, name, name+"/Second")
		}
	}
	return all
}

// judge reads the data points of a request, or says what is wrong with the first that is wrong: then none is kept.
func (s *Service) judge(r *cloud.Request) ([]Datum, error) {
	namespace := r.Str("Namespace")
	switch {
	case namespace == "":
		return nil, lacks("Namespace")
	case !regexp.MustCompile(`^[A-Za-z0-9._/#:\- ]{1,255}$`).MatchString(namespace), strings.HasPrefix(namespace, ":"), strings.HasPrefix(namespace, "AWS/"):
		return nil, refuseValue(namespace, "Namespace")
	case len(r.List("MetricData")) == 0:
		return nil, lacks("MetricData")
	case len(r.List("MetricData")) > maxMetrics:
		return nil, tooMany("MetricData", maxMetrics)
	}
	if b, err := json.Marshal(r.In); err == nil && len(b) > maxBytes {
		return nil, &cloud.Error{Code: "RequestEntityTooLarge", Message: "The request is larger than 1 MB."}
	}
	var all []Datum
	for i, x := range r.List("MetricData") {
		in, _ := x.(map[string]any)
		d := Datum{Account: r.Account(), Region: r.Region, Namespace: namespace, At: r.Time, Came: r.Time, Unit: "None", Publisher: r.Caller.ARN}
		if err := d.read(in, fmt.Sprintf("MetricData.member.%d.", i+1)); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// read takes one member of MetricData; at is its place in the request.
func (d *Datum) read(in map[string]any, at string) error {
	var err error
	if d.Name, _ = in["MetricName"].(string); d.Name == "" {
		return lacks(at + "MetricName")
	}
	if len(d.Name) > maxName || strings.HasPrefix(d.Name, ":") || !printable(d.Name) {
		return refuseValue(d.Name, at+"MetricName")
	}
	if d.Dimensions, err = dimensions(in["Dimensions"], at); err != nil {
		return err
	}
	if in["Timestamp"] != nil {
		when, ok := moment(in["Timestamp"])
		if !ok || when.Before(d.Came.Add(-earliest)) || when.After(d.Came.Add(latest)) {
			return refuseValue(in["Timestamp"], at+"Timestamp")
		}
		d.At = when
	}
	if unit, ok := in["Unit"].(string); ok {
		if !slices.Contains(units(), unit) {
			return refuseValue(unit, at+"Unit")
		}
		d.Unit = unit
	}
	if in["StorageResolution"] != nil {
		if n, ok := number(in["StorageResolution"]); !ok || n != 1 && n != 60 {
			return refuseValue(in["StorageResolution"], at+"StorageResolution")
		}
	}
	return d.values(in, at)
}

// values takes the one of three ways to state values that a member uses.
func (d *Datum) values(in map[string]any, at string) error {
	var given []string
	for _, name := range []string{"Value", "StatisticValues", "Values"} {
		if in[name] != nil {
			given = append(given, at+name)
		}
	}
	if len(given) == 0 {
		return cloud.Errorf(missing, "At least one of the parameters %sValue, %sStatisticValues and %sValues must be specified.", at, at, at)
	}
	if len(given) > 1 {
		return cloud.Errorf(invalidCombination, "The parameters %s and %s are mutually exclusive and you have specified both.", given[0], given[1])
	}
	switch {
	case in["Value"] != nil:
		return d.one(in["Value"], 1.0, at+"Value")
	case in["Values"] != nil:
		return d.many(in, at)
	}
	set, _ := in["StatisticValues"].(map[string]any)
	for name, to := range map[string]*float64{"SampleCount": &d.Count, "Sum": &d.Sum, "Minimum": &d.Min, "Maximum": &d.Max} {
		n, ok := number(set[name])
		if set[name] == nil {
			return lacks(at + "StatisticValues." + name)
		}
		if !ok {
			return refuseValue(set[name], at+"StatisticValues."+name)
		}
		*to = n
	}
	if d.Count <= 0 {
		return refuseValue(d.Count, at+"StatisticValues.SampleCount")
	}
	return nil
}

func (d *Datum) many(in map[string]any, at string) error {
	values, _ := in["Values"].([]any)
	counts, _ := in["Counts"].([]any)
	switch {
	case len(values) == 0:
		return lacks(at + "Values")
	case len(values) > maxValues:
		return tooMany(at+"Values", maxValues)
	case in["Counts"] != nil && len(counts) != len(values):
		return cloud.Errorf(invalidValue, "The parameters %sValues and %sCounts must be of the same size.", at, at)
	}
	for i, v := range values {
		n := any(1.0)
		if counts != nil {
			n = counts[i]
		}
		if err := d.one(v, n, fmt.Sprintf("%sValues.member.%d", at, i+1)); err != nil {
			return err
		}
	}
	return nil
}

// one adds a value that occurred some times.
func (d *Datum) one(value, times any, at string) error {
	v, ok := number(value)
	n, counts := number(times)
	if !ok {
		return refuseValue(value, at)
	}
	if !counts || n <= 0 {
		return refuseValue(times, strings.Replace(at, "Values", "Counts", 1))
	}
	if d.Count == 0 {
		d.Min, d.Max = v, v
	}
	d.Min, d.Max = min(d.Min, v), max(d.Max, v)
	d.Count, d.Sum = d.Count+n, d.Sum+v*n
	return nil
}

func dimensions(v any, at string) (map[string]string, error) {
	list, _ := v.([]any)
	if len(list) > maxDimensions {
		return nil, tooMany(at+"Dimensions", maxDimensions)
	}
	all := map[string]string{}
	for i, x := range list {
		m, _ := x.(map[string]any)
		name, _ := m["Name"].(string)
		value, _ := m["Value"].(string)
		here := fmt.Sprintf("%sDimensions.member.%d.", at, i+1)
		switch {
		case name == "":
			return nil, lacks(here + "Name")
		case value == "":
			return nil, lacks(here + "Value")
		case len(name) > maxName || strings.HasPrefix(name, ":") || !printable(name):
			return nil, refuseValue(name, here+"Name")
		case len(value) > maxDimension || !printable(value):
			return nil, refuseValue(value, here+"Value")
		}
		if _, twice := all[name]; twice {
			return nil, refuseValue(name, here+"Name")
		}
		all[name] = value
	}
	return all, nil
}

// printable: ASCII without control characters, and not blanks alone.
func printable(s string) bool {
	return regexp.MustCompile(`^[ -~]*[!-~][ -~]*$`).MatchString(s)
}

// number reads a finite number in CloudWatch's range, which a form carries as text.
func number(v any) (float64, bool) {
	n, ok := v.(float64)
	if text, isText := v.(string); isText {
		var err error
		n, err = strconv.ParseFloat(text, 64)
		ok = err == nil
	}
	return n, ok && !math.IsNaN(n) && math.Abs(n) <= maxValue
}

// moment reads a time: seconds since 1970, or ISO 8601 in a form.
func moment(v any) (time.Time, bool) {
	switch v := v.(type) {
	case float64:
		return time.UnixMilli(int64(math.Round(v * 1000))).UTC(), math.Abs(v) < 1e11
	case string:
		t, err := time.Parse(time.RFC3339, v)
		return t.UTC(), err == nil
	}
	return time.Time{}, false
}
