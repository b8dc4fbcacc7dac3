// Package cloudwatch simulates the metrics of Amazon CloudWatch that callers publish themselves, and metric alarms. It never publishes a
// metric by itself, so that no alarm of it ever sees data.
package cloudwatch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// How late what was published is seen.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
const (
	listedAfter = 15 * time.Minute    // a new metric in ListMetrics
	oldAfter    = 2 * time.Hour       // data points that were 3 to 24 hours old when they came
	olderAfter  = 48 * time.Hour      // data points that were older than that
	forgotten   = 14 * 24 * time.Hour // ListMetrics leaves out what had no data point for so long
)

// The error codes of the API model on the Query wire.
const (
	invalidValue       = "InvalidParameterValue"
	invalidCombination = "InvalidParameterCombination"
	missing            = "MissingParameter"
	invalidToken       = "InvalidNextToken"
	noAlarm            = "ResourceNotFound"
)

// Datum is one data point that was published: one value, or several with how often each occurred.
type Datum struct {
	Account, Region, Namespace, Name string
	Dimensions                       map[string]string
	At                               time.Time // what the publisher says
	Came                             time.Time // when it was published
	Unit                             string    // "None" when the publisher named none
	Publisher                        string    // principal ARN
	Count, Sum, Min, Max             float64
}

// Service is CloudWatch in every account and Region. Its methods are called with the cloud's lock held.
type Service struct {
	c      *cloud.Cloud
	data   []Datum // in the order in which they came
	alarms []Alarm
}

// New registers the service on a cloud. Its signing name is monitoring, and it speaks Query, JSON 1.0 and CBOR.
func New(c *cloud.Cloud) *Service {
	s := &Service{c: c}
	on := func(op string) func(*cloud.Request) []cloud.Access {
		return func(*cloud.Request) []cloud.Access {
			return []cloud.Access{{Action: "cloudwatch:" + op, Resource: "*"}}
		}
	}
	c.Register(&cloud.Service{
		Name: "monitoring", Version: "2010-08-01", Protocol: cloud.Query, Namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
		Target: "com.amazonaws.cloudwatch.GraniteServiceVersion20100801", Text: "message", EventSource: "monitoring.amazonaws.com",
		Also: []cloud.Protocol{cloud.JSON10, cloud.CBOR},
		Shapes: map[string]string{invalidValue: "InvalidParameterValueException", invalidCombination: "InvalidParameterCombinationException",
			missing: "MissingRequiredParameterException"},
		Ops: map[string]*cloud.Op{
			"PutMetricData":       {Data: true, Access: onNamespace, Do: s.putMetricData},
			"ListMetrics":         {Data: true, ReadOnly: true, Access: on("ListMetrics"), Do: s.listMetrics},
			"PutMetricAlarm":      {Access: onAlarm("PutMetricAlarm"), Do: s.putMetricAlarm},
			"DeleteAlarms":        {Access: onAlarm("DeleteAlarms"), Do: s.deleteAlarms},
			"DescribeAlarms":      {ReadOnly: true, Access: onAlarm("DescribeAlarms"), Do: s.describeAlarms},
			"GetMetricStatistics": {Data: true, ReadOnly: true, Access: on("GetMetricStatistics"), Do: s.getMetricStatistics},
		},
	})
	return s
}

// onNamespace is the access to publish: policies can narrow it to a namespace, by a condition alone.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
func onNamespace(r *cloud.Request) []cloud.Access {
	return []cloud.Access{{Action: "cloudwatch:PutMetricData", Resource: "*", Context: map[string][]string{"cloudwatch:namespace": {r.Str("Namespace")}}}}
}

// Data is everything that was published to a namespace, in the order in which it came; to every namespace when it is "".
func (s *Service) Data(namespace string) []Datum {
	var all []Datum
	for _, d := range s.data {
		if namespace == "" || d.Namespace == namespace {
			all = append(all, d)
		}
	}
	return all
}

// key tells metrics of one namespace apart: name and dimensions.
func (d Datum) key() string { return d.Namespace + "\n" + d.Name + "\n" + dimensionKey(d.Dimensions) }

func dimensionKey(all map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%s=%s\n", name, all[name])
	}
	return b.String()
}

// visible is when the statistics first count a data point.
func (d Datum) visible(lag time.Duration) time.Time {
	switch age := d.Came.Sub(d.At); {
	case age >= 24*time.Hour:
		return d.Came.Add(olderAfter + lag)
	case age >= 3*time.Hour:
		return d.Came.Add(oldAfter + lag)
	}
	return d.Came.Add(lag)
}

func (s *Service) putMetricData(r *cloud.Request) (map[string]any, error) {
	all, err := s.judge(r)
	if err != nil {
		return nil, err
	}
	s.data = append(s.data, all...)
	return nil, nil
}

// metric is one line of ListMetrics.
type metric struct {
	Datum
	first, last time.Time // when its first data point came, and its latest one is dated
}

// listMetrics answers with up to 500 metrics a page.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
func (s *Service) listMetrics(r *cloud.Request) (map[string]any, error) {
	if active := r.Str("RecentlyActive"); active != "" && active != "PT3H" {
		return nil, refuseValue(active, "RecentlyActive")
	}
	wanted, err := filters(r)
	if err != nil {
		return nil, err
	}
	var found []metric
	for _, m := range s.metrics(r.Account(), r.Region) {
		now := s.c.Now()
		switch {
		case now.Sub(m.first) < listedAfter, now.Sub(m.last) > forgotten, r.Str("RecentlyActive") != "" && now.Sub(m.last) > 3*time.Hour:
		case r.Str("Namespace") != "" && r.Str("Namespace") != m.Namespace, r.Str("MetricName") != "" && r.Str("MetricName") != m.Name:
		case !has(m.Dimensions, wanted):
		default:
			found = append(found, m)
		}
	}
	page, next, err := cloud.Page(r.Cloud, found, r.Str("NextToken"), 0, 500, invalidValue)
	if err != nil {
		return nil, refuseValue(r.Str("NextToken"), "NextToken")
	}
	shown := []any{}
	for _, m := range page {
		shown = append(shown, map[string]any{"Namespace": m.Namespace, "MetricName": m.Name, "Dimensions": showDimensions(m.Dimensions)})
	}
	out := map[string]any{"Metrics": shown}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}

// metrics are those of an account in a Region, in the order of their keys.
func (s *Service) metrics(account, region string) []metric {
	by := map[string]metric{}
	for _, d := range s.data {
		if d.Account != account || d.Region != region {
			continue
		}
		m, ok := by[d.key()]
		if !ok {
			m = metric{Datum: d, first: d.Came}
		}
		if d.At.After(m.last) {
			m.last = d.At
		}
		by[d.key()] = m
	}
	var all []metric
	for _, key := range slices.Sorted(maps.Keys(by)) {
		all = append(all, by[key])
	}
	return all
}

// filter wants a dimension, and when it says so a value of it.
type filter struct {
	name, value string
	any         bool
}

func filters(r *cloud.Request) ([]filter, error) {
	list := r.List("Dimensions")
	if len(list) > 10 {
		return nil, tooMany("Dimensions", 10)
	}
	var all []filter
	for i, x := range list {
		m, _ := x.(map[string]any)
		f := filter{}
		f.name, _ = m["Name"].(string)
		value, ok := m["Value"].(string)
		f.value, f.any = value, !ok
		if f.name == "" {
			return nil, lacks(fmt.Sprintf("Dimensions.member.%d.Name", i+1))
		}
		all = append(all, f)
	}
	return all, nil
}

func has(dimensions map[string]string, wanted []filter) bool {
	for _, f := range wanted {
		if value, ok := dimensions[f.name]; !ok || !f.any && value != f.value {
			return false
		}
	}
	return true
}

func showDimensions(all map[string]string) []any {
	shown := []any{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		shown = append(shown, map[string]any{"Name": name, "Value": all[name]})
	}
	return shown
}
