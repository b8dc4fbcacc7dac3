package collect

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/unjam/unjam/internal/fact"
)

const (
	history    = 90 * 24 * time.Hour // event history reaches back 90 days (API_LookupEvents)
	eventPages = 3                   // of 50 events each: at two look-ups per second more would cost too long
)

// events reads the events of one name in the Region, newest first, at most three pages. With Args "connection" it stops
// at the event that created or deleted that connection, because there is only one of each.
func (c *Collector) events(ctx context.Context, q fact.Query) answer {
	var a answer
	token := ""
	start := time.Now().Add(-history).UTC().Truncate(time.Second)
	for range eventPages {
		in := &cloudtrail.LookupEventsInput{
			LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: &q.ID}},
			StartTime:        &start, MaxResults: aws.Int32(50),
		}
		if token != "" {
			in.NextToken = &token
		}
		out, src, err := c.r.LookupEvents(ctx, q.Scope, in)
		a.src = src
		if err != nil {
			a.err = err
			return a
		}
		for _, e := range out.Events {
			f, err := c.event(e)
			if err != nil {
				// One unreadable event must not hide the others, but what it said is not known.
				a.rest = fmt.Sprintf("event %s could not be read: %v", aws.ToString(e.EventId), err)
				continue
			}
			f.Seen = seen(fact.Ref{Scope: q.Scope, Kind: fact.KindEvent, ID: f.ID}, src)
			a.facts = append(a.facts, f)
			if settles(f, q.Args["connection"]) {
				return a
			}
		}
		if token = aws.ToString(out.NextToken); token == "" {
			return a
		}
	}
	a.rest = fmt.Sprintf("more than %d pages of %s events: older ones were not read", eventPages, q.ID)
	return a
}

// settles reports whether no further event of the name can be about the connection.
func settles(e fact.Event, connection string) bool {
	return connection != "" && e.Connection == connection && e.ErrorCode == "" &&
		(e.Name == "CreateConnection" || e.Name == "DeleteConnection")
}

// event reads one entry: the record itself, and the entry's own members where the record lacks them.
func (c *Collector) event(e types.Event) (fact.Event, error) {
	f, err := c.parseEvent([]byte(aws.ToString(e.CloudTrailEvent)))
	if err != nil {
		return f, err
	}
	if f.ID == "" {
		f.ID = aws.ToString(e.EventId)
	}
	if f.Name == "" {
		f.Name = aws.ToString(e.EventName)
	}
	if f.EventSource == "" {
		f.EventSource = aws.ToString(e.EventSource)
	}
	if f.Time.IsZero() {
		f.Time = aws.ToTime(e.EventTime).UTC()
	}
	if f.Who.Name == "" {
		f.Who.Name = aws.ToString(e.Username)
	}
	return f, nil
}
