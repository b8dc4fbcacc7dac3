// Package cloudtrail is the lab's CloudTrail event history: LookupEvents over the events that the other services left behind.
// It never records anything itself and never shows an event before its delay has passed or after 90 days.
package cloudtrail

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// History is how long event history keeps an event.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html
const History = 90 * 24 * time.Hour

// maxPage is the largest and the default page of LookupEvents.
const maxPage = 50

// rate is LookupEvents' limit in calls per second, per account and Region.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
const rate = 2

// Service is CloudTrail. It holds no state of its own: the events are the cloud's.
type Service struct{ cloud *cloud.Cloud }

// New registers CloudTrail with the cloud.
func New(c *cloud.Cloud) *Service {
	s := &Service{cloud: c}
	c.Register(&cloud.Service{
		Name: "cloudtrail", Target: "CloudTrail_20131101", Version: "2013-11-01",
		Protocol: cloud.JSON11, EventSource: "cloudtrail.amazonaws.com",
		Ops: map[string]*cloud.Op{
			"LookupEvents": {ReadOnly: true, Rate: rate, Do: s.lookupEvents},
		},
	})
	return s
}

func (s *Service) lookupEvents(r *cloud.Request) (map[string]any, error) {
	q, err := parseQuery(r)
	if err != nil {
		return nil, err
	}
	var found []entry
	if !q.insight {
		found = s.find(r, q)
	}
	start, err := q.start(found)
	if err != nil {
		return nil, err
	}
	size := q.max
	if s.cloud.PageSize > 0 && s.cloud.PageSize < size {
		size = s.cloud.PageSize
	}
	end := min(start+size, len(found))
	events := []any{}
	for _, e := range found[start:end] {
		events = append(events, e.wire())
	}
	out := map[string]any{"Events": events}
	if end < len(found) {
		out["NextToken"] = q.token(found[end-1].ID)
	}
	return out, nil
}

// find returns the matching events, newest first.
func (s *Service) find(r *cloud.Request, q query) []entry {
	horizon := s.cloud.Now().Add(-History)
	var found []entry
	for _, ev := range s.cloud.Events(r.Account(), r.Region) {
		if ev.Time.Before(horizon) || ev.Time.Before(q.from) || ev.Time.After(q.to) {
			continue
		}
		if e := newEntry(s.cloud, ev); q.key == "" || e.matches(q.key, q.value) {
			found = append(found, e)
		}
	}
	slices.Reverse(found)
	sort.SliceStable(found, func(i, j int) bool { return found[i].Time.After(found[j].Time) })
	return found
}

// query is a LookupEvents request, checked.
type query struct {
	key, value string // the one lookup attribute; "" looks up everything
	from, to   time.Time
	insight    bool
	max        int
	next       string
	digest     string // of every parameter but NextToken
}

func parseQuery(r *cloud.Request) (query, error) {
	q := query{max: r.Int("MaxResults", maxPage), next: r.Str("NextToken"), digest: digest(r.In)}
	if q.max < 1 || q.max > maxPage {
		return q, cloud.Errorf("InvalidMaxResultsException", "A max results value of %d is invalid. Specify max results between 1 and %d.", q.max, maxPage)
	}
	switch cat := r.Str("EventCategory"); cat {
	case "":
	case "insight":
		q.insight = true
	default:
		return q, cloud.Errorf("InvalidEventCategoryException", "The event category %s is not valid. The only valid value is insight.", cat)
	}
	if err := q.attribute(r.List("LookupAttributes")); err != nil {
		return q, err
	}
	var err error
	if q.from, err = timeOf(r.In["StartTime"], time.Time{}); err != nil {
		return q, err
	}
	if q.to, err = timeOf(r.In["EndTime"], r.Cloud.Now()); err != nil {
		return q, err
	}
	if q.from.After(q.to) {
		return q, cloud.Errorf("InvalidTimeRangeException", "Start time must be before end time.")
	}
	return q, nil
}

// knownKey tells the lookup attributes of the API model.
func knownKey(key string) bool {
	return slices.Contains([]string{"EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource", "AccessKeyId"}, key)
}

func (q *query) attribute(list []any) error {
	if len(list) == 0 {
		return nil
	}
	if len(list) > 1 {
		return cloud.Errorf("InvalidLookupAttributesException", "You can only specify one lookup attribute per request.")
	}
	m, _ := list[0].(map[string]any)
	q.key, _ = m["AttributeKey"].(string)
	q.value, _ = m["AttributeValue"].(string)
	if !knownKey(q.key) || q.value == "" || len(q.value) > 2000 {
		return cloud.Errorf("InvalidLookupAttributesException", "The lookup attribute %q with the value %q is not valid.", q.key, q.value)
	}
	return nil
}

// timeOf reads a timestamp of the JSON protocol: seconds since 1970, or RFC 3339 text.
func timeOf(v any, def time.Time) (time.Time, error) {
	switch v := v.(type) {
	case nil:
		return def, nil
	case time.Time:
		return v, nil
	case float64:
		return time.UnixMilli(int64(v * 1000)).UTC(), nil
	case string:
		if t, err := time.Parse(time.RFC3339, v); err == nil {
			return t, nil
		}
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return time.UnixMilli(int64(f * 1000)).UTC(), nil
		}
	}
	return def, cloud.Errorf("InvalidTimeRangeException", "The time value is not valid.")
}

func digest(in map[string]any) string {
	var parts []string
	for k, v := range in {
		if k != "NextToken" {
			parts = append(parts, fmt.Sprintf("%s=%v", k, v))
		}
	}
	sort.Strings(parts)
	sum := sha256.Sum256([]byte(strings.Join(parts, "&")))
	return hex.EncodeToString(sum[:8])
}

// token names the last event shown, so that events arriving meanwhile shift nothing.
func (q query) token(last string) string {
	return base64.StdEncoding.EncodeToString([]byte(q.digest + "|" + last))
}

func (q query) start(found []entry) (int, error) {
	if q.next == "" {
		return 0, nil
	}
	refused := cloud.Errorf("InvalidNextTokenException", "Invalid NextToken. A token is valid only with the parameters of the call that returned it.")
	raw, err := base64.StdEncoding.DecodeString(q.next)
	if err != nil {
		return 0, refused
	}
	sum, last, ok := strings.Cut(string(raw), "|")
	if !ok || sum != q.digest {
		return 0, refused
	}
	for i, e := range found {
		if e.ID == last {
			return i + 1, nil
		}
	}
	return 0, refused
}
