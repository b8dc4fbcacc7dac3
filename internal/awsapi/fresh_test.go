package awsapi

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
)

const refusal = "User: arn:aws:sts::111111111111:assumed-role/Ops/unjam is not authorized to perform: codepipeline:GetPipeline on resource: arn:aws:codepipeline:eu-west-1:111111111111:web because no identity-based policy allows the codepipeline:GetPipeline action"

// spreads is AWS while permissions spread: it hands out sessions and refuses all else until a time has passed since it began.
func spreads(after time.Duration, text string) (wire, *int) {
	start, calls := time.Now(), new(int)
	return func(r *http.Request) (*http.Response, error) {
		_ = r.ParseForm()
		if r.Form.Get("Action") == "AssumeRole" {
			ends := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
			return says(200, "text/xml", fmt.Sprintf(`<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA%d</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`, time.Now().Unix(), ends)), nil
		}
		*calls++
		if time.Since(start) < after {
			return failure(400, "AccessDeniedException", text), nil
		}
		return says(200, "application/x-amz-json-1.1", `{"pipeline":{"name":"web"}}`), nil
	}, calls
}

// get makes a read; a call without a reply in its context is none.
func get(ctx context.Context, s *Session, isRead bool) (time.Duration, error) {
	var r Reply
	if isRead {
		ctx = WithReply(ctx, &r)
	}
	start := time.Now()
	_, err := codepipeline.NewFromConfig(s.Config("")).GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: aws.String("web")})
	return time.Since(start), err
}

// A refusal to a session that was only just made counts when it stays for two minutes, and not before. All other refusals count at
// once: an old session's, of keys that expire never, by an explicit deny, of calls that change something, and where nobody wants to
// wait.
func TestFreshSessions(t *testing.T) {
	for name, c := range map[string]struct {
		after      time.Duration // permissions spread for so long
		age        time.Duration // of the session at the call
		keys       bool          // no role is assumed
		text       string
		write, now bool
		deadline   time.Duration
		ok         bool
		min, max   time.Duration
	}{
		"spreads in time":    {after: 45 * time.Second, ok: true, min: 45 * time.Second, max: 62 * time.Second},
		"spreads at once":    {ok: true},
		"stays refused":      {after: time.Hour, min: 120 * time.Second, max: 120 * time.Second},
		"nearly old":         {after: 70 * time.Second, age: 59 * time.Second, ok: true, min: 11 * time.Second, max: 20 * time.Second},
		"old":                {after: time.Hour, age: 60 * time.Second},
		"long-lived keys":    {after: time.Hour, keys: true},
		"explicit deny":      {after: time.Hour, text: "User: arn:aws:sts::111111111111:assumed-role/Ops/unjam is not authorized to perform: codepipeline:GetPipeline on resource: arn:aws:codepipeline:eu-west-1:111111111111:web with an explicit deny in a service control policy"},
		"no read":            {after: time.Hour, write: true},
		"no waiting wanted":  {after: time.Hour, now: true},
		"deadline is nearer": {after: time.Hour, deadline: 10 * time.Second, min: time.Second, max: 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := c.text
				if text == "" {
					text = refusal
				}
				w, calls := spreads(c.after, text)
				told := 0
				o := Options{Keys: keys(), Region: "eu-west-1", RoleARN: "arn:aws:iam::111111111111:role/Ops", Transport: w, OnWait: func(until time.Time) {
					told++
					if left := time.Until(until); left <= 0 || left > freshPatience {
						t.Errorf("told to wait for %v", left)
					}
				}}
				if c.keys {
					o.RoleARN = ""
				}
				s, err := Open(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(c.age)
				ctx := t.Context()
				if c.now {
					ctx = AtOnce(ctx)
				}
				if c.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.deadline)
					defer cancel()
				}
				took, err := get(ctx, s, !c.write)
				if (err == nil) != c.ok || took < c.min || took > c.max {
					t.Errorf("took %v, %d calls, error %v", took, *calls, err)
				}
				if err != nil && Classify(err).Kind != Refused {
					t.Errorf("got %+v", Classify(err))
				}
				if waited := c.max > 0; (told == 1) != waited {
					t.Errorf("told %d times", told)
				}
				if *calls > 15 {
					t.Errorf("%d calls", *calls)
				}
			})
		})
	}
}

// However many reads are refused, one after the other, waiting ends when the session is two minutes old; and it is told once.
func TestFreshSessionsWaitOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := spreads(time.Hour, refusal)
		told := 0
		s, err := Open(t.Context(), Options{Keys: keys(), Region: "eu-west-1", RoleARN: "arn:aws:iam::111111111111:role/Ops", Transport: w, OnWait: func(time.Time) { told++ }})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for range 5 {
			if _, err := get(t.Context(), s, true); Classify(err).Kind != Refused {
				t.Errorf("got %v", err)
			}
		}
		if took := time.Since(start); took != freshPatience || told != 1 {
			t.Errorf("took %v, told %d times", took, told)
		}
	})
}

// The clock is compared with the Date of replies; what whole seconds and the way leave open is no difference.
func TestSkew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		off, date := time.Duration(0), true
		s := over(t, wire(func(*http.Request) (*http.Response, error) {
			resp := says(200, "application/x-amz-json-1.1", `{"pipeline":{"name":"web"}}`)
			if date {
				resp.Header.Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
			}
			time.Sleep(300 * time.Millisecond)
			return resp, nil
		}))
		if _, known := s.Skew(); known {
			t.Error("known before any reply")
		}
		date = false
		if _, err := get(t.Context(), s, true); err != nil {
			t.Fatal(err)
		}
		if _, known := s.Skew(); known {
			t.Error("known from a reply without a Date")
		}
		date = true
		for _, c := range []struct{ off, min, max time.Duration }{
			{0, 0, 0}, {7 * time.Minute, -7 * time.Minute, -7*time.Minute + 2*time.Second}, {-70 * time.Second, 68 * time.Second, 71 * time.Second},
		} {
			off = c.off
			if _, err := get(t.Context(), s, true); err != nil {
				t.Fatal(err)
			}
			if skew, known := s.Skew(); !known || skew < c.min || skew > c.max {
				t.Errorf("AWS is off by %v: skew %v, %v", c.off, skew, known)
			}
		}
	})
}
