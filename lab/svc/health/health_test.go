package health_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/health"
	"github.com/unjam/unjam/lab/svc/iam"
)

const account, other = "111111111111", "222222222222"

type bench struct {
	t *testing.T
	c *cloud.Cloud
	s *health.Service
}

func newBench(t *testing.T) bench {
	c := cloud.New()
	b := bench{t, c, health.New(c)}
	c.Replay(time.Unix(1_750_000_000, 0))
	return b
}

func (b bench) call(by, region, op string, in map[string]any) (out map[string]any, err error) {
	b.c.Within(func() {
		out, err = b.c.Serve(&cloud.Request{Service: "health", Operation: op, Region: region, In: in, Caller: iam.RootPrincipal(by)})
	})
	return out, err
}

// events are the services and statuses of what an account sees under a filter.
func (b bench) events(by string, filter map[string]any) string {
	b.t.Helper()
	out, err := b.call(by, "us-east-1", "DescribeEvents", map[string]any{"filter": filter})
	if err != nil {
		b.t.Fatal(err)
	}
	var all []string
	for _, e := range out["events"].([]map[string]any) {
		all = append(all, fmt.Sprint(e["service"], " ", e["region"], " ", e["statusCode"], " ", e["eventScopeCode"]))
	}
	return strings.Join(all, "; ")
}

func code(err error) string {
	var e *cloud.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

func TestOnlySomePlansIncludeTheAPI(t *testing.T) {
	for plan, want := range map[string]string{"": "SubscriptionRequiredException", "basic": "SubscriptionRequiredException", "developer": "SubscriptionRequiredException",
		"business": "<nil>", "enterprise-on-ramp": "<nil>", "enterprise": "<nil>"} {
		b := newBench(t)
		if plan != "" {
			if err := b.s.SetPlan(account, plan); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.call(account, "us-east-1", "DescribeEvents", nil); code(err) != want {
			t.Errorf("plan %q: %v", plan, err)
		}
	}
	b := newBench(t)
	if b.s.SetPlan(account, "gold") == nil {
		t.Error("a plan nobody knows")
	}
	if _, err := b.call(account, "eu-west-1", "DescribeEvents", nil); code(err) != cloud.InvalidSignature {
		t.Errorf("signed for another Region: %v", err)
	}
}

func TestEvents(t *testing.T) {
	b := newBench(t)
	for _, a := range []string{account, other} {
		if err := b.s.SetPlan(a, "business"); err != nil {
			t.Fatal(err)
		}
	}
	pipeline := "arn:aws:codepipeline:eu-west-1:" + account + ":web"
	arn := b.s.Report(health.Event{Service: "CODEPIPELINE", Region: "eu-west-1", Status: "open", Text: "We investigate.", Affected: []string{pipeline}})
	b.s.Report(health.Event{Service: "IAM", Region: "us-east-1", Status: "closed", Text: "It was slow.", Account: account})
	b.c.Replay(b.c.Now().Add(time.Hour))
	if again := b.s.Report(health.Event{Service: "CODEPIPELINE", Region: "eu-west-1", Status: "closed", Text: "It is over."}); again != arn {
		t.Errorf("the second report made an event of its own: %s", again)
	}
	const pipes, iamEvent = "CODEPIPELINE eu-west-1 closed PUBLIC", "IAM us-east-1 closed ACCOUNT_SPECIFIC"
	one := func(name string, values ...any) map[string]any { return map[string]any{name: values} }
	for _, tt := range []struct {
		by     string
		filter map[string]any
		want   string
	}{
		{account, nil, pipes + "; " + iamEvent}, {other, nil, pipes},
		{account, one("services", "CODEPIPELINE"), pipes}, {account, one("regions", "us-east-1"), iamEvent}, {account, one("eventStatusCodes", "open"), ""},
		{account, one("lastUpdatedTimes", map[string]any{"from": 1_750_000_001.0}), pipes},
		{account, one("startTimes", map[string]any{"to": 1_749_999_999.0}), ""},
	} {
		if got := b.events(tt.by, tt.filter); got != tt.want {
			t.Errorf("%s %v: %q, want %q", tt.by, tt.filter, got, tt.want)
		}
	}
	out, err := b.call(account, "us-east-1", "DescribeEventDetails", map[string]any{"eventArns": []any{arn, "arn:aws:health:us-east-1::event/X/Y/Z"}})
	if err != nil || !strings.Contains(fmt.Sprint(out["successfulSet"]), "We investigate.\n\nIt is over.") || len(out["failedSet"].([]any)) != 1 {
		t.Errorf("details %v, %v", out, err)
	}
	for by, want := range map[string][]string{account: {pipeline}, other: nil} {
		out, err := b.call(by, "us-east-1", "DescribeAffectedEntities", map[string]any{"filter": one("eventArns", arn)})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range out["entities"].([]map[string]any) {
			got = append(got, e["entityValue"].(string))
		}
		if !slices.Equal(got, want) {
			t.Errorf("entities for %s: %v, want %v", by, got, want)
		}
	}
}
