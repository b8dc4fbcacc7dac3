package cloudwatch

import (
	"slices"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// maxPoints is the most data points of one reply.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
const maxPoints = 1440

// question is a GetMetricStatistics request.
type question struct {
	namespace, name, unit string
	dimensions            map[string]string
	from, to              time.Time // from is in, to is out
	period                time.Duration
	statistics            []string
}

func (s *Service) getMetricStatistics(r *cloud.Request) (map[string]any, error) {
	q, err := ask(r)
	if err != nil {
		return nil, err
	}
	by := map[time.Time]Datum{}
	for _, d := range s.data {
		if d.Account != r.Account() || d.Region != r.Region || !q.asksFor(d) || d.visible(s.c.Lag).After(s.c.Now()) {
			continue
		}
		at := d.At.Truncate(q.period)
		by[at] = d.into(by[at])
	}
	points := []any{}
	for _, at := range backwards(by) {
		points = append(points, q.show(by[at], at))
	}
	return map[string]any{"Label": q.name, "Datapoints": points}, nil
}

// backwards lists the times, latest first: AWS promises no order.
func backwards(by map[time.Time]Datum) []time.Time {
	var all []time.Time
	for at := range by {
		all = append(all, at)
	}
	slices.SortFunc(all, func(a, b time.Time) int { return b.Compare(a) })
	return all
}

// ask reads a request.
func ask(r *cloud.Request) (question, error) {
	q := question{namespace: r.Str("Namespace"), name: r.Str("MetricName"), unit: r.Str("Unit")}
	for _, name := range []string{"Namespace", "MetricName", "StartTime", "EndTime", "Period"} {
		if r.In[name] == nil || r.In[name] == "" {
			return q, lacks(name)
		}
	}
	var ok [3]bool
	var seconds float64
	q.from, ok[0] = moment(r.In["StartTime"])
	q.to, ok[1] = moment(r.In["EndTime"])
	seconds, ok[2] = number(r.In["Period"])
	for i, name := range []string{"StartTime", "EndTime", "Period"} {
		if !ok[i] {
			return q, refuseValue(r.In[name], name)
		}
	}
	if n := int(seconds); n < 1 || n > 86400*365 || n%60 != 0 && !slices.Contains([]int{1, 5, 10, 30}, n) {
		return q, refuseValue(r.In["Period"], "Period")
	}
	q.period = time.Duration(seconds) * time.Second
	if !q.from.Before(q.to) {
		return q, cloud.Errorf(invalidCombination, "The parameter StartTime must be less than the parameter EndTime.")
	}
	if n := int(q.to.Sub(q.from) / q.period); n > maxPoints {
		return q, cloud.Errorf(invalidCombination, "You have requested up to %d datapoints, which exceeds the limit of %d. You may reduce the datapoints requested by increasing Period, or decreasing the time range.", n, maxPoints)
	}
	if q.unit != "" && !slices.Contains(units(), q.unit) {
		return q, refuseValue(q.unit, "Unit")
	}
	var err error
	if q.dimensions, err = dimensions(r.In["Dimensions"], ""); err != nil {
		return q, err
	}
	return q, q.wants(r)
}

// wants reads the statistics asked for. The lab counts no percentiles.
func (q *question) wants(r *cloud.Request) error {
	if r.In["ExtendedStatistics"] != nil {
		return refuseValue(r.In["ExtendedStatistics"], "ExtendedStatistics")
	}
	if len(r.List("Statistics")) == 0 {
		return cloud.Errorf(missing, "At least one of the parameters Statistics and ExtendedStatistics must be specified.")
	}
	for _, x := range r.List("Statistics") {
		name, _ := x.(string)
		if !slices.Contains([]string{"SampleCount", "Average", "Sum", "Minimum", "Maximum"}, name) {
			return refuseValue(x, "Statistics")
		}
		q.statistics = append(q.statistics, name)
	}
	return nil
}

// asksFor: dimensions must be the same, all of them.
func (q question) asksFor(d Datum) bool {
	return d.Namespace == q.namespace && d.Name == q.name && dimensionKey(d.Dimensions) == dimensionKey(q.dimensions) &&
		(q.unit == "" || d.Unit == q.unit) && !d.At.Before(q.from) && d.At.Before(q.to)
}

// into adds a data point to a sum.
func (d Datum) into(sum Datum) Datum {
	if sum.Count == 0 {
		return d
	}
	sum.Count, sum.Sum = sum.Count+d.Count, sum.Sum+d.Sum
	sum.Min, sum.Max = min(sum.Min, d.Min), max(sum.Max, d.Max)
	return sum
}

func (q question) show(d Datum, at time.Time) map[string]any {
	m := map[string]any{"Timestamp": at, "Unit": d.Unit}
	for name, v := range map[string]float64{"SampleCount": d.Count, "Average": d.Sum / d.Count, "Sum": d.Sum, "Minimum": d.Min, "Maximum": d.Max} {
		if slices.Contains(q.statistics, name) {
			m[name] = v
		}
	}
	return m
}
