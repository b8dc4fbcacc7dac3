package collect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/unjam/unjam/internal/fact"
)

// happened is one event of the stack web, as XML; physical "arn:s" is the stack itself.
func happened(at, logical, physical, status, reason string) string {
	return `<member><StackId>arn:s</StackId><EventId>e</EventId><StackName>web</StackName><LogicalResourceId>` + logical + `</LogicalResourceId><PhysicalResourceId>` + physical +
		`</PhysicalResourceId><ResourceType>AWS::S3::Bucket</ResourceType><Timestamp>2026-01-01T` + at + `Z</Timestamp><ResourceStatus>` + status + `</ResourceStatus><ResourceStatusReason>` + reason + `</ResourceStatusReason></member>`
}

func page(next string, events ...string) string {
	return xml("DescribeStackEvents", `<StackEvents>`+strings.Join(events, "")+`</StackEvents>`+next)
}

// update are the events of a failed update, newest first, with what CloudFormation cancelled listed before the failure.
func update() []string {
	return []string{
		happened("10:01:00", "web", "arn:s", "UPDATE_ROLLBACK_COMPLETE", ""),
		happened("10:00:20.500", "Queue", "q", "UPDATE_FAILED", "Resource update cancelled"),
		happened("10:00:20", "Bucket", "b", "UPDATE_FAILED", "the true reason"),
		happened("10:00:10", "Bucket", "b", "UPDATE_IN_PROGRESS", ""),
		happened("10:00:00", "web", "arn:s", "UPDATE_IN_PROGRESS", "User Initiated"),
	}
}

// Of the events of a stack those of one operation are read, over pages and past what came later, and no further: the one that had begun
// last by the time asked for. The first failure is not one that CloudFormation cancelled.
func TestStackEvents(t *testing.T) {
	older := []string{happened("09:00:30", "Old", "o", "CREATE_FAILED", "an old reason"), happened("09:00:00", "web", "arn:s", "CREATE_IN_PROGRESS", "")}
	later := []string{happened("11:00:20", "New", "n", "UPDATE_FAILED", "a later reason"), happened("11:00:00", "web", "arn:s", "UPDATE_IN_PROGRESS", "")}
	for name, c := range map[string]struct {
		pages        []string
		until, first string
		calls        int
		more         bool
	}{
		"one page":           {[]string{page("", append(update(), older...)...)}, "2026-01-01T10:02:00Z", "Bucket", 1, false},
		"over pages":         {[]string{page(`<NextToken>t</NextToken>`, update()[:2]...), page(`<NextToken>u</NextToken>`, update()[2:]...), page("", older...)}, "2026-01-01T10:02:00Z", "Bucket", 2, false},
		"past a later one":   {[]string{page("", append(later, update()...)...)}, "2026-01-01T10:02:00Z", "Bucket", 1, false},
		"an older one":       {[]string{page("", append(update(), older...)...)}, "2026-01-01T09:02:00Z", "Old", 1, false},
		"while it goes on":   {[]string{page("", update()...)}, "2026-01-01T10:00:30Z", "Bucket", 1, false},
		"begin not reached":  {[]string{page("", update()[:3]...)}, "2026-01-01T10:02:00Z", "Bucket", 1, true},
		"nothing had failed": {[]string{page("", update()[3:]...)}, "2026-01-01T10:02:00Z", "", 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			q := fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindStackEvents, ID: "web", Args: map[string]string{"until": c.until}}
			col, w := script(t, map[string][]string{"cloudformation:DescribeStackEvents": c.pages})
			s := ask(t, col, q)
			got, ok := fact.Get[fact.StackEvents](s, fact.StackEventsRef(q.Scope, "web", c.until))
			first, failed := got.First()
			if !ok || first.Logical != c.first || failed != (c.first != "") || got.More != c.more || got.Began.IsZero() != c.more {
				t.Errorf("first %+v of %+v, gaps %+v", first, got, s.Gaps())
			}
			if n := len(w.asked["cloudformation:DescribeStackEvents"]); n != c.calls {
				t.Errorf("%d calls, want %d", n, c.calls)
			}
		})
	}
}

// A stack that does not exist is absent, whatever is asked about it, and so is a change set; every other error is a gap.
func TestStackAbsent(t *testing.T) {
	at := scope("eu-west-1")
	for operation, c := range map[string]struct {
		q    fact.Query
		ref  fact.Ref
		says string
	}{
		"DescribeStacks":      {fact.Query{Scope: at, Kind: fact.KindStackState, ID: "web"}, fact.StackRef(at, "web"), "!ValidationError Stack with id web does not exist"},
		"DescribeStackEvents": {fact.Query{Scope: at, Kind: fact.KindStackEvents, ID: "web", Args: map[string]string{"until": "2026-01-01T10:00:00Z"}}, fact.StackEventsRef(at, "web", "2026-01-01T10:00:00Z"), "!ValidationError Stack [web] does not exist"},
		"DescribeChangeSet":   {fact.Query{Scope: at, Kind: fact.KindChangeSet, ID: "web/changes"}, fact.ChangeSetRef(at, "web", "changes"), "!ChangeSetNotFound ChangeSet [changes] does not exist"},
	} {
		col, _ := script(t, map[string][]string{"cloudformation:" + operation: {c.says}})
		if _, gone := ask(t, col, c.q).Absence(c.ref); !gone {
			t.Errorf("%s: not absent", operation)
		}
		for _, text := range []string{"!ValidationError something else", "!AccessDenied User: x is not authorized to perform: cloudformation:" + operation} {
			col, _ = script(t, map[string][]string{"cloudformation:" + operation: {text}})
			if g, ok := ask(t, col, c.q).GapOf(c.q); !ok || strings.Contains(text, "AccessDenied") && g.Permission != "cloudformation:"+operation {
				t.Errorf("%s %s: gap %+v", operation, text, g)
			}
		}
	}
}

// The status of a stack with its reason, and whether it takes an update: not while one is under way nor after a failed rollback; one that
// waits for its first change set does.
func TestStackState(t *testing.T) {
	q := fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindStackState, ID: "web"}
	for status, updatable := range map[string]string{"UPDATE_ROLLBACK_FAILED": "no", "UPDATE_ROLLBACK_COMPLETE": "yes", "ROLLBACK_COMPLETE": "no", "UPDATE_IN_PROGRESS": "no", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "no", "REVIEW_IN_PROGRESS": "yes"} {
		col, _ := script(t, map[string][]string{"cloudformation:DescribeStacks": {xml("DescribeStacks", fmt.Sprintf(`<Stacks><member><StackId>arn:s</StackId><StackName>web</StackName>
			<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>%s</StackStatus><StackStatusReason>why</StackStatusReason><RoleARN>arn:r</RoleARN></member></Stacks>`, status))}})
		s := ask(t, col, q)
		got, ok := fact.Get[fact.Stack](s, fact.StackRef(q.Scope, "web"))
		word, _ := got.Field("updatable")
		if !ok || got.Status != status || got.Reason != "why" || got.ARN != "arn:s" || got.Role != "arn:r" || word != updatable || got.InProgress() != (strings.HasSuffix(status, "IN_PROGRESS") && status != "REVIEW_IN_PROGRESS") {
			t.Errorf("%s: %+v updatable %s, gaps %+v", status, got, word, s.Gaps())
		}
	}
	col, _ := script(t, map[string][]string{"cloudformation:DescribeStacks": {xml("DescribeStacks", `<Stacks></Stacks>`)}})
	if _, ok := ask(t, col, q).GapOf(q); !ok {
		t.Error("a reply without the stack is no gap")
	}
}
