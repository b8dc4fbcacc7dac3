package baseline_test

import (
	"testing"
	"time"

	"github.com/unjam/unjam/internal/baseline"
	"github.com/unjam/unjam/internal/fault"
)

const (
	stale   = "source-stale/0123456789"
	pending = "connection-pending/0123456789"
	gone    = "connection-missing/0123456789"
)

func entry(id, expires string) baseline.Entry {
	return baseline.Entry{ID: id, Owner: "platform", Reason: "known", Expires: expires}
}

// An entry hides through its last day in UTC, and nothing from the next one on.
func TestLastDay(t *testing.T) {
	e := entry(stale, "2026-11-23")
	far := time.FixedZone("east", 14*3600)
	for _, c := range []struct {
		now     time.Time
		expired bool
	}{
		{time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), false},
		{time.Date(2026, 11, 23, 23, 59, 59, 0, time.UTC), false},
		{time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), true},
		{time.Date(2026, 11, 24, 13, 0, 0, 0, far), false}, // the 23rd in UTC
		{time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), true},
	} {
		if got := e.Expired(c.now); got != c.expired {
			t.Errorf("expired at %s is %t, want %t", c.now, got, c.expired)
		}
	}
}

// Findings are left, hidden or explained; every entry that hides nothing is named, once.
func TestApply(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	symptom := fault.Explained{Code: "source-stale", Subject: fault.Subject{Kind: "pipeline", ARN: "arn:aws:codepipeline:eu-west-1:111111111111:web"}}
	all := []fault.Finding{
		{ID: pending, Code: "connection-pending", Severity: fault.Critical, Message: "waits", Explained: []fault.Explained{symptom}},
		{ID: stale, Code: "source-stale", Severity: fault.Medium, Message: "failed"},
		{ID: gone, Code: "connection-missing", Message: "gone"},
	}
	b := baseline.Baseline{Name: "known.yaml", Entries: []baseline.Entry{
		entry(stale, "2026-12-31"), entry(gone, "2026-11-22"), entry("action-failed/0123456789", "2026-12-31"), entry("action-failed/abcdef0123", "2026-01-01"), entry(symptom.ID(), "2026-12-31"),
	}}
	left, h := b.Apply(all, now)
	if len(left) != 2 || left[0].ID != pending || left[1].ID != gone {
		t.Errorf("left: %+v", left)
	}
	if len(h.Findings) != 1 || h.Findings[0] != (baseline.Known{ID: stale, Code: "source-stale", Severity: fault.Medium, Message: "failed", Owner: "platform", Reason: "known", Expires: "2026-12-31"}) {
		t.Errorf("hidden: %+v", h.Findings)
	}
	if len(h.Expired) != 2 || h.Expired[0].ID != gone || h.Expired[1].ID != "action-failed/abcdef0123" {
		t.Errorf("expired: %+v", h.Expired)
	}
	if len(h.Unmatched) != 1 || h.Unmatched[0].ID != "action-failed/0123456789" {
		t.Errorf("unmatched: %+v", h.Unmatched)
	}
	if len(all) != 3 || all[1].ID != stale {
		t.Error("the findings that were given are changed")
	}
}

// What is not complete, or would not mean what its writer thinks, is wrong.
func TestWrong(t *testing.T) {
	good := entry(stale, "2026-12-31")
	if key, why := good.Wrong(); key != "" || why != "" {
		t.Fatalf("a good entry is wrong: %s: %s", key, why)
	}
	for key, spoil := range map[string][]func(*baseline.Entry){
		"id":      {func(e *baseline.Entry) { e.ID = "" }, func(e *baseline.Entry) { e.ID = "source-stale" }, func(e *baseline.Entry) { e.ID = "source-stale/012345678" }, func(e *baseline.Entry) { e.ID = stale + "0" }},
		"owner":   {func(e *baseline.Entry) { e.Owner = " " }, func(e *baseline.Entry) { e.Owner = "a\x1b[2Jb" }},
		"reason":  {func(e *baseline.Entry) { e.Reason = "\n" }},
		"expires": {func(e *baseline.Entry) { e.Expires = "2026-2-30" }, func(e *baseline.Entry) { e.Expires = "2026-02-30" }, func(e *baseline.Entry) { e.Expires = "never" }},
	} {
		for i, f := range spoil {
			e := good
			f(&e)
			if got, why := e.Wrong(); got != key || why == "" {
				t.Errorf("%s, case %d: wrong is %q (%s)", key, i, got, why)
			}
		}
	}
}
